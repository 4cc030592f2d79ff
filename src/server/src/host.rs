//! What the replica offers to a channel that has routes of its own.

use std::sync::Arc;

use async_trait::async_trait;
use langnghe_connector::{Acceptance, Host, MediaRefusal, Unavailable, Upload};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, Timestamp, event::Media};
use langnghe_store::Bus;
use tokio::sync::mpsc;

use crate::{
    channel_state, clock, crash, intake::Intake, media::MediaKeeper, metrics::ChannelMetrics,
};

/// One channel's view of the replica.
#[derive(Debug)]
pub(crate) struct ChannelHost {
    pub(crate) channel: ChannelId,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) intake: Arc<Intake>,
    pub(crate) media: Arc<MediaKeeper>,
    /// The line to other replicas, where there can be any.
    pub(crate) bus: Option<Arc<dyn Bus>>,
}

impl ChannelHost {
    /// Under what the channel's connectors speak to each other.
    fn topic(&self) -> String {
        format!("channel:{}", self.channel)
    }
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
        self.media.keep_upload(conversation, upload).await
    }

    async fn state(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        channel_state::read(&*self.intake.store, &self.channel, name).await
    }

    async fn exchange_state(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, Unavailable> {
        channel_state::exchange(&*self.intake.store, &self.channel, name, expected, body).await
    }

    fn passed(&self, step: &'static str) {
        crash::step(step);
    }

    fn hear_replicas(&self) -> Option<mpsc::Receiver<Vec<u8>>> {
        Some(self.bus.as_ref()?.subscribe(&self.topic()))
    }

    async fn tell_replicas(&self, message: Vec<u8>) {
        if let Some(bus) = &self.bus
            && let Err(error) = bus.publish(&self.topic(), message).await
        {
            tracing::debug!(%error, channel = %self.channel, "other replicas were not told");
        }
    }
}
