//! A phone with "SMS Gateway for Android": its API on one side, its signed webhooks on the other.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{Book, Request, Rules, Taken, client, deliver, parts};

/// The name that the app shows.
pub const USERNAME: &str = "xa-thoi-an";
/// The password that the app shows.
pub const PASSWORD: &str = "android-password-31f0";
/// What signs its webhooks.
pub const SIGNING_KEY: &str = "khoa-ky-dai-va-ngau-nhien-18be";

/// How the phone meets requests.
#[derive(Debug)]
pub struct Android;

impl Rules for Android {
    fn meet(&self, request: &Request, book: &mut Book) -> Result<Response, String> {
        let wanted = BASE64_STANDARD.encode(format!("{USERNAME}:{PASSWORD}"));
        if request.header("authorization") != format!("Basic {wanted}") {
            return Err("wrong credentials".to_owned());
        }
        if request.path != "/messages" || request.method != "POST" {
            return Err("no such call".to_owned());
        }
        let body = request.json()?;
        let id = body["id"].as_str().ok_or("no id")?.to_owned();
        let text = body["textMessage"]["text"].as_str().ok_or("no text")?;
        let numbers = body["phoneNumbers"].as_array().ok_or("no numbers")?;
        let [number] = &numbers[..] else {
            return Err("not one number".to_owned());
        };
        let number = number.as_str().filter(|number| number.starts_with("+84"));
        let number = number.ok_or("no number in E.164")?.to_owned();
        if id.is_empty() || id.len() > 36 || text.is_empty() || parts(text) > 3 {
            return Err(format!("an id of {}, {} parts", id.len(), parts(text)));
        }
        if body["withDeliveryReport"] != true || body["ttl"].as_u64().is_none() {
            return Err("no report wanted, or no ttl".to_owned());
        }
        if !book.ids.insert(id.clone()) {
            return Ok(StatusCode::CONFLICT.into_response());
        }
        let recipients = json!([{"phoneNumber": number, "state": "Pending"}]);
        book.taken.push(Taken {
            number,
            text: text.to_owned(),
        });
        let answer = json!({"id": id, "state": "Pending", "recipients": recipients});
        Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
    }
}

/// A citizen's message reaches the phone; `again` is how often the phone tells of it, each time as a
/// new event.
pub async fn writes(webhook: &str, number: &str, text: &str, again: usize) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let second = NEXT.fetch_add(1, Ordering::Relaxed) % 60;
    let at = format!("2026-11-21T08:00:{second:02}.000+07:00");
    for attempt in 0..=again {
        let body = json!({
            "deviceId": "dev1", "event": "sms:received", "id": format!("ev-{second}-{attempt}"), "webhookId": "wh1",
            "payload": {
                "messageId": "1a2b3c4d", "message": text, "sender": number, "recipient": "+84987654321",
                "phoneNumber": number, "simNumber": 1, "receivedAt": at,
            },
        })
        .to_string();
        #[expect(clippy::disallowed_methods, reason = "the phone reads its own clock")]
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock");
        let timestamp = now.as_secs().to_string();
        let mut mac: Hmac<Sha256> =
            Hmac::new_from_slice(SIGNING_KEY.as_bytes()).expect("any length");
        mac.update(body.as_bytes());
        mac.update(timestamp.as_bytes());
        let signature = crate::meta::hex(&mac.finalize().into_bytes());
        let request = client()
            .post(webhook)
            .header("content-type", "application/json")
            .header("x-timestamp", timestamp)
            .header("x-signature", signature)
            .body(body);
        deliver(request).await;
    }
}
