//! Requests to the Graph API.

use std::{fmt, time::Duration};

use http::Method;
use langnghe_connector::{Hint, signature::HmacSha256Key};
use langnghe_http::{Answer, GuardedClient, HttpError, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::{App, AppError, Failure, Refusal, usage::Usage};

/// The longest answer that is read, in bytes; Meta's are below one kilobyte.
const ANSWER: usize = 64 * 1024;

/// The Graph API as one account uses it.
pub struct GraphClient {
    pub(crate) client: GuardedClient,
    /// `https://graph.facebook.com/v26.0`
    pub(crate) base: Url,
    token: SecretString,
    /// Shows that whoever has the token has the app's secret too.
    proof: SecretString,
    timeout: Duration,
    usage: Usage,
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GraphClient")
            .finish_non_exhaustive()
    }
}

impl GraphClient {
    /// Takes an app, and the client to send with.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn new(app: &App, client: GuardedClient) -> Result<Self, AppError> {
        app.check()?;
        let address = format!("{}/{}/", app.api_base.trim_end_matches('/'), app.version);
        let base = Url::parse(&address).map_err(|_| HttpError::Url)?;
        client.check(&base)?;
        let secret = app.secrets.first().ok_or(AppError::Empty("app_secret"))?;
        let key = HmacSha256Key::new(secret.expose_secret().as_bytes());
        let token = app.access_token.clone();
        let proof = key.sign_hex(token.expose_secret().as_bytes()).into();
        Ok(Self {
            client,
            base,
            token,
            proof,
            timeout: app.timeout,
            usage: Usage::new(),
        })
    }

    /// What Meta told of our allowance since the last call (`X-App-Usage`,
    /// `X-Business-Use-Case-Usage`).
    pub fn hints(&self) -> Vec<Hint> {
        self.usage.take()
    }

    /// Posts JSON below the version.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path, &[])?;
        self.ask(request.json(body)).await
    }

    /// Posts parameters only, as the edges for subscriptions want it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn post_query(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path, query)?;
        self.ask(request).await
    }

    /// Gets what lies below the version.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        let request = self.request(Method::GET, path, query)?;
        self.ask(request).await
    }

    /// Adds the token; for Meta's own hosts only.
    pub(crate) fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Unsent(HttpError::Url))?
            .pop_if_empty()
            .extend(path);
        url.query_pairs_mut()
            .extend_pairs(query)
            .append_pair("appsecret_proof", self.proof.expose_secret());
        self.client
            .request(method, url.as_str())
            .map_err(Failure::Unsent)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let request = self.with_token(request).timeout(self.timeout);
        let answer = self
            .client
            .fetch(request, ANSWER)
            .await
            .map_err(Failure::Unsent)?;
        self.usage.note(&answer.headers);
        read(&answer)
    }
}

fn read(answer: &Answer) -> Result<Value, Failure> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match json {
        Some(json) if answer.status.is_success() && json.get("error").is_none() => Ok(json),
        json => Err(Failure::Refused(Refusal::read(
            answer.status,
            &answer.headers,
            json.as_ref(),
        ))),
    }
}
