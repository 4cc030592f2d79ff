//! `X-ZEvent-Signature`: `mac = hex(SHA-256(app_id ‖ raw body ‖ timestamp ‖ OA secret key))`, a plain
//! digest over the bytes as they came. The timestamp is the content of the body's own field.

use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use langnghe_connector::{
    Rejection,
    signature::{encode_hex, equal_in_constant_time},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::Config;

/// What webhooks are verified with.
pub(crate) struct Keys {
    app_id: String,
    oa_secrets: Vec<SecretString>,
    app_secret: SecretString,
    /// Said once a start, not once a webhook.
    diagnosed: AtomicBool,
}

/// What the signature needs of a body; everything else is passed over unread.
#[derive(Deserialize)]
struct Signed<'a> {
    #[serde(borrow)]
    app_id: Option<&'a RawValue>,
    #[serde(borrow)]
    oa_id: Option<&'a RawValue>,
    #[serde(borrow)]
    recipient: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: &'a RawValue,
}

impl Keys {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            app_id: config.app_id.clone(),
            oa_secrets: config.oa_secrets.clone(),
            app_secret: config.app_secret.clone(),
            diagnosed: AtomicBool::new(false),
        }
    }

    /// Whether a body is Zalo's, for this app.
    pub(super) fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        let given = headers
            .get("x-zevent-signature")
            .and_then(|value| value.to_str().ok())
            .map(|value| without_prefix(value.trim()).to_ascii_lowercase())
            .ok_or(Rejection::Signature)?;
        let signed: Signed<'_> = serde_json::from_slice(body).map_err(|_| Rejection::Signature)?;
        let timestamp = content(signed.timestamp).ok_or(Rejection::Signature)?;
        let good = self.oa_secrets.iter().any(|secret| {
            let mac = mac(&self.app_id, body, &timestamp, secret.expose_secret());
            equal_in_constant_time(&mac, &given)
        });
        if !good {
            self.diagnose(&signed, body, &timestamp, &given);
            return Err(Rejection::Signature);
        }
        // It is part of what was signed; another app's would be a mix-up of secrets.
        let app_id = signed.app_id.and_then(content);
        if app_id.is_some_and(|app_id| app_id != self.app_id) {
            return Err(Rejection::Signature);
        }
        Ok(())
    }

    /// Tells an operator, once, what would have matched: only Zalo itself can make one of these.
    fn diagnose(&self, signed: &Signed<'_>, body: &[u8], timestamp: &str, given: &str) {
        let matches = |first: &str, secret: &SecretString| {
            equal_in_constant_time(&mac(first, body, timestamp, secret.expose_secret()), given)
        };
        let help = if matches(&self.app_id, &self.app_secret) {
            "it is signed with the app's secret key: for this account that key is `oa_secret` too"
        } else if accounts(signed).iter().any(|oa| {
            let secrets = self.oa_secrets.iter().chain([&self.app_secret]);
            secrets.into_iter().any(|secret| matches(oa, secret))
        }) {
            "it is signed with the account's id in the place of the app's id, which is not taken"
        } else {
            return;
        };
        if !self.diagnosed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                help,
                "a webhook of Zalo's has another signature than is expected"
            );
        }
    }
}

/// The account's ids that a body names.
fn accounts(signed: &Signed<'_>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Party<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let recipient = signed.recipient.and_then(|raw| {
        let party: Party<'_> = serde_json::from_str(raw.get()).ok()?;
        content(party.id?)
    });
    let named = signed.oa_id.and_then(content);
    [named, recipient].into_iter().flatten().collect()
}

/// The signature over a body.
pub(crate) fn mac(app_id: &str, body: &[u8], timestamp: &str, secret: &str) -> String {
    let mut digest = Sha256::new();
    for part in [
        app_id.as_bytes(),
        body,
        timestamp.as_bytes(),
        secret.as_bytes(),
    ] {
        digest.update(part);
    }
    encode_hex(&digest.finalize())
}

fn without_prefix(value: &str) -> &str {
    match value.split_at_checked(4) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("mac=") => rest,
        _ => value,
    }
}

/// A text's content, or a number's digits.
fn content(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.to_owned())
}
