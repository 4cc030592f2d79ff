//! What Telegram's bots and those of Zalo's Bot Platform have in common.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::Reading;

/// A bot with a token, which is told of news by a webhook or asks for it.
#[derive(Debug)]
pub(crate) struct BotConfig {
    /// The bot's token.
    pub(crate) token: SecretString,
    /// What the provider repeats with each delivery; `None` for a bot that polls.
    pub(crate) webhook_secret: Option<SecretString>,
    /// The provider's interface, or a stand-in.
    pub(crate) api_base: Option<Url>,
    /// The longest that one call may take.
    pub(crate) timeout: Option<Duration>,
    /// How long a poll waits for news.
    pub(crate) poll: Option<Duration>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

/// `webhook` is what counts where the file does not say, `longest_poll` what the provider allows.
pub(super) fn read(
    reading: &mut Reading<'_, '_>,
    webhook: bool,
    longest_poll: Duration,
) -> Option<BotConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let token = section.secret("token", surroundings);
    let mut words = [("polling", false), ("webhook", true)];
    // The default is named first.
    words.sort_by_key(|(_, is_webhook)| *is_webhook != webhook);
    let webhook = section.one_of("mode", &words).unwrap_or(webhook);
    // A bot that polls may keep its secret in the file for later; it is not used.
    let webhook_secret = if webhook || section.has("webhook_secret") {
        Some(section.secret("webhook_secret", surroundings)?)
    } else {
        None
    };
    let api_base = section.url("api_base").map(|url| url.value);
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let poll = section.duration("poll", Duration::from_secs(1), longest_poll);
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(BotConfig {
        token: token?,
        webhook_secret: webhook_secret.filter(|_| webhook),
        api_base,
        timeout,
        poll,
        allow_private,
    })
}
