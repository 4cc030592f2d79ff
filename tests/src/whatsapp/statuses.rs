//! Statuses on their way to the webhook, signed, each twice: duplicates are normal.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{ACCOUNT, NUMBER, State, Taken};
use crate::{http, meta::Webhook, wait};

/// How often a status is tried; then the stand-in gives up, as Meta does after days.
const TRIES: u32 = 50;

/// Posts what comes, one after the other, until there is nobody left who could say something.
pub(super) async fn post(webhook: String, mut statuses: mpsc::Receiver<Value>, state: Arc<State>) {
    let client = http::client();
    while let Some(status) = statuses.recv().await {
        while state.held.load(Ordering::Relaxed) {
            wait::pause().await;
        }
        let body = envelope(&json!({ "statuses": [status] }));
        for _ in 0..2 {
            for _ in 0..TRIES {
                let sent = Webhook::new(&body).onto(client.post(&webhook)).send().await;
                if sent.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                wait::pause().await;
            }
        }
        state.untold.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What happened on the number, as a body.
pub(super) fn envelope(happened: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "842871000022", "phone_number_id": NUMBER },
    });
    for (name, part) in happened.as_object().into_iter().flatten() {
        value[name] = part.clone();
    }
    let change = json!({ "field": "messages", "value": value });
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": ACCOUNT, "changes": [change] }],
    })
}

/// One step of a message.
pub(super) fn status(taken: &Taken, step: &str, failure: Option<i64>) -> Value {
    let seconds = crate::clock::milliseconds() / 1000;
    let mut status = json!({
        "id": taken.message_id,
        "status": step,
        "timestamp": seconds.to_string(),
        "biz_opaque_callback_data": taken.own_id,
    });
    let is_user_id = taken.recipient.contains('.');
    let recipient = if is_user_id {
        "recipient_user_id"
    } else {
        "recipient_id"
    };
    status[recipient] = taken.recipient.as_str().into();
    if let Some(code) = failure {
        status["errors"] = json!([{ "code": code, "title": "told to fail" }]);
    } else {
        status["pricing"] = json!({
            "billable": true, "pricing_model": "PMP", "type": "regular", "category": "service",
        });
    }
    status
}
