//! A provider on loopback that expects exact requests and answers as a case says.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::multipart;

/// Stands for the double's own address in a case.
pub(super) const API_BASE: &str = "{api_base}";

/// A request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What must come.
    #[serde(default)]
    pub request: ProviderRequest,
    /// What is answered.
    #[serde(default)]
    pub answer: Option<ProviderAnswer>,
}

/// A request that must come exactly so: method, path, query, headers and body.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRequest {
    /// The method.
    #[serde(default)]
    pub method: Option<String>,
    /// The path.
    #[serde(default)]
    pub path: Option<String>,
    /// The query, decoded.
    #[serde(default)]
    pub query: Option<BTreeMap<String, String>>,
    /// All headers but those that any HTTP client sends.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// The body as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// The body as a form.
    #[serde(default)]
    pub form: Option<BTreeMap<String, String>>,
    /// The body as a form of several parts (`multipart/form-data`): a text, or for a file
    /// `{"file": its name, "type": its media type, "text": its content}`.
    #[serde(default)]
    pub multipart: Option<BTreeMap<String, Value>>,
    /// The body as text. Where none of the four is said, here or in the defaults, there is no body.
    #[serde(default)]
    pub text: Option<String>,
}

impl ProviderRequest {
    pub(super) fn over(self, defaults: Option<&Self>) -> Self {
        let mut defaults = defaults.cloned().unwrap_or_default();
        if self.has_body() {
            defaults = Self {
                json: None,
                form: None,
                multipart: None,
                text: None,
                ..defaults
            };
        }
        Self {
            method: self.method.or(defaults.method),
            path: self.path.or(defaults.path),
            query: self.query.or(defaults.query),
            headers: self.headers.or(defaults.headers),
            json: self.json.or(defaults.json),
            form: self.form.or(defaults.form),
            multipart: self.multipart.or(defaults.multipart),
            text: self.text.or(defaults.text),
        }
    }

    fn has_body(&self) -> bool {
        self.json.is_some()
            || self.form.is_some()
            || self.multipart.is_some()
            || self.text.is_some()
    }
}

/// An answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderAnswer {
    /// 200 unless said.
    #[serde(default)]
    pub status: Option<u16>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// The body as text.
    #[serde(default)]
    pub text: Option<String>,
    /// What goes wrong on the way.
    #[serde(default)]
    pub fault: Option<Fault>,
}

impl ProviderAnswer {
    fn with_address(self, address: &str) -> Self {
        let place = |text: String| text.replace(API_BASE, address);
        Self {
            headers: self
                .headers
                .into_iter()
                .map(|(name, value)| (name, place(value)))
                .collect(),
            json: self.json.map(|json| with_address(&json, address)),
            text: self.text.map(place),
            ..self
        }
    }
}

/// The JSON with the double's address wherever a case names it.
pub(super) fn with_address(json: &Value, address: &str) -> Value {
    let text = json.to_string().replace(API_BASE, address);
    serde_json::from_str(&text).expect("an address needs no escapes")
}

/// What goes wrong on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// There is no answer.
    Stall,
    /// The connection breaks in the middle of the answer.
    Cut,
    /// The body has no end.
    Endless,
}

#[derive(Debug, Default)]
struct Script {
    expected: VecDeque<Exchange>,
    findings: Vec<String>,
}

type Shared = Arc<Mutex<Script>>;

/// The provider.
#[derive(Debug)]
pub(super) struct Double {
    script: Shared,
    address: String,
    server: JoinHandle<()>,
}

