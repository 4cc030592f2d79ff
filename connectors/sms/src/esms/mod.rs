//! eSMS.vn: brandnames and fixed numbers out, short codes in.
//!
//! Where the facts come from: its pages (developers.esms.vn) for calls, answers, codes, states and
//! messages to a short code. They name the field for accents `IsUnicode` in their samples, and `Unicode` in one
//! table; and they do not say whether the text is signed before or after it is encoded: both are taken.

mod receive;
mod send;

use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use langnghe_connector::{Checkup, Rejection, SendError, Sent, WebhookRequest};
use langnghe_http::GuardedClient;
use langnghe_model::Problem;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::{Api, ConfigError, check_token, unchecked},
    provider::{Delivery, OutgoingText, Provider},
};

/// What has to be known of an account.
#[derive(Clone, Debug)]
pub struct EsmsConfig {
    /// `ApiKey`
    pub api_key: SecretString,
    /// `SecretKey`
    pub secret_key: SecretString,
    /// The brandname; `None` where the type has none (8, a fixed number).
    pub sender: Option<String>,
    /// `SmsType`: 2 for customer care by brandname, 8 for a fixed number.
    pub sms_type: u8,
    /// The last part of our webhook's path: eSMS signs no status, so this tells it from others.
    pub webhook_token: SecretString,
    /// What eSMS signs messages to a short code with; `None` where there is none.
    pub private_key: Option<SecretString>,
    /// Where the API lies.
    pub api_base: String,
    /// Where our webhook lies, without the token.
    pub webhook_url: String,
    /// Messages are checked and not sent.
    pub sandbox: bool,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl EsmsConfig {
    /// An account with a brandname, at eSMS's own address.
    pub fn new(
        api_key: SecretString,
        secret_key: SecretString,
        webhook_token: SecretString,
        webhook_url: String,
    ) -> Self {
        Self {
            api_key,
            secret_key,
            sender: None,
            sms_type: 2,
            webhook_token,
            private_key: None,
            api_base: "https://rest.esms.vn".to_owned(),
            webhook_url,
            sandbox: false,
            timeout: Duration::from_secs(10),
        }
    }
}

/// One account.
#[derive(Debug)]
pub struct Esms {
    config: EsmsConfig,
    api: Api,
}

impl Esms {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: EsmsConfig, client: GuardedClient) -> Result<Self, ConfigError> {
        for (name, secret) in [
            ("api_key", Some(&config.api_key)),
            ("secret_key", Some(&config.secret_key)),
            ("private_key", config.private_key.as_ref()),
        ] {
            if secret.is_some_and(|secret| secret.expose_secret().trim().is_empty()) {
                return Err(ConfigError::Empty(name));
            }
        }
        if config.sms_type == 2 && config.sender.as_deref().unwrap_or_default().is_empty() {
            return Err(ConfigError::Empty("sender"));
        }
        check_token("webhook_token", config.webhook_token.expose_secret())?;
        let api = Api::new(client, &config.api_base, config.timeout)?;
        Ok(Self { config, api })
    }

    /// Where eSMS finds us.
    fn callback(&self) -> String {
        let url = self.config.webhook_url.trim_end_matches('/');
        format!("{url}/{}", self.config.webhook_token.expose_secret())
    }

    /// The credentials, which lie in the body.
    fn credentials(&self) -> Value {
        json!({
            "ApiKey": self.config.api_key.expose_secret(),
            "SecretKey": self.config.secret_key.expose_secret(),
        })
    }

    async fn balance(&self) -> Result<Account, String> {
        let path = ["MainService.svc", "json", "GetBalance_json"];
        let request = self.api.request(Method::POST, &path, &[]);
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.api.ask(request.json(&self.credentials())).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("status {}", answer.status.as_u16()));
        }
        let balance: Account = serde_json::from_slice(&answer.body)
            .map_err(|_| "the answer is none of eSMS's".to_owned())?;
        match &*balance.code {
            "100" => Ok(balance),
            code => Err(format!("error {code}")),
        }
    }
}

/// What the account has.
#[derive(Deserialize)]
struct Account {
    #[serde(rename = "Balance", default)]
    balance: Value,
    #[serde(rename = "CodeResponse")]
    code: String,
    #[serde(rename = "UserID", default)]
    user: Value,
}

#[async_trait]
impl Provider for Esms {
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        receive::receive(&self.config, request)
    }

    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        send::send(self, text).await
    }

    async fn check(&self) -> Checkup {
        let balance = match self.balance().await {
            Ok(balance) => balance,
            Err(reason) => {
                return unchecked(reason, "see api_key and secret_key in eSMS's account page");
            }
        };
        let left = balance.balance.as_f64();
        let mut checkup = Checkup {
            account: Some(format!("user {}", balance.user)),
            facts: vec![format!("balance: {} VND", balance.balance)],
            ..Checkup::default()
        };
        if left.is_some_and(|left| left <= 0.0) {
            checkup.problems.push(
                Problem::error(
                    "channel::check",
                    "the account is empty: nothing will be sent",
                )
                .help("pay in at eSMS's account page"),
            );
        }
        checkup
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let message =
            "eSMS has no call for it: reports need nothing, as each message names its address";
        let help = format!(
            "for a short code give eSMS's support this address (GET): {}/<webhook_token>",
            url.trim_end_matches('/')
        );
        Err(Box::new(
            Problem::error("channel::set-webhook", message).help(help),
        ))
    }
}
