//! As much of Telegram's Bot API as a channel needs that only sends; it counts, and refuses nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Path, State},
};
use serde_json::{Value, json};

use crate::{
    Installation,
    served::Served,
    telegram::{TOKEN, WEBHOOK_SECRET},
};

/// The running stand-in.
#[derive(Debug)]
pub(super) struct BotApi {
    sent: Arc<Sent>,
    server: Served,
}

#[derive(Debug)]
struct Sent {
    /// How long an answer takes.
    latency: Duration,
    messages: Mutex<Vec<(Instant, String)>>,
}

impl BotApi {
    /// What the channel is called.
    pub(super) const CHANNEL: &str = "bot";

    /// Starts one that answers after `latency`.
    pub(super) async fn start(latency: Duration) -> Self {
        let sent = Arc::new(Sent {
            latency,
            messages: Mutex::default(),
        });
        let routes = Router::new()
            .route("/{token}/{method}", axum::routing::post(call))
            .with_state(Arc::clone(&sent));
        Self {
            sent,
            server: Served::start(routes).await,
        }
    }

    /// Adds its channel to an installation.
    pub(super) fn channel(&self, installation: &mut Installation, quotas: toml::Table) {
        installation.environment("BOT_TOKEN", TOKEN);
        installation.environment("BOT_SECRET", WEBHOOK_SECRET);
        let section = toml::toml! {
            kind = "telegram"
            token = "env:BOT_TOKEN"
            webhook_secret = "env:BOT_SECRET"
            allow_private = true
            mode = "webhook"
        };
        let base = self.server.url();
        installation
            .channel(Self::CHANNEL, section, &[("api_base", &base)])
            .set_of("channel", Self::CHANNEL, "quotas", quotas);
    }

    /// When messages arrived, in order, and to whom they went.
    pub(super) fn sent(&self) -> Vec<(Instant, String)> {
        let messages = self.sent.messages.lock();
        messages.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn call(
    State(sent): State<Arc<Sent>>,
    Path((_, method)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Json<Value> {
    if !method.eq_ignore_ascii_case("sendMessage") {
        return Json(json!({ "ok": true, "result": true }));
    }
    let chat = body["chat_id"].clone();
    let number = {
        let messages = sent.messages.lock();
        let mut messages = messages.unwrap_or_else(PoisonError::into_inner);
        messages.push((Instant::now(), chat.to_string()));
        messages.len()
    };
    tokio::time::sleep(sent.latency).await;
    Json(json!({
        "ok": true,
        "result": {
            "message_id": number, "date": 1_795_000_000, "text": body["text"],
            "chat": { "id": chat, "type": "private", "first_name": "An" },
        },
    }))
}
