//! One Page as a connector.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use langnghe_connector::{
    Connector, Outgoing, Received, Rejection, SendError, Sent, WebhookRequest,
    signature::HmacSha256Key,
};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, CitizenId, Profile,
    capabilities::{ChoiceLimit, Encoding, MediaLimit, TextLimit, TextUnit},
    event::MediaKind,
};
use secrecy::ExposeSecret;

use crate::{
    ChoicePresentation, Config, ConfigError, receive,
    send::{self, Graph},
};

/// One Page.
pub struct Messenger {
    config: Config,
    keys: Vec<HmacSha256Key>,
    capabilities: Capabilities,
    graph: Graph,
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
    /// [`ConfigError`].
    pub fn new(config: Config, client: GuardedClient) -> Result<Self, ConfigError> {
        let app_secrets = config
            .app_secrets
            .iter()
            .map(|secret| ("app_secret", secret));
        let tokens = [
            ("verify_token", &config.verify_token),
            ("access_token", &config.access_token),
        ];
        let empty = app_secrets
            .chain(tokens)
            .find(|(_, secret)| secret.expose_secret().trim().is_empty());
        if let Some((name, _)) = empty {
            return Err(ConfigError::Empty(name));
        }
        let keys: Vec<HmacSha256Key> = config
            .app_secrets
            .iter()
            .map(|secret| HmacSha256Key::new(secret.expose_secret().as_bytes()))
            .collect();
        let first = keys.first().ok_or(ConfigError::Empty("app_secret"))?;
        let graph = Graph::new(&config, first, client)?;
        let capabilities = capabilities(config.choices);
        Ok(Self {
            config,
            keys,
            capabilities,
            graph,
        })
    }

    /// The share of the app's allowance that Meta last said we had used, in percent
    /// (`X-App-Usage`); `None` before it said anything. Slow down at 80, stop at 95.
    pub fn app_usage(&self) -> Option<u8> {
        self.graph.app_usage()
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
        receive::receive(&self.config, &self.keys, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        send::send(&self.graph, self.config.choices, outgoing).await
    }

    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        send::profile(&self.graph, citizen).await
    }
}

/// Limits of the Send API, as documented in April 2026.
fn capabilities(choices: ChoicePresentation) -> Capabilities {
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
        text: TextLimit {
            max: 2000,
            unit: TextUnit::Characters,
        },
        quick_replies: by_quick_reply.then_some(quick_replies),
        buttons: Some(buttons),
        list: None,
        media: vec![
            media(MediaKind::Image, megabytes(8)),
            media(MediaKind::Video, megabytes(25)),
            media(MediaKind::Audio, megabytes(25)),
            media(MediaKind::File, megabytes(25)),
        ],
        // The location quick reply is gone since 2019; the two contact ones are still there.
        ask_location: false,
        ask_phone: true,
        ask_email: true,
        typing: true,
        hand_over: true,
        window: Some(Duration::from_hours(24)),
        extended_window: None,
        templates: false,
        encoding: Encoding::Unicode,
        quiet_hours: None,
    }
}
