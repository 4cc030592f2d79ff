//! An agency's endpoint, as strict as a good one is, which can be told to fail in every way.
//!
//! It takes tickets by signed webhook at [`Agency::url`], checks each request with the reference
//! library and the published schema, and keeps every ticket under its id with the number of times that
//! it came. What was wrong with a request is answered 400 and kept as a violation.

mod cut;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{json_schema::Schema, wait};
use cut::{Connection, CuttableListener};

const TICKET_SCHEMA: &str = include_str!("../../src/desk/src/schema/ticket.json");
const LARGEST_BODY: usize = 256 * 1024;

/// What the agency does with a good request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Keeps the ticket and answers 200 with a reference.
    Take,
    /// Keeps nothing and answers with this status.
    Fail(u16),
    /// Keeps nothing and answers with this status and `Retry-After`.
    Throttle(u16, String),
    /// Keeps nothing and never answers.
    Stall,
    /// Keeps the ticket and never answers.
    TakeAndStall,
    /// Keeps the ticket and cuts the connection: the answer is lost.
    TakeAndCut,
    /// Keeps nothing and cuts the connection.
    Cut,
}

impl Conduct {
    fn takes(&self) -> bool {
        matches!(self, Self::Take | Self::TakeAndStall | Self::TakeAndCut)
    }
}

/// A ticket as the agency has it.
#[derive(Clone, Debug)]
pub struct KeptTicket {
    /// The ticket: `data` of the event, as it came first.
    pub ticket: Value,
    /// How many deliveries of it were taken.
    pub deliveries: u32,
}

/// A running agency; it stops when it is dropped.
#[derive(Debug)]
pub struct Agency {
    url: String,
    desk: Arc<Desk>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Desk {
    secret: String,
    schema: Schema,
    state: Mutex<DeskState>,
}

#[derive(Debug)]
struct DeskState {
    /// Set when the agency is dropped: its connections live on in tasks of their own.
    closed: bool,
    usual: Conduct,
    next: VecDeque<Conduct>,
    requests: u32,
    tickets: BTreeMap<String, KeptTicket>,
    violations: Vec<String>,
}

impl Agency {
    /// Starts one on a free port of loopback that takes everything signed with `secret` (`whsec_…`).
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(secret: &str) -> Self {
        Self::start_at("127.0.0.1:0", secret).await
    }

    /// Starts one at an address: the same one again after a stop, or one known beforehand.
    ///
    /// # Panics
    /// When the address is taken.
    pub async fn start_at(address: &str, secret: &str) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .expect("the agency's port is free");
        let url = format!(
            "http://{}/tickets",
            listener.local_addr().expect("an address")
        );
        let state = DeskState {
            closed: false,
            usual: Conduct::Take,
            next: VecDeque::new(),
            requests: 0,
            tickets: BTreeMap::new(),
            violations: Vec::new(),
        };
        let desk = Arc::new(Desk {
            secret: secret.to_owned(),
            schema: Schema::new(TICKET_SCHEMA),
            state: Mutex::new(state),
        });
        let router = Router::new()
            .route("/tickets", post(take_ticket))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(Arc::clone(&desk))
            .into_make_service_with_connect_info::<Connection>();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            let serve = axum::serve(CuttableListener(listener), router).into_future();
            tokio::select! {
                result = serve => result.expect("the agency serves"),
                () = stopped => {}
            }
        });
        Self { url, desk, stop }
    }

    /// Where tickets go.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it does from now on.
    pub fn conduct(&self, conduct: Conduct) {
        self.desk.state().usual = conduct;
    }

    /// What it does with the next requests, one each, before it does the usual again.
    pub fn next(&self, conducts: impl IntoIterator<Item = Conduct>) {
        self.desk.state().next.extend(conducts);
    }

    /// The tickets that it has, by id.
    pub fn tickets(&self) -> BTreeMap<String, KeptTicket> {
        self.desk.state().tickets.clone()
    }

    /// How many good requests came, taken or not.
    pub fn requests(&self) -> u32 {
        self.desk.state().requests
    }

    /// What was wrong with requests that came.
    pub fn violations(&self) -> Vec<String> {
        self.desk.state().violations.clone()
    }

    /// Fails when any request was not as it has to be.
    ///
    /// # Panics
    /// Then.
    pub fn assert_no_violations(&self) {
        assert_eq!(
            self.violations(),
            Vec::<String>::new(),
            "what the agency got"
        );
    }

    /// Waits until it has `count` tickets, and gives them.
    ///
    /// # Panics
    /// When it does not have them within `limit`.
    pub async fn wait_for(&self, count: usize, limit: Duration) -> BTreeMap<String, KeptTicket> {
        let what = format!("{count} tickets at the agency");
        wait::until(&what, limit, async || {
            self.desk.state().tickets.len() >= count
        })
        .await;
        self.tickets()
    }
}

