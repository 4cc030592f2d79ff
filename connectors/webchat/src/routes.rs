//! The channel's own routes, what they share, and who may call them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use langnghe_connector::Host;
use langnghe_model::CitizenId;
use tokio::sync::Semaphore;

use crate::{
    Config,
    frame::{FRAME_BYTES, Reason, ToPage},
    hub::{Connection, Hub},
    page::{self, Page},
    poll,
    presence::Acknowledged,
    relay::Relay,
    socket, upload, visitor,
};

/// Room for the parts of a form beside its file.
const FORM_BYTES: usize = 64 * 1024;

/// What the routes of one web chat share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) relay: Option<Arc<Relay>>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) page: Page,
    /// One permit a connection.
    pub(crate) connections: Arc<Semaphore>,
    /// One permit a file that is being taken in.
    pub(crate) uploads: Semaphore,
}

impl Shared {
    /// Takes a connection in, and tells other replicas of it, whose reply may wait for it.
    pub(crate) fn connect(&self, citizen: &CitizenId, language: Option<&str>) -> Connection {
        let connection = self.hub.connect(citizen, language);
        if let Some(relay) = &self.relay
            && connection.is_news()
        {
            relay.came(citizen);
        }
        connection
    }

    /// A page has shown and kept a reply. It may have come from another replica.
    pub(crate) fn acknowledge(&self, citizen: &CitizenId, id: &str) {
        let settled = self.hub.acknowledge(citizen, id);
        if let Some(relay) = &self.relay
            && settled != Acknowledged::Here
        {
            relay.acknowledged(citizen, id);
        }
    }
}

/// Puts the routes together.
pub(crate) fn router(
    config: &Arc<Config>,
    hub: Arc<Hub>,
    relay: Option<Arc<Relay>>,
    host: Arc<dyn Host>,
) -> Router {
    let shared = Arc::new(Shared {
        page: Page::new(config),
        connections: Arc::new(Semaphore::new(config.connections)),
        uploads: Semaphore::new(config.uploads_at_once),
        config: config.clone(),
        hub,
        relay,
        host,
    });
    let spoken = Router::new()
        .route("/ws", get(socket::open))
        .route("/poll", get(poll::poll))
        .route(
            "/send",
            post(poll::send).layer(DefaultBodyLimit::max(FRAME_BYTES)),
        )
        .route(
            "/upload",
            post(upload::take).layer(DefaultBodyLimit::max(config.upload_bytes + FORM_BYTES)),
        )
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            only_our_pages,
        ));
    let read = Router::new()
        .route("/", get(page::show))
        .route("/widget.js", get(page::widget))
        .route("/assets/{hash}/{name}", get(page::asset));
    Router::new().nest(&config.path, spoken.merge(read).with_state(shared))
}

/// Lets a browser speak to us only from our own page. (A page in a portal's frame is our own, too.)
/// What is no browser sends no `Origin`, and has no visitor's secret to misuse.
async fn only_our_pages(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    if !is_own_origin(&shared.config, request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn is_own_origin(config: &Config, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if config
        .origins
        .iter()
        .any(|own| own.trim_end_matches('/').eq_ignore_ascii_case(origin))
    {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let from = origin.split_once("://").map(|(_, from)| from);
    matches!((from, host), (Some(from), Some(host)) if from.eq_ignore_ascii_case(host))
}

/// The visitor whose secret stands in `Authorization: Bearer …`.
pub(crate) fn visitor_of(shared: &Shared, headers: &HeaderMap) -> Option<CitizenId> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    visitor::citizen(&shared.config.channel, value.strip_prefix("Bearer ")?)
}

/// An answer of one frame.
pub(crate) fn answer(frame: &ToPage<'_>) -> Response {
    let status = match frame {
        ToPage::Refused { reason, .. } | ToPage::Error { reason } => match reason {
            Reason::Malformed => StatusCode::BAD_REQUEST,
            Reason::TooLong | Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::Flooded => StatusCode::TOO_MANY_REQUESTS,
            Reason::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::Visitor => StatusCode::UNAUTHORIZED,
            Reason::Unavailable | Reason::Replaced | Reason::Idle => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        },
        _ => StatusCode::OK,
    };
    let mut response = (status, Json(frame)).into_response();
    if let ToPage::Refused {
        retry_after: Some(seconds),
        ..
    } = frame
    {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

/// The answer when there is no room for another connection or file.
pub(crate) fn full() -> Response {
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
    let body = Json(ToPage::Error {
        reason: Reason::Unavailable,
    });
    (StatusCode::SERVICE_UNAVAILABLE, retry_after, body).into_response()
}

#[cfg(test)]
mod tests {
    use langnghe_model::ChannelId;

    use super::*;

    #[test]
    fn only_our_own_pages_may_speak() {
        let mut config = Config::new(ChannelId::new("web").unwrap());
        config.origins = vec!["https://gop-y.example.vn".to_owned()];
        config.allow_frames = vec!["https://portal.example.vn".to_owned()];
        let own = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            is_own_origin(&config, &headers)
        };
        assert!(own(None));
        assert!(own(Some("http://127.0.0.1:8080")));
        assert!(own(Some("https://gop-y.example.vn")));
        assert!(
            !own(Some("https://portal.example.vn")),
            "the frame's content is ours, not the portal"
        );
        assert!(!own(Some("http://127.0.0.1:8081")));
        assert!(!own(Some("null")));
        assert!(!own(Some("https://evil.example")));
    }
}
