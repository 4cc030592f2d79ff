//! SpeedSMS.vn: brandnames, random numbers and phones with its app.
//!
//! Where the facts come from: its page (speedsms.vn/sms-api) for calls, answers, codes and the rate;
//! public clients (alexzvn/speedsms-api, and three programs with the same words for reports) for webhooks
//! and for the status 404 that a wrong token gets. Which `type` an incoming message has is not confirmed
//! (one program writes `incoming`), so its fields decide.

use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode};
use langnghe_connector::{
    Checkup, QuotaRule, QuotaScope, QuotaUnit, Rejection, SendError, Sent, ThrottleScope,
    WebhookRequest, signature::equal_in_constant_time,
};
use langnghe_http::{Answer, GuardedClient, HttpError, RequestBuilder};
use langnghe_model::{EventId, Problem};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    api::{Api, ConfigError, by_status, check_token, transport, unchecked},
    provider::{
        Delivery, Inbound, IncomingMessage, OutgoingText, Provider, Report, ReportState, derived_id,
    },
};

/// What has to be known of an account.
#[derive(Clone, Debug)]
pub struct SpeedSmsConfig {
    /// The access token.
    pub access_token: SecretString,
    /// The brandname, or the id of the device; `None` where the type has none.
    pub sender: Option<String>,
    /// `sms_type`: 2 a random number, 3 a brandname, 4 theirs, 5 a phone with their app.
    pub sms_type: u8,
    /// The last part of our webhook's path: SpeedSMS signs nothing, so this tells it from others.
    pub webhook_token: SecretString,
    /// Where the API lies.
    pub api_base: String,
    /// The longest that one request may take.
    pub timeout: Duration,
}

impl SpeedSmsConfig {
    /// An account with a brandname, at SpeedSMS's own address.
    pub fn new(access_token: SecretString, webhook_token: SecretString) -> Self {
        Self {
            access_token,
            sender: None,
            sms_type: 3,
            webhook_token,
            api_base: "https://api.speedsms.vn/index.php".to_owned(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// One account.
#[derive(Debug)]
pub struct SpeedSms {
    config: SpeedSmsConfig,
    api: Api,
}

impl SpeedSms {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: SpeedSmsConfig, client: GuardedClient) -> Result<Self, ConfigError> {
        if config.access_token.expose_secret().trim().is_empty() {
            return Err(ConfigError::Empty("access_token"));
        }
        let named = matches!(config.sms_type, 3 | 5);
        if named && config.sender.as_deref().unwrap_or_default().is_empty() {
            return Err(ConfigError::Empty("sender"));
        }
        check_token("webhook_token", config.webhook_token.expose_secret())?;
        let api = Api::new(client, &config.api_base, config.timeout)?;
        Ok(Self { config, api })
    }

    fn request(&self, method: Method, path: [&str; 2]) -> Result<RequestBuilder, HttpError> {
        let request = self.api.request(method, &path, &[])?;
        Ok(request.basic_auth(self.config.access_token.expose_secret(), Some("x")))
    }

    async fn account(&self) -> Result<AccountData, String> {
        let request = self.request(Method::GET, ["user", "info"]);
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.api.ask(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("status {}", answer.status.as_u16()));
        }
        let account: Account = serde_json::from_slice(&answer.body)
            .map_err(|_| "the answer is none of SpeedSMS's".to_owned())?;
        match account {
            Account {
                data: Some(data), ..
            } => Ok(data),
            Account {
                code: Some(code), ..
            } => Err(format!("code {code}")),
            Account { .. } => Err("the answer is none of SpeedSMS's".to_owned()),
        }
    }
}

/// What `GET /user/info` answers. An error comes with status 200 as well.
#[derive(Deserialize)]
struct Account {
    code: Option<String>,
    data: Option<AccountData>,
}

/// The account.
#[derive(Deserialize)]
struct AccountData {
    email: Option<String>,
    balance: Option<Value>,
    currency: Option<String>,
}

#[async_trait]
impl Provider for SpeedSms {
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        if !equal_in_constant_time(request.path, self.config.webhook_token.expose_secret()) {
            return Err(Rejection::Signature);
        }
        if request.method != Method::POST {
            return Err(Rejection::Method);
        }
        let raw: &RawValue = serde_json::from_slice(request.body)
            .map_err(|_| Rejection::Malformed("the body is not JSON"))?;
        Ok(Delivery {
            items: item(raw, request).into_iter().collect(),
            ..Delivery::default()
        })
    }

    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        let mut message = json!({
            "to": [text.to.trim_start_matches('+')],
            "content": text.text,
            "sms_type": self.config.sms_type,
        });
        if let Some(sender) = &self.config.sender {
            message["sender"] = sender.as_str().into();
        }
        let request = self.request(Method::POST, ["sms", "send"])?;
        let answer = self.api.ask(request.json(&message)).await?;
        read(&answer)
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        vec![QuotaRule {
            name: "requests",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Messages,
            limit: 60,
            per: Duration::from_mins(1),
            burst: 5,
        }]
    }

