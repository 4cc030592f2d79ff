//! One Page as a connector.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Hint, Outgoing, QuotaRule, QuotaScope, QuotaUnit, Received,
    Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_graph::{AppError, GraphClient, Hub};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, CitizenId, Problem, Profile,
    capabilities::{ChoiceLimit, MediaLimit},
    event::{Media, MediaKind},
};

use crate::{ChoicePresentation, Config, account, receive, send};

/// One Page.
pub struct Messenger {
    config: Config,
    hub: Hub,
    capabilities: Capabilities,
    graph: GraphClient,
}

impl fmt::Debug for Messenger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("Messenger");
        structure
            .field("channel", &self.config.channel)
            .finish_non_exhaustive()
    }
}

impl Messenger {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn new(config: Config, client: GuardedClient) -> Result<Self, AppError> {
        let graph = GraphClient::new(&config.app, client)?;
        let capabilities = Capabilities {
            templates: !config.templates.is_empty(),
            ..capabilities(config.choices)
        };
        Ok(Self {
            hub: Hub::new(&config.app),
            config,
            capabilities,
            graph,
        })
    }
}

#[async_trait]
impl Connector for Messenger {
    fn kind(&self) -> &'static str {
        "messenger"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        receive::receive(&self.config, &self.hub, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        send::send(&self.graph, &self.config, outgoing).await
    }

    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        send::profile(&self.graph, citizen).await
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        quotas()
    }

    fn hints(&self) -> Vec<Hint> {
        self.graph.hints()
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        // The links are signed: they need no token, and get none.
        let fetched = self.graph.download(&media.url, false, most).await;
        fetched.map_err(|error| error.into_fetch_error(most))
    }

    async fn check(&self) -> Checkup {
        account::check(&self.graph, &self.config).await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        account::subscribe(&self.graph, &self.config, url).await
    }
}

/// How fast a Page may send. Meta takes 300 a second, but above 40 a second of constant volume a
/// Page can become unable to send and its inbox stops showing new messages; so we keep well below.
fn quotas() -> Vec<QuotaRule> {
    vec![QuotaRule {
        name: "page",
        scope: QuotaScope::Channel,
        unit: QuotaUnit::Messages,
        limit: 20,
        per: Duration::from_secs(1),
        burst: 1,
    }]
}

/// Limits of the Send API, as documented in April 2026.
pub fn capabilities(choices: ChoicePresentation) -> Capabilities {
    let quick_replies = ChoiceLimit::in_characters(13, 20, 1000, 2000);
    let buttons = ChoiceLimit::in_characters(3, 20, 1000, 640);
    let megabytes = |count: u64| count * 1024 * 1024;
    let media = |kind, bytes| MediaLimit {
        kind,
        bytes,
        caption: 0,
    };
    let by_quick_reply = choices == ChoicePresentation::QuickReplies;
    Capabilities {
        quick_replies: by_quick_reply.then_some(quick_replies),
        buttons: Some(buttons),
        media: vec![
            media(MediaKind::Image, megabytes(8)),
            media(MediaKind::Video, megabytes(25)),
            media(MediaKind::Audio, megabytes(25)),
            media(MediaKind::File, megabytes(25)),
        ],
        // The location quick reply is gone since 2019; the two contact ones are still there.
        ask_phone: true,
        ask_email: true,
        typing: true,
        hand_over: true,
        window: Some(Duration::from_hours(24)),
        ..Capabilities::text_only(2000)
    }
}
