//! Deliveries to an endpoint on loopback: what is sent, and what each answer means.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use langnghe_desk::{
    Backend, DeliveryError, Handover, MediaAtDelivery, Receipt, WebhookBackend, WebhookError,
    WebhookSettings, ticket,
};
use langnghe_http::HttpError;
use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, TicketId, Timestamp,
    ticket::{Answer, TicketDraft},
};
use langnghe_store::{Delivery, LeaseToken};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_SECRET: &str = "whsec_bmV4dCBzZWNyZXQsIG5leHQgc2VjcmV0LCBuZXh0";

/// What the endpoint answers, and what it got.
#[derive(Clone)]
struct Endpoint {
    answer: Arc<dyn Fn() -> Response<Body> + Send + Sync>,
    requests: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Endpoint {
    async fn start(answer: impl Fn() -> Response<Body> + Send + Sync + 'static) -> (Self, String) {
        let endpoint = Self {
            answer: Arc::new(answer),
            requests: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let handler = async |State(endpoint): State<Self>, headers: HeaderMap, body: Bytes| {
            endpoint
                .requests
                .lock()
                .expect("a lock")
                .push((headers, body));
            (endpoint.answer)()
        };
        let router = Router::new()
            .route("/t", post(handler))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (endpoint, format!("http://{address}/t?key=address-secret"))
    }

    fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.requests.lock().expect("a lock").clone()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a response")
}

fn settings(url: &str) -> WebhookSettings {
    WebhookSettings {
        id: BackendId::new("ioc").expect("an id"),
        url: url.to_owned().into(),
        secrets: vec![SECRET.to_owned().into()],
        timeout: Duration::from_secs(20),
        allow_private: true,
    }
}

/// The same for a server that does not answer.
fn impatient(url: &str) -> WebhookSettings {
    WebhookSettings {
        timeout: Duration::from_millis(700),
        ..settings(url)
    }
}

/// The reference library reads the clock itself, so the time has to be the real one.
fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the reference library reads the clock too"
    )]
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::default() + since_epoch.expect("after 1970")
}

fn delivery() -> Delivery {
    let answer = |question: &str, personal| Answer {
        question: question.to_owned(),
        label: "Mô tả".to_owned(),
        value: json!("ổ gà"),
        text: "ổ gà".to_owned(),
        personal,
        media: Vec::new(),
    };
    let draft = TicketDraft {
        code: "22222-22222".to_owned(),
        flow: "hien-truong".to_owned(),
        version: 4,
        title: "Phản ánh hiện trường".to_owned(),
        backend: None,
        service: Some("giao-thong".to_owned()),
        urgent: true,
        language: "vi".to_owned(),
        answers: vec![answer("ten", true), answer("mo-ta", false)],
    };
    let channel = ChannelId::new("page").expect("an id");
    let conversation = ConversationId::new(channel, CitizenId::new("24601"));
    let stored = ticket::compose(
        &draft,
        TicketId::new("t-1"),
        &conversation,
        Timestamp::from_seconds(0),
    );
    Delivery {
        ticket: stored.id,
        token: LeaseToken(1),
        code: stored.code,
        body: stored.body,
        personal: stored.personal,
        attempts: 0,
        created_at: stored.created_at,
    }
}

async fn deliver(settings: WebhookSettings, delivery: &Delivery) -> Result<Receipt, DeliveryError> {
    let backend = WebhookBackend::new(settings).expect("a backend");
    backend
        .deliver(Handover {
            delivery,
            media: &MediaAtDelivery::new(),
            now: now(),
        })
        .await
}

