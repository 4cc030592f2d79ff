//! Stand-ins for the gateways that carry SMS, each as strict as the reference: what the gateway would
//! not take makes the test fail at its end.

pub mod android;
pub mod esms;
pub mod speedsms;
pub mod twilio;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{http, served::Served, wait};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};

/// A message that a gateway took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The number, in E.164 with `+`.
    pub number: String,
    /// The words.
    pub text: String,
}

/// What a gateway has seen.
#[derive(Debug, Default)]
pub struct Book {
    taken: Vec<Taken>,
    /// The sender's own ids.
    ids: HashSet<String>,
    violations: Vec<String>,
}

/// A request as it came.
#[derive(Debug)]
pub struct Request {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    fn json(&self) -> Result<serde_json::Value, String> {
        if !self.header("content-type").starts_with("application/json") {
            return Err("not JSON".to_owned());
        }
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }
}

/// How one gateway meets requests.
pub trait Rules: Send + Sync + 'static {
    /// Takes a request or says what is wrong with it.
    ///
    /// # Errors
    /// What the gateway would not take.
    fn meet(&self, request: &Request, book: &mut Book) -> Result<Response, String>;
}

/// A running gateway; ends when it is dropped, and then says all that was wrong.
#[derive(Debug)]
pub struct Gateway {
    book: Arc<Mutex<Book>>,
    server: Served,
}

struct Door {
    book: Arc<Mutex<Book>>,
    rules: Box<dyn Rules>,
}

impl Gateway {
    /// Starts one on a free port of loopback.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(rules: impl Rules) -> Self {
        let book = Arc::<Mutex<Book>>::default();
        let door = Arc::new(Door {
            book: Arc::clone(&book),
            rules: Box::new(rules),
        });
        let server = Served::start(Router::new().fallback(meet).with_state(door)).await;
        Self { book, server }
    }

    /// Where it lies.
    pub fn api_base(&self) -> String {
        self.server.url()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said to a number, in order.
    pub fn texts_for(&self, number: &str) -> Vec<String> {
        let book = self.book();
        let all = book.taken.iter().filter(|taken| taken.number == number);
        all.map(|taken| taken.text.clone()).collect()
    }

    /// Waits for a text to a number with these words, after `seen` others; gives its place and text.
    pub async fn expect(&self, number: &str, words: &str, seen: usize) -> (usize, String) {
        // Whether accents are left out is not asked here.
        let plain = langnghe_model::gsm::transliterate;
        let words = plain(words);
        let what = format!("an SMS with {words:?} after {seen} others");
        wait::for_some(&what, wait::SOON, async || {
            let texts = self.texts_for(number);
            let mut later = texts.into_iter().enumerate().skip(seen);
            later.find(|(_, text)| plain(text).contains(&words))
        })
        .await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let violations = std::mem::take(&mut self.book().violations);
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the gateway was sent what it does not take: {violations:#?}"
            );
        }
    }
}

async fn meet(
    State(door): State<Arc<Door>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    let mut book = door.book.lock().unwrap_or_else(PoisonError::into_inner);
    match door.rules.meet(&request, &mut book) {
        Ok(response) => response,
        Err(violation) => {
            let violation = format!("{} {}: {violation}", request.method, request.path);
            book.violations.push(violation);
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}

/// Sends a webhook and expects it to be taken; gives back the body of the answer.
///
/// # Panics
/// When it is not taken.
pub async fn deliver(request: reqwest::RequestBuilder) -> String {
    let answer = request.send().await.expect("an answer to a webhook");
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "{status}: {text}");
    text
}

/// The client that webhooks are sent with.
pub fn client() -> reqwest::Client {
    http::client()
}

/// The fields of a form or a query, each once.
fn fields(text: &[u8]) -> Result<std::collections::BTreeMap<String, String>, String> {
    let mut fields = std::collections::BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text).into_owned() {
        if fields.insert(name.clone(), value).is_some() {
            return Err(format!("{name} comes twice"));
        }
    }
    Ok(fields)
}

/// The parts of a text as the networks count them, on their own table.
fn parts(text: &str) -> usize {
    const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";
    let known = |one: char| GSM.contains(one) || EXTENSION.contains(one);
    let (units, alone, joined) = if text.chars().all(known) {
        let doubled = text.chars().filter(|one| EXTENSION.contains(*one)).count();
        (text.chars().count() + doubled, 160, 153)
    } else {
        (text.encode_utf16().count(), 70, 67)
    };
    if units <= alone {
        1
    } else {
        units.div_ceil(joined)
    }
}
