//! A citizen on Zalo, and Zalo's webhooks: signed over their bytes, sent again until they are answered.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{APP_ID, OA_ID, OA_SECRET};
use crate::{Installation, clock, http, meta::hex, wait};

/// The longest that a webhook is sent again and again.
const REDELIVERY: Duration = Duration::from_mins(1);

/// A citizen on Zalo.
#[derive(Clone, Debug)]
pub struct ZaloCitizen {
    /// Their id under the account.
    pub id: String,
    url: String,
    client: reqwest::Client,
}

impl ZaloCitizen {
    /// One whom no test of this process has used, who writes to the channel `oa`.
    pub fn new(installation: &Installation) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(2_000_000_000_000_000_001);
        let id = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        installation.private(&id);
        Self {
            id,
            url: installation.url("/webhooks/oa"),
            client: http::client(),
        }
    }

    /// Writes something.
    pub async fn says(&self, text: &str) {
        self.deliver("user_send_text", json!({ "text": text }))
            .await;
    }

    /// Sends a picture that lies at a URL.
    pub async fn sends_picture(&self, url: &str) {
        let attachment = json!({ "type": "image", "payload": { "url": url, "thumbnail": url } });
        self.deliver("user_send_image", json!({ "attachments": [attachment] }))
            .await;
    }

    /// Sends where they are; Zalo writes coordinates as texts.
    pub async fn sends_place(&self, latitude: &str, longitude: &str) {
        let coordinates = json!({ "latitude": latitude, "longitude": longitude });
        let attachment = json!({ "type": "location", "payload": { "coordinates": coordinates } });
        self.deliver("user_send_location", json!({ "attachments": [attachment] }))
            .await;
    }

    async fn deliver(&self, event: &str, mut message: Value) {
        message["msg_id"] = format!("{:020x}", rand::random::<u64>()).into();
        let body = envelope(event, &self.id, OA_ID, &message);
        until_taken(&self.client, &self.url, &body).await;
    }
}

/// Delivers an event that is no citizen's message, with these fields beside those that all have, to the
/// channel `oa`.
///
/// # Panics
/// When it is not taken, or `fields` is no object.
pub async fn deliver(installation: &Installation, event: &str, mut fields: Value) {
    let all = json!({
        "app_id": APP_ID,
        "event_name": event,
        "timestamp": clock::milliseconds().to_string(),
    });
    let all = all.as_object().expect("an object").clone();
    fields.as_object_mut().expect("an object").extend(all);
    let url = installation.url("/webhooks/oa");
    until_taken(&http::client(), &url, &fields.to_string()).await;
}

/// Posts a body until it is answered 200, as Zalo does.
async fn until_taken(client: &reqwest::Client, url: &str, body: &str) {
    let deadline = Instant::now() + REDELIVERY;
    for attempt in 0_u32.. {
        match post(client, url, body, attempt).await {
            Some(200) => return,
            Some(503) | None => {}
            Some(other) => panic!("a webhook was answered {other}"),
        }
        assert!(Instant::now() < deadline, "a webhook was never taken");
        wait::pause().await;
    }
}

/// An account's own message, as it comes back.
pub(super) struct Echo {
    pub(super) url: String,
    pub(super) recipient: String,
    pub(super) id: String,
    pub(super) text: String,
    pub(super) by_staff: bool,
}

/// Sends an echo once, whatever becomes of it.
pub(super) async fn echo(echo: &Echo) {
    let message = json!({ "msg_id": echo.id, "text": echo.text });
    let mut body: Value =
        serde_json::from_str(&envelope("oa_send_text", OA_ID, &echo.recipient, &message))
            .expect("an envelope is JSON");
    if echo.by_staff {
        body["sender"]["admin_id"] = "5000000000000000005".into();
    }
    post(&http::client(), &echo.url, &body.to_string(), 0).await;
}

fn envelope(event: &str, sender: &str, recipient: &str, message: &Value) -> String {
    json!({
        "app_id": APP_ID,
        "user_id_by_app": "3000000000000000003",
        "event_name": event,
        "timestamp": clock::milliseconds().to_string(),
        "sender": { "id": sender },
        "recipient": { "id": recipient },
        "message": message,
    })
    .to_string()
}

/// Posts a body; the status of the answer.
async fn post(client: &reqwest::Client, url: &str, body: &str, attempt: u32) -> Option<u16> {
    let json: Value = serde_json::from_str(body).expect("JSON");
    let timestamp = json["timestamp"].as_str().expect("a text");
    let mac = Sha256::digest([APP_ID, body, timestamp, OA_SECRET].concat());
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header("x-zevent-signature", format!("mac={}", hex(&mac)))
        .body(body.to_owned());
    if attempt > 0 {
        request = request.header("num_retry", attempt.to_string());
    }
    Some(request.send().await.ok()?.status().as_u16())
}
