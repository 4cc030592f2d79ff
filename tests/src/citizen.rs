//! A citizen on Messenger, and Meta between them and us: what is not answered 200 is sent again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    Installation, clock, http,
    meta::{self, Webhook},
    wait,
};

/// The longest that a webhook is sent again and again.
const REDELIVERY: Duration = Duration::from_mins(1);

/// A citizen on Messenger.
#[derive(Clone, Debug)]
pub struct Citizen {
    /// Their page-scoped id.
    pub id: String,
    url: String,
    client: reqwest::Client,
}

impl Citizen {
    /// A citizen whom no test of this process has used, who writes to the channel `page`.
    pub fn new(installation: &Installation) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(7_100_000_000_000_001);
        let id = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        installation.private(&id);
        Self {
            id,
            url: installation.url("/webhooks/page"),
            client: http::client(),
        }
    }

    /// The same citizen, whose provider now reaches another replica.
    #[must_use]
    pub fn at(&self, installation: &Installation) -> Self {
        Self {
            url: installation.url("/webhooks/page"),
            ..self.clone()
        }
    }

    /// Writes something, which arrives; gives the message's id.
    pub async fn says(&self, text: &str) -> String {
        let id = meta::message_id();
        self.deliver(&self.text(&id, text)).await;
        id
    }

    /// Taps a quick reply.
    pub async fn taps(&self, title: &str, payload: &str) -> String {
        let id = meta::message_id();
        let item = meta::quick_reply(&self.id, now(), &id, title, payload);
        self.deliver(&meta::webhook(&[item])).await;
        id
    }

    /// Sends an attachment (`image`, `video`, `audio`, `file`) that lies at a URL.
    pub async fn sends(&self, kind: &str, url: &str) -> String {
        let id = meta::message_id();
        let item = meta::attachment(&self.id, now(), &id, kind, url);
        self.deliver(&meta::webhook(&[item])).await;
        id
    }

    /// Sends attachments as Meta writes them.
    pub async fn sends_raw(&self, message: Value) -> String {
        let id = meta::message_id();
        let mut message = message;
        message["mid"] = id.clone().into();
        let item = meta::item(&self.id, now(), "message", message);
        self.deliver(&meta::webhook(&[item])).await;
        id
    }

    /// The webhook of a text under an id.
    pub fn text(&self, id: &str, text: &str) -> Webhook {
        meta::webhook(&[meta::text(&self.id, now(), id, text)])
    }

    /// Posts a webhook once.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, webhook: &Webhook) -> reqwest::Result<reqwest::Response> {
        webhook
            .clone()
            .onto(self.client.post(&self.url))
            .send()
            .await
    }

    /// Posts a webhook until it is answered 200, as Meta does.
    ///
    /// # Panics
    /// When that does not happen, or the answer is one that no repetition helps against.
    pub async fn deliver(&self, webhook: &Webhook) {
        let deadline = Instant::now() + REDELIVERY;
        loop {
            match self
                .post(webhook)
                .await
                .map(|answer| answer.status().as_u16())
            {
                Ok(200) => return,
                Ok(503) | Err(_) => {}
                Ok(other) => panic!("a webhook was answered {other}"),
            }
            assert!(Instant::now() < deadline, "a webhook was never taken");
            wait::pause().await;
        }
    }
}

/// Now, as Meta writes it.
pub fn now() -> i64 {
    i64::try_from(clock::milliseconds()).expect("a time of this age")
}
