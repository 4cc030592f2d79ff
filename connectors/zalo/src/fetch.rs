//! Fetching what citizens sent, from Zalo's hosts only.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header::LOCATION};
use langnghe_connector::FetchError;
use langnghe_http::{GuardedClient, HttpError, retry_after};
use langnghe_model::event::Media;
use url::Url;

/// Where Zalo keeps what citizens send; hosts below these too.
const HOSTS: [&str; 3] = ["zdn.vn", "zadn.vn", "dlfl.vn"];
/// How many redirects are followed, each to an allowed host.
const REDIRECTS: usize = 3;

/// What a channel's configuration says about fetching.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// Further hosts, or whole origins, beside Zalo's own.
    pub(crate) hosts: &'a [String],
    /// The longest that one of the channel's usual requests may take.
    pub(crate) timeout: Duration,
}

/// Whether a host is one of Zalo's.
pub(crate) fn is_zalos(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    HOSTS.iter().any(|known| is_below(&host, known))
}

fn is_below(host: &str, known: &str) -> bool {
    host.strip_suffix(known)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Fetches a medium, up to `most` bytes.
pub(crate) async fn fetch(
    places: Places<'_>,
    client: &GuardedClient,
    media: &Media,
    most: u64,
) -> Result<Bytes, FetchError> {
    let mut url = Url::parse(&media.url).map_err(|_| refused("not a link"))?;
    let bound = usize::try_from(most).unwrap_or(usize::MAX);
    for _ in 0..=REDIRECTS {
        let allowed = allowed(places.hosts, url)?;
        let request = client
            .get(allowed.as_str())
            .map_err(|error| failed(error, most))?;
        let request = request.timeout(places.timeout * 3);
        let answer = client
            .fetch(request, bound)
            .await
            .map_err(|error| failed(error, most))?;
        let code = format!("status {}", answer.status.as_u16());
        match answer.status {
            StatusCode::OK => return Ok(answer.body),
            status if status.is_redirection() => {
                let target = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
                let target = target.and_then(|to| allowed.join(to).ok());
                url = target.ok_or_else(|| refused("a redirect to nowhere"))?;
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(FetchError::Transient {
                    reason: code,
                    after: retry_after(&answer.headers, 0),
                });
            }
            status if status.is_client_error() => return Err(FetchError::Gone { code }),
            _ => {
                return Err(FetchError::Transient {
                    reason: code,
                    after: None,
                });
            }
        }
    }
    Err(refused("too many redirects"))
}

/// The link as it may be fetched: `https` on Zalo's hosts and those of the configuration, or an origin that the
/// configuration names whole.
fn allowed(hosts: &[String], mut url: Url) -> Result<Url, FetchError> {
    let origin = url.origin().ascii_serialization();
    let named = |entry: &String| entry.trim_end_matches('/') == origin;
    if hosts.iter().any(named) {
        return Ok(url);
    }
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let extra =
        |entry: &String| !entry.contains("://") && is_below(&host, &entry.to_ascii_lowercase());
    if !is_zalos(&host) && !hosts.iter().any(extra) {
        return Err(refused("not a host of Zalo's"));
    }
    if url.scheme() == "http" && url.port().is_none() && url.set_scheme("https").is_err() {
        return Err(refused("not https"));
    }
    if url.scheme() != "https" || url.port().is_some() || !url.username().is_empty() {
        return Err(refused("not https"));
    }
    Ok(url)
}

fn refused(reason: &str) -> FetchError {
    FetchError::Refused {
        reason: reason.to_owned(),
    }
}

fn failed(error: HttpError, most: u64) -> FetchError {
    match error {
        HttpError::TooLarge => FetchError::TooLarge { limit: most },
        HttpError::Url | HttpError::PrivateAddress | HttpError::Request => {
            refused(&error.to_string())
        }
        other => FetchError::Transient {
            reason: other.to_string(),
            after: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zalos_hosts_and_those_of_the_configuration_are_fetched_from() {
        let hosts = ["cdn.example".to_owned(), "http://127.0.0.1:9".to_owned()];
        let allow = |url: &str| allowed(&hosts, Url::parse(url).expect("a URL"));
        for (url, fetched) in [
            (
                "http://f1.photo.talk.zdn.vn/1/a.jpg",
                "https://f1.photo.talk.zdn.vn/1/a.jpg",
            ),
            ("https://host.DLFL.vn/abc", "https://host.dlfl.vn/abc"),
            ("https://zadn.vn/a", "https://zadn.vn/a"),
            ("https://a.cdn.example/a", "https://a.cdn.example/a"),
            ("http://127.0.0.1:9/a", "http://127.0.0.1:9/a"),
        ] {
            assert_eq!(allow(url).expect(url).as_str(), fetched);
        }
        for url in [
            "https://evilzdn.vn/a",
            "https://zdn.vn.example/a",
            "https://zdn.vn:8443/a",
            "http://127.0.0.1:10/a",
            "https://user@a.cdn.example/a",
            "ftp://zdn.vn/a",
            "https://169.254.169.254/a",
        ] {
            assert!(allow(url).is_err(), "{url}");
        }
    }
}
