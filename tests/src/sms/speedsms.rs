//! SpeedSMS.vn: one JSON call, under a token.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{Book, Gateway, Request, Rules, Taken};

/// The access token.
pub const TOKEN: &str = "speedsms-token-5d1f";
/// The registered brandname.
pub const BRANDNAME: &str = "CANTHO";

/// A running SpeedSMS.
#[derive(Debug)]
pub struct SpeedSms {
    gateway: Gateway,
    address: String,
}

impl SpeedSms {
    /// Starts one on a free port of loopback.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let gateway = Gateway::start(Account).await;
        let address = gateway.api_base();
        Self { gateway, address }
    }

    /// Where it is.
    pub fn api_base(&self) -> &str {
        &self.address
    }

    /// What was sent to a number, as its digits begin with the country's.
    pub fn texts_for(&self, digits: &str) -> Vec<String> {
        self.gateway.texts_for(&format!("+{digits}"))
    }
}

/// How it meets requests.
#[derive(Debug)]
struct Account;

impl Rules for Account {
    fn meet(&self, request: &Request, book: &mut Book) -> Result<Response, String> {
        if request.path != "/sms/send" || request.method != "POST" || !request.query.is_empty() {
            return Err("no such call".to_owned());
        }
        let basic = BASE64_STANDARD.encode(format!("{TOKEN}:x"));
        if request.header("authorization") != format!("Basic {basic}") {
            return Err("wrong credentials".to_owned());
        }
        let mut body = request.json()?;
        let fields = body.as_object_mut().ok_or("no object")?;
        let mut take = |name: &str| fields.remove(name).ok_or(format!("no {name}"));
        let (to, content) = (take("to")?, take("content")?);
        if take("sms_type")? != 3 || take("sender")? != BRANDNAME {
            return Err("not a message of the brandname".to_owned());
        }
        let digits = to[0].as_str().ok_or("no number")?;
        let number = digits.len() >= 11 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let text = content.as_str().unwrap_or_default();
        if !number || to[1] != json!(null) || text.is_empty() || !fields.is_empty() {
            return Err(format!("to {to}, more fields {fields:?}"));
        }
        book.taken.push(Taken {
            number: format!("+{digits}"),
            text: text.to_owned(),
        });
        Ok(Json(json!({
            "status": "success",
            "code": "00",
            "data": { "tranId": book.taken.len(), "totalSMS": 1, "totalPrice": 250, "invalidPhone": [] },
        }))
        .into_response())
    }
}
