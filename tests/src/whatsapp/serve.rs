//! The stand-in's routes.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    ACCOUNT, Book, Closed, LINK, NUMBER, State, Taken, VERSION,
    check::{self, Checked, Form, Message},
    statuses,
};
use crate::{http, installation::VERIFY_TOKEN};

/// How many messages to one citizen pass at once, and how many seconds one costs.
const BURST: f64 = 45.0;
const SECONDS: f64 = 6.0;

pub(super) fn routes(state: Arc<State>, address: SocketAddr) -> Router {
    Router::new()
        .route("/{version}/{number}/messages", post(messages))
        .route("/{version}/{account}/subscribed_apps", post(subscribe))
        .route("/{version}/{node}", get(node).post(configure))
        .route("/media/{secret}", get(bytes))
        .fallback(elsewhere)
        .layer(Extension(address))
        .with_state(state)
}

type Call = (
    Shared<Arc<State>>,
    Path<(String, String)>,
    RawQuery,
    HeaderMap,
);

async fn messages(
    (Shared(state), Path((version, number)), RawQuery(query), headers): Call,
    body: Bytes,
) -> Response {
    let wrong = wrong_caller(&state, &version, query.as_deref(), &headers)
        .or_else(|| (number != NUMBER).then(|| "another number".to_owned()));
    match wrong.map_or_else(|| check::request(&body), Err) {
        Err(violation) => refuse(&state, violation),
        Ok(Checked::Read(id)) => {
            let mut book = state.book();
            if !book.inbound.contains_key(&id) {
                drop(book);
                return refuse(
                    &state,
                    "a message is marked as read that nobody wrote".into(),
                );
            }
            book.marked_read.push(id);
            json_answer(StatusCode::OK, &json!({ "success": true }))
        }
        Ok(Checked::Message(message)) => {
            let lag = state.book().lag;
            let answer = take(&state, message);
            tokio::time::sleep(lag).await;
            answer
        }
    }
}

/// Why Meta does not take this template.
fn wrong_template(book: &Book, form: &Form) -> Option<i64> {
    if let Some(code) = book.template_refusal {
        return Some(code);
    }
    let key = (form.name.clone(), form.language.clone());
    match book.templates.get(&key) {
        None => Some(132_001),
        Some(gaps) if *gaps != form.gaps => Some(132_000),
        Some(_) => None,
    }
}

fn take(state: &State, message: Message) -> Response {
    let mut book = state.book();
    let wrong = message
        .template
        .as_ref()
        .and_then(|form| wrong_template(&book, form));
    if let Some(code) = wrong {
        return fail(code);
    }
    // One message in six seconds on average; who has sent many at once repays.
    let (left, at) = book
        .pairs
        .get(&message.recipient)
        .copied()
        .unwrap_or((BURST, Instant::now()));
    let left = (left + at.elapsed().as_secs_f64() / SECONDS).min(BURST);
    if left < 1.0 {
        book.pairs.insert(message.recipient, (left, Instant::now()));
        book.pair_refusals += 1;
        return fail(131_056);
    }
    let to = &message.recipient;
    let closed = book.closed.get(to).or_else(|| book.shut.get(to)).copied();
    let closed = closed.filter(|_| message.template.is_none());
    if closed == Some(Closed::AtOnce) {
        return fail(131_047);
    }
    book.pairs
        .insert(message.recipient.clone(), (left - 1.0, Instant::now()));
    let taken = Taken {
        message_id: state.new_id("wamid.OUT"),
        recipient: message.recipient,
        own_id: message.own_id,
        kind: message.kind,
        text: message.text,
        choices: message.choices,
    };
    let contact = if taken.recipient.contains('.') {
        json!({ "input": taken.recipient, "user_id": taken.recipient })
    } else {
        json!({ "input": taken.recipient, "wa_id": taken.recipient })
    };
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{ "id": taken.message_id }],
    });
    let told = book.failures.get_mut(&taken.recipient);
    let told = told.and_then(VecDeque::pop_front);
    let failure = told.or(closed.map(|_| 131_047));
    let steps: &[(&str, Option<i64>)] = match failure {
        Some(code) => &[("sent", None), ("failed", Some(code))],
        // Order is not guaranteed.
        None => &[("delivered", None), ("sent", None), ("read", None)],
    };
    for (step, failure) in steps {
        // Nobody listens any more when the test is over.
        let status = statuses::status(&taken, step, *failure);
        state.untold.fetch_add(1, Ordering::AcqRel);
        if state.statuses.try_send(status).is_err() {
            state.untold.fetch_sub(1, Ordering::AcqRel);
        }
    }
    if failure.is_none() {
        book.taken.push(taken);
    } else {
        book.failed.push(taken);
    }
    json_answer(StatusCode::OK, &answer)
}

