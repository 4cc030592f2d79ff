//! Media that lie at Meta's hosts.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header::LOCATION};
use langnghe_connector::FetchError;
use langnghe_http::HttpError;
use url::Url;

use crate::GraphClient;

/// Where Meta keeps what citizens send: these domains and all below them.
const HOSTS: [&str; 5] = [
    "facebook.com",
    "fbcdn.net",
    "fbsbx.com",
    "whatsapp.net",
    "cdninstagram.com",
];

/// How often an answer may send us elsewhere.
const REDIRECTS: usize = 3;

/// The longest that one medium may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Why a medium was not downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadError {
    /// It lies where we do not fetch from.
    Elsewhere,
    /// It is larger than we take.
    TooLarge,
    /// There was an answer without it.
    Status(StatusCode),
    /// There was no whole answer.
    Lost(HttpError),
}

impl DownloadError {
    /// As the loop that fetches understands it; `most` is the bound that it set.
    pub fn into_fetch_error(self, most: u64) -> FetchError {
        match self {
            Self::Elsewhere => FetchError::Refused {
                reason: "not at one of Meta's hosts".to_owned(),
            },
            Self::TooLarge => FetchError::TooLarge { limit: most },
            // A signed link that has run out is answered 403.
            Self::Status(status)
                if matches!(
                    status,
                    StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE
                ) =>
            {
                FetchError::Gone {
                    code: format!("status {}", status.as_u16()),
                }
            }
            Self::Status(status) => FetchError::Transient {
                reason: format!("status {}", status.as_u16()),
                after: (status == StatusCode::TOO_MANY_REQUESTS).then_some(Duration::from_mins(1)),
            },
            Self::Lost(error) => FetchError::Transient {
                reason: error.to_string(),
                after: None,
            },
        }
    }
}

impl GraphClient {
    /// Downloads up to `most` bytes from a link at one of Meta's hosts, or at the API's own address;
    /// with the token where the medium needs it. What a redirection names is judged like the link.
    ///
    /// # Errors
    /// [`DownloadError`].
    pub async fn download(
        &self,
        link: &str,
        with_token: bool,
        most: u64,
    ) -> Result<Bytes, DownloadError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut url = Url::parse(link).map_err(|_| DownloadError::Elsewhere)?;
        for _ in 0..=REDIRECTS {
            if !self.is_metas(&url) {
                return Err(DownloadError::Elsewhere);
            }
            let request = self.client.get(url.as_str());
            let mut request = request.map_err(|_| DownloadError::Elsewhere)?;
            if with_token {
                request = self.with_token(request);
            }
            let answer = self.client.fetch(request.timeout(TIMEOUT), most).await;
            let answer = answer.map_err(|error| match error {
                HttpError::TooLarge => DownloadError::TooLarge,
                other => DownloadError::Lost(other),
            })?;
            if answer.status == StatusCode::OK {
                return Ok(answer.body);
            }
            let next = answer.headers.get(LOCATION).filter(|_| {
                answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED
            });
            let Some(next) = next else {
                return Err(DownloadError::Status(answer.status));
            };
            let next = next.to_str().ok().and_then(|next| url.join(next).ok());
            url = next.ok_or(DownloadError::Elsewhere)?;
        }
        Err(DownloadError::Elsewhere)
    }

    fn is_metas(&self, url: &Url) -> bool {
        if url.origin() == self.base.origin() {
            return true;
        }
        let host = url.host_str().unwrap_or_default();
        let known = |domain: &str| {
            host.strip_suffix(domain)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        url.scheme() == "https" && url.port().is_none() && HOSTS.iter().any(|host| known(host))
    }
}

#[cfg(test)]
mod tests {
    use langnghe_http::{ClientSettings, GuardedClient};

    use super::*;
    use crate::App;

    #[test]
    fn only_metas_hosts_are_fetched_from() {
        let client = GuardedClient::new(&ClientSettings::default()).expect("a client");
        let app = App::new("s".into(), "v".into(), "t".into());
        let graph = GraphClient::new(&app, client).expect("a good app");
        let metas = |url: &str| graph.is_metas(&Url::parse(url).expect("a URL"));
        for good in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
            "https://scontent.xx.fbcdn.net/v/t1.15752-9/1_n.jpg?oh=03",
            "https://graph.facebook.com/v26.0/1",
            "https://mmg.whatsapp.net/x",
        ] {
            assert!(metas(good), "{good}");
        }
        for bad in [
            "http://scontent.xx.fbcdn.net/x",
            "https://fbcdn.net.example/x",
            "https://evilfbcdn.net/x",
            "https://fbcdn.net:8443/x",
            "https://user@cdn.example/fbcdn.net",
            "https://127.0.0.1/x",
            "ftp://fbcdn.net/x",
        ] {
            assert!(!metas(bad), "{bad}");
        }
    }
}
