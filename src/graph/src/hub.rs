//! Webhooks: the GET request with which Meta makes sure that the address is ours, and the signature
//! under every POST.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use langnghe_connector::{
    Answer, Received, Rejection, WebhookRequest,
    signature::{HmacSha256Key, equal_in_constant_time},
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::App;

/// The longest challenge that is repeated; Meta's are numbers of about ten digits.
const CHALLENGE: usize = 128;

/// Opens webhooks.
#[derive(Clone, Debug)]
pub struct Hub {
    keys: Vec<HmacSha256Key>,
    verify_token: SecretString,
}

/// What a webhook is.
#[derive(Debug)]
pub enum Opened {
    /// Meta asks whether the address is ours: here is the answer.
    Verification(Received),
    /// Something happened; the body is Meta's.
    Signed,
}

impl Hub {
    /// Takes an app that was checked.
    pub fn new(app: &App) -> Self {
        let keys = app
            .secrets
            .iter()
            .map(|secret| HmacSha256Key::new(secret.expose_secret().as_bytes()))
            .collect();
        Self {
            keys,
            verify_token: app.verify_token.clone(),
        }
    }

    /// Makes sure that a request is Meta's.
    ///
    /// # Errors
    /// [`Rejection`] when it is not.
    pub fn open(&self, request: &WebhookRequest<'_>) -> Result<Opened, Rejection> {
        match *request.method {
            Method::GET => self.answer(request.query).map(Opened::Verification),
            Method::POST => self.verify(request).map(|()| Opened::Signed),
            _ => Err(Rejection::Method),
        }
    }

    /// Answers with the challenge when mode and token are right.
    fn answer(&self, query: &str) -> Result<Received, Rejection> {
        let value = |name: &str| -> Option<Cow<'_, str>> {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value)
        };
        let given = value("hub.verify_token").unwrap_or_default();
        let token_is_right = equal_in_constant_time(&given, self.verify_token.expose_secret());
        let challenge = value("hub.challenge").unwrap_or_default();
        // What is repeated is never more than a word: nobody else's text comes from our address.
        let is_word = (1..=CHALLENGE).contains(&challenge.len())
            && challenge
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if token_is_right && is_word && value("hub.mode").as_deref() == Some("subscribe") {
            let body = Bytes::from(challenge.into_owned());
            Ok(Received {
                answer: Answer {
                    body,
                    ..Answer::default()
                },
                events: Vec::new(),
            })
        } else {
            Err(Rejection::Verification)
        }
    }

    /// `X-Hub-Signature-256: sha256=…` over the bytes as they came: Meta escapes non-ASCII characters,
    /// so a body that was decoded and encoded again has another signature.
    fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), Rejection> {
        let signature = request
            .headers
            .get("x-hub-signature-256")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("sha256="))
            .ok_or(Rejection::Signature)?;
        let good = self
            .keys
            .iter()
            .any(|key| key.verify_hex(request.body, signature));
        if good {
            Ok(())
        } else {
            Err(Rejection::Signature)
        }
    }
}
