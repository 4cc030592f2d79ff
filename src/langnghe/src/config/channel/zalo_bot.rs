//! `kind = "zalo-bot"`: a bot of the Zalo Bot Platform.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::Reading;

/// A bot of the Zalo Bot Platform.
#[derive(Debug)]
pub(crate) struct ZaloBotConfig {
    /// The bot's token.
    pub(crate) token: SecretString,
    /// What Zalo repeats with each delivery; `None` for a bot that polls.
    pub(crate) webhook_secret: Option<SecretString>,
    /// The platform, or a stand-in.
    pub(crate) api_base: Option<Url>,
    /// The longest that one call may take.
    pub(crate) timeout: Option<Duration>,
    /// How long a poll waits for news.
    pub(crate) poll: Option<Duration>,
    /// Further hosts from which pictures may be fetched.
    pub(crate) media_hosts: Vec<String>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<ZaloBotConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let token = section.secret("token", surroundings);
    let words = [("webhook", true), ("polling", false)];
    let webhook = section.one_of("mode", &words).unwrap_or(true);
    // A bot that polls may keep its secret in the file for later; it is not used.
    let webhook_secret = if webhook || section.has("webhook_secret") {
        Some(section.secret("webhook_secret", surroundings)?)
    } else {
        None
    };
    let api_base = section.url("api_base").map(|url| url.value);
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let poll = section.duration("poll", Duration::from_secs(1), Duration::from_mins(2));
    let media_hosts = section.texts("media_hosts").into_iter();
    let media_hosts = media_hosts.map(|host| host.value).collect();
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(ZaloBotConfig {
        token: token?,
        webhook_secret: webhook_secret.filter(|_| webhook),
        api_base,
        timeout,
        poll,
        media_hosts,
        allow_private,
    })
}
