//! What a client of the API meets.

use std::{collections::HashMap, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use http_body_util::BodyExt as _;
use langnghe_store::{Limits, OpenMode, SqliteStore};
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::*;
use crate::{
    Settings, flood::FloodGuard, intake::Intake, media::MediaKeeper, metrics::Metrics, routes,
    trouble::Trouble,
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The routes of a replica without channels.
async fn replica(tokens: &[&str]) -> (Router, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("langnghe.db");
    let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
    let store: Arc<dyn langnghe_store::Store> = Arc::new(store.expect("the store opens"));
    let mut settings = Settings {
        api_tokens: tokens.iter().map(|token| ApiToken::new(token)).collect(),
        ..Settings::default()
    };
    settings.media.place = crate::MediaPlace::Folder(folder.path().join("media"));
    let metrics = Arc::new(Metrics::new());
    let media = MediaKeeper::open(
        settings.media.clone(),
        Arc::clone(&store),
        metrics.media.clone(),
    );
    let shared = Shared {
        intake: Arc::new(Intake::new(
            Arc::clone(&store),
            FloodGuard::new(settings.flood),
            Duration::from_secs(1),
        )),
        unready: Trouble::default(),
        media: Arc::new(media.await.expect("a folder")),
        metrics,
        channels: HashMap::new(),
        places: Semaphore::new(9),
        store,
        settings,
    };
    (routes::router(Arc::new(shared)), folder)
}

/// Status, headers and JSON of an answer.
async fn ask(
    router: &Router,
    method: Method,
    path: &str,
    authorization: Option<&str>,
) -> (StatusCode, http::HeaderMap, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let json = serde_json::from_slice(&body).expect("every answer is JSON");
    (parts.status, parts.headers, json)
}

#[tokio::test]
async fn only_a_good_token_opens_and_every_refusal_is_json() {
    let (router, _folder) = replica(&["another-token-of-theirs", TOKEN]).await;
    let bearer = format!("Bearer {TOKEN}");
    let lower = format!("bearer {TOKEN}");
    for (path, authorization, status, code) in [
        ("/api/v1/channels", Some(bearer.as_str()), 200, None),
        ("/api/v1/channels", Some(lower.as_str()), 200, None),
        ("/api/v1/channels", None, 401, Some("unauthorized")),
        (
            "/api/v1/channels",
            Some("Bearer wrong"),
            401,
            Some("unauthorized"),
        ),
        (
            "/api/v1/channels",
            Some("Basic eDp5"),
            401,
            Some("unauthorized"),
        ),
        ("/api/v1/channels", Some(TOKEN), 401, Some("unauthorized")),
        // Whoever has no token does not learn which paths there are.
        ("/api/v1/nothing", None, 401, Some("unauthorized")),
        (
            "/api/v1/nothing",
            Some(bearer.as_str()),
            404,
            Some("not_found"),
        ),
        ("/api/v1/ticket.schema.json", None, 200, None),
        ("/api/openapi.json", None, 200, None),
    ] {
        let (answered, headers, json) = ask(&router, Method::GET, path, authorization).await;
        assert_eq!(answered.as_u16(), status, "{path} {authorization:?}");
        assert_eq!(json.get("code").and_then(Value::as_str), code, "{json}");
        assert_eq!(
            headers.contains_key(header::WWW_AUTHENTICATE),
            status == 401
        );
        assert!(!json.to_string().contains(TOKEN));
    }
    let (status, _, json) = ask(&router, Method::POST, "/api/v1/channels", Some(&bearer)).await;
    assert_eq!(status, 405, "{json}");
}

#[tokio::test]
async fn without_a_token_in_the_configuration_the_api_is_off() {
    let (router, _folder) = replica(&[]).await;
    for authorization in [None, Some("Bearer "), Some("Bearer x")] {
        let answer = ask(&router, Method::GET, "/api/v1/channels", authorization).await;
        assert_eq!(answer.0, 403);
        assert_eq!(answer.2["code"], "api_disabled");
    }
}

#[tokio::test]
async fn the_document_is_whole_and_has_the_methods_that_the_routes_have() {
    let (router, _folder) = replica(&[TOKEN]).await;
    let (_, _, document) = ask(&router, Method::GET, "/api/openapi.json", None).await;
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 1 + endpoints().len());
    let mut ids = Vec::new();
    for (path, item) in paths {
        for method in ["get", "post", "put", "delete", "patch"] {
            let asked = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let bearer = format!("Bearer {TOKEN}");
            let concrete = path.replace(['{', '}'], "");
            let response = router.clone().oneshot(
                Request::builder()
                    .method(asked)
                    .uri(concrete)
                    .header(header::AUTHORIZATION, bearer)
                    .body(Body::empty())
                    .expect("a request"),
            );
            let status = response.await.expect("an answer").status();
            assert_eq!(
                item.get(method).is_some(),
                status != StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}: {status}"
            );
            if let Some(operation) = item.get(method) {
                ids.push(
                    operation["operationId"]
                        .as_str()
                        .expect("a name")
                        .to_owned(),
                );
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["responses"].is_object(), "{method} {path}");
            }
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "names of operations are unique");
}
