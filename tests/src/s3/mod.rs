//! A stand-in for an S3-compatible service: one bucket, the requests that the program makes, and every
//! signature checked. What is wrong with a request makes the test fail at its end.

mod sigv4;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::served::Served;

/// The bucket's name.
pub const BUCKET: &str = "langnghe-media";
/// The region.
pub const REGION: &str = "hcm-1";
/// The id of the key that may do everything.
pub const ACCESS_KEY: &str = "LNEXAMPLEKEY";
/// The key.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// So few objects are listed at once, so that lists have several pages.
const PAGE: usize = 2;

/// The running stand-in.
#[derive(Debug)]
pub struct S3 {
    state: Arc<State>,
    served: Served,
}

#[derive(Debug, Default)]
struct State(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    objects: BTreeMap<String, Bytes>,
    violations: Vec<String>,
    away: bool,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl S3 {
    /// Starts one on the running runtime.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let state = Arc::new(State::default());
        let served = Served::start(
            Router::new()
                .fallback(answer)
                .with_state(Arc::clone(&state)),
        )
        .await;
        Self { state, served }
    }

    /// What `endpoint` is to be.
    pub fn endpoint(&self) -> String {
        self.served.url()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.state.book().objects.keys().cloned().collect()
    }

    /// Whether it answers everything with 503 from now on.
    pub fn away(&self, away: bool) {
        self.state.book().away = away;
    }

    /// What was wrong; a test that expects something wrong takes it away with this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the bucket was used wrongly: {violations:#?}"
            );
        }
    }
}

async fn answer(
    Shared(state): Shared<Arc<State>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = state.book();
    if book.away {
        return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    if let Err(wrong) = sigv4::check(&method, &uri, &headers, &body) {
        book.violations.push(wrong.to_owned());
        return error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let path = uri.path().trim_start_matches('/');
    let key = match path.split_once('/') {
        Some((BUCKET, key)) if !key.is_empty() => key.to_owned(),
        _ if path.trim_end_matches('/') == BUCKET && method == Method::GET => {
            return list(&book, uri.query().unwrap_or_default());
        }
        _ => return error(StatusCode::NOT_FOUND, "NoSuchBucket"),
    };
    match method {
        Method::PUT => {
            book.objects.insert(key, body);
            (StatusCode::OK, [(header::ETAG, "\"etag\"")]).into_response()
        }
        Method::GET | Method::HEAD => match book.objects.get(&key) {
            Some(bytes) => (
                [
                    (header::ETAG, "\"etag\""),
                    (header::LAST_MODIFIED, "Sun, 22 Nov 2026 03:00:00 GMT"),
                ],
                bytes.clone(),
            )
                .into_response(),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::DELETE => {
            book.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        other => {
            book.violations
                .push(format!("{other} is not expected here"));
            error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")
        }
    }
}

/// `ListObjectsV2`.
fn list(book: &Book, query: &str) -> Response {
    let pairs: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), sigv4::decoded(value)))
        .collect();
    let value = |key: &str| pairs.get(key).map(String::as_str).unwrap_or_default();
    let (prefix, after) = (value("prefix"), value("continuation-token"));
    let found: Vec<_> = book
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after)
        .take(PAGE + 1)
        .collect();
    let more = found.len() > PAGE;
    let shown = &found[..found.len().min(PAGE)];
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>{BUCKET}</Name>\
         <Prefix>{prefix}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{PAGE}</MaxKeys>\
         <IsTruncated>{more}</IsTruncated>",
        shown.len()
    );
    for (key, bytes) in shown {
        let object = format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-22T03:00:00.000Z</LastModified>\
             <ETag>&quot;etag&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass>\
             </Contents>",
            bytes.len()
        );
        xml.push_str(&object);
    }
    if more && let Some((last, _)) = shown.last() {
        xml.extend([
            "<NextContinuationToken>",
            last.as_str(),
            "</NextContinuationToken>",
        ]);
    }
    xml += "</ListBucketResult>";
    ([(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}
