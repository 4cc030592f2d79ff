//! What has to be known of a Page and its app.

use std::time::Duration;

use langnghe_model::ChannelId;
use secrecy::SecretString;

/// What has to be known of a Page and its app.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// The app's secrets: webhooks signed with any of them are taken, requests are proved with the
    /// first. More than one while a secret is being changed.
    pub app_secrets: Vec<SecretString>,
    /// What Meta must repeat when the webhook is set up.
    pub verify_token: SecretString,
    /// The Page's access token.
    pub access_token: SecretString,
    /// Where the Graph API lies.
    pub api_base: String,
    /// The version of the Graph API, with its `v`.
    pub version: String,
    /// The Page's id. Where it is given, events of other Pages are set aside.
    pub page_id: Option<String>,
    /// Our app's id. Where it is given, passing a thread to any other app is seen as such.
    pub app_id: Option<String>,
    /// How choices are shown.
    pub choices: ChoicePresentation,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl Config {
    /// A Page at Meta's own address, with everything else as usual.
    pub fn new(
        channel: ChannelId,
        app_secret: SecretString,
        verify_token: SecretString,
        access_token: SecretString,
    ) -> Self {
        Self {
            channel,
            app_secrets: vec![app_secret],
            verify_token,
            access_token,
            api_base: "https://graph.facebook.com".to_owned(),
            version: "v26.0".to_owned(),
            page_id: None,
            app_id: None,
            choices: ChoicePresentation::default(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// How choices are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChoicePresentation {
    /// As up to 13 quick replies, which vanish after the citizen's next message.
    #[default]
    QuickReplies,
    /// As up to 3 buttons, which stay; for citizens whose Messenger shows no quick replies. More
    /// than 3 become a numbered text.
    Buttons,
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A secret or token is missing or empty. An empty secret would let anyone sign.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The address of the Graph API cannot be used.
    #[error("api_base: {0}")]
    Address(#[from] langnghe_http::HttpError),
    /// The version does not look like `v26.0`.
    #[error("version: write it as v26.0")]
    Version,
}
