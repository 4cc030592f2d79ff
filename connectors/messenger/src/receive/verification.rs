//! The GET request with which Meta makes sure that the address is ours.

use std::borrow::Cow;

use bytes::Bytes;
use langnghe_connector::{Answer, Received, Rejection, signature::equal_in_constant_time};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// The longest challenge that is repeated; Meta's are numbers of about ten digits.
const CHALLENGE: usize = 128;

/// Answers with the challenge when mode and token are right.
pub(super) fn answer(token: &SecretString, query: &str) -> Result<Received, Rejection> {
    let value = |name: &str| -> Option<Cow<'_, str>> {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let given = value("hub.verify_token").unwrap_or_default();
    let token_is_right = equal_in_constant_time(&given, token.expose_secret());
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
