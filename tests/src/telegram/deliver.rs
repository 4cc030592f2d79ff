//! The two ways in which updates reach a program.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    State,
    serve::{Refusal, call},
};
use crate::http;

/// How long a delivery that was not taken waits.
const AGAIN: Duration = Duration::from_millis(100);

/// `getUpdates`.
pub(super) async fn poll(state: &State, body: &Value) -> Result<Value, Refusal> {
    if !body["allowed_updates"].is_array() {
        state.violation("getUpdates without allowed_updates: another's setting would hold");
    }
    let offset = body["offset"].as_i64().unwrap_or(0);
    let limit = usize::try_from(body["limit"].as_u64().unwrap_or(100)).unwrap_or(100);
    let timeout = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0));
    if offset < 0 || !(1..=100).contains(&limit) {
        state.violation("getUpdates out of bounds");
    }
    let mine = {
        let mut book = state.book();
        book.polls += 1;
        book.newest_poll += 1;
        book.newest_poll
    };
    state.wake();
    let deadline = Instant::now() + timeout;
    let mut changed = state.changed.subscribe();
    loop {
        {
            let mut book = state.book();
            if book.webhook.is_some() {
                let words = "Conflict: can't use getUpdates method while webhook is active; \
                             use deleteWebhook to delete the webhook first";
                return Err(Refusal(409, words, None));
            }
            if book.newest_poll != mine {
                let words = "Conflict: terminated by other getUpdates request; \
                             make sure that only one bot instance is running";
                return Err(Refusal(409, words, None));
            }
            book.queue.retain(|(id, _)| *id >= offset);
            let given: Vec<(i64, Value)> = book.queue.iter().take(limit).cloned().collect();
            if !given.is_empty() || Instant::now() >= deadline {
                for (id, _) in &given {
                    *book.given.entry(*id).or_default() += 1;
                }
                return Ok(given.into_iter().map(|(_, update)| update).collect());
            }
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        drop(tokio::time::timeout(rest, changed.changed()).await);
    }
}

/// Delivers to the webhook while one is set: one update after the other, each until it is answered
/// 2xx.
pub(super) async fn run(state: Arc<State>) {
    let client = http::client();
    let mut changed = state.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let next = {
            let mut book = state.book();
            let webhook = book.webhook.clone();
            let first = book.queue.front().cloned();
            if let (Some(_), Some((id, _))) = (&webhook, &first) {
                *book.given.entry(*id).or_default() += 1;
            }
            webhook.zip(first)
        };
        let Some((webhook, (id, update))) = next else {
            if changed.changed().await.is_err() {
                return;
            }
            continue;
        };
        let posted = client
            .post(&webhook.url)
            .header("content-type", "application/json")
            .header("x-telegram-bot-api-secret-token", &webhook.secret)
            .body(update.to_string())
            .send()
            .await;
        match posted {
            Ok(answer) if answer.status().is_success() => {
                state.book().queue.retain(|(other, _)| *other != id);
                let body = answer.bytes().await.unwrap_or_default();
                answered(&state, &body).await;
            }
            Ok(answer) if answer.status().is_client_error() => {
                state.violation(format!("a delivery was answered {}", answer.status()));
                tokio::time::sleep(AGAIN).await;
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// A webhook's answer may be a call of a method, of whose result nothing is told.
async fn answered(state: &State, body: &[u8]) {
    if body.is_empty() {
        return;
    }
    let called: Value = serde_json::from_slice(body).unwrap_or(json!({}));
    let method = called["method"]
        .as_str()
        .unwrap_or("none")
        .to_ascii_lowercase();
    let mut arguments = called;
    if let Some(fields) = arguments.as_object_mut() {
        fields.remove("method");
    }
    // Polling calls back into this; a webhook's answer never polls.
    if method != "getupdates" {
        drop(Box::pin(call(state, &method, &arguments)).await);
    }
}