    async fn check(&self) -> Checkup {
        let account = match self.account().await {
            Ok(account) => account,
            Err(reason) => return unchecked(reason, "see access_token in SpeedSMS's account page"),
        };
        let balance = account.balance.map(|balance| {
            let currency = account.currency.unwrap_or_default();
            format!("balance: {balance} {currency}")
                .trim_end()
                .to_owned()
        });
        Checkup {
            account: account.email,
            facts: balance.into_iter().collect(),
            ..Checkup::default()
        }
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let help = format!(
            "give it this address in SpeedSMS's account page: {}/<webhook_token>",
            url.trim_end_matches('/')
        );
        let message = "SpeedSMS has no call for it";
        Err(Box::new(
            Problem::error("channel::set-webhook", message).help(help),
        ))
    }
}

/// A webhook: a report or an incoming message, as public clients read them.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "tranId")]
    id: Option<Value>,
    phone: Option<Value>,
    status: Option<i64>,
    content: Option<String>,
}

fn item(raw: &RawValue, request: &WebhookRequest<'_>) -> Option<Inbound> {
    let unknown = |name: &str| Inbound::Unknown {
        id: derived_id("speedsms", &[raw.get()]),
        name: format!("speedsms.{name}"),
        raw: serde_json::from_str(raw.get()).unwrap_or_default(),
    };
    let Ok(notification) = serde_json::from_str::<Notification>(raw.get()) else {
        return Some(unknown("event"));
    };
    let phone = notification.phone.as_ref().map(text_of);
    let id = notification.id.as_ref().map(text_of);
    match (&*notification.kind, notification.status, id, phone) {
        ("report", Some(status), Some(id), phone) => {
            let (word, state) = match status {
                0 => ("delivered", ReportState::Delivered),
                // For a time: it is tried again there.
                1..=63 => return None,
                code => (
                    "failed",
                    ReportState::Failed {
                        code: Some(code.to_string()),
                    },
                ),
            };
            Some(Inbound::Report(Report {
                id: EventId::new(format!("report:{word}:{id}")),
                message: EventId::new(id),
                to: phone,
                state,
                at: request.received_at,
            }))
        }
        // Whatever the word for it is, it has a number and words.
        (other, _, _, Some(from)) if other != "report" && notification.content.is_some() => {
            // Nothing is documented that tells two equal messages apart: the second one within the
            // dedup window is taken for a repetition.
            Some(Inbound::Message(IncomingMessage {
                id: derived_id("message", &[raw.get()]),
                from,
                text: notification.content.unwrap_or_default(),
                media: Vec::new(),
                sent_at: request.received_at,
            }))
        }
        (other, ..) => Some(unknown(other)),
    }
}

/// A number or a text, as text: the answer to a send has one, the report the other.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[derive(Deserialize)]
struct Taken {
    status: Value,
    code: Option<String>,
    data: Option<TakenData>,
}

#[derive(Deserialize)]
struct TakenData {
    #[serde(rename = "tranId")]
    id: Option<Value>,
    #[serde(rename = "invalidPhone", default)]
    invalid: Vec<Value>,
}

fn read(answer: &Answer) -> Result<Sent, SendError> {
    let taken: Option<Taken> = serde_json::from_slice(&answer.body).ok();
    if answer.status == StatusCode::TOO_MANY_REQUESTS
        || taken.as_ref().is_some_and(|taken| taken.status == 429)
    {
        let reset = answer.headers.get("x-rate-limit-reset");
        let reset = reset.and_then(|value| value.to_str().ok()?.parse().ok());
        // Seconds to wait, as the framework behind it writes them; larger ones are moments.
        let reset = reset.filter(|seconds| *seconds <= 3600);
        return Err(SendError::Throttled {
            after: Some(Duration::from_secs(reset.unwrap_or(60))),
            scope: ThrottleScope::Channel,
            code: "429".to_owned(),
        });
    }
    if answer.status == StatusCode::NOT_FOUND {
        // What a wrong token is answered; no message is to blame for it.
        return Err(SendError::Credentials {
            code: "status 404".to_owned(),
        });
    }
    let Some(Taken {
        code: Some(code),
        data,
        ..
    }) = taken
    else {
        return Err(by_status(answer));
    };
    match &*code {
        "00" => match data {
            Some(data) if !data.invalid.is_empty() => Err(SendError::RecipientGone {
                code: "invalidPhone".to_owned(),
            }),
            data => Ok(Sent {
                message: data
                    .and_then(|data| data.id)
                    .map(|id| EventId::new(text_of(&id))),
            }),
        },
        // Our address is locked, the account is blocked, the API is not allowed, the balance is out.
        "007" | "008" | "009" | "300" => Err(SendError::Credentials { code }),
        "105" => Err(SendError::RecipientGone { code }),
        // Parameters, accents, length.
        "101" | "110" | "113" => Err(SendError::Rejected { code }),
        _ => Err(transport(format!("code {code}"))),
    }
}
