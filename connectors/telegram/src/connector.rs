//! One bot as a connector.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Host, Outgoing, QuotaRule, QuotaScope, QuotaUnit, Received,
    Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_http::GuardedClient;
use langnghe_model::{
    Capabilities, CitizenId, Problem, Profile,
    capabilities::{ChoiceLimit, MediaLimit, TextLimit, TextUnit},
    event::{Media, MediaKind},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, ConfigError, api::BotApi, check, file, languages::Languages, poll, receive, send,
    throttle::Throttles,
};

/// One bot.
pub struct Telegram {
    config: Config,
    capabilities: Capabilities,
    api: BotApi,
    languages: Languages,
    throttles: Throttles,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("Telegram");
        structure
            .field("channel", &self.config.channel)
            .finish_non_exhaustive()
    }
}

impl Telegram {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config, client: GuardedClient) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            api: BotApi::new(&config, client)?,
            capabilities: capabilities(),
            languages: Languages::default(),
            throttles: Throttles::default(),
            config,
        })
    }
}

#[async_trait]
impl Connector for Telegram {
    fn kind(&self) -> &'static str {
        "telegram"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        receive::receive(&self.config, &self.languages, request)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let sent = send::send(&self.api, outgoing).await;
        sent.map_err(|error| self.throttles.judge(outgoing.citizen, error))
    }

    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        let mut profile = send::profile(&self.api, citizen).await?;
        profile.language = self.languages.of(citizen);
        Ok(profile)
    }

    async fn tend(&self, host: Arc<dyn Host>, over: CancellationToken) {
        poll::run(&self.config, &self.api, &self.languages, &*host, &over).await;
    }

    /// As the Bot API's FAQ names them: 30 a second over all, one a second in a chat, of which it says
    /// that short bursts pass. (20 a minute in a group: groups are not served.)
    fn quotas(&self) -> Vec<QuotaRule> {
        let rule = |name, scope, limit, burst| QuotaRule {
            name,
            scope,
            unit: QuotaUnit::Messages,
            limit,
            per: Duration::from_secs(1),
            burst,
        };
        vec![
            rule("bulk", QuotaScope::Channel, 30, 1),
            rule("chat", QuotaScope::Recipient, 1, 3),
        ]
    }

    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        file::fetch(&self.api, media, most).await
    }

    async fn check(&self) -> Checkup {
        check::check(&self.config, &self.api).await
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        check::set_webhook(&self.config, &self.api, url).await
    }
}

/// Limits of the Bot API. How many buttons a keyboard may have and how long their words may be it does
/// not say: 50 of 40 characters is what a phone still shows well.
pub fn capabilities() -> Capabilities {
    let choices = |payload| ChoiceLimit {
        payload_unit: TextUnit::Bytes,
        ..ChoiceLimit::in_characters(50, 40, payload, 4096)
    };
    let megabytes = |count: u64| count * 1024 * 1024;
    let media = |kind, bytes| MediaLimit {
        kind,
        bytes,
        caption: 1024,
    };
    Capabilities {
        text: TextLimit {
            max: 4096,
            unit: TextUnit::Utf16,
        },
        // Inline keyboards.
        quick_replies: Some(choices(send::LONGEST_CALLBACK)),
        // Reply keyboards, where a payload is longer: what comes back is the label, as text.
        buttons: Some(choices(1000)),
        media: vec![
            media(MediaKind::Image, megabytes(5)),
            media(MediaKind::Video, megabytes(20)),
            media(MediaKind::Audio, megabytes(20)),
            media(MediaKind::File, megabytes(20)),
        ],
        ask_location: true,
        ask_phone: true,
        typing: true,
        ..Capabilities::text_only(4096)
    }
}
