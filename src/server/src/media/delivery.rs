//! What a backend is told of a ticket's media: where each is now, and a link that is good for a while.

use std::{collections::BTreeMap, time::Duration};

use langnghe_desk::{DeliveredMedia, MediaAtDelivery, MediaState};
use langnghe_model::{Timestamp, event::Media};
use langnghe_store::StoreError;

use super::{
    about::About,
    job::older_upload,
    keeper::{MediaKeeper, State},
    links::link,
    names::Name,
};
use crate::clock;

/// The longest between two looks at what is still being fetched: another replica may fetch it.
const LOOK: Duration = Duration::from_millis(500);

impl MediaKeeper {
    /// Tells where a ticket's media are. What is still being fetched is waited for, but only while the
    /// ticket is younger than the time that is set for that: so an outage of a messenger costs each
    /// ticket that time once, and a queue of tickets nothing.
    ///
    /// # Errors
    /// [`StoreError`] where links cannot be signed.
    pub(crate) async fn at_delivery(
        &self,
        media: &[&Media],
        made_at: Timestamp,
    ) -> Result<MediaAtDelivery, StoreError> {
        if media.is_empty() {
            return Ok(MediaAtDelivery::new());
        }
        let keys = self.keys().await?;
        loop {
            let changed = self.changed.notified();
            let mut told = BTreeMap::new();
            let mut fetching = false;
            for medium in media {
                let delivered = match Name::of_reference(&medium.url) {
                    None => self.older(medium).await,
                    Some(name) => {
                        let (lifetime, now) = (self.settings.link_lifetime, clock::now());
                        let url = link(keys, self.public_url(), &name, lifetime, now);
                        Some(self.delivered(medium, &name, url).await)
                    }
                };
                let Some(delivered) = delivered else { continue };
                fetching |= delivered.state == MediaState::Fetching;
                told.insert(medium.url.clone(), delivered);
            }
            let age = clock::now().since(made_at);
            let rest = self.settings.ticket_wait.saturating_sub(age);
            if !fetching || rest.is_zero() {
                return Ok(told);
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(rest.min(LOOK)) => {}
            }
        }
    }

    async fn delivered(&self, medium: &Media, name: &Name, url: String) -> DeliveredMedia {
        let state = self.state(name).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the state of a medium is not known just now");
            State::Fetching
        });
        let delivered = DeliveredMedia {
            state: MediaState::Fetching,
            kind: medium.kind,
            url,
            content_type: medium.content_type.clone(),
            bytes: medium.bytes,
            name: medium.name.clone(),
            reason: None,
        };
        match state {
            State::Fetching => delivered,
            State::Known(About::Available {
                kind,
                content_type,
                bytes,
                ..
            }) => DeliveredMedia {
                state: MediaState::Available,
                kind,
                content_type: Some(content_type),
                bytes: Some(bytes),
                ..delivered
            },
            State::Known(About::Unavailable { reason }) => DeliveredMedia {
                state: MediaState::Unavailable,
                reason: Some(reason.word().to_owned()),
                ..delivered
            },
        }
    }

    /// An upload of a version before names lies under its link; anything else is a messenger's link in
    /// a ticket of such a version, of which nothing is known.
    async fn older(&self, medium: &Media) -> Option<DeliveredMedia> {
        let file = older_upload(&medium.url, self.public_url())?;
        let state = match self.shelf.has(file).await {
            Ok(true) => MediaState::Available,
            Ok(false) => MediaState::Unavailable,
            Err(_) => return None,
        };
        let removed = state == MediaState::Unavailable;
        Some(DeliveredMedia {
            state,
            kind: medium.kind,
            url: medium.url.clone(),
            content_type: medium.content_type.clone(),
            bytes: medium.bytes,
            name: medium.name.clone(),
            reason: removed.then(|| "removed".to_owned()),
        })
    }
}
