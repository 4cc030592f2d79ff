//! Webhooks and what becomes of them.

use std::{collections::BTreeMap, path::Path};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use langnghe_model::{Event, EventKind, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Findings, RECEIVED_AT, Subject, tables};
use crate::{Connector, Received, Rejection, WebhookRequest};

/// One case: a list of them is a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// POST unless said.
    #[serde(default)]
    pub method: Option<String>,
    /// The raw query.
    #[serde(default)]
    pub query: String,
    /// Headers beside the signature.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as JSON; it is sent in ASCII, everything else as `\uXXXX`.
    #[serde(default)]
    pub body: Option<Value>,
    /// The body as exactly this text, in the place of `body`.
    #[serde(default)]
    pub raw: Option<String>,
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
    /// These events, answered 200 with an empty body.
    ///
    /// An event is written as it is stored, but for `citizen` in the place of `conversation`,
    /// without `received_at`, and without what is null. An id that ends in `:*` is any digest.
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
    check_unknown(subject, &*connector, findings);
    findings.case = String::from("incoming: Debug of the connector");
    findings.leaks("Debug", &format!("{connector:?}"), &subject.credentials());
    count
}

struct Request {
    method: Method,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn of(case: &Case) -> Self {
        let body = match (&case.raw, &case.body) {
            (Some(raw), _) => raw.clone(),
            (None, Some(body)) => ascii(&body.to_string()),
            (None, None) => String::new(),
        };
        let method = case.method.as_deref().unwrap_or("POST");
        Self {
            method: method.parse().expect("a method"),
            query: case.query.clone(),
            headers: case
                .headers
                .iter()
                .map(|(name, value)| header(name, value))
                .collect(),
            body: body.into_bytes(),
        }
    }

    fn sign(&mut self, subject: &dyn Subject) {
        for (name, value) in subject.sign(&self.body) {
            self.headers.extend([header(name, &value)]);
        }
    }

    fn receive(&self, connector: &dyn Connector, at: Timestamp) -> Result<Received, Rejection> {
        connector.receive(&WebhookRequest {
            method: &self.method,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            received_at: at,
        })
    }
}

fn header(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    let name = HeaderName::try_from(name).expect("a header name");
    (name, HeaderValue::try_from(value).expect("a header value"))
}

fn check_case(
    subject: &dyn Subject,
    connector: &dyn Connector,
    case: &Case,
    findings: &mut Findings,
) {
    let mut request = Request::of(case);
    if case.signed && request.method == Method::POST {
        request.sign(subject);
    }
    let received = request.receive(connector, RECEIVED_AT);
    match (&received, &case.expect) {
        (Ok(received), Expected::Events(expected)) => {
            findings.equal("status", &received.answer.status, &StatusCode::OK);
            findings.equal("answer", &received.answer.body.len(), &0);
            check_events(&received.events, expected, findings);
            if case.signed {
                check_replay(subject, &request, &received.events, findings);
                check_signatures(subject, connector, &request, findings);
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

fn check_events(events: &[Event], expected: &[Value], findings: &mut Findings) {
    findings.equal("count of events", &events.len(), &expected.len());
    for (event, expected) in events.iter().zip(expected) {
        findings.equal("received_at", &event.received_at, &RECEIVED_AT);
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
            if digest.len() >= 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
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

/// The same webhook later, at another replica: the same ids, or it would count twice.
fn check_replay(
    subject: &dyn Subject,
    request: &Request,
    events: &[Event],
    findings: &mut Findings,
) {
    let keys = |events: &[Event]| events.iter().map(Event::dedup_key).collect::<Vec<_>>();
    let first = keys(events);
    let other = subject.connector("http://127.0.0.1:9");
    let later = Timestamp::from_milliseconds(RECEIVED_AT.as_milliseconds() + 3_600_000);
    let again = request
        .receive(&*other, later)
        .map(|received| keys(&received.events));
    findings.equal("ids of a redelivery", &again, &Ok(first.clone()));
    let mut distinct = first;
    distinct.sort_unstable();
    distinct.dedup();
    findings.equal(
        "distinct ids in one webhook",
        &distinct.len(),
        &events.len(),
    );
}

/// A webhook whose signature is wrong, missing or cut short is not the provider's.
fn check_signatures(
    subject: &dyn Subject,
    connector: &dyn Connector,
    request: &Request,
    findings: &mut Findings,
) {
    let signature = subject.sign(&request.body);
    let mut other_body = request.body.clone();
    other_body.push(b' ');
    for (name, value) in &signature {
        let wrong = subject.sign(&other_body);
        let wrong = wrong
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.clone());
        let cut = value[..value.len() - 1].to_owned();
        for (what, value) in [
            ("wrong", wrong),
            ("missing", None),
            ("cut short", Some(cut)),
            ("too long", Some(format!("{value}0"))),
            ("empty", Some(String::new())),
        ] {
            let mut headers = request.headers.clone();
            headers.remove(*name);
            headers.extend(value.map(|value| header(name, &value)));
            let forged = Request {
                method: request.method.clone(),
                query: request.query.clone(),
                headers,
                body: request.body.clone(),
            };
            let rejection = forged.receive(connector, RECEIVED_AT).map(|_| ());
            if rejection != Err(Rejection::Signature) {
                findings.add(format!("with a {what} signature: {rejection:?}"));
            }
        }
    }
    let status = Rejection::Signature.status();
    findings.equal(
        "status for a wrong signature",
        &status,
        &StatusCode::UNAUTHORIZED,
    );
}

fn check_unknown(subject: &dyn Subject, connector: &dyn Connector, findings: &mut Findings) {
    let mut request = Request {
        method: Method::POST,
        query: String::new(),
        headers: HeaderMap::new(),
        body: ascii(&subject.unknown().to_string()).into_bytes(),
    };
    request.sign(subject);
    match request.receive(connector, RECEIVED_AT) {
        Ok(Received { events, answer }) => {
            findings.equal("status", &answer.status, &StatusCode::OK);
            if !matches!(
                &events[..],
                [Event {
                    kind: EventKind::Unknown { .. },
                    ..
                }]
            ) {
                findings.add(format!("{events:?}"));
            }
        }
        Err(rejection) => findings.add(rejection),
    }
}

/// Everything beyond ASCII as `\uXXXX`.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str("\\u");
                text.push_str(&crate::signature::encode_hex(&unit.to_be_bytes()));
            }
        }
    }
    text
}
