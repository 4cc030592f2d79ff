//! What has to be known of a bot.

use std::time::Duration;

use langnghe_model::ChannelId;
use secrecy::{ExposeSecret, SecretString};

/// What has to be known of a bot.
#[derive(Clone, Debug)]
pub struct BotConfig {
    /// The channel's name.
    pub channel: ChannelId,
    /// The bot's token, as Zalo Bot Creator gave it.
    pub token: SecretString,
    /// How updates come.
    pub mode: BotMode,
    /// Where the platform lies.
    pub api_base: String,
    /// The longest that one request may take; a poll takes `poll` longer.
    pub timeout: Duration,
    /// How long the platform holds a poll while there is nothing to tell.
    pub poll: Duration,
    /// Further hosts, or whole origins, from which pictures may be fetched.
    pub media_hosts: Vec<String>,
}

/// How updates come.
#[derive(Clone, Debug)]
pub enum BotMode {
    /// We ask for them: for trying a bot out only.
    Polling,
    /// Zalo delivers them.
    Webhook {
        /// What Zalo repeats in a header of each delivery.
        secret: SecretString,
    },
}

impl BotConfig {
    /// A bot at Zalo's own address, with everything else as usual.
    pub fn new(channel: ChannelId, token: SecretString, mode: BotMode) -> Self {
        Self {
            channel,
            token,
            mode,
            api_base: "https://bot-api.zaloplatforms.com".to_owned(),
            timeout: Duration::from_secs(10),
            poll: Duration::from_secs(30),
            media_hosts: Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), BotConfigError> {
        let token = self.token.expose_secret();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-');
        if token.len() < 3 || !token.contains(':') || !token.bytes().all(plain) {
            return Err(BotConfigError::Token);
        }
        if let BotMode::Webhook { secret } = &self.mode {
            let secret = secret.expose_secret();
            let shown = secret.bytes().all(|byte| byte.is_ascii_graphic());
            if !(8..=256).contains(&secret.len()) || !shown {
                return Err(BotConfigError::WebhookSecret);
            }
        }
        Ok(())
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BotConfigError {
    /// The token is none that Zalo gives.
    #[error("token: it is a number, a colon and letters, as Zalo Bot Creator gave it")]
    Token,
    /// The secret is none that Zalo takes.
    #[error("webhook_secret: 8 to 256 visible characters")]
    WebhookSecret,
    /// The address of the platform cannot be used.
    #[error("api_base: {0}")]
    Address(#[from] langnghe_http::HttpError),
}
