//! Requests to the Graph API.

use std::{fmt, time::Duration};

use langnghe_connector::{SendError, signature::HmacSha256Key};
use langnghe_http::{Answer, GuardedClient, HttpError, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{failure, usage::Usage};
use crate::{Config, ConfigError};

/// The longest answer that is read, in bytes; Meta's are below one kilobyte.
const ANSWER: usize = 64 * 1024;

/// The Graph API as one Page uses it.
pub(crate) struct Graph {
    client: GuardedClient,
    /// `https://graph.facebook.com/v26.0`
    base: Url,
    /// The Page in paths: its id, or `me`, which the token makes the Page.
    page: String,
    token: SecretString,
    /// Shows that whoever has the token has the app's secret too.
    proof: SecretString,
    timeout: Duration,
    usage: Usage,
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Graph").finish_non_exhaustive()
    }
}

impl Graph {
    pub(crate) fn new(
        config: &Config,
        key: &HmacSha256Key,
        client: GuardedClient,
    ) -> Result<Self, ConfigError> {
        let version = config.version.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        if version.first() != Some(&b'v') || version.len() < 2 || !version[1..].iter().all(plain) {
            return Err(ConfigError::Version);
        }
        let address = format!(
            "{}/{}/",
            config.api_base.trim_end_matches('/'),
            config.version
        );
        let base = Url::parse(&address).map_err(|_| HttpError::Url)?;
        client.check(&base)?;
        let token = config.access_token.clone();
        let proof = key.sign_hex(token.expose_secret().as_bytes()).into();
        let page = config.page_id.clone().unwrap_or_else(|| "me".to_owned());
        Ok(Self {
            client,
            base,
            page,
            token,
            proof,
            timeout: config.timeout,
            usage: Usage::new(),
        })
    }

    pub(crate) fn app_usage(&self) -> Option<u8> {
        self.usage.percent()
    }

    /// Posts to an edge of the Page.
    pub(super) async fn post(&self, edge: &str, body: &Value) -> Result<Value, SendError> {
        let url = self.url(&[&self.page, edge], &[])?;
        let request = self.client.post(url.as_str()).map_err(unsent)?;
        self.ask(request.json(body)).await
    }

    /// Gets fields of a node.
    pub(super) async fn get(&self, node: &str, fields: &str) -> Result<Value, SendError> {
        let url = self.url(&[node], &[("fields", fields)])?;
        let request = self.client.get(url.as_str()).map_err(unsent)?;
        self.ask(request).await
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, SendError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| unsent(HttpError::Url))?
            .pop_if_empty()
            .extend(path);
        url.query_pairs_mut()
            .extend_pairs(query)
            .append_pair("appsecret_proof", self.proof.expose_secret());
        Ok(url)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, SendError> {
        let request = request
            .bearer_auth(self.token.expose_secret())
            .timeout(self.timeout);
        let answer = self.client.fetch(request, ANSWER).await.map_err(unsent)?;
        self.usage.note(&answer.headers);
        read(&answer)
    }
}

fn read(answer: &Answer) -> Result<Value, SendError> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match json {
        Some(json) if answer.status.is_success() && json.get("error").is_none() => Ok(json),
        json => Err(failure::classify(
            answer.status,
            &answer.headers,
            json.as_ref(),
        )),
    }
}

/// A request that brought no whole answer. What no waiting mends is for the operator.
fn unsent(error: HttpError) -> SendError {
    match error {
        HttpError::Url | HttpError::PrivateAddress | HttpError::Client | HttpError::Request => {
            SendError::Credentials {
                code: error.to_string(),
            }
        }
        other => SendError::Transport {
            reason: other.to_string(),
        },
    }
}
