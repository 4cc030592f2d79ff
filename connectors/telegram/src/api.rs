//! Requests to the Bot API, over the guarded client. The token is in every address: no address is ever
//! shown.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use langnghe_http::{GuardedClient, HttpError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use teloxide::{ApiError, requests::Payload, types::ResponseParameters};
use url::Url;

use crate::{Config, ConfigError};

/// The longest answer to a request that is read, in bytes; a sent message is below 100 KiB.
const ANSWER: usize = 1024 * 1024;

/// The Bot API as one bot uses it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct BotApi {
    client: GuardedClient,
    /// `https://api.telegram.org`, perhaps with a path.
    base: Url,
    token: SecretString,
    timeout: Duration,
}

impl fmt::Debug for BotApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BotApi").finish_non_exhaustive()
    }
}

/// What came of a request other than a result.
#[derive(Debug)]
pub(crate) enum CallError {
    /// No whole answer.
    Unsent(HttpError),
    /// An answer that is none of the Bot API's.
    Foreign(StatusCode),
    /// The Bot API says no.
    Refused(Refusal),
}

/// What the Bot API says when it says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Like an HTTP status.
    pub(crate) code: u16,
    /// The words, read by teloxide. They can quote what we sent: not to be shown.
    pub(crate) error: ApiError,
    /// What it says beside them.
    pub(crate) parameters: Option<ResponseParameters>,
}

impl Refusal {
    /// The words as Telegram wrote them, for those that teloxide does not know; for the others its
    /// own, which are the same but for the token's.
    pub(crate) fn words(&self) -> String {
        match &self.error {
            ApiError::Unknown(words) => words.clone(),
            known => known.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error_code: Option<u16>,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

impl BotApi {
    pub(crate) fn new(config: &Config, client: GuardedClient) -> Result<Self, ConfigError> {
        let base = Url::parse(config.api_base.trim_end_matches('/')).map_err(|_| HttpError::Url)?;
        client.check(&base)?;
        if base.cannot_be_a_base() {
            return Err(HttpError::Url.into());
        }
        Ok(Self {
            client,
            base,
            token: config.token.clone(),
            timeout: config.timeout,
        })
    }

    /// Calls a method with one of teloxide's payloads, and reads of its result what the caller needs.
    pub(crate) async fn call<P, R>(&self, payload: &P) -> Result<R, CallError>
    where
        P: Payload + Serialize,
        R: for<'de> Deserialize<'de>,
    {
        let result = self
            .call_raw(P::NAME, payload, ANSWER, self.timeout)
            .await?;
        serde_json::from_str(result.get()).map_err(|_| CallError::Foreign(StatusCode::OK))
    }

    /// Calls a method; an answer of more than `most` bytes is not read. The result is as it came.
    pub(crate) async fn call_raw(
        &self,
        method: &str,
        payload: &impl Serialize,
        most: usize,
        timeout: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        let url = self.url(&[], &[&camel(method)]);
        let request = self.client.post(url.as_str()).map_err(CallError::Unsent)?;
        let request = request.json(payload).timeout(timeout);
        let answer = self.client.fetch(request, most).await;
        let answer = answer.map_err(CallError::Unsent)?;
        // The status repeats what the body says; a proxy between has no such body.
        let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(&answer.body) else {
            return Err(CallError::Foreign(answer.status));
        };
        match envelope.result {
            Some(result) if envelope.ok => Ok(result.to_owned()),
            _ if envelope.ok => Err(CallError::Foreign(answer.status)),
            _ => Err(CallError::Refused(refusal(&envelope, answer.status))),
        }
    }

    /// Gets a file by the path that the Bot API gave for it.
    pub(crate) async fn file(
        &self,
        path: &[&str],
        most: usize,
    ) -> Result<(StatusCode, Bytes), HttpError> {
        let url = self.url(&["file"], path);
        let request = self.client.get(url.as_str())?.timeout(self.timeout * 6);
        let answer = self.client.fetch(request, most).await?;
        Ok((answer.status, answer.body))
    }

    fn url(&self, before: &[&str], after: &[&str]) -> Url {
        let mut url = self.base.clone();
        // It can be a base: that was checked.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(before)
                .push(&format!("bot{}", self.token.expose_secret()))
                .extend(after);
        }
        url
    }
}

fn refusal(envelope: &Envelope<'_>, status: StatusCode) -> Refusal {
    let words = envelope.description.clone().unwrap_or_default();
    let error = serde_json::from_value(words.clone().into()).unwrap_or(ApiError::Unknown(words));
    let parameters = envelope.parameters;
    Refusal {
        code: envelope.error_code.unwrap_or(status.as_u16()),
        error,
        parameters: parameters.and_then(|raw| serde_json::from_str(raw.get()).ok()),
    }
}

/// The method of a payload as Telegram documents it; teloxide names it `SendMessage`.
pub(crate) fn method_name<P: Payload>(_payload: &P) -> String {
    camel(P::NAME)
}

fn camel(method: &str) -> String {
    let mut name = method.to_owned();
    if let Some(first) = name.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    name
}
