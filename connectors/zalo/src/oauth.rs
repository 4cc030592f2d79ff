//! The token endpoint (OAuth v4 for Official Accounts): its requests and its answers.

use std::time::Duration;

use langnghe_http::{Answer, GuardedClient, HttpError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use crate::lenient;

/// The longest answer that is read; Zalo's are below two kilobytes.
const ANSWER: usize = 64 * 1024;
/// How long an access token lives where the answer does not say: 25 hours.
const USUAL_LIFE: Duration = Duration::from_hours(25);
/// How long a refresh token lives where the answer does not say: 3 months, counted as 90 days.
pub(crate) const REFRESH_LIFE: Duration = Duration::from_hours(90 * 24);

/// What a pair of tokens is asked for with.
#[derive(Clone, Debug)]
pub(crate) enum Grant {
    /// The refresh token, which this uses up.
    Refresh(SecretString),
    /// The code of a consent, with what its challenge was made from.
    Code {
        code: SecretString,
        verifier: SecretString,
    },
}

/// A request to the token endpoint.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    /// The whole address.
    pub(crate) url: String,
    pub(crate) app_id: String,
    pub(crate) app_secret: SecretString,
    pub(crate) grant: Grant,
    pub(crate) timeout: Duration,
}

impl TokenRequest {
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match &self.grant {
            Grant::Refresh(token) => form
                .append_pair("refresh_token", token.expose_secret())
                .append_pair("app_id", &self.app_id)
                .append_pair("grant_type", "refresh_token"),
            Grant::Code { code, verifier } => form
                .append_pair("code", code.expose_secret())
                .append_pair("app_id", &self.app_id)
                .append_pair("grant_type", "authorization_code")
                .append_pair("code_verifier", verifier.expose_secret()),
        };
        form.finish()
    }

    /// Sends it once.
    pub(crate) async fn send(&self, client: &GuardedClient) -> Result<Answer, HttpError> {
        let request = client
            .post(&self.url)?
            .header("secret_key", self.app_secret.expose_secret())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.form())
            .timeout(self.timeout);
        client.fetch(request, ANSWER).await
    }
}

/// Where the token endpoint lies under a base.
pub(crate) fn token_url(oauth_base: &str) -> String {
    format!("{}/v4/oa/access_token", oauth_base.trim_end_matches('/'))
}

/// What the token endpoint answered.
#[derive(Clone, Debug)]
pub(crate) enum TokenAnswer {
    /// A new pair.
    Pair(NewPair),
    /// No: Zalo's code and its name of it.
    Refused { code: i64, name: String },
    /// Nothing that Zalo's endpoint would say.
    Unreadable,
}

/// A new pair of tokens.
#[derive(Clone, Debug)]
pub(crate) struct NewPair {
    pub(crate) access: SecretString,
    pub(crate) refresh: SecretString,
    pub(crate) access_life: Duration,
    pub(crate) refresh_life: Duration,
}

/// Reads an answer: errors come as HTTP 200 without an `access_token`.
pub(crate) fn read(body: &[u8]) -> TokenAnswer {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return TokenAnswer::Unreadable;
    };
    let token = |name: &str| json.get(name).and_then(lenient::text);
    let life = |name: &str| {
        let seconds = json.get(name).and_then(lenient::natural);
        seconds
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs)
    };
    if let (Some(access), Some(refresh)) = (token("access_token"), token("refresh_token")) {
        return TokenAnswer::Pair(NewPair {
            access: access.into(),
            refresh: refresh.into(),
            access_life: life("expires_in").unwrap_or(USUAL_LIFE),
            refresh_life: life("refresh_token_expires_in").unwrap_or(REFRESH_LIFE),
        });
    }
    match json.get("error").and_then(lenient::integer) {
        Some(code) if code != 0 => TokenAnswer::Refused {
            code,
            // A fixed phrase of Zalo's; whatever else comes is not worth a log line.
            name: token("error_name")
                .map(|name| {
                    name.chars()
                        .filter(|letter| !letter.is_control())
                        .take(60)
                        .collect()
                })
                .unwrap_or_default(),
        },
        _ => TokenAnswer::Unreadable,
    }
}

/// Whether a refusal means that the refresh token is used up, ended or taken back: nothing but a new
/// consent helps.
pub(crate) fn is_lost(code: i64) -> bool {
    matches!(code, -14014 | -14020 | -118)
}
