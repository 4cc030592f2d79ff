//! Webhooks by configuration.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Method;
use langnghe_connector::{
    Answer, Rejection, WebhookRequest,
    signature::{HmacSha256Key, equal_in_constant_time},
};
use langnghe_model::EventId;
use secrecy::ExposeSecret;

use super::{
    HttpConfig,
    field::{Field, Parts},
};
use crate::provider::{Delivery, Inbound, IncomingMessage, Report, ReportState, derived_id};

/// Where in a webhook a citizen's message lies.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The citizen's number.
    pub from: Field,
    /// The words.
    pub text: Field,
    /// The gateway's id; without one, equal messages within the dedup window are one.
    pub id: Option<Field>,
    /// What is answered once it is stored.
    pub answer: String,
}

/// Where in a webhook the state of one of our messages lies.
#[derive(Clone, Debug)]
pub struct Reports {
    /// The gateway's id of our message. A webhook that has it and a state is a report.
    pub message: Field,
    /// The state.
    pub state: Field,
    /// Whose it was.
    pub to: Option<Field>,
    /// States that mean: it reached the phone.
    pub delivered: Vec<String>,
    /// States that mean: it never will.
    pub failed: Vec<String>,
}

/// HMAC-SHA256 over the body, in a header.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The header's name.
    pub header: String,
    /// What stands before the signature (`sha256=`).
    pub prefix: String,
    /// How it is written.
    pub encoding: Encoding,
    /// The key.
    pub key: HmacSha256Key,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
}

pub(super) fn receive(
    config: &HttpConfig,
    request: &WebhookRequest<'_>,
) -> Result<Delivery, Rejection> {
    verify(config, request)?;
    if !matches!(*request.method, Method::GET | Method::POST) {
        return Err(Rejection::Method);
    }
    let parts = Parts::new(request);
    if let Some(reports) = &config.reports
        && let (Some(message), Some(state)) =
            (parts.get(&reports.message), parts.get(&reports.state))
    {
        return Ok(report(reports, &parts, &message, &state, request));
    }
    let mut delivery = Delivery::default();
    if let Some(incoming) = &config.incoming
        && let Some(from) = parts.get(&incoming.from)
    {
        let text = parts.get(&incoming.text).unwrap_or_default();
        let id = incoming.id.as_ref().and_then(|field| parts.get(field));
        delivery.answer = Answer {
            body: Bytes::from(incoming.answer.clone()),
            ..Answer::default()
        };
        delivery.items.push(Inbound::Message(IncomingMessage {
            // The gateway's id could hold the number.
            id: match id {
                Some(id) => derived_id("message", &[&id]),
                None => derived_id("message", &[&from, &text]),
            },
            from,
            text,
            media: Vec::new(),
            sent_at: request.received_at,
        }));
        return Ok(delivery);
    }
    let raw = parts.raw();
    delivery.items.push(Inbound::Unknown {
        id: derived_id("http", &[&raw.to_string()]),
        name: "http.event".to_owned(),
        raw,
    });
    Ok(delivery)
}

fn verify(config: &HttpConfig, request: &WebhookRequest<'_>) -> Result<(), Rejection> {
    let token = config.webhook_token.as_ref();
    let token = token.map_or("", |token| token.expose_secret());
    if !equal_in_constant_time(request.path, token) {
        return Err(Rejection::Signature);
    }
    let Some(signature) = &config.signature else {
        return Ok(());
    };
    let given = request
        .headers
        .get(&signature.header)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix(&signature.prefix))
        .ok_or(Rejection::Signature)?;
    let good = match signature.encoding {
        Encoding::Hex => signature.key.verify_hex(request.body, given),
        Encoding::Base64 => BASE64_STANDARD
            .decode(given)
            .is_ok_and(|bytes| signature.key.verify(request.body, &bytes)),
    };
    if good {
        Ok(())
    } else {
        Err(Rejection::Signature)
    }
}

fn report(
    reports: &Reports,
    parts: &Parts<'_>,
    message: &str,
    state: &str,
    request: &WebhookRequest<'_>,
) -> Delivery {
    let is = |words: &[String]| words.iter().any(|word| word == state);
    let state = if is(&reports.delivered) {
        ReportState::Delivered
    } else if is(&reports.failed) {
        ReportState::Failed {
            code: Some(state.to_owned()),
        }
    } else {
        // On its way.
        return Delivery::default();
    };
    let word = match state {
        ReportState::Delivered => "delivered",
        ReportState::Failed { .. } => "failed",
    };
    Delivery {
        items: vec![Inbound::Report(Report {
            id: derived_id(&format!("report:{word}"), &[message]),
            message: EventId::new(message),
            to: reports.to.as_ref().and_then(|field| parts.get(field)),
            state,
            at: request.received_at,
        })],
        ..Delivery::default()
    }
}