impl Double {
    pub(super) async fn start(exchanges: Vec<Exchange>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a loopback port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let expected = exchanges
            .into_iter()
            .map(|Exchange { request, answer }| Exchange {
                request: ProviderRequest {
                    json: request.json.map(|json| with_address(&json, &address)),
                    ..request
                },
                answer: answer.map(|answer| answer.with_address(&address)),
            })
            .collect();
        let script = Arc::new(Mutex::new(Script {
            expected,
            findings: Vec::new(),
        }));
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let server = tokio::spawn(async move {
            axum::serve(listener, routes)
                .await
                .expect("the double serves");
        });
        Self {
            script,
            address,
            server,
        }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// What was not as expected; requests that never came are part of it.
    pub(super) fn findings(self) -> Vec<String> {
        self.server.abort();
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let mut findings = std::mem::take(&mut script.findings);
        findings.extend(
            script
                .expected
                .iter()
                .map(|missing| format!("this request did not come: {:?}", missing.request)),
        );
        findings
    }
}

async fn answer(
    State(script): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let exchange = {
        let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(exchange) = script.expected.pop_front() else {
            script
                .findings
                .push(format!("one request too many: {method} {uri}"));
            return StatusCode::NOT_FOUND.into_response();
        };
        let differences = differences(&exchange.request, &method, &uri, &headers, &body);
        script.findings.extend(differences);
        exchange
    };
    respond(exchange.answer.unwrap_or_default()).await
}

fn differences(
    expected: &ProviderRequest,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Vec<String> {
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let compare = |what: &str, is: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
        let [is, expected] = [format!("{is:?}"), format!("{expected:?}")];
        (is != expected).then(|| format!("{what}\n      is {is}\n  not {expected}"))
    };
    let wanted = expected.method.as_deref().unwrap_or("POST");
    [
        compare("method", &method.as_str(), &wanted),
        compare(
            "path",
            &uri.path(),
            &expected.path.as_deref().unwrap_or_default(),
        ),
        compare("query", &query, &expected.query.clone().unwrap_or_default()),
        compare(
            "headers",
            &telling(headers),
            &expected.headers.clone().unwrap_or_default(),
        ),
        body_difference(expected, headers, body),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn body_difference(expected: &ProviderRequest, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let differs = |is: Value, wanted: Value| {
        (is != wanted).then(|| format!("body\n      is {is}\n  not {wanted}"))
    };
    if let Some(form) = &expected.form {
        let is: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        return differs(json!(is), json!(form));
    }
    if let Some(parts) = &expected.multipart {
        return differs(multipart::parse(headers, body), json!(parts));
    }
    if let Some(wanted) = &expected.text {
        return differs(json!(text), json!(wanted));
    }
    // Anything that is no JSON is shown as a text.
    let is = match serde_json::from_slice(body) {
        Ok(json) => json,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => json!(text),
    };
    differs(is, expected.json.clone().unwrap_or(Value::Null))
}

/// The headers that a provider acts on; of a media type without its boundary, which is random.
fn telling(headers: &HeaderMap) -> BTreeMap<String, String> {
    const USUAL: [header::HeaderName; 7] = [
        header::HOST,
        header::ACCEPT,
        header::ACCEPT_ENCODING,
        header::USER_AGENT,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
    ];
    headers
        .iter()
        .filter(|(name, _)| !USUAL.contains(name))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = match value.split_once("; boundary=") {
                Some((kind, _)) if name == header::CONTENT_TYPE => kind.to_owned(),
                _ => value.into_owned(),
            };
            (name.to_string(), value)
        })
        .collect()
}

async fn respond(answer: ProviderAnswer) -> Response {
    let (body, content_type) = match (answer.json, answer.text) {
        (Some(json), _) => (json.to_string(), "application/json; charset=UTF-8"),
        (None, text) => (text.unwrap_or_default(), "text/html"),
    };
    let broken = || {
        stream::once(async {
            // What is written already goes out first.
            tokio::task::yield_now().await;
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        })
    };
    let length = body.len();
    let body = match answer.fault {
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::Cut) => {
            let half = Bytes::copy_from_slice(&body.as_bytes()[..length / 2]);
            Body::from_stream(stream::iter([Ok(half)]).chain(broken()))
        }
        Some(Fault::Endless) => {
            let piece = Bytes::from(vec![b' '; 16 * 1024]);
            Body::from_stream(stream::repeat_with(move || {
                Ok::<_, io::Error>(piece.clone())
            }))
        }
        None => Body::from(body),
    };
    let mut response = Response::builder()
        .status(answer.status.unwrap_or(200))
        .header(header::CONTENT_TYPE, content_type);
    if answer.fault == Some(Fault::Cut) {
        response = response.header(header::CONTENT_LENGTH, length);
    }
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).expect("the case's headers are valid")
}
