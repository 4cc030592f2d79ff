//! SMS as a connector, whoever carries it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Hint, Host, Manner, Outgoing, QuotaRule, QuotaScope, QuotaUnit,
    Received, Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_model::{
    Capabilities, CitizenId, Problem, Reply,
    capabilities::{TextLimit, TextUnit},
    event::Media,
    phone, segments,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    inbound::Reading,
    provider::{Intake, OutgoingText, Provider},
};

/// One SMS channel.
#[derive(Debug)]
pub struct Sms {
    reading: Arc<Reading>,
    capabilities: Capabilities,
    parts_per_second: u32,
    provider: Box<dyn Provider>,
}

impl Sms {
    /// Puts a channel and who carries it together.
    pub fn new(config: Config, provider: impl Provider + 'static) -> Self {
        Self {
            capabilities: capabilities(&config),
            parts_per_second: config.parts_per_second.max(1),
            reading: Arc::new(Reading::new(config.channel, config.keyword)),
            provider: Box::new(provider),
        }
    }
}

/// What the channel can show and carry: words, in parts that are paid for.
pub fn capabilities(config: &Config) -> Capabilities {
    Capabilities {
        text: TextLimit {
            max: usize::from(config.max_segments.max(1)),
            unit: TextUnit::Segments,
        },
        encoding: config.encoding,
        ..Capabilities::text_only(0)
    }
}

#[async_trait]
impl Connector for Sms {
    fn kind(&self) -> &'static str {
        "sms"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        let delivery = self.provider.receive(request)?;
        Ok(Received {
            answer: delivery.answer,
            events: self.reading.events(delivery.items, request.received_at),
        })
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let refused = |code: &str| SendError::Rejected {
            code: code.to_owned(),
        };
        // A sender that is no number (a bank, a short code) is never answered.
        if !outgoing.citizen.as_str().starts_with('+') {
            return Err(refused("the recipient is no telephone number"));
        }
        if outgoing.manner != Manner::Free {
            return Err(refused("this channel has no templates"));
        }
        let Reply::Text { text } = outgoing.reply else {
            return Err(refused("not a text"));
        };
        let text = OutgoingText::new(outgoing.id, outgoing.citizen.as_str(), text);
        self.provider.send(&text).await
    }

    fn fails_later(&self) -> bool {
        true
    }

    fn citizen_of(&self, phone: &str) -> Option<CitizenId> {
        phone::sender(phone).map(|number| CitizenId::new(&number))
    }

    fn sends_at_once(&self) -> Option<usize> {
        self.provider.sends_at_once()
    }

    async fn tend(&self, host: Arc<dyn Host>, over: CancellationToken) {
        let intake = Intake::new(host, Arc::clone(&self.reading));
        self.provider.tend(intake, over).await;
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        let parts = QuotaRule {
            name: "parts",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Parts,
            limit: self.parts_per_second,
            per: Duration::from_secs(1),
            burst: 1,
        };
        let mut rules = vec![parts];
        rules.extend(self.provider.quotas());
        rules
    }

    fn parts(&self, reply: &Reply) -> u32 {
        match reply {
            Reply::Text { text } => u32::try_from(segments::count(text).parts).unwrap_or(u32::MAX),
            _ => 1,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        self.provider.hints()
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        self.provider.fetch(media, most).await
    }

    async fn check(&self) -> Checkup {
        self.provider.check().await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        self.provider.set_webhook(url).await
    }
}
