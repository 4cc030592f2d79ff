//! The stand-in's routes.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    Failure, Manner, Said, State, Taken, VERSION, cdn,
    check::{self, Checked},
};

/// How long a stalled request waits; every caller gives up before.
const STALL: Duration = Duration::from_mins(1);

/// Through which address a request came.
#[derive(Clone, Copy, Debug)]
struct Door(usize);

pub(super) fn routes(state: Arc<State>, door: usize) -> Router {
    Router::new()
        .route("/{version}/{page}/messages", post(messages))
        .route("/{version}/{page}/pass_thread_control", post(pass))
        .route("/cdn/{name}", get(cdn::medium))
        .route("/{version}/{citizen}", get(profile))
        .fallback(elsewhere)
        .layer(Extension(Door(door)))
        .with_state(state)
}

type Parts = (
    Shared<Arc<State>>,
    Path<(String, String)>,
    RawQuery,
    HeaderMap,
);

async fn messages(
    Shared(state): Shared<Arc<State>>,
    Path((version, page)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    Extension(door): Extension<Door>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wrong = wrong_caller(&state, &version, Some(&page), query.as_deref(), &headers);
    answer(
        &state,
        door,
        wrong.map_or_else(|| check::message(&body), Err),
    )
    .await
}

async fn pass(
    (Shared(state), Path((version, page)), RawQuery(query), headers): Parts,
    Extension(door): Extension<Door>,
    body: Bytes,
) -> Response {
    let wrong = wrong_caller(&state, &version, Some(&page), query.as_deref(), &headers);
    answer(&state, door, wrong.map_or_else(|| check::pass(&body), Err)).await
}

async fn profile(
    (Shared(state), Path((version, citizen)), RawQuery(query), headers): Parts,
) -> Response {
    let query = query.unwrap_or_default();
    let (fields, proof): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .partition(|pair| pair.starts_with("fields="));
    let wrong = wrong_caller(&state, &version, None, Some(&proof.join("&")), &headers)
        .or_else(|| (fields.len() != 1).then(|| "no fields asked for".to_owned()));
    if let Some(wrong) = wrong {
        return refuse(&state, wrong);
    }
    let (profile, time) = {
        let mut book = state.book();
        book.requests += 1;
        let profile = book.profiles.get(&citizen).cloned();
        (profile.unwrap_or_else(|| json!({})), book.profile_time)
    };
    tokio::time::sleep(time).await;
    json_answer(StatusCode::OK, &profile)
}

async fn elsewhere(Shared(state): Shared<Arc<State>>) -> Response {
    refuse(&state, "a path or method that is not the API's".to_owned())
}

fn wrong_caller(
    state: &State,
    version: &str,
    page: Option<&str>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Option<String> {
    let header = |name: HeaderName| headers.get(name).map(|value| value.as_bytes().to_vec());
    let is_page = |page: &str| page == "me" || page.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = if version != VERSION {
        "another version"
    } else if !page.is_none_or(is_page) {
        "the path names no Page"
    } else if header(header::AUTHORIZATION).as_deref() != Some(state.authorization.as_bytes()) {
        "the token is not in the Authorization header"
    } else if query.and_then(|query| query.strip_prefix("appsecret_proof=")) != Some(&state.proof) {
        "the query is not the appsecret_proof alone"
    } else if page.is_some() && header(header::CONTENT_TYPE).as_deref() != Some(b"application/json")
    {
        "the body is not said to be JSON"
    } else {
        return None;
    };
    Some(wrong.to_owned())
}

async fn answer(state: &State, door: Door, checked: Result<Checked, String>) -> Response {
    let request = match checked {
        Ok(request) => request,
        Err(violation) => return refuse(state, violation),
    };
    match manner(state, door, &request.recipient) {
        Manner::Take => {
            let answer = take(state, request);
            let usage = [(
                "x-app-usage",
                r#"{"call_count":1,"total_time":1,"total_cputime":1}"#,
            )];
            (usage, json_answer(StatusCode::OK, &answer)).into_response()
        }
        Manner::Fail(failure) => fail(failure),
        Manner::CutAfter => cut(&take(state, request).to_string()),
        Manner::CutBefore => cut(r#"{"recipient_id":"0","message_id":"m_never"}"#),
        Manner::Stall => {
            tokio::time::sleep(STALL).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Manner::Proxy(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, axum::response::Html("<h1>Bad gateway</h1>")).into_response()
        }
    }
}

fn manner(state: &State, door: Door, recipient: &str) -> Manner {
    let mut book = state.book();
    book.requests += 1;
    book.calls.push((Instant::now(), door.0));
    let own = book
        .next_to
        .get_mut(recipient)
        .and_then(std::collections::VecDeque::pop_front);
    own.or_else(|| book.next.pop_front())
        .unwrap_or_else(|| book.always.clone())
}

fn take(state: &State, request: Checked) -> Value {
    let Checked {
        recipient,
        metadata,
        said,
    } = request;
    let message_id = match &said {
        Said::Action(_) | Said::Passed(_) => String::new(),
        _ => state.message_id(),
    };
    let answer = match &said {
        Said::Passed(_) => json!({ "success": true }),
        Said::Action(_) => json!({ "recipient_id": recipient }),
        _ if recipient.starts_with("user_ref:") => json!({ "message_id": message_id }),
        _ => json!({ "recipient_id": recipient, "message_id": message_id }),
    };
    let mut book = state.book();
    let place = book.taken.len();
    book.by_recipient
        .entry(recipient.clone())
        .or_default()
        .push(place);
    if let Some(metadata) = &metadata {
        *book.by_metadata.entry(metadata.clone()).or_default() += 1;
    }
    book.taken.push(Taken {
        recipient,
        message_id,
        metadata,
        said,
    });
    answer
}

fn refuse(state: &State, violation: String) -> Response {
    let mut book = state.book();
    book.requests += 1;
    // A load tool that does one thing wrong does it a million times.
    if book.violations.len() < 100 {
        book.violations.push(violation);
    }
    drop(book);
    fail(Failure::new(100, None))
}

fn fail(failure: Failure) -> Response {
    let mut error = json!({
        "message": "(#0) told to fail",
        "type": "OAuthException",
        "code": failure.code,
        "fbtrace_id": "AStandIn",
    });
    if let Some(subcode) = failure.subcode {
        error["error_subcode"] = subcode.into();
    }
    let mut response = json_answer(failure.status, &json!({ "error": error }));
    if let Some(minutes) = failure.minutes {
        let usage = json!({"100200300": [{
            "type": "messenger",
            "call_count": 100,
            "total_cputime": 20,
            "total_time": 20,
            "estimated_time_to_regain_access": minutes,
        }]});
        let usage = usage.to_string().parse().expect("a header value");
        response
            .headers_mut()
            .insert("x-business-use-case-usage", usage);
    }
    response
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    // Meta's own media type, at the time of writing.
    let content_type = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (status, content_type, body.to_string()).into_response()
}

/// An answer that says its whole length and breaks off in the middle.
fn cut(whole: &str) -> Response {
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let first = stream::iter([Ok(half)]);
    let broken = stream::once(async {
        // What is written already goes out first.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let body = Body::from_stream(first.chain(broken));
    ([(header::CONTENT_LENGTH, whole.len().to_string())], body).into_response()
}
