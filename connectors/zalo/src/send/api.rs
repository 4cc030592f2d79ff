//! Requests with the account's token. A token that Zalo does not take is replaced once.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;
use langnghe_connector::{Hint, SendError, signature::HmacSha256Key};
use langnghe_http::{Answer, GuardedClient, HttpError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{failure, hints::Hints};
use crate::{Config, ConfigError, lenient, tokens::Tokens};

/// The longest answer that is read.
const ANSWER: usize = 256 * 1024;

/// Which of Zalo's hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The Official Account API.
    Api,
    /// Template messages by phone number.
    Zns,
}

/// What error codes mean: the same number has two meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Calls of the Official Account API.
    Account,
    /// Template messages.
    Template,
}

/// Why a request did not do what it was for.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: SendError,
    /// Zalo does not take this form of message, though it might take another.
    pub(crate) of_form: bool,
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        Self {
            error,
            of_form: false,
        }
    }
}

/// Zalo's APIs as one account uses them.
pub(crate) struct Api {
    client: GuardedClient,
    base: String,
    zns_base: String,
    proof_key: Option<HmacSha256Key>,
    tokens: Arc<Tokens>,
    hints: Hints,
    timeout: Duration,
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Api").finish_non_exhaustive()
    }
}

/// What a request carries.
enum Body {
    None,
    Json(Bytes),
    /// A form with a file, and its content type.
    Form(Bytes, String),
}

impl Api {
    pub(crate) fn new(
        config: &Config,
        client: GuardedClient,
        tokens: Arc<Tokens>,
    ) -> Result<Self, ConfigError> {
        let address = |name: &'static str, text: &str| {
            let url = Url::parse(text).map_err(|_| HttpError::Url);
            let checked = url.and_then(|url| client.check(&url));
            checked
                .map(|()| text.trim_end_matches('/').to_owned())
                .map_err(|error| ConfigError::Address(name, error))
        };
        let key = config.app_secret.expose_secret().as_bytes();
        Ok(Self {
            base: address("api_base", &config.api_base)?,
            zns_base: address("zns_base", &config.zns_base)?,
            proof_key: config.prove_secret.then(|| HmacSha256Key::new(key)),
            client,
            tokens,
            hints: Hints::default(),
            timeout: config.timeout,
        })
    }

    pub(crate) fn client(&self) -> &GuardedClient {
        &self.client
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What Zalo told since the last call.
    pub(crate) fn take_hints(&self) -> Vec<Hint> {
        self.hints.take()
    }

    /// Posts JSON; gives the answer's `data`.
    pub(super) async fn post(
        &self,
        base: Base,
        table: Table,
        path: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let url = self.url(base, path);
        let body = Body::Json(body.to_string().into());
        self.ask(table, &Method::POST, &url, &body).await
    }

    /// Posts a form with a file; gives the answer's `data`.
    pub(super) async fn upload(
        &self,
        path: &str,
        form: Bytes,
        content_type: String,
    ) -> Result<Value, Refusal> {
        let url = self.url(Base::Api, path);
        let body = Body::Form(form, content_type);
        self.ask(Table::Account, &Method::POST, &url, &body).await
    }

    /// Gets; parameters go as one JSON text.
    pub(crate) async fn get(&self, path: &str, data: Option<&Value>) -> Result<Value, SendError> {
        let mut url = Url::parse(&self.url(Base::Api, path)).map_err(|_| HttpError::Url)?;
        if let Some(data) = data {
            url.query_pairs_mut().append_pair("data", &data.to_string());
        }
        let asked = self.ask(Table::Account, &Method::GET, url.as_str(), &Body::None);
        Ok(asked.await?)
    }

    fn url(&self, base: Base, path: &str) -> String {
        let base = match base {
            Base::Api => &self.base,
            Base::Zns => &self.zns_base,
        };
        format!("{base}{path}")
    }

    async fn ask(
        &self,
        table: Table,
        method: &Method,
        url: &str,
        body: &Body,
    ) -> Result<Value, Refusal> {
        let token = self.tokens.access().await?;
        let answer = self.once(method, url, body, &token).await?;
        let code = match self.read(table, &answer) {
            Err(Read::Token(code)) => code,
            other => return other.map_err(Read::refusal),
        };
        // Renewed by another replica, revoked, or renewed just now: once with another.
        let Some(other) = self.tokens.instead_of(&token).await else {
            return Err(SendError::Credentials { code }.into());
        };
        let answer = self.once(method, url, body, &other).await?;
        self.read(table, &answer).map_err(Read::refusal)
    }

    async fn once(
        &self,
        method: &Method,
        url: &str,
        body: &Body,
        token: &SecretString,
    ) -> Result<Answer, SendError> {
        let request = self.client.request(method.clone(), url)?;
        let mut request = request
            .header("access_token", token.expose_secret())
            .timeout(self.timeout);
        if let Some(key) = &self.proof_key {
            let proof = key.sign_hex(token.expose_secret().as_bytes());
            request = request.header("appsecret_proof", proof);
        }
        request = match body {
            Body::None => request,
            Body::Json(json) => request
                .header("content-type", "application/json")
                .body(json.clone()),
            Body::Form(form, content_type) => request
                .header("content-type", content_type)
                .body(form.clone()),
        };
        Ok(self.client.fetch(request, ANSWER).await?)
    }

    fn read(&self, table: Table, answer: &Answer) -> Result<Value, Read> {
        self.hints.note_headers(&answer.headers);
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let code = json
            .as_ref()
            .and_then(|json| lenient::integer(json.get("error")?));
        match (code, json) {
            (Some(0), Some(mut json)) if answer.status.is_success() => {
                let data = json.get_mut("data").map(Value::take).unwrap_or_default();
                self.hints.note_quota(&data);
                Ok(data)
            }
            (Some(code), _) if code != 0 => {
                if failure::is_token(table, code) {
                    return Err(Read::Token(code.to_string()));
                }
                Err(Read::Refused(failure::classify(
                    table,
                    code,
                    &answer.headers,
                    self.tokens.now(),
                )))
            }
            _ if answer.status == http::StatusCode::UNAUTHORIZED => {
                Err(Read::Token("status 401".to_owned()))
            }
            _ => {
                let now = self.tokens.now();
                let error = failure::of_status(answer.status, &answer.headers, now);
                Err(Read::Refused(error.into()))
            }
        }
    }
}

/// Why an answer is none.
enum Read {
    /// The token is not taken; Zalo's code.
    Token(String),
    Refused(Refusal),
}

impl Read {
    fn refusal(self) -> Refusal {
        match self {
            Self::Token(code) => SendError::Credentials { code }.into(),
            Self::Refused(refusal) => refusal,
        }
    }
}