/// What Meta tells of the number, or where a medium lies.
async fn node(
    (Shared(state), Path((version, node)), RawQuery(query), headers): Call,
    Extension(address): Extension<SocketAddr>,
) -> Response {
    let query = query.unwrap_or_default();
    let (own, proof): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .partition(|pair| !pair.starts_with("appsecret_proof="));
    let wrong = wrong_caller(&state, &version, Some(&proof.join("&")), &headers);
    if let Some(wrong) = wrong {
        return refuse(&state, wrong);
    }
    if node == NUMBER {
        let number = json!({
            "id": NUMBER,
            "display_phone_number": "+84 28 7100 0022",
            "verified_name": "Phường Bến Nghé",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
        });
        return json_answer(StatusCode::OK, &number);
    }
    if own != [format!("phone_number_id={NUMBER}")] {
        return refuse(
            &state,
            "a medium is asked for without its number".to_owned(),
        );
    }
    let mut book = state.book();
    let Some(medium) = book.media.get(&node).cloned() else {
        return fail_with(100, Some(33));
    };
    let secret = state.new_id("link");
    book.links
        .insert(secret.clone(), (node.clone(), Instant::now()));
    let place = json!({
        "messaging_product": "whatsapp",
        "url": format!("http://{address}/media/{secret}"),
        "mime_type": medium.content_type,
        "sha256": STANDARD.encode(Sha256::digest(&medium.bytes)),
        "file_size": medium.bytes.len().to_string(),
        "id": node,
    });
    json_answer(StatusCode::OK, &place)
}

async fn bytes(
    Shared(state): Shared<Arc<State>>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION);
    if authorization.map(header::HeaderValue::as_bytes) != Some(state.authorization.as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut book = state.book();
    let link = book.links.get(&secret).cloned();
    let Some((id, _)) = link.filter(|(_, since)| since.elapsed() < LINK) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(medium) = book.media.get(&id).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    book.fetched.push(id);
    ([(header::CONTENT_TYPE, medium.content_type)], medium.bytes).into_response()
}

async fn subscribe(
    (Shared(state), Path((version, account)), RawQuery(query), headers): Call,
    body: Bytes,
) -> Response {
    let wrong = wrong_caller(&state, &version, query.as_deref(), &headers)
        .or_else(|| (account != ACCOUNT).then(|| "another account".to_owned()));
    if let Some(wrong) = wrong {
        return refuse(&state, wrong);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    set_webhook(&state, &body).await
}

async fn configure(
    (Shared(state), Path((version, number)), RawQuery(query), headers): Call,
    body: Bytes,
) -> Response {
    let wrong = wrong_caller(&state, &version, query.as_deref(), &headers)
        .or_else(|| (number != NUMBER).then(|| "another number".to_owned()));
    if let Some(wrong) = wrong {
        return refuse(&state, wrong);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    set_webhook(&state, &body["webhook_configuration"]).await
}

/// Makes sure that the address answers, as Meta does before it takes one.
async fn set_webhook(state: &State, asked: &Value) -> Response {
    let url = asked["override_callback_uri"].as_str().unwrap_or_default();
    if asked["verify_token"] != VERIFY_TOKEN {
        return refuse(state, "the address is set with another token".to_owned());
    }
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.verify_token", VERIFY_TOKEN),
        ("hub.challenge", "1158201444"),
    ];
    let answer = http::client().get(url).query(&query).send().await;
    let answered = match answer {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    if answered != "1158201444" {
        return fail(100);
    }
    state.book().webhook = Some(url.to_owned());
    json_answer(StatusCode::OK, &json!({ "success": true }))
}

async fn elsewhere(Shared(state): Shared<Arc<State>>) -> Response {
    refuse(&state, "a path or method that is not the API's".to_owned())
}

fn wrong_caller(
    state: &State,
    version: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Option<String> {
    let authorization = headers.get(header::AUTHORIZATION);
    let wrong = if version != VERSION {
        "another version"
    } else if authorization.map(header::HeaderValue::as_bytes)
        != Some(state.authorization.as_bytes())
    {
        "the token is not in the Authorization header"
    } else if query.and_then(|query| query.strip_prefix("appsecret_proof=")) != Some(&state.proof) {
        "the query is not the appsecret_proof alone"
    } else {
        return None;
    };
    Some(wrong.to_owned())
}

fn refuse(state: &State, violation: String) -> Response {
    let mut book = state.book();
    // A loop that does one thing wrong does it a million times.
    if book.violations.len() < 100 {
        book.violations.push(violation);
    }
    drop(book);
    fail(100)
}

fn fail(code: i64) -> Response {
    fail_with(code, None)
}

fn fail_with(code: i64, subcode: Option<i64>) -> Response {
    let mut error = json!({
        "message": format!("(#{code}) told to fail"),
        "type": "OAuthException",
        "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": "told to fail" },
        "fbtrace_id": "AStandIn",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = subcode.into();
    }
    json_answer(StatusCode::BAD_REQUEST, &json!({ "error": error }))
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (status, content_type, body.to_string()).into_response()
}
