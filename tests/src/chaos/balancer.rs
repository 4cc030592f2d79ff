//! A tiny round-robin proxy before the replicas, as an operator would put one.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::{http, served::Served};

/// The longest that a replica may take to answer; providers wait little longer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a replica that failed is passed over.
const REST: Duration = Duration::from_millis(300);

/// The proxy; ends when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    served: Served,
}

#[derive(Debug)]
struct Targets {
    client: reqwest::Client,
    /// Port, and until when it is passed over.
    replicas: Vec<(u16, Mutex<Option<Instant>>)>,
    next: AtomicUsize,
}

impl Balancer {
    /// Starts one before replicas on these ports.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn before(ports: &[u16]) -> Self {
        let targets = Targets {
            client: http::client(),
            replicas: ports.iter().map(|port| (*port, Mutex::default())).collect(),
            next: AtomicUsize::new(0),
        };
        let served = Served::start(
            Router::new()
                .fallback(forward)
                .with_state(Arc::new(targets)),
        )
        .await;
        Self { served }
    }

    /// The address of a path at this end.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.served.url())
    }
}

impl Targets {
    /// The next one that is not passed over, or the next one at all.
    fn next(&self) -> &(u16, Mutex<Option<Instant>>) {
        let count = self.replicas.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let rests = |until: &Mutex<Option<Instant>>| {
            let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
            until.is_some_and(|until| now < until)
        };
        (first..first + count)
            .map(|number| &self.replicas[number % count])
            .find(|(_, until)| !rests(until))
            .unwrap_or(&self.replicas[first % count])
    }
}

async fn forward(
    State(targets): State<Arc<Targets>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (port, rests) = targets.next();
    let mut headers = headers;
    for hop in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH] {
        headers.remove(hop);
    }
    let sent = targets
        .client
        .request(method, format!("http://127.0.0.1:{port}{uri}"))
        .headers(headers)
        .timeout(ANSWER)
        .body(body)
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let status = answer.status();
            // A body that breaks off is no answer either.
            match answer.bytes().await {
                Ok(body) => (status, body).into_response(),
                Err(_) => StatusCode::BAD_GATEWAY.into_response(),
            }
        }
        Err(error) => {
            let mut until = rests.lock().unwrap_or_else(PoisonError::into_inner);
            *until = Some(Instant::now() + REST);
            if error.is_timeout() {
                StatusCode::GATEWAY_TIMEOUT.into_response()
            } else {
                StatusCode::BAD_GATEWAY.into_response()
            }
        }
    }
}
