//! Answers of the Graph API that are no success, and the decisions that follow.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use langnghe_connector::{SendError, ThrottleScope};
use langnghe_http::HttpError;
use serde::Deserialize;
use serde_json::Value;

use crate::usage::time_to_regain_access;

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pause the channel; so many seconds when Meta does not say for how long.
    Throttled(u64),
    /// Pause this recipient for so many seconds.
    RecipientThrottled(u64),
    /// The window is closed.
    WindowClosed,
    /// The recipient cannot be reached any more.
    Gone,
    /// The recipient, or the right to answer them, is elsewhere for now.
    Away,
    /// Token, permission or account: an operator must act.
    Credentials,
    /// Never.
    Rejected,
    /// Try again.
    Transport,
}

/// Why a call brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no whole answer.
    Unsent(HttpError),
    /// There was an answer, and it is no success.
    Refused(Refusal),
}

/// The numbers of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct GraphError {
    /// The code.
    pub code: i64,
    /// What it is in detail, where Messenger says so.
    #[serde(rename = "error_subcode")]
    pub subcode: Option<i64>,
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error in it, if it is one of Meta's.
    pub error: Option<GraphError>,
    /// For how long Meta asks us to wait, where it says so.
    pub wait: Option<Duration>,
}

impl Refusal {
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: Option<&Value>) -> Self {
        let error = body
            .and_then(|body| body.get("error"))
            .and_then(|error| GraphError::deserialize(error).ok());
        Self {
            status,
            error,
            wait: time_to_regain_access(headers).or_else(|| retry_after(headers)),
        }
    }

    /// The code for people: `10/2018278`, `131047`, `status 502`.
    pub fn code(&self) -> String {
        match self.error {
            Some(GraphError {
                code,
                subcode: Some(subcode),
            }) => format!("{code}/{subcode}"),
            Some(GraphError { code, .. }) => code.to_string(),
            None => format!("status {}", self.status.as_u16()),
        }
    }

    /// The error as the sender understands it. `known` is what the messenger's own table says of
    /// it; without, the status decides.
    pub fn decided(&self, known: Option<Decision>) -> SendError {
        let code = self.code();
        let decision = match (known, self.error) {
            // Numbers that are in no table come with this status when we are too fast.
            (None, Some(_)) => by_status(self.status, Decision::Rejected),
            // An answer that is none of Meta's: a proxy's, or a wrong address. An operator sees to
            // the address; everything else passes.
            (None, None) => by_status(self.status, Decision::Credentials),
            (Some(decision), _) => decision,
        };
        match decision {
            Decision::Throttled(seconds) => SendError::Throttled {
                after: Some(self.wait.unwrap_or(Duration::from_secs(seconds))),
                scope: ThrottleScope::Channel,
                code,
            },
            Decision::RecipientThrottled(seconds) => SendError::Throttled {
                after: Some(Duration::from_secs(seconds)),
                scope: ThrottleScope::Recipient,
                code,
            },
            Decision::WindowClosed => SendError::WindowClosed { code },
            Decision::Gone => SendError::RecipientGone { code },
            Decision::Away => SendError::Away,
            Decision::Credentials => SendError::Credentials { code },
            Decision::Rejected => SendError::Rejected { code },
            Decision::Transport => SendError::Transport { reason: code },
        }
    }
}

impl Failure {
    /// The error as the sender understands it, by the messenger's own table.
    pub fn decided(&self, table: impl FnOnce(GraphError) -> Option<Decision>) -> SendError {
        match self {
            Self::Unsent(error) => (*error).into(),
            Self::Refused(refusal) => refusal.decided(refusal.error.and_then(table)),
        }
    }

    /// The code of Meta's error, if there is one.
    pub fn graph_error(&self) -> Option<GraphError> {
        match self {
            Self::Refused(refusal) => refusal.error,
            Self::Unsent(_) => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsent(error) => error.fmt(formatter),
            Self::Refused(refusal) => match refusal.error {
                Some(_) => write!(formatter, "error {}", refusal.code()),
                None => formatter.write_str(&refusal.code()),
            },
        }
    }
}

fn by_status(status: StatusCode, otherwise: Decision) -> Decision {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Decision::Throttled(60),
        StatusCode::REQUEST_TIMEOUT => Decision::Transport,
        // 2xx: the answer is none that the API gives.
        status if status.is_server_error() || status.is_success() => Decision::Transport,
        _ => otherwise,
    }
}

/// `Retry-After` in seconds. A date would need a clock, and Meta sends none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| langnghe_http::parse_retry_after(value, 0))
        .flatten()
}
