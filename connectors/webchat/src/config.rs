//! What can be set about a web chat.

use std::time::Duration;

use langnghe_model::ChannelId;

/// The interface languages that the page has words for.
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// What can be set about a web chat; every bound has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel that it is.
    pub channel: ChannelId,
    /// Where the page lies: `/chat`. Each web chat of a server has its own.
    pub path: String,
    /// What stands at the top: the agency's name.
    pub title: String,
    /// Interface languages (`vi`, `en`); the first is the one to begin with.
    pub languages: Vec<String>,
    /// Origins (`https://portal.example.vn`) whose pages may show the chat in a frame.
    pub allow_frames: Vec<String>,
    /// Further origins under which the page itself is reached, for a proxy that changes `Host`.
    pub origins: Vec<String>,
    /// The largest file in bytes.
    pub upload_bytes: usize,
    /// How many files are taken in at once; each is held in memory while it comes.
    pub uploads_at_once: usize,
    /// The most connections (WebSockets and polls) over all visitors.
    pub connections: usize,
    /// The most connections of one visitor; one more ends the oldest.
    pub connections_a_visitor: usize,
    /// How long a reply waits to be acknowledged.
    pub ack_time: Duration,
    /// How long another replica may take to say that it has a visitor who is not here; then they
    /// are away.
    pub find_time: Duration,
    /// How long a poll is held when there is nothing to give.
    pub poll_hold: Duration,
    /// A connection from which nothing is heard for so long is ended. The page pings every 25 s.
    pub idle: Duration,
    /// For how long after their last connection a visitor counts as there: between two polls, or
    /// while a cut connection is made again.
    pub grace: Duration,
}

impl Config {
    /// The defaults.
    pub fn new(channel: ChannelId) -> Self {
        Self {
            channel,
            path: "/chat".to_owned(),
            title: "Lắng Nghe".to_owned(),
            languages: LANGUAGES.map(str::to_owned).to_vec(),
            allow_frames: Vec::new(),
            origins: Vec::new(),
            upload_bytes: 25 * 1024 * 1024,
            uploads_at_once: 8,
            connections: 10_000,
            connections_a_visitor: 8,
            ack_time: Duration::from_secs(10),
            find_time: Duration::from_secs(2),
            poll_hold: Duration::from_secs(25),
            idle: Duration::from_secs(75),
            grace: Duration::from_secs(5),
        }
    }

    /// Finds what cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let good_path = self.path.len() > 1
            && self.path.starts_with('/')
            && !self.path.ends_with('/')
            && !self.path.contains("//")
            && self.path.bytes().all(plain);
        if !good_path {
            return Err(ConfigError::Path(self.path.clone()));
        }
        if self.languages.is_empty() {
            return Err(ConfigError::NoLanguage);
        }
        if let Some(unknown) = self
            .languages
            .iter()
            .find(|tag| !LANGUAGES.contains(&tag.as_str()))
        {
            return Err(ConfigError::Language(unknown.clone()));
        }
        match self
            .allow_frames
            .iter()
            .chain(&self.origins)
            .find(|origin| !is_origin(origin))
        {
            Some(bad) => Err(ConfigError::Origin(bad.clone())),
            None => Ok(()),
        }
    }
}

/// Scheme, host and perhaps a port; nothing that could end a header's directive.
fn is_origin(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:*[]".contains(&byte);
    rest.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
}

/// Why a web chat cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The path is no plain absolute path.
    #[error("`{0}` is no path for a web chat: write it as `/chat`")]
    Path(String),
    /// There is no interface language.
    #[error("a web chat needs at least one interface language")]
    NoLanguage,
    /// The page has no words in this language.
    #[error("the web chat has no interface in `{0}`: it has `vi` and `en`")]
    Language(String),
    /// Not an origin.
    #[error("`{0}` is no origin: write it as `https://portal.example.vn`, without a path")]
    Origin(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new(ChannelId::new("web").unwrap())
    }

    #[test]
    fn what_would_break_routes_or_headers_is_refused() {
        assert_eq!(config().check(), Ok(()));
        for path in ["", "/", "chat", "/chat/", "/{x}", "/a b", "//chat"] {
            let config = Config {
                path: path.to_owned(),
                ..config()
            };
            assert!(
                matches!(config.check(), Err(ConfigError::Path(_))),
                "{path}"
            );
        }
        for origin in [
            "portal.vn",
            "https://",
            "https://a.vn/x",
            "https://a.vn; script-src *",
        ] {
            let config = Config {
                allow_frames: vec![origin.to_owned()],
                ..config()
            };
            assert!(
                matches!(config.check(), Err(ConfigError::Origin(_))),
                "{origin}"
            );
        }
        let config = Config {
            languages: vec!["fr".to_owned()],
            ..config()
        };
        assert_eq!(config.check(), Err(ConfigError::Language("fr".to_owned())));
    }
}
