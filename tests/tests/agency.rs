//! The webhook backend against the agency stand-in: every conduct, and tickets against the published
//! schema.

use std::time::{Duration, SystemTime};

use langnghe_desk::{
    Backend, DeliveryError, Handover, MediaAtDelivery, Receipt, WebhookBackend, WebhookSettings,
    code, ticket,
};
use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, TicketId, Timestamp,
    event::{Media, MediaKind},
    ticket::{Answer, TicketDraft},
};
use langnghe_store::{Delivery, LeaseToken};
use langnghe_tests::{
    agency::{Agency, Conduct},
    installation::BACKEND_SECRET,
    json_schema::Schema,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in checks the time by the clock"
    )]
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::default() + since_epoch.expect("after 1970")
}

fn backend(url: &str) -> WebhookBackend {
    WebhookBackend::new(WebhookSettings {
        id: BackendId::new("ioc").expect("an id"),
        url: url.to_owned().into(),
        secrets: vec![BACKEND_SECRET.to_owned().into()],
        timeout: Duration::from_secs(3),
        allow_private: true,
    })
    .expect("a backend")
}

fn draft(random: u64, answers: Vec<Answer>) -> TicketDraft {
    TicketDraft {
        code: code::from_random(random).to_string(),
        flow: "hien-truong".to_owned(),
        version: 4,
        title: "Phản ánh hiện trường".to_owned(),
        backend: None,
        service: (random.is_multiple_of(2)).then(|| "giao-thong".to_owned()),
        urgent: random.is_multiple_of(3),
        language: "vi".to_owned(),
        answers,
    }
}

fn answers() -> Vec<Answer> {
    let media = Media {
        kind: MediaKind::Image,
        url: "https://cdn.example.vn/1.jpg".to_owned(),
        content_type: Some("image/jpeg".to_owned()),
        bytes: Some(1024),
        name: None,
    };
    let answer = |question: &str, value: Value, personal| Answer {
        question: question.to_owned(),
        label: question.to_owned(),
        text: value.to_string(),
        value,
        personal,
        media: Vec::new(),
    };
    vec![
        answer("loai", json!("giao-thong"), false),
        answer(
            "vi-tri",
            json!({"latitude": 10.03, "longitude": 105.78}),
            true,
        ),
        Answer {
            media: vec![media],
            ..answer("anh", json!([]), false)
        },
        answer("dong-y", json!(true), false),
        answer("so-luong", json!(3.5), false),
    ]
}

fn compose(id: &str, draft: &TicketDraft, created_at: Timestamp) -> Delivery {
    let channel = ChannelId::new("page").expect("an id");
    let conversation = ConversationId::new(channel, CitizenId::new("24601"));
    let new = ticket::compose(draft, TicketId::new(id), &conversation, created_at);
    Delivery {
        ticket: new.id,
        token: LeaseToken(1),
        code: new.code,
        body: new.body,
        personal: new.personal,
        attempts: 0,
        created_at,
    }
}

async fn deliver(backend: &WebhookBackend, delivery: &Delivery) -> Result<Receipt, DeliveryError> {
    backend
        .deliver(Handover {
            delivery,
            media: &MediaAtDelivery::new(),
            now: now(),
        })
        .await
}

#[tokio::test]
async fn every_conduct_of_an_agency_leads_to_the_right_decision() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let backend = backend(agency.url());
    let delivery = compose("t-1", &draft(1, answers()), now());
    let retry = |after: Option<u64>, reason: &str| {
        let after = after.map(Duration::from_secs);
        Err(DeliveryError::Retry {
            after,
            reason: reason.to_owned(),
        })
    };
    let gone = Err(DeliveryError::Disabled {
        reason: "status 410".to_owned(),
    });
    let taken = |count: u32| {
        Ok(Receipt {
            reference: Some(format!("PA-{count}")),
        })
    };
    for (conduct, expected, deliveries) in [
        (Conduct::Cut, retry(None, "connection lost"), 0),
        (Conduct::Stall, retry(None, "time-out"), 0),
        (Conduct::Fail(500), retry(None, "status 500"), 0),
        (
            Conduct::Throttle(429, "30".to_owned()),
            retry(Some(30), "status 429"),
            0,
        ),
        (Conduct::Fail(410), gone, 0),
        (Conduct::TakeAndCut, retry(None, "connection lost"), 1),
        (Conduct::TakeAndStall, retry(None, "time-out"), 2),
        (Conduct::Take, taken(1), 3),
    ] {
        agency.next([conduct.clone()]);
        assert_eq!(deliver(&backend, &delivery).await, expected, "{conduct:?}");
        let kept = agency
            .tickets()
            .get("t-1")
            .map_or(0, |kept| kept.deliveries);
        assert_eq!(kept, deliveries, "{conduct:?}");
    }
    let other = compose("t-2", &draft(2, Vec::new()), now());
    assert_eq!(deliver(&backend, &other).await, taken(2));
    assert_eq!(agency.wait_for(2, Duration::from_secs(1)).await.len(), 2);
    agency.assert_no_violations();
}

