//! One Official Account as a connector.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Hint, Host, Outgoing, QuotaRule, QuotaScope, QuotaUnit,
    Received, Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, CitizenId, Problem, Profile,
    capabilities::{ChoiceLimit, MediaLimit, TextLimit, TextUnit},
    event::{Media, MediaKind},
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::{
    ChoicePresentation, Config, ConfigError, check, fetch,
    receive::{self, Keys},
    send::{Api, LARGEST_FILE, LARGEST_IMAGE, Sender},
    tokens::Tokens,
};

/// The longest text, caption included. Zalo does not say in what it counts: UTF-16 is the strictest.
const TEXT: usize = 2000;
/// What the words above choices leave for their numbered form, should Zalo refuse them.
const TEXT_ABOVE_CHOICES: usize = TEXT - 5 * (TITLE + 6);
/// The longest title of a button: sources differ from 20 to 100.
const TITLE: usize = 20;
const CHOICES: usize = 5;
/// A payload, with the prefix by which we know it again.
const PAYLOAD: usize = 1000 - crate::send::CHOICE.len();

/// One Official Account.
pub struct OfficialAccount {
    config: Config,
    keys: Keys,
    capabilities: Capabilities,
    tokens: Arc<Tokens>,
    client: GuardedClient,
    sender: Sender,
}

impl fmt::Debug for OfficialAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("OfficialAccount");
        structure
            .field("channel", &self.config.channel)
            .finish_non_exhaustive()
    }
}

impl OfficialAccount {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config, client: GuardedClient) -> Result<Self, ConfigError> {
        let empty = |text: &str| text.trim().is_empty();
        if config.app_id.is_empty() || !config.app_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError::AppId);
        }
        if empty(config.app_secret.expose_secret()) {
            return Err(ConfigError::Empty("app_secret"));
        }
        let secrets = &config.oa_secrets;
        if secrets.is_empty() || secrets.iter().any(|secret| empty(secret.expose_secret())) {
            return Err(ConfigError::Empty("oa_secret"));
        }
        if let Some(token) = &config.refresh_token
            && empty(token.expose_secret())
        {
            return Err(ConfigError::Empty("refresh_token"));
        }
        if config
            .templates
            .values()
            .any(|template| empty(&template.id))
        {
            return Err(ConfigError::Empty("a template's id"));
        }
        let tokens = Arc::new(Tokens::new(&config, client.clone())?);
        let api = Api::new(&config, client.clone(), Arc::clone(&tokens))?;
        Ok(Self {
            keys: Keys::new(&config),
            capabilities: capabilities(&config),
            sender: Sender::new(config.clone(), api),
            tokens,
            client,
            config,
        })
    }
}

#[async_trait]
impl Connector for OfficialAccount {
    fn kind(&self) -> &'static str {
        "zalo"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        receive::receive(&self.config, &self.keys, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        self.sender.send(outgoing).await
    }

    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        self.sender.profile(citizen).await
    }

    fn attach(&self, host: Arc<dyn Host>) {
        self.tokens.attach(Arc::clone(&host));
        // Whoever owns the channel: what the last run left on this machine's disk is found here only.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(Arc::clone(&self.tokens).recover_at_start(host));
        }
    }

    async fn tend(&self, host: Arc<dyn Host>, over: CancellationToken) {
        self.tokens.tend(&host, &over).await;
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        vec![QuotaRule {
            name: "app",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Messages,
            limit: 4000,
            per: Duration::from_mins(1),
            burst: 1,
        }]
    }

    fn hints(&self) -> Vec<Hint> {
        self.sender.api().take_hints()
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        let places = fetch::Places {
            hosts: &self.config.media_hosts,
            timeout: self.config.timeout,
        };
        fetch::fetch(places, &self.client, media, most).await
    }

    async fn trouble(&self) -> Option<Problem> {
        let state = self.tokens.state().await.ok()?;
        check::trouble(&self.config, &state)
    }

    async fn check(&self) -> Checkup {
        check::check(&self.config, self.sender.api(), &self.tokens).await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let problem = Problem::error(
            "channel::set-webhook",
            "Zalo has no call that sets a webhook",
        );
        Err(Box::new(problem.help(format!(
            "in the developer console, on the app's page Official Account > Webhook: enter {url}, press Check, then turn the events on; its \"OA Secret Key\" is this channel's `oa_secret`"
        ))))
    }
}

/// What an account can show and carry.
pub fn capabilities(config: &Config) -> Capabilities {
    let choices = ChoiceLimit {
        title_unit: TextUnit::Utf16,
        payload_unit: TextUnit::Utf16,
        ..ChoiceLimit::in_characters(CHOICES, TITLE, PAYLOAD, TEXT_ABOVE_CHOICES)
    };
    let form = config.choices;
    let media = |kind, bytes: usize, caption| MediaLimit {
        kind,
        bytes: bytes as u64,
        caption,
    };
    Capabilities {
        text: TextLimit {
            max: TEXT,
            unit: TextUnit::Utf16,
        },
        buttons: (form == ChoicePresentation::Buttons).then_some(choices),
        list: (form == ChoicePresentation::List).then_some(choices),
        media: vec![
            media(MediaKind::Image, LARGEST_IMAGE, TEXT),
            media(MediaKind::File, LARGEST_FILE, 0),
        ],
        ask_phone: config.contact_request.is_some(),
        window: Some(Duration::from_hours(48)),
        extended_window: Some(Duration::from_hours(7 * 24)),
        templates: !config.templates.is_empty(),
        ..Capabilities::text_only(TEXT)
    }
}
