//! A bucket of an S3-compatible service, spoken to through the program's own guarded HTTP client: its
//! time-outs, its one TLS, and its guard against private addresses.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use langnghe_http::{ClientSettings, GuardedClient};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
    prefix::PrefixStore,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::place::PlaceRefused;

/// The longest that one request may take, its bodies included.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// The longest that a request is repeated for; whoever asked tries again later.
const RETRY_TIME: Duration = Duration::from_secs(20);
const RETRIES: usize = 3;

/// A bucket, and how to speak to it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// What the names of our objects begin with; empty for nothing.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The service's address; `None` for Amazon's. The bucket follows in the path.
    pub endpoint: Option<String>,
    /// The id of the key.
    pub access_key: SecretString,
    /// The key.
    pub secret_key: SecretString,
    /// Whether the service may lie in a private network.
    pub allow_private: bool,
}

/// Makes the bucket. Does no I/O.
///
/// # Errors
/// [`PlaceRefused::Bucket`].
pub(super) fn open(settings: &S3Settings) -> Result<Arc<dyn ObjectStore>, PlaceRefused> {
    let client = GuardedClient::new(&ClientSettings {
        timeout: REQUEST_TIME,
        allow_private: settings.allow_private,
        ..ClientSettings::default()
    });
    let client = client.map_err(|error| PlaceRefused::Bucket(error.to_string()))?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        .with_access_key_id(settings.access_key.expose_secret())
        .with_secret_access_key(settings.secret_key.expose_secret())
        // The bucket in the path, and one object removed by one request: every service can do that.
        .with_virtual_hosted_style_request(false)
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES,
            retry_timeout: RETRY_TIME,
        })
        .with_http_connector(Guarded(client));
    if let Some(endpoint) = &settings.endpoint {
        builder = builder
            .with_allow_http(endpoint.starts_with("http:"))
            .with_endpoint(endpoint.trim_end_matches('/'));
    }
    // The library's own words may quote a key.
    let bucket = builder.build().map_err(|_| {
        PlaceRefused::Bucket("its name, region, endpoint or keys cannot be used".to_owned())
    })?;
    if settings.prefix.is_empty() {
        return Ok(Arc::new(bucket));
    }
    Ok(Arc::new(PrefixStore::new(bucket, settings.prefix.as_str())))
}

/// The guarded client as the library takes it.
#[derive(Debug)]
struct Guarded(GuardedClient);

impl HttpConnector for Guarded {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Self(self.0.clone())))
    }
}

#[async_trait]
impl HttpService for Guarded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = self.0.request(parts.method, &parts.uri.to_string());
        let request = request.map_err(failed)?.headers(parts.headers).body(body);
        let answer = self.0.send(request).await.map_err(failed)?;
        let (parts, body) = http::Response::<_>::from(answer).into_parts();
        let body = body.map_err(|error| failed(error.into()));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

fn failed(error: langnghe_http::HttpError) -> HttpError {
    use langnghe_http::HttpError as Failure;
    let kind = match error {
        Failure::Connect | Failure::Name | Failure::Tls => HttpErrorKind::Connect,
        Failure::Timeout => HttpErrorKind::Timeout,
        Failure::Lost => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
