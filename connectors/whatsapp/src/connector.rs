//! One number as a connector.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Hint, Outgoing, QuotaRule, QuotaScope, QuotaUnit, Received,
    Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_graph::{GraphClient, Hub};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, CitizenId, Problem, Profile,
    capabilities::{ChoiceLimit, MediaLimit},
    event::{Media, MediaKind},
};

use crate::{Config, ConfigError, account, media, receive, recent::Recent, send};

/// One number.
pub struct WhatsApp {
    config: Config,
    hub: Hub,
    capabilities: Capabilities,
    graph: GraphClient,
    recent: Recent,
}

impl fmt::Debug for WhatsApp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("WhatsApp");
        structure
            .field("channel", &self.config.channel)
            .finish_non_exhaustive()
    }
}

impl WhatsApp {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config, client: GuardedClient) -> Result<Self, ConfigError> {
        config.check()?;
        let graph = GraphClient::new(&config.app, client)?;
        let capabilities = Capabilities {
            templates: !config.templates.is_empty(),
            ..capabilities()
        };
        Ok(Self {
            hub: Hub::new(&config.app),
            config,
            capabilities,
            graph,
            recent: Recent::default(),
        })
    }
}

#[async_trait]
impl Connector for WhatsApp {
    fn kind(&self) -> &'static str {
        "whatsapp"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        receive::receive(&self.config, &self.hub, &self.recent, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        send::send(&self.graph, &self.config, &self.recent, outgoing).await
    }

    fn fails_later(&self) -> bool {
        true
    }

    /// WhatsApp has nothing to ask for a profile; a name comes with each message.
    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        Ok(Profile {
            name: self.recent.name(citizen.as_str()),
            ..Profile::default()
        })
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        quotas()
    }

    fn hints(&self) -> Vec<Hint> {
        self.graph.hints()
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        media::fetch(&self.graph, &self.config, media, most).await
    }

    async fn check(&self) -> Checkup {
        account::check(&self.graph, &self.config).await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        account::set_webhook(&self.graph, &self.config, url).await
    }
}

/// 80 messages a second for a number (Meta raises it to 1,000 by itself), and for one recipient one
/// message in six seconds on average, 45 at once.
fn quotas() -> Vec<QuotaRule> {
    vec![
        QuotaRule {
            name: "number",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Messages,
            limit: 80,
            per: Duration::from_secs(1),
            burst: 1,
        },
        QuotaRule {
            name: "pair",
            scope: QuotaScope::Recipient,
            unit: QuotaUnit::Messages,
            limit: 1,
            per: Duration::from_secs(6),
            burst: 45,
        },
    ]
}

/// Limits of the Cloud API, as documented in June 2026, for a number without templates.
pub fn capabilities() -> Capabilities {
    let megabytes = |count: u64| count * 1024 * 1024;
    let media = |kind, bytes, caption| MediaLimit {
        kind,
        bytes,
        caption,
    };
    Capabilities {
        buttons: Some(ChoiceLimit::in_characters(3, 20, 256, 1024)),
        // The newer documentation has 4096 for the text above a list, the older one 1024.
        list: Some(ChoiceLimit {
            description: 72,
            ..ChoiceLimit::in_characters(10, 24, 200, 1024)
        }),
        media: vec![
            media(MediaKind::Image, megabytes(5), 1024),
            media(MediaKind::Video, megabytes(16), 1024),
            media(MediaKind::Audio, megabytes(16), 0),
            media(MediaKind::File, megabytes(100), 1024),
        ],
        ask_location: true,
        ask_phone: true,
        // Its two questions with a button of their own stand alone.
        choices_beside_asking: false,
        typing: true,
        window: Some(Duration::from_hours(24)),
        ..Capabilities::text_only(4096)
    }
}