#[tokio::test]
async fn a_ticket_arrives_signed_whole_and_under_one_id() {
    let (endpoint, url) =
        Endpoint::start(|| answer(200, &[], r#"{"reference":" 2026-0117 "}"#)).await;
    let delivery = delivery();
    let rotating = WebhookSettings {
        secrets: vec![NEXT_SECRET.to_owned().into(), SECRET.to_owned().into()],
        ..settings(&url)
    };
    for settings in [settings(&url), rotating] {
        let receipt = deliver(settings, &delivery).await;
        assert_eq!(
            receipt,
            Ok(Receipt {
                reference: Some("2026-0117".to_owned())
            })
        );
    }
    for (headers, body) in endpoint.requests() {
        let reference_library = Webhook::new(SECRET).expect("a secret");
        reference_library
            .verify(&body, &headers)
            .expect("a good signature");
        assert!(
            reference_library
                .verify(&[&body[..], b" "].concat(), &headers)
                .is_err()
        );
        assert_eq!(headers["webhook-id"], "t-1");
        assert_eq!(headers["content-type"], "application/json");
        let event: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(event["type"], "ticket.created");
        assert_eq!(event["timestamp"], "1970-01-01T00:00:00.000Z");
        assert_eq!(event["data"]["id"], "t-1");
        assert_eq!(event["data"]["answers"][0]["question"], "ten");
        assert_eq!(event["data"]["answers"][1]["question"], "mo-ta");
        assert_eq!(event["data"]["withheld"], json!([]));
        assert!(
            !String::from_utf8_lossy(&body).contains("24601"),
            "the citizen's id stays here"
        );
    }
    assert_eq!(endpoint.requests().len(), 2);
}

#[tokio::test]
async fn after_erasure_what_is_left_is_delivered() {
    let (endpoint, url) = Endpoint::start(|| answer(204, &[], "")).await;
    let erased = Delivery {
        personal: None,
        ..delivery()
    };
    assert_eq!(
        deliver(settings(&url), &erased).await,
        Ok(Receipt::default())
    );
    let event: Value = serde_json::from_slice(&endpoint.requests()[0].1).expect("JSON");
    assert_eq!(event["data"]["withheld"], json!(["ten"]));
    assert_eq!(event["data"]["conversation"], Value::Null);
}

#[tokio::test]
async fn the_status_decides_and_the_hint_is_kept() {
    let retry = |after: Option<u64>, reason: &str| {
        let after = after.map(Duration::from_secs);
        Err(DeliveryError::Retry {
            after,
            reason: reason.to_owned(),
        })
    };
    for (status, headers, expected) in [
        (200, &[][..], Ok(Receipt::default())),
        (299, &[], Ok(Receipt::default())),
        (
            302,
            &[("location", "http://127.0.0.1:9/")],
            retry(None, "status 302"),
        ),
        (400, &[], retry(None, "status 400")),
        (401, &[], retry(None, "status 401")),
        (404, &[], retry(None, "status 404")),
        (408, &[], retry(None, "status 408")),
        (
            410,
            &[],
            Err(DeliveryError::Disabled {
                reason: "status 410".to_owned(),
            }),
        ),
        (425, &[], retry(None, "status 425")),
        (
            429,
            &[("retry-after", "120")],
            retry(Some(120), "status 429"),
        ),
        (500, &[], retry(None, "status 500")),
        (503, &[("retry-after", "7")], retry(Some(7), "status 503")),
        (
            503,
            &[("retry-after", "Fri, 01 Jan 1999 00:00:00 GMT")],
            retry(Some(0), "status 503"),
        ),
        (503, &[("retry-after", "soon")], retry(None, "status 503")),
    ] {
        let (_, url) = Endpoint::start(move || answer(status, headers, "")).await;
        assert_eq!(
            deliver(settings(&url), &delivery()).await,
            expected,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_strange_answer_to_a_delivered_ticket_changes_nothing() {
    let long = format!(r#"{{"reference":"{}"}}"#, "x".repeat(201));
    let huge = format!(r#"{{"reference":"1","more":"{}"}}"#, "x".repeat(70_000));
    for (body, reference) in [
        (r#"{"reference":117}"#, Some("117")),
        (r#"{"reference":"a","more":[1]}"#, Some("a")),
        (r#"{"reference":""}"#, None),
        (r#"{"reference":"a\u0000b"}"#, None),
        (r#"{"reference":null}"#, None),
        (r#"["reference"]"#, None),
        ("<html>", None),
        (long.leak(), None),
        (huge.leak(), None),
    ] {
        let (_, url) = Endpoint::start(move || answer(200, &[], body)).await;
        let expected = Receipt {
            reference: reference.map(str::to_owned),
        };
        assert_eq!(deliver(settings(&url), &delivery()).await, Ok(expected));
    }
    // A body that never ends is given up after the time, and the ticket is there all the same.
    let endless = || {
        let nothing = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        answer(200, &[], Body::from_stream(nothing))
    };
    let (_, url) = Endpoint::start(endless).await;
    assert_eq!(
        deliver(impatient(&url), &delivery()).await,
        Ok(Receipt::default())
    );
}

#[tokio::test]
async fn no_answer_is_tried_again_and_nothing_secret_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let at = |address| format!("http://{address}/t?key=address-secret");
    let url = at(address);
    // Connected, since the kernel takes it, and never answered.
    let silent = deliver(impatient(&url), &delivery())
        .await
        .expect_err("no answer");
    assert_eq!(
        silent,
        DeliveryError::Retry {
            after: None,
            reason: "time-out".to_owned()
        }
    );
    // Ours, and nobody listens there.
    let closed = tokio::net::TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    closed.bind(any).expect("a port");
    let refused = at(closed.local_addr().expect("an address"));
    let refused = deliver(settings(&refused), &delivery())
        .await
        .expect_err("nobody there");
    assert_eq!(
        refused,
        DeliveryError::Retry {
            after: None,
            reason: "no connection".to_owned()
        }
    );

    let settings = settings(&url);
    let backend = WebhookBackend::new(settings.clone()).expect("a backend");
    let printed = format!("{settings:?} {backend:?} {silent:?} {refused}");
    for secret in ["address-secret", &address.to_string(), "MfKQ9r8"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[tokio::test]
async fn what_cannot_be_configured_is_said_at_once() {
    let made = |settings| {
        WebhookBackend::new(settings)
            .map(|_| ())
            .expect_err("refused")
    };
    let private = WebhookSettings {
        allow_private: false,
        ..settings("http://10.0.0.1/t")
    };
    assert_eq!(made(private), WebhookError::Http(HttpError::PrivateAddress));
    assert_eq!(made(settings("agency")), WebhookError::Http(HttpError::Url));
    assert_eq!(
        made(WebhookSettings {
            secrets: Vec::new(),
            ..settings("http://a.vn/")
        }),
        WebhookError::NoSecret
    );
    let short = WebhookSettings {
        secrets: vec!["whsec_YQ==".to_owned().into()],
        ..settings("http://a.vn/")
    };
    assert!(matches!(made(short), WebhookError::Secret(_)));

    // A name that leads into a private network is found out at the attempt, and no connection made.
    let (endpoint, url) = Endpoint::start(|| answer(200, &[], "")).await;
    let named = WebhookSettings {
        allow_private: false,
        ..settings(&url.replace("127.0.0.1", "localhost"))
    };
    let error = deliver(named, &delivery()).await.expect_err("refused");
    assert!(
        matches!(&error, DeliveryError::Retry { reason, .. } if reason.contains("allow_private"))
    );
    assert!(endpoint.requests().is_empty());
}

#[tokio::test]
async fn a_ticket_that_cannot_be_read_is_no_case_for_another_try() {
    let (endpoint, url) = Endpoint::start(|| answer(200, &[], "")).await;
    for broken in [
        Delivery {
            body: b"{".to_vec(),
            ..delivery()
        },
        Delivery {
            personal: Some(b"x".to_vec()),
            ..delivery()
        },
        Delivery {
            ticket: TicketId::new("t-2"),
            ..delivery()
        },
    ] {
        let error = deliver(settings(&url), &broken).await.expect_err("broken");
        assert!(matches!(error, DeliveryError::Rejected { .. }), "{error:?}");
    }
    assert!(endpoint.requests().is_empty());
}
