//! What eSMS asks us: messages to a short code, and the states of ours.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use http::Method;
use langnghe_connector::{
    Answer, Rejection, WebhookRequest,
    signature::{encode_hex, equal_in_constant_time},
};
use langnghe_model::EventId;
use md5::{Digest, Md5};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::EsmsConfig;
use crate::{
    moment,
    provider::{Delivery, Inbound, IncomingMessage, Report, ReportState, derived_id},
};

type Fields<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

pub(super) fn receive(
    config: &EsmsConfig,
    request: &WebhookRequest<'_>,
) -> Result<Delivery, Rejection> {
    if !equal_in_constant_time(request.path, config.webhook_token.expose_secret()) {
        return Err(Rejection::Signature);
    }
    if request.method != Method::GET {
        return Err(Rejection::Method);
    }
    let fields: Fields<'_> = url::form_urlencoded::parse(request.query.as_bytes()).collect();
    let get = |name: &str| fields.get(name).map(|value| &**value);
    match (get("sender"), get("SMSID")) {
        (Some(sender), _) => message(config, request, sender, &get),
        (None, Some(id)) => Ok(report(request, id, &fields)),
        (None, None) => Ok(Delivery {
            items: vec![unknown("esms.event", &fields)],
            ..Delivery::default()
        }),
    }
}

fn message<'f>(
    config: &EsmsConfig,
    request: &WebhookRequest<'_>,
    sender: &str,
    get: &impl Fn(&str) -> Option<&'f str>,
) -> Result<Delivery, Rejection> {
    let text = get("content").unwrap_or_default();
    let id = get("smsid").unwrap_or_default();
    let time = get("receiverTime").unwrap_or_default();
    if let Some(key) = &config.private_key {
        let signed = |content: &str| {
            let mut digest = Md5::new();
            for part in [get("cpid").unwrap_or_default(), id, content, time] {
                digest.update(part.as_bytes());
            }
            digest.update(key.expose_secret().as_bytes());
            encode_hex(&digest.finalize())
        };
        let given = get("sign").unwrap_or_default().to_ascii_lowercase();
        // Whether the text is signed as it is, or as the address carries it, is not documented.
        let good = equal_in_constant_time(&given, &signed(text))
            || encoded(request.query, "content")
                .is_some_and(|content| equal_in_constant_time(&given, &signed(content)));
        if !good {
            return Err(Rejection::Signature);
        }
    }
    let message = IncomingMessage {
        id: if id.is_empty() {
            derived_id("message", &[sender, time, text])
        } else {
            EventId::new(id)
        },
        from: sender.to_owned(),
        text: text.to_owned(),
        media: Vec::new(),
        sent_at: moment::compact(time).unwrap_or(request.received_at),
    };
    Ok(Delivery {
        answer: Answer {
            content_type: "text/xml; charset=utf-8",
            body: Bytes::from(format!(
                "<ClientResponse><Message></Message><Smsid>{}</Smsid><Receiver>{}</Receiver></ClientResponse>",
                xml(id),
                xml(sender)
            )),
            ..Answer::default()
        },
        items: vec![Inbound::Message(message)],
    })
}

/// A field of a query as it stands there.
fn encoded<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find_map(|field| {
        let (other, value) = field.split_once('=')?;
        (other == name).then_some(value)
    })
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn report(request: &WebhookRequest<'_>, id: &str, fields: &Fields<'_>) -> Delivery {
    let get = |name: &str| fields.get(name).map(|value| &**value);
    let count = |name: &str| -> u32 { get(name).and_then(|count| count.parse().ok()).unwrap_or(0) };
    let status = get("SendStatus").unwrap_or_default();
    let state = match status {
        // Finished, which says nothing of how.
        "5" if count("SendFailed") > 0 => Some(ReportState::Failed {
            code: Some("SendFailed".to_owned()),
        }),
        "5" if count("SendSuccess") > 0 => Some(ReportState::Delivered),
        "4" => Some(ReportState::Failed {
            code: Some("rejected".to_owned()),
        }),
        // Pending, waiting, with the network.
        "1" | "2" | "5" | "7" => None,
        _ => {
            return Delivery {
                items: vec![unknown("esms.status", fields)],
                ..Delivery::default()
            };
        }
    };
    let items = state.map(|state| {
        let word = match state {
            ReportState::Delivered => "delivered",
            ReportState::Failed { .. } => "failed",
        };
        Inbound::Report(Report {
            id: EventId::new(format!("report:{word}:{id}")),
            message: EventId::new(id),
            to: get("phonenumber").map(str::to_owned),
            state,
            at: request.received_at,
        })
    });
    Delivery {
        items: items.into_iter().collect(),
        ..Delivery::default()
    }
}

fn unknown(name: &str, fields: &Fields<'_>) -> Inbound {
    let all = fields.iter();
    let parts: Vec<&str> = all.flat_map(|(name, value)| [&**name, &**value]).collect();
    let raw = fields.iter();
    Inbound::Unknown {
        id: derived_id("esms", &parts),
        name: name.to_owned(),
        raw: raw
            .map(|(name, value)| (name.to_string(), Value::from(&**value)))
            .collect(),
    }
}