#[tokio::test]
async fn an_agency_that_went_away_takes_nothing_until_it_is_back() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let url = agency.url().to_owned();
    let address = url
        .trim_start_matches("http://")
        .trim_end_matches("/tickets")
        .to_owned();
    let backend = backend(&url);
    let delivery = compose("t-1", &draft(1, answers()), now());
    assert!(deliver(&backend, &delivery).await.is_ok());
    drop(agency);
    // Once over the connection that was kept, once over a new one.
    for _ in 0..2 {
        let error = deliver(&backend, &delivery)
            .await
            .expect_err("nobody there");
        assert!(
            matches!(error, DeliveryError::Retry { after: None, .. }),
            "{error:?}"
        );
    }
    let agency = Agency::start_at(&address, BACKEND_SECRET).await;
    assert!(deliver(&backend, &delivery).await.is_ok());
    assert_eq!(agency.tickets()["t-1"].deliveries, 1);
}

#[tokio::test]
async fn the_agency_is_strict() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let good = compose("t-1", &draft(1, answers()), now());
    let refused = |reason: &str| {
        Err(DeliveryError::Retry {
            after: None,
            reason: reason.to_owned(),
        })
    };

    let stranger = Agency::start("whsec_bmV4dCBzZWNyZXQsIG5leHQgc2VjcmV0LCBuZXh0").await;
    assert_eq!(
        deliver(&backend(stranger.url()), &good).await,
        refused("status 400")
    );
    assert_eq!(stranger.violations(), ["signature invalid"]);

    let backend = backend(agency.url());
    let late = Handover {
        delivery: &good,
        media: &MediaAtDelivery::new(),
        now: now() - Duration::from_mins(10),
    };
    assert_eq!(backend.deliver(late).await, refused("status 400"));
    let no_code = TicketDraft {
        code: "ABC".to_owned(),
        ..draft(1, answers())
    };
    assert_eq!(
        deliver(&backend, &compose("t-2", &no_code, now())).await,
        refused("status 400")
    );
    assert_eq!(
        agency.violations(),
        ["signature timestamp too old", "$.code: against `pattern`"]
    );
    assert!(agency.tickets().is_empty());

    // One code for two tickets, and one id for two tickets.
    let again = Agency::start(BACKEND_SECRET).await;
    let backend = self::backend(again.url());
    for (id, random) in [("t-1", 1), ("t-2", 1), ("t-1", 9)] {
        let delivery = compose(id, &draft(random, answers()), Timestamp::from_seconds(1));
        assert!(deliver(&backend, &delivery).await.is_ok());
    }
    assert_eq!(
        again.violations(),
        [
            "tickets t-2 and t-1 have one code",
            "a repetition has another code"
        ]
    );
}

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(langnghe_tests::program::root().join(path)).expect(path)
}

#[test]
fn the_page_for_agencies_tells_the_truth() {
    let page = read("docs/webhook.md");
    let block = page
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let event: Value = serde_json::from_str(block.expect("an example")).expect("JSON");
    let findings = Schema::new(ticket::SCHEMA).findings(&event["data"]);
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(event["timestamp"], event["data"]["created_at"]);

    let quoted = |start: &str| {
        let from = page.find(&format!("`{start}")).expect(start) + 1;
        page[from..].split('`').next().expect(start)
    };
    let header = |name: &str| {
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect(name);
        line.trim_start_matches(": ")
    };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(quoted("whsec_"), secret);
    let signature = standardwebhooks::Webhook::new(secret)
        .expect("a secret")
        .sign(
            header("webhook-id"),
            header("webhook-timestamp").parse().expect("seconds"),
            quoted("{\"type\"").as_bytes(),
        );
    assert_eq!(signature.expect("text"), quoted("v1,"));
}

#[test]
fn every_code_that_is_shown_as_an_example_is_one() {
    let form = regex::Regex::new(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b").expect("a pattern");
    for path in [
        "README.md",
        "README.vi.md",
        "docs/webhook.md",
        "src/desk/src/code.rs",
    ] {
        let text = read(path);
        let shown: Vec<_> = form.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(!shown.is_empty(), "{path}");
        for example in shown.into_iter().filter(|shown| *shown != "XXXXX-XXXXX") {
            assert!(code::normalise(example).is_some(), "{path}: {example}");
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever citizens answer, what is composed is what the schema says; whole and after erasure.
    #[test]
    fn every_composed_ticket_is_as_the_schema_says(
        random: u64,
        milliseconds in 0..4_000_000_000_000_i64,
        given in prop::collection::vec((any_value(), any::<String>(), any::<bool>()), 0..6),
    ) {
        let answers = given.into_iter().enumerate().map(|(place, (value, text, personal))| Answer {
            question: format!("q{place}"),
            label: text.clone(),
            value,
            text,
            personal,
            media: Vec::new(),
        });
        let draft = draft(random, answers.collect());
        let created_at = Timestamp::from_milliseconds(milliseconds);
        let delivery = compose("0190-a_B", &draft, created_at);
        let schema = Schema::new(ticket::SCHEMA);
        for personal in [delivery.personal.as_deref(), None] {
            let merged = ticket::merge(&delivery.body, personal).expect("a ticket");
            let json = serde_json::to_value(&merged).expect("JSON");
            prop_assert_eq!(schema.findings(&json), Vec::<String>::new());
        }
    }
}