impl Drop for Agency {
    fn drop(&mut self) {
        self.desk.state().closed = true;
        self.stop.cancel();
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event in a request, and its id; or what is wrong with the request.
    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(String, Value), String> {
        let webhook = Webhook::new(&self.secret).map_err(|error| error.to_string())?;
        webhook
            .verify(body, headers)
            .map_err(|error| error.to_string())?;
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if content_type != Some("application/json") {
            return Err("the content type is not application/json".to_owned());
        }
        let mut event: Value =
            serde_json::from_slice(body).map_err(|_| "the body is not JSON".to_owned())?;
        if event["type"] != "ticket.created" {
            return Err("the event's type is unknown".to_owned());
        }
        let ticket = event["data"].take();
        let findings = self.schema.findings(&ticket);
        if !findings.is_empty() {
            return Err(findings.join("; "));
        }
        if event["timestamp"] != ticket["created_at"] {
            return Err("the event's time is not that of the ticket".to_owned());
        }
        // The signature was good, so the header is there and is text.
        let id = headers["webhook-id"]
            .to_str()
            .map_err(|error| error.to_string())?;
        if ticket["id"] != id {
            return Err("webhook-id is not the ticket's id".to_owned());
        }
        Ok((id.to_owned(), ticket))
    }
}

impl DeskState {
    /// Keeps a ticket; says how a repetition differs from what it repeats, if it does.
    fn keep(&mut self, id: String, ticket: &Value) -> Result<(), String> {
        let same_code = self
            .tickets
            .iter()
            .find(|(other, kept)| **other != id && kept.ticket["code"] == ticket["code"]);
        if let Some((other, _)) = same_code {
            return Err(format!("tickets {id} and {other} have one code"));
        }
        let kept = self.tickets.entry(id).or_insert_with(|| KeptTicket {
            ticket: ticket.clone(),
            deliveries: 0,
        });
        kept.deliveries += 1;
        // Erasure may take answers away between two deliveries; nothing may become another ticket.
        for field in ["code", "flow", "version", "created_at", "channel"] {
            if kept.ticket[field] != ticket[field] {
                return Err(format!("a repetition has another {field}"));
            }
        }
        Ok(())
    }
}

async fn take_ticket(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let checked = desk.check(&headers, &body);
    let conduct = {
        let mut state = desk.state();
        if state.closed {
            connection.cut();
            return StatusCode::OK.into_response();
        }
        let (id, ticket) = match checked {
            Ok(good) => good,
            Err(violation) => {
                state.violations.push(violation);
                return StatusCode::BAD_REQUEST.into_response();
            }
        };
        state.requests += 1;
        let conduct = state
            .next
            .pop_front()
            .unwrap_or_else(|| state.usual.clone());
        if conduct.takes()
            && let Err(violation) = state.keep(id, &ticket)
        {
            state.violations.push(violation);
        }
        conduct
    };
    match conduct {
        Conduct::Take => {
            let count = desk.state().tickets.len();
            axum::Json(json!({ "reference": format!("PA-{count}") })).into_response()
        }
        Conduct::Fail(status) => failure(status).into_response(),
        Conduct::Throttle(status, after) => {
            (failure(status), [("retry-after", after)]).into_response()
        }
        Conduct::Stall | Conduct::TakeAndStall => std::future::pending().await,
        Conduct::TakeAndCut | Conduct::Cut => {
            connection.cut();
            StatusCode::OK.into_response()
        }
    }
}

fn failure(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a test names a status")
}
