//! Twilio: the Messages API on one side, signed webhooks on the other.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;

use crate::Installation;

use super::{Book, Gateway, Request, Rules, Taken, client, deliver, fields, parts};

/// The account.
pub const ACCOUNT: &str = "AC5ef8732a3c49700934481addd5ce1659";
/// Its token.
pub const TOKEN: &str = "twilio-token-44aa0917bd0311c2";
/// Its number.
pub const NUMBER: &str = "+842871234567";

/// What a citizen's picture consists of.
pub const PICTURE: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";

/// How Twilio meets requests.
#[derive(Debug)]
pub struct Twilio {
    /// Where it calls for states of messages.
    pub webhook: String,
    next: AtomicU64,
}

impl Twilio {
    /// One whose account names this webhook.
    pub fn new(webhook: &str) -> Self {
        Self {
            webhook: webhook.to_owned(),
            next: AtomicU64::new(1),
        }
    }
}

/// Adds the channel `sms` to an installation, which sends by this gateway without quotas of its own.
pub fn channel<'a>(installation: &'a mut Installation, gateway: &Gateway) -> &'a mut Installation {
    installation.private(TOKEN);
    installation.environment("SMS_TOKEN", TOKEN).channel(
        "sms",
        toml::toml! {
            kind = "sms"
            provider = "twilio"
            auth_token = "env:SMS_TOKEN"
            encoding = "unicode"
            parts_per_second = 1000
            quotas = "off"
            allow_private = true
        },
        &[
            ("account_sid", ACCOUNT),
            ("sender", NUMBER),
            ("api_base", &gateway.api_base()),
        ],
    )
}

impl Rules for Twilio {
    fn meet(&self, request: &Request, book: &mut Book) -> Result<Response, String> {
        let wanted = format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"))
        );
        let store = request.path == "/store/picture";
        if store {
            // Another house: our credentials are none of its business.
            if !request.header("authorization").is_empty() {
                return Err("credentials for another house".to_owned());
            }
            let kind = [("content-type", "image/jpeg")];
            return Ok((kind, PICTURE).into_response());
        }
        if request.header("authorization") != wanted {
            return Err("wrong credentials".to_owned());
        }
        if request.path.contains("/Media/") {
            return Ok(Redirect::temporary("/store/picture").into_response());
        }
        if request.path != format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
            || request.method != "POST"
            || !request.query.is_empty()
        {
            return Err("no such resource".to_owned());
        }
        if request.header("content-type") != "application/x-www-form-urlencoded" {
            return Err("no form".to_owned());
        }
        let mut fields = fields(&request.body)?;
        let mut take = |name: &str| fields.remove(name).ok_or(format!("no {name}"));
        let (to, from, body) = (take("To")?, take("From")?, take("Body")?);
        let callback = take("StatusCallback")?;
        if from != NUMBER || callback != self.webhook {
            return Err(format!("from {from}, states to {callback}"));
        }
        if !to.starts_with('+') || to.len() < 9 {
            return Err("To is not E.164".to_owned());
        }
        if body.is_empty() || body.chars().count() > 1600 || !fields.is_empty() {
            return Err(format!(
                "a body of {} or more fields: {fields:?}",
                body.len()
            ));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let segments = parts(&body).to_string();
        book.taken.push(Taken {
            number: to,
            text: body,
        });
        let sid = format!("SM{number:032x}");
        let answer =
            json!({"sid": sid, "status": "queued", "num_segments": segments, "error_code": null});
        Ok((StatusCode::CREATED, Json(answer)).into_response())
    }
}

/// A citizen writes; `picture` comes along by MMS.
pub async fn writes(gateway: &Gateway, webhook: &str, number: &str, text: &str, picture: bool) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let sid = format!(
        "SM{:032x}",
        0xc17_u64 << 32 | NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let media = format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME1",
        gateway.api_base()
    );
    let mut fields = vec![
        ("MessageSid", sid.as_str()),
        ("SmsSid", &sid),
        ("AccountSid", ACCOUNT),
        ("From", number),
        ("To", NUMBER),
        ("Body", text),
        ("NumMedia", if picture { "1" } else { "0" }),
        ("NumSegments", "1"),
        ("SmsStatus", "received"),
        ("ApiVersion", "2010-04-01"),
        ("FromCountry", "VN"),
    ];
    if picture {
        fields.push(("MediaUrl0", &media));
        fields.push(("MediaContentType0", "image/jpeg"));
    }
    let answer = post(webhook, fields).await;
    assert_eq!(answer, "<Response/>");
}

/// Twilio says what became of a message of ours.
pub async fn reports(webhook: &str, sid: &str, number: &str, status: &str) {
    let fields = vec![
        ("MessageSid", sid),
        ("MessageStatus", status),
        ("AccountSid", ACCOUNT),
        ("To", number),
        ("From", NUMBER),
    ];
    post(webhook, fields).await;
}

async fn post(webhook: &str, mut fields: Vec<(&str, &str)>) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .finish();
    fields.sort_unstable();
    let mut mac: Hmac<Sha1> = Hmac::new_from_slice(TOKEN.as_bytes()).expect("any length");
    mac.update(webhook.as_bytes());
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let request = client()
        .post(webhook)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(body);
    deliver(request).await
}
