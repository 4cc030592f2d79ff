//! A webhook on its way to a connector.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use langnghe_model::Timestamp;

use super::Subject;
use crate::{Connector, Received, Rejection, WebhookRequest, signature::encode_hex};

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A POST of JSON, in ASCII.
    pub(super) fn post(json: &str) -> Self {
        Self {
            method: Method::POST,
            query: String::new(),
            headers: HeaderMap::new(),
            body: ascii(json).into_bytes(),
        }
    }

    pub(super) fn sign(&mut self, subject: &dyn Subject) {
        for (name, value) in subject.sign(&self.body) {
            self.headers.extend([header(name, &value)]);
        }
    }

    pub(super) fn receive(
        &self,
        connector: &dyn Connector,
        at: Timestamp,
    ) -> Result<Received, Rejection> {
        connector.receive(&WebhookRequest {
            method: &self.method,
            path: "",
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            received_at: at,
        })
    }
}

pub(super) fn header(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    let name = HeaderName::try_from(name).expect("a header name");
    (name, HeaderValue::try_from(value).expect("a header value"))
}

/// Everything beyond ASCII as `\uXXXX`.
pub(super) fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str("\\u");
                text.push_str(&encode_hex(&unit.to_be_bytes()));
            }
        }
    }
    text
}
