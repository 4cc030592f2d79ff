//! The client.

use std::{fmt, net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use url::{Host, Url};

use crate::{
    HttpError, install_crypto_provider, is_public, permission, read_bounded,
    resolver::PublicResolver,
};

/// What can be set about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The longest from the request to the last byte of the answer's body.
    pub timeout: Duration,
    /// The longest for name look-up, connection and TLS together.
    pub connect_timeout: Duration,
    /// Whether addresses in private networks, and this machine, may be reached.
    pub allow_private: bool,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            allow_private: false,
            user_agent: concat!("langnghe/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// An HTTP client that cannot be led astray. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct GuardedClient {
    client: reqwest::Client,
    allow_private: bool,
}

impl fmt::Debug for GuardedClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("GuardedClient");
        structure
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

/// An answer, read whole.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, within the bound that was asked for.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Answer({}, {} bytes)",
            self.status.as_u16(),
            self.body.len()
        )
    }
}

impl GuardedClient {
    /// Makes a client. Chooses the cryptography under TLS, if that was not done yet.
    ///
    /// # Errors
    /// [`HttpError::Client`], for example when the user agent is no header value.
    pub fn new(settings: &ClientSettings) -> Result<Self, HttpError> {
        install_crypto_provider();
        let client = builder(settings).build().or_else(|_| {
            // A machine without certificates can still speak plain HTTP to a service beside it.
            let client = builder(settings).tls_certs_only([]).build();
            client.map_err(|_| HttpError::Client).inspect(|_| {
                tracing::warn!("no CA certificates on this machine: https requests will fail");
            })
        })?;
        Ok(Self {
            client,
            allow_private: settings.allow_private,
        })
    }

    /// Begins a GET request.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn get(&self, url: &str) -> Result<RequestBuilder, HttpError> {
        self.request(Method::GET, url)
    }

    /// Begins a POST request.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn post(&self, url: &str) -> Result<RequestBuilder, HttpError> {
        self.request(Method::POST, url)
    }

    /// Begins a request: add headers and a body, then give it to [`Self::fetch`] or [`Self::send`].
    ///
    /// # Errors
    /// [`HttpError::Url`] and [`HttpError::PrivateAddress`].
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, HttpError> {
        let url = Url::parse(url).map_err(|_| HttpError::Url)?;
        self.check(&url)?;
        Ok(self.client.request(method, url))
    }

    /// Whether addresses in private networks may be reached.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Whether the client would go to this address, as far as can be said without a look-up: for
    /// checking a configuration. Names are judged by what they lead to, when they are connected to.
    ///
    /// # Errors
    /// [`HttpError::Url`] and [`HttpError::PrivateAddress`].
    pub fn check(&self, url: &Url) -> Result<(), HttpError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::Url);
        }
        // The URL parser has turned every spelling of an IPv4 address (0x7f.1, 2130706433, full
        // width, percent-encoded) into this form.
        let literal = match url.host() {
            None => return Err(HttpError::Url),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        if self.allow_private || is_public(literal) {
            Ok(())
        } else {
            Err(HttpError::PrivateAddress)
        }
    }

    /// Sends a request that this client began, up to the answer's headers. Inside
    /// [`with_permission`](crate::with_permission) it leaves only while that holds.
    ///
    /// # Errors
    /// [`HttpError`]; an answer with any status is no error.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, HttpError> {
        let (client, request) = request.build_split();
        let mut request = request?;
        permission::guard(&mut request);
        Ok(client.execute(request).await?)
    }

    /// Sends a request that this client began, and reads its answer of at most `limit` bytes.
    ///
    /// # Errors
    /// [`HttpError`]; an answer with any status is no error.
    pub async fn fetch(&self, request: RequestBuilder, limit: usize) -> Result<Answer, HttpError> {
        let mut response = self.send(request).await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = read_bounded(response, limit).await?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

fn builder(settings: &ClientSettings) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the guarded client")]
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .timeout(settings.timeout)
        .connect_timeout(settings.connect_timeout)
        // Over HTTP/2 a body waits in a queue of the connection after it was asked for, so that a
        // permission (see `permission.rs`) would be asked too early.
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // A proxy would look names up itself, behind the guard's back.
        .no_proxy()
        .pool_max_idle_per_host(32)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_nodelay(true);
    if settings.allow_private {
        builder
    } else {
        builder.dns_resolver(PublicResolver)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, Ipv6Addr},
        sync::OnceLock,
    };

    use proptest::prelude::*;

    use super::*;

    /// One part of an IPv4 address in one of the ways that C libraries and browsers read.
    fn spelled(number: u32, way: u8) -> String {
        match way % 4 {
            0 => format!("{number}"),
            1 => format!("0x{number:x}"),
            2 => format!("0X{number:06X}"),
            _ => format!("0{number:o}"),
        }
    }

    /// All ways to write an address in one to four parts, the last of which takes what is left.
    fn spellings(address: Ipv4Addr, way: u8) -> Vec<String> {
        let [a, b, c, d] = address.octets().map(u32::from);
        let write = |parts: &[u32]| {
            let parts: Vec<String> = parts
                .iter()
                .zip(0_u8..)
                .map(|(part, place)| spelled(*part, way >> place))
                .collect();
            parts.join(".")
        };
        vec![
            write(&[address.to_bits()]),
            write(&[a, b << 16 | c << 8 | d]),
            write(&[a, b, c << 8 | d]),
            write(&[a, b, c, d]),
            format!("[{}]", address.to_ipv6_mapped()),
            format!("[64:ff9b::{address}]"),
        ]
    }

    proptest! {
        /// However an address is spelled, it is judged by what it is.
        #[test]
        fn no_spelling_of_an_inner_address_passes(
            bits: u32,
            inner in prop::sample::select(vec![
                0x7f00_0001_u32, 0x0a00_0001, 0xa9fe_a9fe, 0xc0a8_0101, 0x6440_0001, 0, u32::MAX,
            ]),
            way: u8,
            wide: u128,
        ) {
            let guarded = guarded();
            for address in [Ipv4Addr::from_bits(bits), Ipv4Addr::from_bits(inner)] {
                for host in spellings(address, way) {
                    let url = Url::parse(&format!("http://u:p@{host}:81/a?b")).expect("a URL");
                    let mapped = host.starts_with("[::ffff");
                    let public = is_public(address.into()) && !mapped;
                    prop_assert_eq!(guarded.check(&url).is_ok(), public, "{}", host);
                }
            }
            let six = Ipv6Addr::from_bits(wide);
            let url = Url::parse(&format!("https://[{six}]/")).expect("a URL");
            prop_assert_eq!(guarded.check(&url).is_ok(), is_public(six.into()), "{}", six);
        }

        /// No text makes it panic, and what it takes is http or https.
        #[test]
        fn any_text_is_taken_or_refused(text in "(https?:/?/?|ftp://|)\\PC{0,30}") {
            let guarded = guarded();
            if guarded.get(&text).is_ok() {
                let url = Url::parse(&text).expect("a URL");
                prop_assert!(["http", "https"].contains(&url.scheme()));
            }
        }
    }

    /// One for all cases: making a client reads the machine's certificates.
    fn guarded() -> &'static GuardedClient {
        static CLIENT: OnceLock<GuardedClient> = OnceLock::new();
        CLIENT.get_or_init(|| GuardedClient::new(&ClientSettings::default()).expect("a client"))
    }
}
