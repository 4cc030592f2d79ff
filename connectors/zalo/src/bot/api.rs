//! Requests to the Bot Platform. The token is in every address: no address is ever shown.

use std::{fmt, time::Duration};

use http::StatusCode;
use langnghe_connector::{SendError, ThrottleScope};
use langnghe_http::{GuardedClient, HttpError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{BotConfig, BotConfigError};
use crate::lenient;

/// The longest answer that is read, in bytes.
const ANSWER: usize = 1024 * 1024;

/// The platform as one bot uses it.
pub(super) struct BotApi {
    client: GuardedClient,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// No whole answer.
    Unsent(HttpError),
    /// An answer that is none of the platform's.
    Foreign(StatusCode),
    /// The platform says no, with this code. Errors come with the status 200 too.
    Refused(i64),
}

impl BotApi {
    pub(super) fn new(config: &BotConfig, client: GuardedClient) -> Result<Self, BotConfigError> {
        let base = Url::parse(config.api_base.trim_end_matches('/')).map_err(|_| HttpError::Url)?;
        client.check(&base)?;
        Ok(Self {
            client,
            base,
            token: config.token.clone(),
            timeout: config.timeout,
        })
    }

    /// Calls a method, which may take `longer` than others; null where it has no result.
    pub(super) async fn call(
        &self,
        method: &str,
        body: &Value,
        longer: Duration,
    ) -> Result<Value, CallError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| CallError::Unsent(HttpError::Url))?
            .pop_if_empty()
            .push(&format!("bot{}", self.token.expose_secret()))
            .push(method);
        let request = self.client.post(url.as_str()).map_err(CallError::Unsent)?;
        let request = request.json(body).timeout(self.timeout + longer);
        let answer = self.client.fetch(request, ANSWER).await;
        let answer = answer.map_err(CallError::Unsent)?;
        let foreign = CallError::Foreign(answer.status);
        let mut json: Value = serde_json::from_slice(&answer.body).map_err(|_| foreign)?;
        match json["ok"].as_bool() {
            Some(true) => Ok(json["result"].take()),
            Some(false) => {
                let status = i64::from(answer.status.as_u16());
                // One method spells it otherwise.
                let code = lenient::integer(&json["error_code"])
                    .or_else(|| lenient::integer(&json["errorCode"]));
                Err(CallError::Refused(code.unwrap_or(status)))
            }
            None => Err(foreign),
        }
    }
}

/// The decision for a request that brought no result.
pub(super) fn classify(error: CallError) -> SendError {
    let (code, number) = match error {
        CallError::Unsent(error) => return error.into(),
        CallError::Foreign(status) => {
            let number = i64::from(status.as_u16());
            // Nothing of Zalo's: the address is wrong, or a proxy is between.
            let number = if number == 404 { 401 } else { number };
            (format!("status {}", status.as_u16()), number)
        }
        CallError::Refused(number) => (number.to_string(), number),
    };
    match number {
        401 => SendError::Credentials { code },
        429 => SendError::Throttled {
            after: None,
            scope: ThrottleScope::Channel,
            code,
        },
        400 | 404 | 410..=428 => SendError::Rejected { code },
        // 403 is the platform's own failure, so its documentation.
        _ => SendError::Transport { reason: code },
    }
}
