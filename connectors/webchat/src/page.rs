//! The page and what belongs to it, built into the program.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use langnghe_connector::signature::encode_hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Config, frame::TEXT_CHARACTERS, routes::Shared};

const INDEX: &str = include_str!("../page/index.html");
const WIDGET: &str = include_str!("../page/widget.js");

/// Everything that the page loads. All lie in one folder named by the hash over all of them, so
/// that modules find each other by relative names and a browser may keep them for ever.
const ASSETS: &[(&str, &str, &str)] = &[
    ("app.js", JAVASCRIPT, include_str!("../page/app.js")),
    (
        "composer.js",
        JAVASCRIPT,
        include_str!("../page/composer.js"),
    ),
    (
        "connection.js",
        JAVASCRIPT,
        include_str!("../page/connection.js"),
    ),
    ("keep.js", JAVASCRIPT, include_str!("../page/keep.js")),
    ("outbox.js", JAVASCRIPT, include_str!("../page/outbox.js")),
    (
        "recorder.js",
        JAVASCRIPT,
        include_str!("../page/recorder.js"),
    ),
    ("view.js", JAVASCRIPT, include_str!("../page/view.js")),
    ("words.js", JAVASCRIPT, include_str!("../page/words.js")),
    (
        "chat.css",
        "text/css; charset=utf-8",
        include_str!("../page/chat.css"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../page/icon.svg"),
    ),
];
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page may use of the device: the place, and the microphone for a recording.
const PERMISSIONS: &str = "geolocation=(self), microphone=(self), camera=(), payment=(), usb=()";

/// The page, prepared for one web chat.
#[derive(Debug)]
pub(crate) struct Page {
    hash: String,
    policy: HeaderValue,
}

impl Page {
    pub(crate) fn new(config: &Config) -> Self {
        let mut digest = Sha256::new();
        for (name, _, content) in ASSETS {
            digest.update(name);
            digest.update([0]);
            digest.update(content);
            digest.update([0]);
        }
        let ancestors: String = config
            .allow_frames
            .iter()
            .flat_map(|origin| [" ", origin.as_str()])
            .collect();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
             media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'self'{ancestors}"
        );
        Self {
            hash: encode_hex(&digest.finalize()[..8]),
            policy: policy
                .parse()
                .expect("the configuration's check leaves plain origins only"),
        }
    }
}

/// The page's query.
#[derive(Deserialize)]
pub(crate) struct Wish {
    lang: Option<String>,
}

/// `GET …`
pub(crate) async fn show(State(shared): State<Arc<Shared>>, Query(wish): Query<Wish>) -> Response {
    let config = &shared.config;
    let wished = wish
        .lang
        .filter(|language| config.languages.contains(language));
    let language = wished.as_ref().unwrap_or(&config.languages[0]);
    let html = INDEX
        .replace("{language}", language)
        .replace("{wished}", wished.as_deref().unwrap_or(""))
        .replace("{languages}", &config.languages.join(" "))
        .replace("{path}", &config.path)
        .replace(
            "{assets}",
            &format!("{}/assets/{}", config.path, shared.page.hash),
        )
        .replace("{upload_bytes}", &config.upload_bytes.to_string())
        .replace("{text_characters}", &TEXT_CHARACTERS.to_string())
        .replace("{title}", &escape(&config.title));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, shared.page.policy.clone()),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(PERMISSIONS),
        ),
    ];
    (headers, html).into_response()
}

/// `GET …/assets/{hash}/{name}`
pub(crate) async fn asset(
    State(shared): State<Arc<Shared>>,
    Path((hash, name)): Path<(String, String)>,
) -> Response {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    match found {
        Some((_, content_type, content)) if hash == shared.page.hash => file(
            content_type,
            content,
            "public, max-age=31536000, immutable",
            "same-origin",
        ),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET …/widget.js`, which an agency's portal loads.
pub(crate) async fn widget() -> Response {
    file(JAVASCRIPT, WIDGET, "public, max-age=300", "cross-origin")
}

fn file(
    content_type: &'static str,
    content: &'static str,
    cache: &'static str,
    resource_policy: &'static str,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            resource_policy,
        ),
    ];
    (headers, content).into_response()
}

/// For text and quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
