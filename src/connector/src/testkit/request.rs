//! A webhook on its way to a connector.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use langnghe_model::Timestamp;

use super::Subject;
use crate::{Connector, Received, Rejection, WebhookRequest, signature::encode_hex};

/// A request to a channel's webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The method.
    pub method: Method,
    /// What follows the channel's id in the path.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Webhook {
    /// A POST of JSON, in ASCII.
    pub fn json(path: &str, json: &str) -> Self {
        Self {
            method: Method::POST,
            path: path.to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: ascii(json).into_bytes(),
        }
    }

    /// A POST of a form.
    pub fn form<'a>(path: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self {
            method: Method::POST,
            path: path.to_owned(),
            query: String::new(),
            headers: [header("content-type", FORM)].into_iter().collect(),
            body: body.into_bytes(),
        }
    }

    /// A GET with everything in its query.
    pub fn query<'a>(path: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self {
            method: Method::GET,
            path: path.to_owned(),
            query,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// The headers that make it the provider's.
    pub(super) fn signature(&self, subject: &dyn Subject) -> Vec<(&'static str, String)> {
        subject.sign_webhook(&self.method, &self.path, &self.query, &self.body)
    }

    pub(super) fn sign(&mut self, subject: &dyn Subject) {
        for (name, value) in self.signature(subject) {
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
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            received_at: at,
        })
    }
}

/// The media type of forms.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

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
