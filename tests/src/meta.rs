//! Webhooks as Meta sends them: escaped to ASCII, signed over the bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::installation::APP_SECRET;

/// The Page that webhooks come from.
pub const PAGE: &str = "100200300";

/// A signed webhook, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The body, in ASCII.
    pub body: String,
    /// What `X-Hub-Signature-256` is to be.
    pub signature: String,
}

impl Webhook {
    /// Signs a body with the secret of the tests' installations.
    pub fn new(body: &Value) -> Self {
        Self::signed_with(APP_SECRET, body)
    }

    /// Signs a body.
    ///
    /// # Panics
    /// Never: any key will do.
    pub fn signed_with(secret: &str, body: &Value) -> Self {
        let body = escape(&body.to_string());
        let mut signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        signature.update(body.as_bytes());
        let signature = format!("sha256={}", hex(&signature.finalize().into_bytes()));
        Self { body, signature }
    }

    /// Puts it on a request.
    pub fn onto(self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request
            .header("x-hub-signature-256", self.signature)
            .header("content-type", "application/json")
            .body(self.body)
    }
}

/// Items of one entry as a signed webhook.
pub fn webhook(items: &[Value]) -> Webhook {
    Webhook::new(&envelope(items))
}

/// Items of one entry as a body.
pub fn envelope(items: &[Value]) -> Value {
    let time = items
        .first()
        .and_then(|item| item["timestamp"].as_i64())
        .unwrap_or_default();
    json!({"object": "page", "entry": [{"id": PAGE, "time": time + 23, "messaging": items}]})
}

/// An id that no other message of this process has.
pub fn message_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "m_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A citizen's item, to which one kind is added.
pub fn item(citizen: &str, time: i64, kind: &str, body: Value) -> Value {
    let mut item = json!({
        "sender": {"id": citizen},
        "recipient": {"id": PAGE},
        "timestamp": time,
    });
    item[kind] = body;
    item
}

/// A text under an id.
pub fn text(citizen: &str, time: i64, id: &str, text: &str) -> Value {
    item(citizen, time, "message", json!({"mid": id, "text": text}))
}

/// A tap on a quick reply.
pub fn quick_reply(citizen: &str, time: i64, id: &str, title: &str, payload: &str) -> Value {
    let message = json!({"mid": id, "text": title, "quick_reply": {"payload": payload}});
    item(citizen, time, "message", message)
}

/// A tap on a button, a menu or "Get started".
pub fn postback(citizen: &str, time: i64, id: &str, title: &str, payload: &str) -> Value {
    item(
        citizen,
        time,
        "postback",
        json!({"mid": id, "title": title, "payload": payload}),
    )
}

/// An attachment (`image`, `video`, `audio`, `file`) at a URL.
pub fn attachment(citizen: &str, time: i64, id: &str, kind: &str, url: &str) -> Value {
    let attachment = json!({"type": kind, "payload": {"url": url}});
    item(
        citizen,
        time,
        "message",
        json!({"mid": id, "attachments": [attachment]}),
    )
}

/// What Messenger tells of a message that was sent: ours by `metadata`, or typed by staff.
pub fn echo(citizen: &str, time: i64, id: &str, metadata: Option<&str>) -> Value {
    let mut message = json!({"mid": id, "is_echo": true, "app_id": 263_902_037_430_900_u64});
    if let Some(metadata) = metadata {
        message["app_id"] = json!(100_001);
        message["metadata"] = metadata.into();
    }
    json!({
        "sender": {"id": PAGE},
        "recipient": {"id": citizen},
        "timestamp": time,
        "message": message,
    })
}

/// Writes everything beyond ASCII as `\uXXXX`, in UTF-16 and lower case, and `/` as `\/`.
pub fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            _ if character.is_ascii() => escaped.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    escaped.push_str("\\u");
                    escaped.push_str(&hex(&unit.to_be_bytes()));
                }
            }
        }
    }
    escaped
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_reference() {
        // Confirmed with an independent client when the reference was written.
        let body = concat!(
            r#"{"object":"page","entry":[{"id":"100200300","time":1790000000123,"messaging":[{"#,
            r#""sender":{"id":"7001"},"recipient":{"id":"100200300"},"timestamp":1790000000100,"#,
            r#""message":{"mid":"m_test_1","text":"\u042f\u043c\u0430 \ud83d\ude21"}}]}]}"#,
        );
        assert_eq!(
            escape(r#""Яма 😡""#),
            r#""\u042f\u043c\u0430 \ud83d\ude21""#
        );
        let mut signature = Hmac::<Sha256>::new_from_slice(b"example-app-secret").expect("a key");
        signature.update(body.as_bytes());
        let expected = "8c7f5cc07e965e697115eb03ac31710a02ef31fbc0b44fc6cddfb0874490ee3e";
        assert_eq!(hex(&signature.finalize().into_bytes()), expected);
    }
}
