//! What the connectors of a channel keep in the store: documents under the channel's name, and the host
//! of commands that look at a channel without serving it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use langnghe_connector::{Acceptance, Host, MediaRefusal, Unavailable, Upload};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, Timestamp, event::Media};
use langnghe_store::{Store, StoreError};

use crate::clock;

/// The longest that one operation may take.
const TIME: Duration = Duration::from_secs(15);
/// When to try again after a store that does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The document that a channel's state of this name is.
fn document(channel: &ChannelId, name: &str) -> String {
    format!("channel/{channel}/{name}")
}

/// What is kept under a name.
pub(crate) async fn read(
    store: &dyn Store,
    channel: &ChannelId,
    name: &str,
) -> Result<Option<Vec<u8>>, Unavailable> {
    in_time(channel, store.document(&document(channel, name))).await
}

/// Everything that is kept under names that begin so, by what follows.
pub(crate) async fn list(
    store: &dyn Store,
    channel: &ChannelId,
    place: &str,
) -> Result<Vec<(String, Vec<u8>)>, Unavailable> {
    let prefix = document(channel, place);
    let found = in_time(channel, store.documents(&prefix)).await?;
    let named = |(name, body): (String, Vec<u8>)| {
        let rest = name.strip_prefix(&prefix)?.to_owned();
        Some((rest, body))
    };
    Ok(found.into_iter().filter_map(named).collect())
}

/// Keeps `body` in the place of `expected`; says whether it did.
pub(crate) async fn exchange(
    store: &dyn Store,
    channel: &ChannelId,
    name: &str,
    expected: Option<&[u8]>,
    body: &[u8],
) -> Result<bool, Unavailable> {
    let document = document(channel, name);
    in_time(channel, store.exchange_document(&document, expected, body)).await
}

async fn in_time<T>(
    channel: &ChannelId,
    operation: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Unavailable> {
    let unavailable = Unavailable {
        retry_after: RETRY_AFTER,
    };
    match tokio::time::timeout(TIME, operation).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            tracing::warn!(%error, %channel, "the state of a channel could not be reached");
            Err(unavailable)
        }
        Err(_) => {
            tracing::warn!(%channel, "the store does not answer for the state of a channel");
            Err(unavailable)
        }
    }
}

/// What a command offers to a connector that it only looks at: the time, and the state that the
/// replicas share with it. It takes no events and no files.
#[derive(Debug)]
pub struct CommandHost {
    /// Where the replicas keep everything; `None` where no replica has run yet, so that nothing is kept.
    pub store: Option<Arc<dyn Store>>,
    /// Which channel.
    pub channel: ChannelId,
}

#[async_trait]
impl Host for CommandHost {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    async fn accept(&self, _events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        Err(Unavailable {
            retry_after: RETRY_AFTER,
        })
    }

    async fn present(&self, _citizen: &CitizenId) {}

    async fn keep_media(
        &self,
        _conversation: &ConversationId,
        _upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        Err(MediaRefusal::Unavailable)
    }

    async fn state(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        match &self.store {
            Some(store) => read(&**store, &self.channel, name).await,
            None => Ok(None),
        }
    }

    async fn exchange_state(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, Unavailable> {
        let store = self.store.as_ref().ok_or(Unavailable {
            retry_after: RETRY_AFTER,
        })?;
        exchange(&**store, &self.channel, name, expected, body).await
    }
}
