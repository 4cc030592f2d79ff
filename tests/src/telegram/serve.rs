//! The stand-in's methods.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Markup, Said, State, TOKEN, Webhook, check, deliver, limits::Verdict};

/// A refusal: its code, its words, what stands beside them.
#[derive(Debug)]
pub(super) struct Refusal(
    pub(super) u16,
    pub(super) &'static str,
    pub(super) Option<Value>,
);

type Answer = Result<Value, Refusal>;

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
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = path.strip_prefix(&format!("file/bot{TOKEN}/")) {
        return download(&state, file);
    }
    let answer = match path.strip_prefix(&format!("bot{TOKEN}/")) {
        Some(name) => {
            let json = headers.get(header::CONTENT_TYPE);
            let json = json.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
            if method != Method::POST || !json || uri.query().is_some() {
                state.violation(format!("{name} is called otherwise than by a POST of JSON"));
            }
            match serde_json::from_slice(&body) {
                Ok(body) => call(&state, &name.to_ascii_lowercase(), &body).await,
                Err(_) => Err(Refusal(400, "Bad Request: can't parse JSON object", None)),
            }
        }
        None => {
            state.violation("a token that is not the bot's, or a path that is not the API's");
            Err(Refusal(401, "Unauthorized", None))
        }
    };
    let (status, json) = match answer {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(Refusal(code, words, parameters)) => {
            let mut json = json!({ "ok": false, "error_code": code, "description": words });
            if let Some(parameters) = parameters {
                json["parameters"] = parameters;
            }
            (code, json)
        }
    };
    let status = StatusCode::from_u16(status).expect("a status");
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, json.to_string()).into_response()
}

fn download(state: &State, path: &str) -> Response {
    let id = path.strip_prefix("photos/").unwrap_or_default();
    match state.book().files.get(id) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn call(state: &State, method: &str, body: &Value) -> Answer {
    match method {
        "getupdates" => deliver::poll(state, body).await,
        "getme" => Ok(json!({
            "id": 700_700, "is_bot": true, "first_name": "Góp ý", "username": "gop_y_bot",
            "can_join_groups": true, "can_read_all_group_messages": false,
            "supports_inline_queries": false,
        })),
        "setwebhook" => Ok(set_webhook(state, body)),
        "deletewebhook" => {
            state.book().webhook = None;
            state.wake();
            Ok(true.into())
        }
        "getwebhookinfo" => {
            let book = state.book();
            let url = book.webhook.as_ref().map(|webhook| webhook.url.clone());
            Ok(json!({
                "url": url.unwrap_or_default(),
                "has_custom_certificate": false,
                "pending_update_count": book.queue.len(),
            }))
        }
        "getchat" => {
            let chat = body["chat_id"].as_i64().unwrap_or_default();
            let book = state.book();
            let known = book.chats.get(&chat).ok_or(NOT_FOUND)?;
            let mut answer = known.profile.clone();
            answer["id"] = chat.into();
            answer["type"] = "private".into();
            Ok(answer)
        }
        "getfile" => {
            let id = body["file_id"].as_str().unwrap_or_default();
            let book = state.book();
            let bytes = book.files.get(id);
            let bytes = bytes.ok_or(Refusal(400, "Bad Request: invalid file_id", None))?;
            Ok(json!({
                "file_id": id, "file_unique_id": format!("u{id}"), "file_size": bytes.len(),
                "file_path": format!("photos/{id}"),
            }))
        }
        "answercallbackquery" => answer_press(state, body),
        "sendchataction" => {
            if body["action"] != "typing" {
                state.violation("a chat action that is none of ours");
            }
            let chat = body["chat_id"].as_i64().unwrap_or_default();
            reachable(state, chat).map(|()| true.into())
        }
        "sendmessage" | "sendphoto" | "sendvideo" | "sendaudio" | "sendvoice" | "senddocument" => {
            send(state, method, body)
        }
        _ => {
            state.violation(format!("{method} is no method"));
            Err(Refusal(404, "Not Found", None))
        }
    }
}

const NOT_FOUND: Refusal = Refusal(400, "Bad Request: chat not found", None);

fn reachable(state: &State, chat: i64) -> Result<(), Refusal> {
    match state.book().chats.get(&chat) {
        // A bot cannot begin: the citizen speaks first.
        None => Err(NOT_FOUND),
        Some(chat) if chat.blocked => {
            Err(Refusal(403, "Forbidden: bot was blocked by the user", None))
        }
        Some(_) => Ok(()),
    }
}

fn send(state: &State, method: &str, body: &Value) -> Answer {
    let checked = check::message(method, body).map_err(|wrong| {
        state.violation(format!("{method}: {wrong}"));
        Refusal(400, "Bad Request: something is wrong with it", None)
    })?;
    reachable(state, checked.chat)?;
    let mut book = state.book();
    if let Verdict::Wait(seconds, ignored) = book.limits.check(checked.chat) {
        if ignored {
            book.violations
                .push("a call within the time of a retry_after".to_owned());
        }
        let wait = json!({ "retry_after": seconds });
        return Err(Refusal(429, "Too Many Requests: retry after 1", Some(wait)));
    }
    let chat = book.chats.entry(checked.chat).or_default();
    chat.next_message += 1;
    let message_id = chat.next_message;
    match &checked.markup {
        Markup::Keyboard(buttons) => chat.keyboard = Some(buttons.clone()),
        Markup::Remove => chat.keyboard = None,
        _ => {}
    }
    let text = checked.text.clone();
    book.said.push(Said {
        chat: checked.chat,
        message_id,
        method: method.to_owned(),
        text: checked.text,
        file: checked.file,
        markup: checked.markup,
    });
    Ok(json!({
        "message_id": message_id, "date": 1_790_000_000, "text": text,
        "from": { "id": 700_700, "is_bot": true, "first_name": "Góp ý", "username": "gop_y_bot" },
        "chat": { "id": checked.chat, "type": "private", "first_name": "An" },
    }))
}

fn set_webhook(state: &State, body: &Value) -> Value {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let (url, secret) = (text("url"), text("secret_token"));
    if !body["allowed_updates"].is_array() {
        state.violation("setWebhook without allowed_updates");
    }
    // As a Bot API server of one's own: http and any port are taken.
    state.book().webhook = Some(Webhook { url, secret });
    state.wake();
    true.into()
}

fn answer_press(state: &State, body: &Value) -> Answer {
    let id = body["callback_query_id"].as_str().unwrap_or_default();
    let notice = body["text"].as_str().unwrap_or_default();
    let mut book = state.book();
    if notice.chars().count() > 200 {
        book.violations.push("MESSAGE_TOO_LONG".to_owned());
    }
    if !book.unanswered.remove(id) {
        let words =
            "Bad Request: query is too old and response timeout expired or query id is invalid";
        return Err(Refusal(400, words, None));
    }
    book.notices.push(notice.to_owned());
    Ok(true.into())
}
