//! `kind = "telegram"`: a Telegram bot.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::Reading;

/// A Telegram bot.
#[derive(Debug)]
pub(crate) struct TelegramConfig {
    /// The bot's token.
    pub(crate) token: SecretString,
    /// What Telegram repeats with each delivery; `None` for a bot that polls.
    pub(crate) webhook_secret: Option<SecretString>,
    /// The Bot API, or a stand-in.
    pub(crate) api_base: Option<Url>,
    /// The longest that one call may take.
    pub(crate) timeout: Option<Duration>,
    /// How long a poll waits for news.
    pub(crate) poll: Option<Duration>,
    /// How many deliveries at once.
    pub(crate) max_connections: Option<u8>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<TelegramConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let token = section.secret("token", surroundings);
    let words = [("polling", false), ("webhook", true)];
    let webhook = section.one_of("mode", &words).unwrap_or(false);
    // A bot that polls may keep its secret in the file for later; it is not used.
    let webhook_secret = if webhook || section.has("webhook_secret") {
        Some(section.secret("webhook_secret", surroundings)?)
    } else {
        None
    };
    let api_base = section.url("api_base").map(|url| url.value);
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let poll = section.duration("poll", Duration::from_secs(1), Duration::from_mins(5));
    let max_connections = section
        .count("max_connections", 1, 100)
        .and_then(|number| u8::try_from(number).ok());
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(TelegramConfig {
        token: token?,
        webhook_secret: webhook_secret.filter(|_| webhook),
        api_base,
        timeout,
        poll,
        max_connections,
        allow_private,
    })
}
