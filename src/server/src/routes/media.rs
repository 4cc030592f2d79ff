//! `/media/…`: files that citizens uploaded, for whoever has their unguessable link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::routes::Shared;

/// Serves one file; nothing in it can run in a browser.
pub(crate) async fn file(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let Some((bytes, content_type)) = shared.media.read(&name).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let shown = ["image/", "video/", "audio/"]
        .iter()
        .any(|kind| content_type.starts_with(kind));
    let disposition = if shown { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
        (header::CACHE_CONTROL, "private, max-age=86400"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, bytes).into_response()
}
