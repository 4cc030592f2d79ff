//! The stand-in's routes, but for tokens.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    OA_ID, State, Taken, check, tokens,
    webhook::{self, Echo},
};

/// The smallest JPEG file that is one by its first bytes.
const PICTURE: [u8; 12] = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1];

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/v4/oa/access_token", post(tokens::give))
        .route("/v3.0/oa/message/cs", post(message))
        .route("/message/template", post(template))
        .route("/v2.0/oa/upload/{kind}", post(upload))
        .route("/v3.0/oa/user/detail", get(profile))
        .route("/v2.0/oa/getoa", get(account))
        .route("/media/{name}", get(medium))
        .fallback(elsewhere)
        .with_state(state)
}

/// Errors are HTTP 200.
fn error(code: i64, message: &str) -> Response {
    Json(json!({ "error": code, "message": message })).into_response()
}

fn success(data: &Value) -> Response {
    let limits = [
        ("x-ratelimit-limit", "4000"),
        ("x-ratelimit-remain", "3990"),
    ];
    let body = json!({ "error": 0, "message": "Success", "data": data });
    (limits, Json(body)).into_response()
}

/// The answer to a caller whose token is not the newest.
fn stranger(state: &State, headers: &HeaderMap) -> Option<Response> {
    let token = headers
        .get("access_token")
        .and_then(|token| token.to_str().ok());
    if headers.contains_key("authorization") || token.is_none() {
        state.violation("the token is not in the header access_token alone");
    }
    (!state.tokens.is_good(token.unwrap_or_default()))
        .then(|| error(-216, "Access token is invalid"))
}

async fn message(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(stranger) = stranger(&state, &headers) {
        return stranger;
    }
    let (recipient, text, message) = match check::message(&headers, &body) {
        Ok(checked) => checked,
        Err(violation) => {
            state.violation(violation);
            return error(-201, "Params is invalid");
        }
    };
    let (id, echo) = {
        let mut book = state.book();
        if let Some(code) = book.refusals.pop() {
            return error(code, "told to refuse");
        }
        book.numbers += 1;
        let id = format!("{:020x}", book.numbers);
        book.taken.push(Taken {
            recipient: recipient.clone(),
            message_id: id.clone(),
            text: text.clone(),
            message,
        });
        let echo = book.echoes.clone().map(|url| Echo {
            url,
            recipient: recipient.clone(),
            id: id.clone(),
            text,
            by_staff: book.numbers.is_multiple_of(2),
        });
        (id, echo)
    };
    match echo {
        // Now before, now after the answer.
        Some(echo) if echo.by_staff => webhook::echo(&echo).await,
        Some(echo) => drop(tokio::spawn(async move { webhook::echo(&echo).await })),
        None => {}
    }
    success(&json!({
        "message_id": id,
        "user_id": recipient,
        "sent_time": "1790000011000",
        "quota": { "quota_type": "reply", "remain": "8", "total": "8" },
    }))
}

async fn template(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(stranger) = stranger(&state, &headers) {
        return stranger;
    }
    match check::template(&body) {
        Ok((phone, message)) => {
            let mut book = state.book();
            if let Some(code) = book.template_refusals.pop() {
                return error(code, "told to refuse");
            }
            book.numbers += 1;
            let id = format!("{:020x}", book.numbers);
            book.taken.push(Taken {
                recipient: phone,
                message_id: id.clone(),
                text: String::new(),
                message,
            });
            drop(book);
            let quota = json!({ "dailyQuota": "500", "remainingQuota": "499" });
            success(&json!({ "msg_id": id, "sent_time": "1790000013000", "quota": quota }))
        }
        Err(violation) => {
            state.violation(violation);
            error(-121, "Body data is invalid")
        }
    }
}

async fn upload(
    Shared(state): Shared<Arc<State>>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(stranger) = stranger(&state, &headers) {
        return stranger;
    }
    if let Err(violation) = check::upload(&kind, &headers, &body) {
        state.violation(violation);
        return success(&json!({}));
    }
    state.book().uploads += 1;
    let name = if kind == "file" {
        "token"
    } else {
        "attachment_id"
    };
    success(&json!({ name: format!("upload-{}", state.book().uploads) }))
}

async fn profile(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let token = headers
        .get("access_token")
        .and_then(|token| token.to_str().ok());
    let token = token.unwrap_or_default().to_owned();
    let good = state.tokens.is_good(&token);
    state.book().profiles.push((token, good));
    if let Some(stranger) = stranger(&state, &headers) {
        return stranger;
    }
    let Some(user) = check::user(query.as_deref().unwrap_or_default()) else {
        state.violation("a profile is asked for without data={\"user_id\":…}");
        return error(-201, "Params is invalid");
    };
    success(&json!({
        "user_id": user,
        "display_name": "Nguyễn Văn An",
        "user_is_follower": true,
        "user_last_interaction_date": "06/07/2026",
    }))
}

async fn account(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    stranger(&state, &headers).unwrap_or_else(|| {
        success(&json!({
            "oaid": OA_ID,
            "name": "UBND phường Thử Nghiệm",
            "is_verified": true,
            "num_follower": 120,
            "package_name": "Tiêu chuẩn",
            "package_valid_through_date": "01/01/2028",
            "linked_ZCA": "ZCA-1",
        }))
    })
}

async fn medium() -> Response {
    (
        [("content-type", "image/jpeg")],
        Bytes::from_static(&PICTURE),
    )
        .into_response()
}

async fn elsewhere(Shared(state): Shared<Arc<State>>) -> Response {
    state.violation("a path or method that is not the API's");
    StatusCode::NOT_FOUND.into_response()
}
