//! Webhooks and what becomes of them.

use std::{collections::BTreeMap, path::Path};

use http::{HeaderMap, StatusCode};
use langnghe_model::{Event, EventKind, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Findings, RECEIVED_AT, Subject, always,
    request::{FORM, Webhook, ascii, header},
    tables,
};
use crate::Connector;

/// One case: a list of them is a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// POST unless said.
    #[serde(default)]
    pub method: Option<String>,
    /// What follows the channel's id in the path; [`Subject::secret_path`] unless said.
    #[serde(default)]
    pub path: Option<String>,
    /// The raw query.
    #[serde(default)]
    pub query: String,
    /// The query by its fields, in the place of `query`.
    #[serde(default)]
    pub query_fields: Option<BTreeMap<String, String>>,
    /// Headers beside the signature.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as JSON; it is sent in ASCII, everything else as `\uXXXX`.
    #[serde(default)]
    pub body: Option<Value>,
    /// The body as exactly this text, in the place of `body`.
    #[serde(default)]
    pub raw: Option<String>,
    /// The body as a form, in the place of `body`.
    #[serde(default)]
    pub form: Option<BTreeMap<String, String>>,
    /// What is answered beside the status; [`Subject::answer`] unless said.
    #[serde(default)]
    pub answer: Option<String>,
    /// When it is received, in milliseconds since 1970; [`RECEIVED_AT`] unless said.
    #[serde(default)]
    pub received_at: Option<i64>,
    /// False to send it with nothing but its own headers.
    #[serde(default = "yes")]
    pub signed: bool,
    /// What becomes of it.
    pub expect: Expected,
}

/// What becomes of a webhook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expected {
    /// These events, answered 200 with the case's `answer`.
    ///
    /// An event is written as it is stored, but for `citizen` in the place of `conversation`,
    /// without `received_at`, and without what is null. An id that ends in `*` ends in any digest.
    Events(Vec<Value>),
    /// No events, and 200 with this body.
    Answer(String),
    /// A rejection, by its reason.
    Rejection(String),
}

const fn yes() -> bool {
    true
}

/// Runs all cases of a folder, and for each what comes for free.
pub(super) fn check(subject: &dyn Subject, folder: &Path, findings: &mut Findings) -> usize {
    let connector = subject.connector("http://127.0.0.1:9");
    let mut count = 0;
    for (file, cases) in tables::<Vec<Case>>(folder) {
        for case in cases {
            findings.case = format!("incoming/{file}: {}", case.name);
            check_case(subject, &*connector, &case, findings);
            count += 1;
        }
    }
    findings.case = String::from("incoming: an event of a kind that does not exist yet");
    always::check_unknown(subject, &*connector, findings);
    findings.case = String::from("incoming: Debug of the connector");
    findings.leaks("Debug", &format!("{connector:?}"), &subject.credentials());
    count
}

fn request(subject: &dyn Subject, case: &Case) -> Webhook {
    let body = match (&case.raw, &case.body, &case.form) {
        (Some(raw), ..) => raw.clone(),
        (None, Some(body), _) => ascii(&body.to_string()),
        (None, None, Some(form)) => encoded(form),
        (None, None, None) => String::new(),
    };
    let method = case.method.as_deref().unwrap_or("POST");
    let mut headers: HeaderMap = case
        .headers
        .iter()
        .map(|(name, value)| header(name, value))
        .collect();
    if case.form.is_some() && !headers.contains_key("content-type") {
        headers.extend([header("content-type", FORM)]);
    }
    let path = case.path.as_deref().unwrap_or(subject.secret_path());
    Webhook {
        method: method.parse().expect("a method"),
        path: path.to_owned(),
        query: case
            .query_fields
            .as_ref()
            .map_or_else(|| case.query.clone(), encoded),
        headers,
        body: body.into_bytes(),
    }
}

fn encoded(fields: &BTreeMap<String, String>) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

fn check_case(
    subject: &dyn Subject,
    connector: &dyn Connector,
    case: &Case,
    findings: &mut Findings,
) {
    let mut request = request(subject, case);
    if case.signed {
        request.sign(subject);
    }
    let at = case
        .received_at
        .map_or(RECEIVED_AT, Timestamp::from_milliseconds);
    let received = request.receive(connector, at);
    match (&received, &case.expect) {
        (Ok(received), Expected::Events(expected)) => {
            findings.equal("status", &received.answer.status, &StatusCode::OK);
            let answer = case.answer.as_deref().unwrap_or(subject.answer());
            let is = String::from_utf8_lossy(&received.answer.body);
            // The order of keys in JSON says nothing, and depends on what else the program is built with.
            let json = |text: &str| serde_json::from_str::<Value>(text).ok();
            if json(&is).is_none() || json(&is) != json(answer) {
                findings.equal("answer", &&*is, &answer);
            }
            check_events(&received.events, expected, Some(at), findings);
            if case.signed {
                always::check_replay(subject, &request, &received.events, findings);
                always::check_signatures(subject, connector, &request, findings);
            }
        }
        (Ok(received), Expected::Answer(expected)) => {
            findings.equal("status", &received.answer.status, &StatusCode::OK);
            findings.equal("answer", &&received.answer.body[..], &expected.as_bytes());
            findings.equal("events", &received.events.len(), &0);
        }
        (Err(rejection), Expected::Rejection(expected)) => {
            findings.equal("rejection", &rejection.reason(), &expected.as_str());
            let shown = format!("{rejection} {rejection:?}");
            findings.leaks("the rejection", &shown, &subject.credentials());
        }
        (received, expected) => {
            findings.add(format!("{received:?}\n  not {expected:?}"));
        }
    }
}

/// Compares events with what a case expects; `at` is when all of them were received, where that is
/// known.
pub(super) fn check_events(
    events: &[Event],
    expected: &[Value],
    at: Option<Timestamp>,
    findings: &mut Findings,
) {
    findings.equal("count of events", &events.len(), &expected.len());
    for (event, expected) in events.iter().zip(expected) {
        if let Some(at) = at {
            findings.equal("received_at", &event.received_at, &at);
        }
        let citizen = event.conversation.citizen.as_str();
        findings.private.push(citizen.to_owned());
        if let EventKind::Message(message) = &event.kind {
            findings.private.extend(message.text.clone());
        }
        if event.id.as_str().contains(citizen) {
            findings.add("the event's id holds the citizen's id");
        }
        let mut is = serde_json::to_value(event).unwrap_or_default();
        if let Value::Object(fields) = &mut is {
            fields.remove("received_at");
            fields.remove("conversation");
            fields.insert("citizen".to_owned(), citizen.into());
        }
        let mut expected = expected.clone();
        if let Some(prefix) = expected["id"].as_str().and_then(|id| id.strip_suffix('*')) {
            let id = event.id.as_str();
            let digest = id.strip_prefix(prefix).unwrap_or_default();
            if digest.len() >= 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                expected["id"] = id.into();
            }
        }
        without_null(&mut is);
        without_null(&mut expected);
        if is != expected {
            findings.add(format!("event\n      is {is}\n  not {expected}"));
        }
    }
}

fn without_null(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_null);
        }
        Value::Array(values) => values.iter_mut().for_each(without_null),
        _ => {}
    }
}
