//! Twilio's Programmable Messaging, and whoever speaks it.
//!
//! Where the facts come from: Twilio's pages on messages, webhooks, connection overrides and errors, and its
//! API description (an account is `active`, `suspended` or `closed`). None of it was tried on an account.

mod media;
mod receive;
mod send;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use langnghe_connector::{Checkup, FetchError, Rejection, SendError, Sent, WebhookRequest};
use langnghe_http::{GuardedClient, HttpError, RequestBuilder};
use langnghe_model::{Problem, event::Media};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    api::{Api, ConfigError, unchecked, with_form},
    provider::{Delivery, OutgoingText, Provider},
};

/// Asks Twilio to deliver a webhook again when we do not answer well: by itself it does so for no
/// message. It reads this after the `#` of the address and sends it to nobody.
const RETRY: &str = "rc=5&rp=5xx,ct,rt";

/// What has to be known of an account.
#[derive(Clone, Debug)]
pub struct TwilioConfig {
    /// `AC…`
    pub account_sid: String,
    /// Signs the webhooks, and our requests.
    pub auth_token: SecretString,
    /// A number in E.164, a name, or a messaging service (`MG…`).
    pub sender: String,
    /// Where the API lies.
    pub api_base: String,
    /// Where our webhook lies, as Twilio calls it: signatures cover it.
    pub webhook_url: String,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl TwilioConfig {
    /// An account at Twilio's own address.
    pub fn new(
        account_sid: String,
        auth_token: SecretString,
        sender: String,
        webhook_url: String,
    ) -> Self {
        Self {
            account_sid,
            auth_token,
            sender,
            api_base: "https://api.twilio.com".to_owned(),
            webhook_url,
            timeout: Duration::from_secs(10),
        }
    }
}

/// One account.
#[derive(Debug)]
pub struct Twilio {
    config: TwilioConfig,
    api: Api,
}

impl Twilio {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: TwilioConfig, client: GuardedClient) -> Result<Self, ConfigError> {
        for (name, text) in [
            ("account_sid", &*config.account_sid),
            ("auth_token", config.auth_token.expose_secret()),
            ("sender", &*config.sender),
        ] {
            if text.trim().is_empty() {
                return Err(ConfigError::Empty(name));
            }
        }
        let api = Api::new(client, &config.api_base, config.timeout)?;
        Ok(Self { config, api })
    }

    /// Begins a request to something of the account.
    fn request(
        &self,
        method: Method,
        below: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, HttpError> {
        let mut path = vec!["2010-04-01", "Accounts"];
        let account = format!("{}.json", self.config.account_sid);
        if below.is_empty() {
            path.push(&account);
        } else {
            path.push(&self.config.account_sid);
            path.extend(below);
        }
        Ok(self.authorised(self.api.request(method, &path, query)?))
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        let token = self.config.auth_token.expose_secret();
        request.basic_auth(&self.config.account_sid, Some(token))
    }

    /// Asks, and reads what came as JSON.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        request: Result<RequestBuilder, HttpError>,
    ) -> Result<T, String> {
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.api.ask(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|_| "the answer is none of Twilio's".to_owned());
        }
        let code = send::error_code(&answer.body);
        Err(code.map_or_else(
            || format!("status {}", answer.status.as_u16()),
            |code| format!("error {code}"),
        ))
    }

    async fn set_number(&self, url: &str) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Numbers {
            incoming_phone_numbers: Vec<Number>,
        }
        #[derive(Deserialize)]
        struct Number {
            sid: String,
        }
        let query = [("PhoneNumber", &*self.config.sender)];
        let found = self.request(Method::GET, &["IncomingPhoneNumbers.json"], &query);
        let found: Numbers = self.ask(found).await?;
        let Some(number) = found.incoming_phone_numbers.first() else {
            return Err("the account has no such number".to_owned());
        };
        let resource = format!("{}.json", number.sid);
        let address = format!("{url}#{RETRY}");
        let fields = [("SmsUrl", &*address), ("SmsMethod", "POST")];
        let change = self
            .request(Method::POST, &["IncomingPhoneNumbers", &resource], &[])
            .map(|request| with_form(request, &fields));
        let _changed: serde_json::Value = self.ask(change).await?;
        Ok(address)
    }
}

#[async_trait]
impl Provider for Twilio {
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        receive::receive(&self.config, request)
    }

    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        send::send(self, text).await
    }

    async fn fetch(&self, medium: &Media, most: u64) -> Result<Bytes, FetchError> {
        media::fetch(self, medium, most).await
    }

    async fn check(&self) -> Checkup {
        #[derive(Deserialize)]
        struct Account {
            friendly_name: Option<String>,
            status: Option<String>,
        }
        let account: Result<Account, String> = self.ask(self.request(Method::GET, &[], &[])).await;
        let account = match account {
            Ok(account) => account,
            Err(reason) => {
                return unchecked(reason, "see account_sid and auth_token in Twilio's console");
            }
        };
        let mut checkup = Checkup {
            account: Some(format!(
                "{} ({})",
                account.friendly_name.unwrap_or_default(),
                self.config.account_sid
            )),
            ..Checkup::default()
        };
        match account.status.as_deref() {
            Some("active") | None => {}
            Some(status) => checkup.problems.push(
                Problem::error("channel::check", format!("the account is {status}"))
                    .help("Twilio's console says why"),
            ),
        }
        checkup
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        if !self.config.sender.starts_with('+') {
            let message = "the sender is no number, so there is none whose webhook could be set";
            let help =
                "set it at the messaging service in Twilio's console: Integration, Send a webhook";
            return Err(Box::new(
                Problem::error("channel::set-webhook", message).help(help),
            ));
        }
        match self.set_number(url).await {
            Ok(address) => Ok(vec![format!(
                "messages to {} now come to {address}",
                self.config.sender
            )]),
            Err(reason) => Err(Box::new(
                Problem::error("channel::set-webhook", format!("Twilio refused: {reason}"))
                    .help("the number has to be one of this account; langnghe channel check says whose it is"),
            )),
        }
    }
}
