//! What the program is compared with: a bare axum server, in a process of its own like the program.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
    serve::ListenerExt as _,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::net::TcpListener;

/// What a bare server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// Reads the body.
    Body,
    /// Verifies the signature, parses the JSON, and keeps nothing.
    Verify,
}

impl Bare {
    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Verify => "verify",
        }
    }
}

/// Serves until the process is ended; prints the port first.
///
/// # Errors
/// When it cannot listen.
pub async fn serve(bare: Bare, secret: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let route = match bare {
        Bare::Body => post(read),
        Bare::Verify => post(verify),
    };
    let key = Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length");
    axum::serve(
        listener,
        Router::new().route("/webhooks/page", route).with_state(key),
    )
    .await
}

async fn read(body: Bytes) -> StatusCode {
    if body.is_empty() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}

async fn verify(State(key): State<Hmac<Sha256>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("sha256="))
        .and_then(decode);
    let mut mac = key;
    mac.update(&body);
    if signature.is_none_or(|signature| mac.verify_slice(&signature).is_err()) {
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice::<Webhook<'_>>(&body) {
        Ok(webhook) if webhook.messages() > 0 => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    messaging: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    sender: Sender<'a>,
    timestamp: u64,
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Sender<'a> {
    id: &'a str,
}

#[derive(Deserialize)]
struct Message<'a> {
    mid: &'a str,
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

impl Webhook<'_> {
    fn messages(&self) -> usize {
        let items = self.entry.iter().flat_map(|entry| &entry.messaging);
        let whole = |item: &&Item<'_>| {
            !item.sender.id.is_empty()
                && item.timestamp > 0
                && !item.message.mid.is_empty()
                && !item.message.text.is_empty()
        };
        items.filter(whole).count()
    }
}
