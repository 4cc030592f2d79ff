//! Requests to a provider over HTTP, and what it means when they bring nothing.

use std::{fmt, time::Duration};

use http::{Method, StatusCode};
use langnghe_connector::{Checkup, SendError, ThrottleScope};
use langnghe_http::{Answer, GuardedClient, HttpError, RequestBuilder, retry_after};
use langnghe_model::Problem;
use url::Url;

/// The longest answer that is read, in bytes; those of providers are below some kilobytes.
const ANSWER: usize = 256 * 1024;

/// What is wrong with a provider's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Something is missing or empty. An empty secret would let anyone sign.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A secret in the path has to be long, and of characters that a path carries.
    #[error("{0}: use 16 characters or more, of letters, digits, `-` and `_`")]
    Token(&'static str),
    /// The provider's address cannot be used.
    #[error("api_base: {0}")]
    Address(#[from] HttpError),
}

/// A provider's address and the client to reach it with.
pub(crate) struct Api {
    client: GuardedClient,
    base: Url,
    timeout: Duration,
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    pub(crate) fn new(
        client: GuardedClient,
        base: &str,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let base = Url::parse(base).map_err(|_| HttpError::Url)?;
        client.check(&base)?;
        Ok(Self {
            client,
            base,
            timeout,
        })
    }

    /// The provider's address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Begins a request to a path below the provider's address, with a query.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, HttpError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| HttpError::Url)?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.client.request(method, url.as_str())
    }

    /// Begins a request to an address that need not be the provider's.
    pub(crate) fn request_to(&self, url: &Url) -> Result<RequestBuilder, HttpError> {
        self.client.get(url.as_str())
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, HttpError> {
        self.ask_for(request, ANSWER).await
    }

    /// Sends a request and reads its answer of at most `most` bytes.
    pub(crate) async fn ask_for(
        &self,
        request: RequestBuilder,
        most: usize,
    ) -> Result<Answer, HttpError> {
        self.client.fetch(request.timeout(self.timeout), most).await
    }
}

/// A form as the body of a request.
pub(crate) fn with_form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header(
            http::header::CONTENT_TYPE,
            "application/x-www-form-urlencoded",
        )
        .body(body)
}

/// Tried again.
pub(crate) fn transport(reason: impl Into<String>) -> SendError {
    SendError::Transport {
        reason: reason.into(),
    }
}

/// How long the provider asks us to wait, where it says so in seconds: no clock is read here, so a date
/// says nothing.
pub(crate) fn wait(answer: &Answer) -> Option<Duration> {
    retry_after(&answer.headers, i64::MAX).filter(|wait| !wait.is_zero())
}

/// The whole channel rests.
pub(crate) fn throttled(answer: &Answer, code: impl Into<String>) -> SendError {
    SendError::Throttled {
        after: Some(wait(answer).unwrap_or(Duration::from_mins(1))),
        scope: ThrottleScope::Channel,
        code: code.into(),
    }
}

/// What a status means where the provider's own code says nothing.
pub(crate) fn by_status(answer: &Answer) -> SendError {
    let code = format!("status {}", answer.status.as_u16());
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => throttled(answer, code),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SendError::Credentials { code },
        StatusCode::REQUEST_TIMEOUT => transport(code),
        status if status.is_client_error() => SendError::Rejected { code },
        // Success without what the provider answers, a redirect, its own failure.
        _ => transport(code),
    }
}

/// A checkup that brought no answer.
pub(crate) fn unchecked(reason: impl fmt::Display, help: &str) -> Checkup {
    let message = format!("the provider did not tell who we are: {reason}");
    Checkup {
        problems: vec![Problem::error("channel::check", message).help(help)],
        ..Checkup::default()
    }
}

/// A secret that stands in the path of webhooks.
pub(crate) fn check_token(name: &'static str, token: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if token.len() >= 16 && token.bytes().all(plain) {
        Ok(())
    } else {
        Err(ConfigError::Token(name))
    }
}
