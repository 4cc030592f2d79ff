//! Where a ticket's media are, for a command that looks into the store beside a server.

use std::{sync::Arc, time::Duration};

use langnghe_desk::MediaAtDelivery;
use langnghe_model::{Timestamp, event::Media};
use langnghe_store::Store;

use super::{
    keeper::{MediaKeeper, StateError},
    metrics::MediaMetrics,
    names::Name,
    place::PlaceRefused,
    shelf::Shelf,
};
use crate::MediaSettings;

/// Where media are cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaUnknown {
    /// The folder is not there: they are kept on another machine, or none was kept yet.
    #[error("there is no folder of media here")]
    NoFolder,
    /// The configuration's place cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceRefused),
    /// The store, the folder or the bucket does not answer.
    #[error("{0}")]
    Away(String),
}

impl From<StateError> for MediaUnknown {
    fn from(error: StateError) -> Self {
        Self::Away(error.to_string())
    }
}

/// Tells where media are now, with links that are good for a while; waits for none. Those of versions that
/// did not know are left out. Changes nothing.
///
/// # Errors
/// [`MediaUnknown`].
pub async fn look_for_media(
    store: Arc<dyn Store>,
    settings: &MediaSettings,
    media: &[&Media],
) -> Result<MediaAtDelivery, MediaUnknown> {
    if media.is_empty() {
        return Ok(MediaAtDelivery::new());
    }
    let folder = settings.place.folder();
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(MediaUnknown::NoFolder);
    }
    let settings = MediaSettings {
        ticket_wait: Duration::ZERO,
        ..settings.clone()
    };
    let shelf = Shelf::uncounted(settings.place.open()?, &settings);
    let keeper = MediaKeeper::over(shelf, settings, store, MediaMetrics::default());
    for name in media.iter().filter_map(|one| Name::of_reference(&one.url)) {
        keeper.state(&name).await?;
    }
    let told = keeper.at_delivery(media, Timestamp::default()).await;
    told.map_err(|error| StateError::from(error).into())
}
