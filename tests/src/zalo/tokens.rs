//! The token endpoint: refresh tokens are used once, and a new pair kills both old tokens at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{APP_ID, APP_SECRET, State};
use crate::wait;

/// Where a request for tokens is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Before the refresh token is used up.
    Before,
    /// After it: the answer is on its way, and nobody has it.
    After,
}

/// Who gives out tokens.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Tokens>);

#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) life: u64,
    pub(super) hold: Option<Hold>,
    pub(super) held: bool,
    pub(super) pairs: usize,
    pub(super) reused: usize,
    access: Option<String>,
    refresh: String,
    used: BTreeSet<String>,
    /// Codes of consents, and the challenge of each.
    codes: BTreeMap<String, String>,
}

impl Desk {
    pub(super) fn new(first: &str) -> Self {
        Self(Mutex::new(Tokens {
            life: 90_000,
            hold: None,
            held: false,
            pairs: 0,
            reused: 0,
            access: None,
            refresh: first.to_owned(),
            used: BTreeSet::new(),
            codes: BTreeMap::new(),
        }))
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an access token is the newest.
    pub(super) fn is_good(&self, token: &str) -> bool {
        self.book().access.as_deref() == Some(token)
    }

    pub(super) fn consent(&self, address: &str) -> String {
        let address: Uri = address.parse().expect("an address");
        assert_eq!(address.path(), "/v4/oa/permission");
        let fields = fields(address.query().unwrap_or_default().as_bytes());
        assert_eq!(fields["app_id"], APP_ID);
        let code = format!("code-{}", self.book().codes.len());
        let challenge = fields["code_challenge"].clone();
        self.book().codes.insert(code.clone(), challenge);
        code
    }
}

impl Tokens {
    fn give(&mut self) -> Value {
        self.pairs += 1;
        let number = self.pairs;
        let access = format!("access-{number}-{:08x}", rand::random::<u32>());
        let refresh = format!("refresh-{number}-{:08x}", rand::random::<u32>());
        let old = std::mem::replace(&mut self.refresh, refresh.clone());
        self.used.insert(old);
        self.access = Some(access.clone());
        // A text, as Zalo writes it.
        json!({
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.life.to_string(),
        })
    }
}

pub(super) async fn give(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(wrong) = wrong(&headers, &body) {
        state.violation(wrong);
        return refusal(-14002, "Invalid app.");
    }
    hold(&state, Hold::Before).await;
    let answer = exchange(&state, &fields(&body));
    hold(&state, Hold::After).await;
    Json(answer).into_response()
}

async fn hold(state: &State, when: Hold) {
    if state.tokens.book().hold != Some(when) {
        return;
    }
    state.tokens.book().held = true;
    while state.tokens.book().hold == Some(when) {
        wait::pause().await;
    }
    state.tokens.book().held = false;
}

fn exchange(state: &State, fields: &BTreeMap<String, String>) -> Value {
    let mut tokens = state.tokens.book();
    if let Some(code) = fields.get("code") {
        let verifier = fields.get("code_verifier").map_or("", String::as_str);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        return match tokens.codes.remove(code) {
            Some(expected) if expected == challenge => tokens.give(),
            _ => error(-14019, "Invalid authorization code."),
        };
    }
    let token = fields.get("refresh_token").map_or("", String::as_str);
    if token == tokens.refresh {
        return tokens.give();
    }
    if tokens.used.contains(token) {
        tokens.reused += 1;
    }
    error(-14014, "Invalid refresh token.")
}

fn error(code: i64, name: &str) -> Value {
    json!({
        "error": code,
        "error_name": name,
        "error_reason": "",
        "ref_doc": "https://developers.zalo.example/",
        "error_description": "",
    })
}

fn refusal(code: i64, name: &str) -> Response {
    Json(error(code, name)).into_response()
}

fn wrong(headers: &HeaderMap, body: &[u8]) -> Option<&'static str> {
    let header = |name: &str| headers.get(name).map(|value| value.as_bytes().to_vec());
    let fields = fields(body);
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    if header("content-type").as_deref() != Some(b"application/x-www-form-urlencoded") {
        return Some("a request for tokens is not said to be a form");
    }
    if header("secret_key").as_deref() != Some(APP_SECRET.as_bytes()) {
        return Some("the app's secret is not in the header secret_key");
    }
    if fields.get("app_id").map(String::as_str) != Some(APP_ID) {
        return Some("a request for tokens names another app");
    }
    let grant = fields.get("grant_type").map_or("", String::as_str);
    let expected: &[&str] = match grant {
        "refresh_token" => &["app_id", "grant_type", "refresh_token"],
        "authorization_code" => &["app_id", "code", "code_verifier", "grant_type"],
        _ => return Some("a request for tokens without a grant_type"),
    };
    (names != expected).then_some("a request for tokens has other fields than its grant has")
}

fn fields(form: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form).into_owned().collect()
}
