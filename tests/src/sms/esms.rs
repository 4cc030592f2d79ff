//! eSMS.vn: the V4 JSON call on one side, GET requests on the other.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use md5::{Digest, Md5};
use serde_json::json;

use super::{Book, Request, Rules, Taken, client, deliver, parts};

/// The account.
pub const API_KEY: &str = "ESMSAPIKEY7C1A";
/// Its secret.
pub const SECRET_KEY: &str = "ESMSSECRET55D02F";
/// What signs messages of citizens.
pub const PRIVATE_KEY: &str = "khoa-rieng-9f4c";
/// The last part of the webhook's path.
pub const TOKEN: &str = "esms-path-token-0c41d9";
/// The registered brandname.
pub const BRANDNAME: &str = "UBNDXA";

/// How eSMS meets requests.
#[derive(Debug)]
pub struct Esms {
    /// Where it calls for states of messages.
    pub webhook: String,
}

impl Rules for Esms {
    fn meet(&self, request: &Request, book: &mut Book) -> Result<Response, String> {
        if request.path != "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
            || request.method != "POST"
        {
            return Err("no such call".to_owned());
        }
        let mut body = request.json()?;
        let fields = body.as_object_mut().ok_or("no object")?;
        let mut take = |name: &str| -> Result<String, String> {
            let value = fields.remove(name).ok_or(format!("no {name}"))?;
            let text = value.as_str().ok_or(format!("{name} is no text"))?;
            Ok(text.to_owned())
        };
        if take("ApiKey")? != API_KEY || take("SecretKey")? != SECRET_KEY {
            return Ok(answer("101"));
        }
        let phone = take("Phone")?;
        let national = phone.len() == 10
            && phone.starts_with('0')
            && phone.bytes().all(|byte| byte.is_ascii_digit());
        if !national {
            return Ok(answer("108"));
        }
        if take("SmsType")? != "2" || take("Brandname")? != BRANDNAME || take("Sandbox")? != "0" {
            return Err("not a customer care message of the brandname".to_owned());
        }
        if take("CallbackUrl")? != format!("{}/{TOKEN}", self.webhook) {
            return Err("another callback".to_owned());
        }
        let content = take("Content")?;
        let unicode = take("IsUnicode")?;
        let plain = content.is_ascii();
        if plain != (unicode == "0") || parts(&content) > 3 || content.is_empty() {
            return Err(format!("IsUnicode {unicode}, {} parts", parts(&content)));
        }
        let id = take("RequestId")?;
        if !fields.is_empty() || !(16..=50).contains(&id.len()) {
            return Err(format!("more fields {fields:?}, or an id of {}", id.len()));
        }
        if !book.ids.insert(id) {
            return Ok(answer("124"));
        }
        let number = format!("+84{}", &phone[1..]);
        book.taken.push(Taken {
            number,
            text: content,
        });
        Ok(answer("100"))
    }
}

fn answer(code: &str) -> Response {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("esms-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Json(json!({"CodeResult": code, "CountRegenerate": 0, "SMSID": id})).into_response()
}

/// A citizen writes to the short code; eSMS passes it on with its keyword.
pub async fn writes(webhook: &str, number: &str, text: &str) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("mo-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let content = format!("PA {text}");
    let (cpid, time) = ("CP01", "20261121080000");
    let signed = format!("{cpid}{id}{content}{time}{PRIVATE_KEY}");
    let sign = crate::meta::hex(&Md5::digest(signed));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("sender", number.trim_start_matches('+')),
            ("content", &content),
            ("serviceNumber", "8041"),
            ("keyword", "PA"),
            ("cpid", cpid),
            ("smsid", &id),
            ("receiverTime", time),
            ("sign", &sign),
        ])
        .finish();
    let answer = deliver(client().get(format!("{webhook}/{TOKEN}?{query}"))).await;
    assert!(answer.contains(&format!("<Smsid>{id}</Smsid>")), "{answer}");
}
