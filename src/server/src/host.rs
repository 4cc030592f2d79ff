//! What the replica offers to a channel that has routes of its own.

use std::sync::Arc;

use async_trait::async_trait;
use langnghe_connector::{Acceptance, Host, MediaRefusal, Unavailable, Upload};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, Timestamp, event::Media};

use crate::{clock, intake::Intake, media::MediaFolder, metrics::ChannelMetrics};

/// One channel's view of the replica.
#[derive(Debug)]
pub(crate) struct ChannelHost {
    pub(crate) channel: ChannelId,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) intake: Arc<Intake>,
    pub(crate) media: Arc<MediaFolder>,
}

#[async_trait]
impl Host for ChannelHost {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    async fn accept(&self, events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        self.intake.accept(&self.metrics, events).await
    }

    async fn present(&self, citizen: &CitizenId) {
        let conversation = ConversationId::new(self.channel.clone(), citizen.clone());
        if let Err(error) = self.intake.store.wake(&conversation).await {
            tracing::warn!(%error, conversation = conversation.tag(), "parked replies stay parked");
        }
    }

    async fn keep_media(
        &self,
        conversation: &ConversationId,
        upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        self.media.keep(conversation, upload).await
    }
}
