//! A phone with a SIM card that runs "SMS Gateway for Android" (capcom6, sms-gate.app): for a commune
//! without a contract. The phone itself posts what comes; what goes out is given to it, or to the
//! server that it is signed in to.

mod receive;
mod send;

use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use langnghe_connector::{
    Checkup, QuotaRule, QuotaScope, QuotaUnit, Rejection, SendError, Sent, WebhookRequest,
    signature::{HmacSha256Key, encode_hex},
};
use langnghe_http::{GuardedClient, HttpError, RequestBuilder};
use langnghe_model::Problem;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    api::{Api, ConfigError, unchecked},
    provider::{Delivery, OutgoingText, Provider},
};

/// What we want to hear of.
const EVENTS: [&str; 3] = ["sms:received", "sms:delivered", "sms:failed"];

/// What has to be known of a phone.
#[derive(Clone, Debug)]
pub struct AndroidConfig {
    /// The name that the app shows.
    pub username: String,
    /// The password that the app shows.
    pub password: SecretString,
    /// Signs the webhooks: the app's signing key, which should be set to a long one.
    pub signing_key: SecretString,
    /// The app's own server (`http://192.168.…:8080`), or the one it is signed in to.
    pub api_base: String,
    /// Where our webhook lies.
    pub webhook_url: String,
    /// Which SIM card sends, from one; `None` leaves it to the phone.
    pub sim: Option<u8>,
    /// How long the phone keeps trying to send.
    pub keep: Duration,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl AndroidConfig {
    /// A phone that is signed in to the app's own cloud.
    pub fn new(
        username: String,
        password: SecretString,
        signing_key: SecretString,
        webhook_url: String,
    ) -> Self {
        Self {
            username,
            password,
            signing_key,
            api_base: "https://api.sms-gate.app/3rdparty/v1".to_owned(),
            webhook_url,
            sim: None,
            keep: Duration::from_hours(24),
            timeout: Duration::from_secs(10),
        }
    }
}

/// One phone.
#[derive(Debug)]
pub struct Android {
    config: AndroidConfig,
    key: HmacSha256Key,
    api: Api,
}

impl Android {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: AndroidConfig, client: GuardedClient) -> Result<Self, ConfigError> {
        for (name, text) in [
            ("username", &*config.username),
            ("password", config.password.expose_secret()),
            ("signing_key", config.signing_key.expose_secret()),
        ] {
            if text.trim().is_empty() {
                return Err(ConfigError::Empty(name));
            }
        }
        let key = HmacSha256Key::new(config.signing_key.expose_secret().as_bytes());
        let api = Api::new(client, &config.api_base, config.timeout)?;
        Ok(Self { config, key, api })
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, HttpError> {
        let request = self.api.request(method, &[path], &[])?;
        let password = self.config.password.expose_secret();
        Ok(request.basic_auth(&self.config.username, Some(password)))
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, String> {
        let request = self.request(Method::GET, "webhooks");
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.api.ask(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("status {}", answer.status.as_u16()));
        }
        serde_json::from_slice(&answer.body).map_err(|_| "the answer is no list".to_owned())
    }

    async fn register(&self, url: &str, event: &str) -> Result<(), String> {
        // The same every time, so that setting it again changes what is there.
        let id = encode_hex(&Sha256::digest(format!("{event} {url}"))[..16]);
        let request = self.request(Method::POST, "webhooks");
        let request = request.map_err(|error| error.to_string())?;
        let webhook = json!({ "id": id, "url": url, "event": event });
        let answer = self.api.ask(request.json(&webhook)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(format!("status {}", answer.status.as_u16()))
        }
    }
}

/// A webhook as the app lists it.
#[derive(Deserialize)]
struct Webhook {
    url: String,
    event: String,
}

#[async_trait]
impl Provider for Android {
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        receive::receive(&self.key, request)
    }

    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        send::send(self, text).await
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        // No network says its bound; cards that send in bulk are blocked. Six citizens in conversation
        // at once is what an office can answer anyway.
        vec![QuotaRule {
            name: "sim",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Parts,
            limit: 20,
            per: Duration::from_mins(1),
            burst: 4,
        }]
    }

    async fn check(&self) -> Checkup {
        let webhooks = match self.webhooks().await {
            Ok(webhooks) => webhooks,
            Err(reason) => {
                let help =
                    "see username and password in the app, and that the phone is on and reached";
                return unchecked(reason, help);
            }
        };
        let ours = |event: &str| {
            webhooks
                .iter()
                .any(|webhook| webhook.event == event && webhook.url == self.config.webhook_url)
        };
        let mut checkup = Checkup {
            account: Some(self.config.username.clone()),
            facts: vec![format!("{} webhooks are registered", webhooks.len())],
            ..Checkup::default()
        };
        let missing: Vec<&str> = EVENTS.into_iter().filter(|event| !ours(event)).collect();
        if !missing.is_empty() {
            let message = format!("the phone does not tell us of {}", missing.join(", "));
            let help = "langnghe channel set-webhook registers it";
            let problem = if missing.contains(&"sms:received") {
                Problem::error("channel::check", message)
            } else {
                Problem::warning("channel::check", message)
            };
            checkup.problems.push(problem.help(help));
        }
        if self.config.signing_key.expose_secret().len() < 16 {
            let message = "the signing key is short: anybody could find it by trying";
            checkup.problems.push(
                Problem::warning("channel::check", message)
                    .help("set a long one in the app: Settings, Webhooks, Signing key"),
            );
        }
        checkup
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let mut told = Vec::new();
        for event in EVENTS {
            self.register(url, event).await.map_err(|reason| {
                let message = format!("the app refused the webhook for {event}: {reason}");
                Box::new(
                    Problem::error("channel::set-webhook", message)
                        .help("it takes https addresses only, and http to the phone itself"),
                )
            })?;
            told.push(format!("{event} now comes to {url}"));
        }
        Ok(told)
    }
}
