//! What the phone posts.

use http::Method;
use langnghe_connector::{Rejection, WebhookRequest, signature::HmacSha256Key};
use langnghe_model::{EventId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    moment,
    provider::{Delivery, Inbound, IncomingMessage, Report, ReportState, derived_id},
};

/// How far the phone's clock may be off, in seconds, the way of the request included. A repetition is
/// signed anew.
const TOLERANCE: i64 = 15 * 60;

/// What all events have.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<String>,
    event: String,
    #[serde(rename = "deviceId", default)]
    device: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedPayload {
    #[serde(default)]
    message: String,
    sender: Option<String>,
    phone_number: Option<String>,
    received_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatePayload {
    message_id: String,
    recipient: Option<String>,
    phone_number: Option<String>,
    delivered_at: Option<String>,
    failed_at: Option<String>,
    reason: Option<String>,
}

pub(super) fn receive(
    key: &HmacSha256Key,
    request: &WebhookRequest<'_>,
) -> Result<Delivery, Rejection> {
    if request.method != Method::POST {
        return Err(Rejection::Method);
    }
    verify(key, request)?;
    let malformed = Rejection::Malformed("the body is not JSON");
    let raw: &RawValue = serde_json::from_slice(request.body).map_err(|_| malformed)?;
    let item = match serde_json::from_str::<Envelope<'_>>(raw.get()) {
        Ok(envelope) => item(&envelope, raw, request.received_at),
        Err(_) => Some(unknown("envelope", raw)),
    };
    Ok(Delivery {
        items: item.into_iter().collect(),
        ..Delivery::default()
    })
}

/// `X-Signature`: HMAC-SHA256 in hexadecimal over the body as it came, followed by `X-Timestamp`.
fn verify(key: &HmacSha256Key, request: &WebhookRequest<'_>) -> Result<(), Rejection> {
    let header = |name: &str| {
        let value = request.headers.get(name)?;
        value.to_str().ok()
    };
    let timestamp = header("x-timestamp").ok_or(Rejection::Signature)?;
    let signature = header("x-signature").ok_or(Rejection::Signature)?;
    let sent: i64 = timestamp.parse().map_err(|_| Rejection::Signature)?;
    let now = request.received_at.as_seconds();
    if now.saturating_sub(sent).saturating_abs() > TOLERANCE {
        return Err(Rejection::Signature);
    }
    let mut signed = request.body.to_vec();
    signed.extend_from_slice(timestamp.as_bytes());
    if key.verify_hex(&signed, signature) {
        Ok(())
    } else {
        Err(Rejection::Signature)
    }
}

fn item(envelope: &Envelope<'_>, raw: &RawValue, now: Timestamp) -> Option<Inbound> {
    let payload = envelope.payload.map_or("null", RawValue::get);
    match &*envelope.event {
        "sms:received" => {
            let payload: ReceivedPayload = match serde_json::from_str(payload) {
                Ok(payload) => payload,
                Err(_) => return Some(unknown("sms:received", raw)),
            };
            let Some(from) = payload.sender.or(payload.phone_number) else {
                return Some(unknown("sms:received", raw));
            };
            let at = payload.received_at.unwrap_or_default();
            // The event's id is another one when the phone reports the same message again.
            let id = derived_id("message", &[&envelope.device, &from, &at, &payload.message]);
            Some(Inbound::Message(IncomingMessage {
                id,
                from,
                text: payload.message,
                media: Vec::new(),
                sent_at: moment::rfc3339(&at).unwrap_or(now),
            }))
        }
        "sms:delivered" | "sms:failed" | "sms:cancelled" => {
            let payload: StatePayload = match serde_json::from_str(payload) {
                Ok(payload) => payload,
                Err(_) => return Some(unknown(&envelope.event, raw)),
            };
            let delivered = envelope.event == "sms:delivered";
            let at = payload.delivered_at.or(payload.failed_at);
            Some(Inbound::Report(Report {
                id: EventId::new(format!("report:{}:{}", envelope.event, payload.message_id)),
                message: EventId::new(payload.message_id),
                to: payload.recipient.or(payload.phone_number),
                state: if delivered {
                    ReportState::Delivered
                } else {
                    ReportState::Failed {
                        code: payload.reason.or_else(|| Some(envelope.event.clone())),
                    }
                },
                at: at.and_then(|at| moment::rfc3339(&at)).unwrap_or(now),
            }))
        }
        // On its way; the phone shows that it is there.
        "sms:sent" | "system:ping" | "app:started" => None,
        other => {
            let id = envelope.id.as_deref().unwrap_or_default();
            let raw: Value = serde_json::from_str(raw.get()).unwrap_or_default();
            Some(Inbound::Unknown {
                id: derived_id("android", &[other, id, payload]),
                name: format!("android.{other}"),
                raw,
            })
        }
    }
}

fn unknown(name: &str, raw: &RawValue) -> Inbound {
    Inbound::Unknown {
        id: derived_id("android", &[name, raw.get()]),
        name: format!("android.{name}"),
        raw: serde_json::from_str(raw.get()).unwrap_or_default(),
    }
}
