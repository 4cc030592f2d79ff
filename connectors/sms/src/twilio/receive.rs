//! Twilio's webhooks: messages, and the states of ours.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, header::CONTENT_TYPE};
use langnghe_connector::{
    Answer, Rejection, WebhookRequest,
    signature::{encode_hex, equal_in_constant_time},
};
use langnghe_model::{
    EventId,
    event::{Media, MediaKind},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{RETRY, TwilioConfig};
use crate::provider::{Delivery, Inbound, IncomingMessage, Report, ReportState, derived_id};

/// The most media of one message, which is also Twilio's bound.
const MEDIA: usize = 10;

/// A form's fields, sorted by name.
struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    fn read(form: &'a [u8]) -> Self {
        let mut fields: Vec<_> = url::form_urlencoded::parse(form).collect();
        fields.sort();
        fields.dedup();
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }
}

pub(super) fn receive(
    config: &TwilioConfig,
    request: &WebhookRequest<'_>,
) -> Result<Delivery, Rejection> {
    if request.method != Method::POST {
        return Err(Rejection::Method);
    }
    let json = request
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    let fields = Fields::read(if json { &[] } else { request.body });
    verify(config, request, &fields, json)?;
    let item = if json {
        let raw: Value = serde_json::from_slice(request.body)
            .map_err(|_| Rejection::Malformed("the body is not JSON"))?;
        let body = String::from_utf8_lossy(request.body);
        Some(Inbound::Unknown {
            id: derived_id("twilio", &[&*body]),
            name: "twilio.json".to_owned(),
            raw,
        })
    } else {
        item(&fields, request)
    };
    Ok(Delivery {
        answer: Answer {
            content_type: "text/xml; charset=utf-8",
            // No words of its own for Twilio to say.
            body: Bytes::from_static(b"<Response/>"),
            ..Answer::default()
        },
        items: item.into_iter().collect(),
    })
}

/// `X-Twilio-Signature`: HMAC-SHA1 over the address as Twilio calls it and each field's name and
/// value in the order of the names. Where the body is JSON, its hash is in the address.
fn verify(
    config: &TwilioConfig,
    request: &WebhookRequest<'_>,
    fields: &Fields<'_>,
    json: bool,
) -> Result<(), Rejection> {
    let given = request
        .headers
        .get("x-twilio-signature")
        .and_then(|value| value.to_str().ok())
        .ok_or(Rejection::Signature)?;
    if json {
        let hash = url::form_urlencoded::parse(request.query.as_bytes())
            .find(|(name, _)| name == "bodySHA256")
            .map(|(_, hash)| hash.to_ascii_lowercase());
        let is = encode_hex(&Sha256::digest(request.body));
        if !hash.is_some_and(|hash| equal_in_constant_time(&hash, &is)) {
            return Err(Rejection::Signature);
        }
    }
    let mut url = config.webhook_url.trim_end_matches('/').to_owned();
    for (mark, part) in [('/', request.path), ('?', request.query)] {
        if !part.is_empty() {
            url.push(mark);
            url.push_str(part);
        }
    }
    let signed = |url: &str| {
        let key = config.auth_token.expose_secret().as_bytes();
        let mut mac: Hmac<Sha1> = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(url.as_bytes());
        for (name, value) in &fields.0 {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    };
    // Whether the part after `#` is signed is not documented.
    let good = equal_in_constant_time(given, &signed(&url))
        || equal_in_constant_time(given, &signed(&format!("{url}#{RETRY}")));
    if good {
        Ok(())
    } else {
        Err(Rejection::Signature)
    }
}

fn item(fields: &Fields<'_>, request: &WebhookRequest<'_>) -> Option<Inbound> {
    let sid = fields.get("MessageSid").or(fields.get("SmsSid"));
    let status = fields.get("MessageStatus").or(fields.get("SmsStatus"));
    match (sid, fields.get("From"), status) {
        (Some(sid), Some(from), None | Some("received")) => {
            Some(Inbound::Message(IncomingMessage {
                id: EventId::new(sid),
                from: from.to_owned(),
                text: fields.get("Body").unwrap_or_default().to_owned(),
                media: media(fields),
                sent_at: request.received_at,
            }))
        }
        (Some(sid), _, Some(status)) => {
            let state = match status {
                "delivered" => ReportState::Delivered,
                "undelivered" | "failed" | "canceled" => ReportState::Failed {
                    code: fields.get("ErrorCode").map(str::to_owned),
                },
                // On its way.
                "accepted" | "scheduled" | "queued" | "sending" | "sent" | "read" => return None,
                _ => return Some(unknown(fields, "twilio.status")),
            };
            Some(Inbound::Report(Report {
                id: EventId::new(format!("report:{status}:{sid}")),
                message: EventId::new(sid),
                to: fields.get("To").map(str::to_owned),
                state,
                at: request.received_at,
            }))
        }
        _ => Some(unknown(fields, "twilio.event")),
    }
}

fn unknown(fields: &Fields<'_>, name: &str) -> Inbound {
    let all = fields.0.iter();
    let parts: Vec<&str> = all.flat_map(|(name, value)| [&**name, &**value]).collect();
    let raw = fields.0.iter();
    Inbound::Unknown {
        id: derived_id("twilio", &parts),
        name: name.to_owned(),
        raw: raw
            .map(|(name, value)| (name.to_string(), Value::from(&**value)))
            .collect(),
    }
}

fn media(fields: &Fields<'_>) -> Vec<Media> {
    let count: usize = fields
        .get("NumMedia")
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    (0..count.min(MEDIA))
        .filter_map(|number| {
            let url = fields.get(&format!("MediaUrl{number}"))?;
            let kind = fields.get(&format!("MediaContentType{number}"));
            Some(Media {
                kind: media_kind(kind.unwrap_or_default()),
                url: url.to_owned(),
                content_type: kind.map(str::to_owned),
                bytes: None,
                name: None,
            })
        })
        .collect()
}

fn media_kind(content_type: &str) -> MediaKind {
    match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        Some("audio") => MediaKind::Audio,
        _ => MediaKind::File,
    }
}
