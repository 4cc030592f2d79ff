//! What has to be known of an app at Meta.

use std::time::Duration;

use langnghe_http::HttpError;
use secrecy::{ExposeSecret, SecretString};

/// What has to be known of an app at Meta, and of the account that it speaks for.
#[derive(Clone, Debug)]
pub struct App {
    /// The app's secrets: webhooks signed with any of them are taken, requests are proved with the
    /// first. More than one while a secret is being changed.
    pub secrets: Vec<SecretString>,
    /// What Meta must repeat when the webhook is set up.
    pub verify_token: SecretString,
    /// The account's access token.
    pub access_token: SecretString,
    /// Where the Graph API lies.
    pub api_base: String,
    /// The version of the Graph API, with its `v`.
    pub version: String,
    /// The longest that one request may take; media may take longer.
    pub timeout: Duration,
}

impl App {
    /// An app at Meta's own address, with everything else as usual.
    pub fn new(
        secret: SecretString,
        verify_token: SecretString,
        access_token: SecretString,
    ) -> Self {
        Self {
            secrets: vec![secret],
            verify_token,
            access_token,
            api_base: "https://graph.facebook.com".to_owned(),
            version: "v26.0".to_owned(),
            timeout: Duration::from_secs(10),
        }
    }

    /// Whether everything that must be secret is there: an empty secret would let anyone sign.
    ///
    /// # Errors
    /// [`AppError::Empty`] and [`AppError::Version`].
    pub fn check(&self) -> Result<(), AppError> {
        let secrets = self.secrets.iter().map(|secret| ("app_secret", secret));
        let tokens = [
            ("verify_token", &self.verify_token),
            ("access_token", &self.access_token),
        ];
        let empty = secrets
            .chain(tokens)
            .find(|(_, secret)| secret.expose_secret().trim().is_empty());
        if let Some((name, _)) = empty {
            return Err(AppError::Empty(name));
        }
        if self.secrets.is_empty() {
            return Err(AppError::Empty("app_secret"));
        }
        let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        match self.version.strip_prefix('v') {
            Some(number) if !number.is_empty() && number.bytes().all(plain) => Ok(()),
            _ => Err(AppError::Version),
        }
    }
}

/// What is wrong with the configuration of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// A secret or token is missing or empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The address of the Graph API cannot be used.
    #[error("api_base: {0}")]
    Address(#[from] HttpError),
    /// The version does not look like `v26.0`.
    #[error("version: write it as v26.0")]
    Version,
}
