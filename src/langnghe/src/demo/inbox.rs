//! The demo's agency: it takes tickets over the same signed webhook as any agency's system, keeps
//! them in a file, and shows them on a page.

mod ledger;
mod page;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use langnghe_desk::{standard_webhooks, standard_webhooks::SigningKey, ticket::Ticket, webhook};
use langnghe_server::clock;
use serde::Deserialize;
use serde_json::{Value, json};

use ledger::{Entry, Kept, Ledger};

/// The largest event that is taken.
const LARGEST_EVENT: usize = 256 * 1024;

/// Only what this page itself brings runs, and nothing is loaded from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      media-src 'self'; connect-src 'self'; form-action 'none'; \
                      frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The inbox behind its routes.
struct Inbox {
    keys: Vec<SigningKey>,
    ledger: Mutex<Ledger>,
}

impl Inbox {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes: the page at `/demo/agency`, and `webhook`, where tickets signed with one of `keys` come in.
/// They are kept in the file `store`, which is made if it is not there.
///
/// # Errors
/// When the file cannot be opened or read.
pub(crate) fn router(webhook: &str, keys: Vec<SigningKey>, store: &Path) -> io::Result<Router> {
    let inbox = Arc::new(Inbox {
        keys,
        ledger: Mutex::new(Ledger::open(store)?),
    });
    Ok(Router::new()
        .route("/demo/agency", get(show))
        .route("/demo/agency/list", get(list))
        .route(
            "/demo/agency/inbox.css",
            get(async || asset("text/css", page::STYLE)),
        )
        .route(
            "/demo/agency/inbox.js",
            get(async || asset("text/javascript", page::SCRIPT)),
        )
        .route(
            webhook,
            post(take).layer(DefaultBodyLimit::max(LARGEST_EVENT)),
        )
        .with_state(inbox))
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let content_type = [(
        header::CONTENT_TYPE,
        format!("{content_type}; charset=utf-8"),
    )];
    (HEADERS, content_type, text).into_response()
}

async fn show(State(inbox): State<Arc<Inbox>>) -> Response {
    let page = page::whole(&inbox.ledger());
    (HEADERS, Html(page.into_string())).into_response()
}

#[derive(Debug, Deserialize)]
struct Known {
    state: Option<String>,
}

/// The tickets, unless nothing has changed since the state that the page knows.
async fn list(State(inbox): State<Arc<Inbox>>, Query(known): Query<Known>) -> Response {
    let ledger = inbox.ledger();
    let state = ledger.state();
    if known.state.as_deref() == Some(state.as_str()) {
        return (HEADERS, StatusCode::NO_CONTENT).into_response();
    }
    let html = page::tickets(&ledger).into_string();
    let answer = json!({ "state": state, "status": page::status(&ledger), "html": html });
    (HEADERS, Json(answer)).into_response()
}

/// Takes one event; it is on disk before the answer.
async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let now = clock::now();
    let id = match standard_webhooks::verify(&inbox.keys, &headers, &body, now) {
        Ok(id) => id.to_owned(),
        Err(error) => return (StatusCode::UNAUTHORIZED, error.to_string()).into_response(),
    };
    let Some((event, ticket)) = read(&body) else {
        return (
            StatusCode::BAD_REQUEST,
            "not an event that this inbox knows",
        )
            .into_response();
    };
    let entry = Entry {
        id,
        received_at: now,
        event,
        ticket,
    };
    let kept = tokio::task::spawn_blocking(move || inbox.ledger().keep(entry)).await;
    match kept {
        Ok(Ok(Kept::New { number } | Kept::Repeated { number })) => {
            Json(json!({ "reference": page::reference(number) })).into_response()
        }
        Ok(Ok(Kept::Full)) => {
            (StatusCode::INSUFFICIENT_STORAGE, "the demo's inbox is full").into_response()
        }
        Ok(Err(_)) | Err(_) => {
            tracing::error!("the demo's inbox cannot write its file");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The event, and the ticket in it.
fn read(body: &[u8]) -> Option<(Value, Ticket)> {
    let event: Value = serde_json::from_slice(body).ok()?;
    if event["type"] != webhook::TICKET_CREATED {
        return None;
    }
    let ticket = serde_json::from_value(event["data"].clone()).ok()?;
    Some((event, ticket))
}

#[cfg(test)]
mod tests;
