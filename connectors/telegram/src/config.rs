//! What has to be known of a bot.

use std::time::Duration;

use langnghe_model::ChannelId;
use secrecy::{ExposeSecret, SecretString};

/// What has to be known of a bot.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// The bot's token, as BotFather gave it.
    pub token: SecretString,
    /// How updates come.
    pub mode: Mode,
    /// Where the Bot API lies.
    pub api_base: String,
    /// The longest that one request may take; a poll takes `poll` longer.
    pub timeout: Duration,
    /// How long Telegram holds a poll while there is nothing to tell.
    pub poll: Duration,
    /// How many webhooks Telegram may deliver at once, 1 to 100.
    pub max_connections: u8,
}

/// How updates come.
#[derive(Clone, Debug)]
pub enum Mode {
    /// We ask for them. Needs no public address.
    Polling,
    /// Telegram delivers them.
    Webhook {
        /// What Telegram repeats in a header of each delivery.
        secret: SecretString,
    },
}

impl Config {
    /// A bot at Telegram's own address that polls, with everything else as usual.
    pub fn new(channel: ChannelId, token: SecretString) -> Self {
        Self {
            channel,
            token,
            mode: Mode::Polling,
            api_base: "https://api.telegram.org".to_owned(),
            timeout: Duration::from_secs(10),
            poll: Duration::from_secs(50),
            max_connections: 40,
        }
    }

    /// Checks what can be checked without asking Telegram.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let token = self.token.expose_secret();
        let (number, secret) = token.split_once(':').ok_or(ConfigError::Token)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || secret.is_empty() || !secret.bytes().all(is_word) {
            return Err(ConfigError::Token);
        }
        if let Mode::Webhook { secret } = &self.mode {
            let secret = secret.expose_secret();
            if !(8..=256).contains(&secret.len()) || !secret.bytes().all(is_word) {
                return Err(ConfigError::WebhookSecret);
            }
        }
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The token is none that BotFather gives.
    #[error("token: it is a number, a colon and letters, as BotFather gave it")]
    Token,
    /// The secret is none that Telegram takes, or one that can be guessed.
    #[error("webhook_secret: 8 to 256 of A-Z, a-z, 0-9, _ and -")]
    WebhookSecret,
    /// The address of the Bot API cannot be used.
    #[error("api_base: {0}")]
    Address(#[from] langnghe_http::HttpError),
}
