//! What has to be known of an Official Account and its app.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use langnghe_model::ChannelId;
use secrecy::SecretString;

use crate::Exchanger;

/// What has to be known of an Official Account and its app.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// The app's id, digits.
    pub app_id: String,
    /// The app's secret key: for tokens.
    pub app_secret: SecretString,
    /// The account's secret keys, from the console's webhook page: webhooks signed with any of them
    /// are taken. More than one while a key is being changed.
    pub oa_secrets: Vec<SecretString>,
    /// The first refresh token, where it was made by hand (API Explorer). Taken up once; `langnghe zalo
    /// authorize` does without.
    pub refresh_token: Option<SecretString>,
    /// The account's id. Where it is given, events of other accounts of the same app are set aside.
    pub oa_id: Option<String>,
    /// Where the Official Account API lies.
    pub api_base: String,
    /// Where tokens come from.
    pub oauth_base: String,
    /// Where template messages by phone number (ZNS) go.
    pub zns_base: String,
    /// How choices are shown.
    pub choices: ChoicePresentation,
    /// What a question for the citizen's phone number shows; without it, it is asked in words.
    pub contact_request: Option<ContactRequest>,
    /// Which of Zalo's templates stands for a name of ours.
    pub templates: BTreeMap<String, TemplateSetting>,
    /// Whether templates go out as tests, to admins of the app only (`mode: development`).
    pub template_tests: bool,
    /// Whether pictures are uploaded by us; otherwise Zalo fetches them from their link.
    pub upload_images: bool,
    /// From where media of citizens are fetched, beside Zalo's own hosts: a host, which stands for
    /// those below it too, or a whole origin (`http://127.0.0.1:4000`).
    pub media_hosts: Vec<String>,
    /// Whether calls prove that we know the app's secret (`appsecret_proof`), as the app demands it.
    pub prove_secret: bool,
    /// While the webhook is set up: what is signed wrongly is answered 200 and dropped, so that the
    /// console keeps the address before the secret key is known here.
    pub setup: bool,
    /// Who exchanges tokens.
    pub exchanger: Exchanger,
    /// The folder in which answers to token exchanges are kept until the store has them.
    pub answers: PathBuf,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl Config {
    /// An account at Zalo's own addresses, with everything else as usual.
    pub fn new(
        channel: ChannelId,
        app_id: &str,
        app_secret: SecretString,
        oa_secret: SecretString,
    ) -> Self {
        Self {
            channel,
            app_id: app_id.to_owned(),
            app_secret,
            oa_secrets: vec![oa_secret],
            refresh_token: None,
            oa_id: None,
            api_base: "https://openapi.zalo.me".to_owned(),
            oauth_base: "https://oauth.zaloapp.com".to_owned(),
            zns_base: "https://business.openapi.zalo.me".to_owned(),
            choices: ChoicePresentation::default(),
            contact_request: None,
            templates: BTreeMap::new(),
            template_tests: false,
            upload_images: false,
            media_hosts: Vec::new(),
            prove_secret: false,
            setup: false,
            exchanger: Exchanger::Here,
            answers: PathBuf::from("data/zalo"),
            timeout: Duration::from_secs(10),
        }
    }
}

/// How choices are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChoicePresentation {
    /// As a numbered text. Zalo documents nothing else for consultation messages of its API 3.0.
    #[default]
    Numbered,
    /// As up to 5 buttons, which some accounts are allowed; a numbered text where Zalo refuses them.
    Buttons,
    /// As a list of up to 5 entries; a numbered text where Zalo refuses it.
    List,
}

/// What a question for the citizen's contact details shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRequest {
    /// Who asks: the agency's name.
    pub title: String,
    /// A picture beside it.
    pub image_url: String,
}

/// One of Zalo's templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSetting {
    /// Its id at Zalo, digits.
    pub id: String,
    /// Its parameters: our name of each, and Zalo's.
    pub parameters: BTreeMap<String, String>,
    /// Whether it may be addressed to a user of the account where there is no phone number: only
    /// templates approved from 2025-12-10 on, and none with response buttons.
    pub by_user: bool,
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A secret or id is missing or empty. An empty secret would let anyone sign.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// An address cannot be used.
    #[error("{0}: {1}")]
    Address(&'static str, langnghe_http::HttpError),
    /// The app's id is not what Zalo gives.
    #[error("app_id: it is digits only, from the console's page of the app")]
    AppId,
}
