//! The stand-in's methods.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, TOKEN, ZaloBotSaid};

/// A refusal: its code and its words. It comes with the status 200.
struct Refusal(u16, &'static str);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    chat_id: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Photo {
    chat_id: String,
    #[serde(rename = "photo")]
    url: String,
    #[serde(default)]
    caption: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    chat_id: String,
    action: String,
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().fallback(request).with_state(state)
}

async fn request(
    Shared(state): Shared<Arc<State>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path();
    if let Some(picture) = path.strip_prefix("/pictures/") {
        let bytes = state.book().pictures.get(picture).cloned();
        return bytes.map_or_else(
            || StatusCode::NOT_FOUND.into_response(),
            IntoResponse::into_response,
        );
    }
    let answer = match path.strip_prefix(&format!("/bot{TOKEN}/")) {
        Some(name) => {
            let json = headers.get(header::CONTENT_TYPE);
            let json = json.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
            if method != Method::POST || !json {
                state.violation(format!("{name} is called otherwise than by a POST of JSON"));
            }
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            call(&state, name, &body).await
        }
        None => {
            state.violation("a token that is not the bot's, or a path that is not the platform's");
            Err(Refusal(401, "Unauthorized"))
        }
    };
    let json = match answer {
        Ok(Value::Null) => json!({ "ok": true }),
        Ok(result) => json!({ "ok": true, "result": result }),
        Err(Refusal(code, words)) => {
            json!({ "ok": false, "error_code": code, "description": words })
        }
    };
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, json.to_string()).into_response()
}

async fn call(state: &State, method: &str, body: &Value) -> Result<Value, Refusal> {
    match method {
        "getMe" => Ok(
            json!({ "id": "1459232241454765289", "account_name": "bot.gop-y",
            "account_type": "BASIC", "can_join_groups": false }),
        ),
        "getWebhookInfo" => {
            let url = state.book().webhook.clone().unwrap_or_default();
            Ok(json!({ "url": url, "updated_at": 1_749_538_250_568_i64 }))
        }
        "deleteWebhook" => {
            state.book().webhook = None;
            Ok(json!({ "url": "", "updated_at": 1_749_538_250_568_i64 }))
        }
        "getUpdates" => poll(state, body).await,
        "sendMessage" => {
            let sent: Text = read(state, body)?;
            length(state, &sent.text)?;
            say(state, sent.chat_id, sent.text, None)
        }
        "sendPhoto" => {
            let sent: Photo = read(state, body)?;
            if !sent.caption.is_empty() {
                length(state, &sent.caption)?;
            }
            say(state, sent.chat_id, sent.caption, Some(sent.url))
        }
        "sendChatAction" => {
            let sent: Action = read(state, body)?;
            if sent.action != "typing" {
                state.violation("an action that the platform does not know");
            }
            known(state, &sent.chat_id).map(|()| Value::Null)
        }
        _ => {
            state.violation(format!("{method} is no method"));
            Err(Refusal(404, "Not found"))
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(state: &State, body: &Value) -> Result<T, Refusal> {
    T::deserialize(body).map_err(|error| {
        state.violation(error.to_string());
        Refusal(400, "Bad request")
    })
}

fn length(state: &State, text: &str) -> Result<(), Refusal> {
    if (1..=2000).contains(&text.chars().count()) {
        return Ok(());
    }
    state.violation("a text is not 1 to 2000 characters long");
    Err(Refusal(400, "Bad request"))
}

fn known(state: &State, chat: &str) -> Result<(), Refusal> {
    if state.book().chats.contains(chat) {
        Ok(())
    } else {
        Err(Refusal(400, "Bad request"))
    }
}

fn say(state: &State, chat: String, text: String, photo: Option<String>) -> Result<Value, Refusal> {
    known(state, &chat)?;
    let mut book = state.book();
    book.said.push(ZaloBotSaid { chat, text, photo });
    let id = format!("82599fa32f56d00e{:04x}", book.said.len());
    Ok(json!({ "message_id": id, "date": 1_749_632_637_199_i64 }))
}

/// One update, which counts as delivered with that.
async fn poll(state: &State, body: &Value) -> Result<Value, Refusal> {
    let seconds = body["timeout"].as_str().and_then(|text| text.parse().ok());
    let Some(seconds) = seconds else {
        state.violation("getUpdates without its timeout as a text");
        return Err(Refusal(400, "Bad request"));
    };
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut changed = state.changed.subscribe();
    loop {
        {
            let mut book = state.book();
            if book.webhook.is_some() {
                return Err(Refusal(409, "Conflict"));
            }
            if let Some(update) = book.queue.pop_front() {
                return Ok(update);
            }
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(Refusal(408, "Request timeout"));
        }
        drop(tokio::time::timeout(rest, changed.changed()).await);
    }
}
