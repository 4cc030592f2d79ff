//! A citizen on WhatsApp, and Meta between them and us: what is not answered 200 is sent again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Medium, State, WhatsApp, statuses};
use crate::{Installation, clock, http, meta::Webhook, wait};

/// The longest that a webhook is sent again and again.
const REDELIVERY: Duration = Duration::from_mins(1);

/// A citizen on WhatsApp.
#[derive(Debug)]
pub struct Person {
    /// What they are known by: their phone number without plus, or their user id.
    pub id: String,
    /// Both, where the number is not hidden.
    phone: Option<String>,
    user_id: String,
    url: String,
    client: reqwest::Client,
    state: Arc<State>,
}

impl Person {
    /// A citizen whose phone number is told.
    pub fn new(installation: &Installation, whatsapp: &WhatsApp) -> Self {
        Self::with(installation, whatsapp, true)
    }

    /// A citizen with a username: their phone number is not told.
    pub fn without_number(installation: &Installation, whatsapp: &WhatsApp) -> Self {
        Self::with(installation, whatsapp, false)
    }

    fn with(installation: &Installation, whatsapp: &WhatsApp, told: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1_000);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let phone = told.then(|| format!("8491234{number}"));
        let user_id = format!("VN.13491208{number}");
        let id = phone.clone().unwrap_or_else(|| user_id.clone());
        installation.private(&id);
        installation.private(&user_id);
        Self {
            id,
            phone,
            user_id,
            url: installation.url("/webhooks/wa"),
            client: http::client(),
            state: Arc::clone(&whatsapp.state),
        }
    }

    /// Writes something, which arrives; gives the message's id.
    pub async fn says(&self, text: &str) -> String {
        self.sends("text", json!({ "body": text })).await
    }

    /// Taps a reply button.
    pub async fn taps_button(&self, title: &str, id: &str) -> String {
        let reply = json!({ "type": "button_reply", "button_reply": { "id": id, "title": title } });
        self.sends("interactive", reply).await
    }

    /// Taps a row of a list.
    pub async fn taps_row(&self, title: &str, id: &str) -> String {
        let reply = json!({ "type": "list_reply", "list_reply": { "id": id, "title": title } });
        self.sends("interactive", reply).await
    }

    /// Shares a place.
    pub async fn shares(&self, latitude: f64, longitude: f64) -> String {
        let place = json!({ "latitude": latitude, "longitude": longitude });
        self.sends("location", place).await
    }

    /// Sends a photo, which lies at WhatsApp under an id; gives that id.
    pub async fn sends_photo(&self, bytes: &[u8]) -> String {
        let id = self.state.new_id("90000");
        let medium = Medium {
            content_type: "image/jpeg".to_owned(),
            bytes: bytes.to_vec(),
        };
        self.state.book().media.insert(id.clone(), medium);
        let digest = STANDARD.encode(Sha256::digest(bytes));
        let photo = json!({ "id": id, "mime_type": "image/jpeg", "sha256": digest });
        self.sends("image", photo).await;
        id
    }

    /// Sends a message of a type; gives its id.
    pub async fn sends(&self, kind: &str, content: Value) -> String {
        let id = self
            .state
            .new_id(&format!("wamid.IN{}.", std::process::id()));
        {
            let mut book = self.state.book();
            book.inbound.insert(id.clone(), self.id.clone());
            book.closed.remove(&self.id);
        }
        let seconds = clock::milliseconds() / 1000;
        let mut message = json!({
            "from_user_id": self.user_id,
            "id": id,
            "timestamp": seconds.to_string(),
            "type": kind,
        });
        message[kind] = content;
        let mut contact = json!({
            "profile": { "name": "Hoa", "username": "hoa" },
            "user_id": self.user_id,
        });
        if let Some(phone) = &self.phone {
            message["from"] = phone.as_str().into();
            contact["wa_id"] = phone.as_str().into();
        }
        let happened = json!({ "contacts": [contact], "messages": [message] });
        self.deliver(&Webhook::new(&statuses::envelope(&happened)))
            .await;
        id
    }

    async fn deliver(&self, webhook: &Webhook) {
        let deadline = Instant::now() + REDELIVERY;
        loop {
            let request = webhook.clone().onto(self.client.post(&self.url));
            match request.send().await.map(|answer| answer.status().as_u16()) {
                Ok(200) => return,
                Ok(503) | Err(_) => {}
                Ok(other) => panic!("a webhook was answered {other}"),
            }
            assert!(Instant::now() < deadline, "a webhook was never taken");
            wait::pause().await;
        }
    }
}
