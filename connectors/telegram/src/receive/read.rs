//! Reads parts of an update leniently: a part of a kind that was not expected is as if it were not
//! there, and costs nothing beside it.

use langnghe_connector::signature::encode_hex;
use langnghe_model::{EventId, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A text that says something.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value[key].as_str().filter(|text| !text.is_empty())
}

/// A whole number; also one that is written as a text or as a float.
pub(crate) fn id_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A time in seconds since 1970; 0 stands for "not known".
pub(super) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    let seconds = id_of(&value[key]).filter(|seconds| *seconds > 0)?;
    Some(Timestamp::from_seconds(seconds))
}

/// An object, if it is one.
pub(super) fn object<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    Some(&value[key]).filter(|value| value.is_object())
}

/// The id of a message, ours or a citizen's. A message's own id counts within its chat only, so the
/// chat is in it, as a digest: the id of an event is seen where the citizen's is not.
pub(crate) fn message_event_id(chat: i64, message: i64) -> EventId {
    EventId::new(format!("message:{message}:{}", digest(&chat.to_string())))
}

/// An id for what has none: the same words have the same id.
pub(super) fn digest(text: &str) -> String {
    encode_hex(&Sha256::digest(text.as_bytes())[..8])
}

/// A name that needs no care: bounded, of letters, digits and `_`.
pub(super) fn name(word: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=60).contains(&word.len()) && word.bytes().all(plain) {
        word
    } else {
        "unknown"
    }
}
