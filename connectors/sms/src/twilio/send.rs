//! Messages to Twilio, and what its errors mean (its error and warning dictionary,
//! twilio.com/docs/api/errors).

use http::Method;
use langnghe_connector::{SendError, Sent};
use langnghe_http::Answer;
use langnghe_model::EventId;
use serde::Deserialize;

use super::Twilio;
use crate::{
    api::{by_status, throttled, transport, with_form},
    provider::OutgoingText,
};

pub(super) async fn send(twilio: &Twilio, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
    let config = &twilio.config;
    let sender = if config.sender.starts_with("MG") && config.sender.len() == 34 {
        "MessagingServiceSid"
    } else {
        "From"
    };
    let request = twilio.request(Method::POST, &["Messages.json"], &[]);
    let request = with_form(
        request?,
        &[
            ("To", text.to),
            (sender, &config.sender),
            ("Body", text.text),
            ("StatusCallback", &config.webhook_url),
        ],
    );
    let answer = twilio.api.ask(request).await?;
    read(&answer)
}

/// What Twilio answers to a message it took.
#[derive(Deserialize)]
struct Taken {
    sid: String,
    error_code: Option<u32>,
}

/// What it answers to anything else.
#[derive(Deserialize)]
struct Refused {
    code: u32,
}

/// Twilio's code in a body, if it is one of its errors.
pub(super) fn error_code(body: &[u8]) -> Option<u32> {
    let refused: Option<Refused> = serde_json::from_slice(body).ok();
    refused.map(|refused| refused.code)
}

fn read(answer: &Answer) -> Result<Sent, SendError> {
    if answer.status.is_success() {
        let taken: Taken =
            serde_json::from_slice(&answer.body).map_err(|_| transport("unreadable answer"))?;
        return match taken.error_code.filter(|code| *code != 0) {
            None => Ok(Sent {
                message: Some(EventId::new(taken.sid)),
            }),
            Some(code) => Err(decide(code, answer)),
        };
    }
    Err(match error_code(&answer.body) {
        Some(code) => decide(code, answer),
        None => by_status(answer),
    })
}

fn decide(number: u32, answer: &Answer) -> SendError {
    let code = number.to_string();
    match number {
        20429 | 21611 | 30001 | 63018 => throttled(answer, code),
        // Wrong credentials, no such account, one that is not active or suspended; a sender that is not
        // ours.
        20003 | 20404 | 10001 | 30002 | 21606 => SendError::Credentials { code },
        // No number; told Twilio to stop; no network reaches it; no such phone.
        21211 | 21610 | 21612 | 21614 | 30003 | 30005 | 30006 => SendError::RecipientGone { code },
        // The region is not enabled; too long; blocked or filtered.
        21408 | 21617 | 30004 | 30007 => SendError::Rejected { code },
        30008 => transport(code),
        _ => match by_status(answer) {
            SendError::Transport { .. } => transport(code),
            SendError::Credentials { .. } => SendError::Credentials { code },
            SendError::Throttled { .. } => throttled(answer, code),
            _ => SendError::Rejected { code },
        },
    }
}
