//! What a gateway's answer means, by configuration.

use langnghe_connector::{SendError, Sent};
use langnghe_http::Answer;
use langnghe_model::EventId;
use regex::Regex;
use serde_json::Value;

use crate::api::{by_status, throttled, transport};

/// What a gateway answers.
#[derive(Clone, Debug)]
pub struct Answers {
    /// How an answer is seen to mean that the message was taken.
    pub taken: Taken,
    /// Where in a JSON answer the gateway's code lies.
    pub code: Option<String>,
    /// Where in a JSON answer the gateway's id of the message lies.
    pub message: Option<String>,
    /// Codes, and what each means; others are tried again.
    pub meanings: Vec<(String, Meaning)>,
}

/// How an answer is seen to mean that the message was taken. Its status has to be a good one in any case.
#[derive(Clone, Debug)]
pub enum Taken {
    /// By its status alone.
    Status,
    /// The code is one of these.
    Codes(Vec<String>),
    /// The body has this somewhere.
    Pattern(Regex),
}

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The message was taken at an earlier attempt.
    Duplicate,
    /// Slower.
    Throttled,
    /// The number cannot be reached.
    Gone,
    /// An operator has to act: credentials, balance.
    Credentials,
    /// This message will never be taken.
    Rejected,
}

impl Answers {
    pub(super) fn read(&self, answer: &Answer) -> Result<Sent, SendError> {
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let at = |pointer: &Option<String>| match json.as_ref()?.pointer(pointer.as_deref()?)? {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            other => Some(other.to_string()),
        };
        let code = at(&self.code);
        let taken = answer.status.is_success()
            && match &self.taken {
                Taken::Status => true,
                Taken::Codes(codes) => code.as_ref().is_some_and(|code| codes.contains(code)),
                Taken::Pattern(pattern) => pattern.is_match(&String::from_utf8_lossy(&answer.body)),
            };
        if taken {
            return Ok(Sent {
                message: at(&self.message).map(EventId::new),
            });
        }
        let Some(code) = code else {
            return Err(by_status(answer));
        };
        let meaning = self.meanings.iter().find(|(other, _)| *other == code);
        match meaning.map(|(_, meaning)| *meaning) {
            Some(Meaning::Duplicate) => Ok(Sent::default()),
            Some(Meaning::Throttled) => Err(throttled(answer, code)),
            Some(Meaning::Gone) => Err(SendError::RecipientGone { code }),
            Some(Meaning::Credentials) => Err(SendError::Credentials { code }),
            Some(Meaning::Rejected) => Err(SendError::Rejected { code }),
            // A code that nobody explained: what its status says, and otherwise once more.
            None => Err(match by_status(answer) {
                SendError::Transport { .. } => transport(format!("code {code}")),
                other => other,
            }),
        }
    }
}
