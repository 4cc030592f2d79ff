//! One bot as a connector.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Host, Outgoing, Received, Rejection, SendError, Sent,
    WebhookRequest,
};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, Problem,
    capabilities::MediaLimit,
    event::{Media, MediaKind},
};
use tokio_util::sync::CancellationToken;

use super::{BotConfig, BotConfigError, api::BotApi, check, poll, receive, send};
use crate::fetch;

/// The longest text, and caption, in characters.
const LONGEST: usize = 2000;

/// One bot of the Zalo Bot Platform.
pub struct ZaloBot {
    config: BotConfig,
    capabilities: Capabilities,
    client: GuardedClient,
    api: BotApi,
}

impl fmt::Debug for ZaloBot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("ZaloBot");
        structure
            .field("channel", &self.config.channel)
            .finish_non_exhaustive()
    }
}

impl ZaloBot {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`BotConfigError`].
    pub fn new(config: BotConfig, client: GuardedClient) -> Result<Self, BotConfigError> {
        config.check()?;
        Ok(Self {
            api: BotApi::new(&config, client.clone())?,
            capabilities: capabilities(),
            client,
            config,
        })
    }
}

/// The platform publishes no quota; its throttling answers set the pace.
#[async_trait]
impl Connector for ZaloBot {
    fn kind(&self) -> &'static str {
        "zalo-bot"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        receive::receive(&self.config, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        send::send(&self.api, outgoing).await
    }

    async fn tend(&self, host: Arc<dyn Host>, over: CancellationToken) {
        poll::run(&self.config, &self.api, &*host, &over).await;
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        let places = fetch::Places {
            hosts: &self.config.media_hosts,
            timeout: self.config.timeout,
        };
        fetch::fetch(places, &self.client, media, most).await
    }

    async fn check(&self) -> Checkup {
        check::check(&self.config, &self.api).await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        check::set_webhook(&self.config, &self.api, url).await
    }
}

/// No buttons, no uploads; how large a picture may be is not told: what an Official Account takes.
pub fn capabilities() -> Capabilities {
    Capabilities {
        media: vec![MediaLimit {
            kind: MediaKind::Image,
            bytes: 1024 * 1024,
            caption: LONGEST,
        }],
        typing: true,
        ..Capabilities::text_only(LONGEST)
    }
}
