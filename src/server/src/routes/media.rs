//! `/media/…`: media that citizens sent, for whoever has a signed link to them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use langnghe_model::event::MediaKind;

use crate::{
    clock,
    media::{About, LinkRefused, Name, State as MediaState, check_link},
    routes::{Shared, busy},
};

/// When to come back for a medium that is still being fetched.
const COME_BACK: &str = "10";

/// Serves one medium; nothing in it can run in a browser.
///
/// | answer | what it means |
/// | --- | --- |
/// | 200 | the medium |
/// | 403 | not a link that we made |
/// | 404 | an upload of an older version that is not here any more |
/// | 410 | the link's time is over, or the medium will not come: the body says which |
/// | 503 | it is still being fetched, or the place of media does not answer: come back later |
pub(crate) async fn file(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(name) = Name::parse(&name) else {
        return older(&shared, &name).await;
    };
    let Ok(keys) = shared.media.keys().await else {
        return busy(&shared.settings);
    };
    match check_link(keys, &name, &query.unwrap_or_default(), clock::now()) {
        Ok(()) => {}
        Err(LinkRefused::Wrong) => return StatusCode::FORBIDDEN.into_response(),
        Err(LinkRefused::Expired) => return gone("expired"),
    }
    match shared.media.state(&name).await {
        Ok(MediaState::Known(about @ About::Available { .. })) => {
            medium(&shared, &name, about).await
        }
        Ok(MediaState::Known(About::Unavailable { reason })) => gone(reason.word()),
        Ok(MediaState::Fetching) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, COME_BACK)],
            axum::Json(serde_json::json!({ "state": "fetching" })),
        )
            .into_response(),
        Err(error) => {
            tracing::warn!(%error, "a medium cannot be served just now");
            busy(&shared.settings)
        }
    }
}

fn gone(reason: &str) -> Response {
    let body = serde_json::json!({ "state": "unavailable", "reason": reason });
    (StatusCode::GONE, axum::Json(body)).into_response()
}

async fn medium(shared: &Shared, name: &Name, about: About) -> Response {
    let About::Available {
        kind,
        content_type,
        extension,
        ..
    } = about
    else {
        return gone("removed");
    };
    let found = match shared.media.bytes(name).await {
        Ok(Some(found)) => found,
        Ok(None) => return gone("removed"),
        Err(error) => {
            tracing::warn!(%error, "a medium cannot be served just now");
            return busy(&shared.settings);
        }
    };
    let size = found.meta.size;
    let body = Body::from_stream(found.into_stream());
    let mut headers = headers(&content_type, kind, &extension);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    (headers, body).into_response()
}

/// An upload of a version before names, whose link is its name.
async fn older(shared: &Shared, file: &str) -> Response {
    match shared.media.older_upload(file).await {
        Ok(Some((bytes, sniffed))) => {
            let headers = headers(sniffed.content_type, sniffed.kind, sniffed.extension);
            (headers, bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(%error, "an upload cannot be served just now");
            busy(&shared.settings)
        }
    }
}

fn headers(content_type: &str, kind: MediaKind, extension: &str) -> HeaderMap {
    let shown = if kind == MediaKind::File {
        "attachment"
    } else {
        "inline"
    };
    let disposition = format!("{shown}; filename=\"{}.{extension}\"", kind.name());
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, content_type);
    set(header::CONTENT_DISPOSITION, &disposition);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    );
    set(header::CACHE_CONTROL, "private, max-age=86400");
    set(header::REFERRER_POLICY, "no-referrer");
    headers
}
