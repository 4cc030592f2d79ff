//! Bad input of every kind gets the right answer from the right layer, and never a 500.

use langnghe_tests::{
    installation::VERIFY_TOKEN,
    meta::{self, Webhook},
    road::Road,
    wait,
};
use reqwest::StatusCode;
use serde_json::json;

/// Two questions that are strict about what answers them.
const FLOW: &str = r#"
id = "so-do"
version = 1
title = "Số đo"
language = "vi"
triggers = { phrases = ["do"] }
done = "Xong: {ten}, {do_sau}."

[[question]]
id = "ten"
kind = "text"
max = 200
ask = "Tên đường?"

[[question]]
id = "do_sau"
kind = "number"
min = 1
max = 200
ask = "Sâu bao nhiêu cm?"

[ticket]
backend = "ioc"
"#;

#[tokio::test]
async fn what_is_not_from_meta_or_not_readable_is_turned_away() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    let client = replica.client();
    let url = replica.url("/webhooks/page");
    let words = "chữ mà không ai được thấy";
    road.installation.private(words);
    let good = citizen.text(&meta::message_id(), words);

    let forged = Webhook {
        signature: format!("sha256={}", "0".repeat(64)),
        ..good.clone()
    };
    let short = Webhook {
        signature: "sha256=00".to_owned(),
        ..good.clone()
    };
    let other = Webhook::signed_with(
        "another-secret",
        &meta::envelope(&[meta::text(&citizen.id, 1, &meta::message_id(), words)]),
    );
    for webhook in [&forged, &short, &other] {
        let answer = citizen.post(webhook).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(
            answer.bytes().await.expect("a body").is_empty(),
            "nothing tells what was wrong"
        );
    }
    let unsigned = client
        .post(&url)
        .body(good.body.clone())
        .send()
        .await
        .expect("an answer");
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);

    for body in [
        "{",
        "",
        "[]",
        "{\"object\":\"page\",\"entry\":7}",
        "\u{0}\u{1}",
        "null",
    ] {
        let signed = sign(body);
        let answer = citizen.post(&signed).await.expect("an answer");
        let status = answer.status().as_u16();
        assert!(
            matches!(status, 200 | 400),
            "{body:?} was answered {status}"
        );
        assert!(!answer.text().await.expect("a body").contains(words));
    }
    assert_eq!(
        citizen.post(&sign("{")).await.expect("an answer").status(),
        StatusCode::BAD_REQUEST
    );

    let large = sign(&format!(
        "{{\"object\":\"page\",\"pad\":\"{}\"}}",
        "a".repeat(10 << 20)
    ));
    // The server answers before it has read everything, and may close: then the client sees a cut.
    if let Ok(answer) = citizen.post(&large).await {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let metrics = replica.metrics().await;
    assert!(metrics.sum("langnghe_rejected_total", &[("reason", "too_large")]) >= 1.0);
    assert!(metrics.sum("langnghe_rejected_total", &[("reason", "signature")]) >= 4.0);
    assert!(metrics.sum("langnghe_rejected_total", &[("reason", "malformed")]) >= 1.0);

    let unknown = client
        .post(replica.url("/webhooks/nobody"))
        .body("{}")
        .send()
        .await;
    assert_eq!(unknown.expect("an answer").status(), StatusCode::NOT_FOUND);
    let wrong_method = client.put(&url).body("{}").send().await.expect("an answer");
    assert_eq!(wrong_method.status(), StatusCode::METHOD_NOT_ALLOWED);

    let verification = |token: &str| {
        client.get(format!(
            "{url}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=8125"
        ))
    };
    let right = verification(VERIFY_TOKEN).send().await.expect("an answer");
    assert_eq!(
        (right.status(), right.text().await.expect("a body").as_str()),
        (StatusCode::OK, "8125")
    );
    let wrong = verification("guessed").send().await.expect("an answer");
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);

    assert!(
        road.graph.taken_for(&citizen.id).is_empty(),
        "nobody was answered"
    );
}

fn sign(body: &str) -> Webhook {
    use hmac::{Hmac, KeyInit, Mac};
    let secret = langnghe_tests::installation::APP_SECRET.as_bytes();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any key");
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", meta::hex(&mac.finalize().into_bytes()));
    Webhook {
        body: body.to_owned(),
        signature,
    }
}

#[tokio::test]
async fn an_event_of_an_unknown_kind_is_kept_and_answered_200() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    let item = meta::item(
        &citizen.id,
        1_790_000_000_000,
        "future_kind",
        json!({"a": 1}),
    );
    citizen.deliver(&meta::webhook(&[item])).await;
    wait::until("it was processed", wait::SOON, async || {
        replica
            .metrics()
            .await
            .sum("langnghe_events_processed_total", &[])
            >= 1.0
    })
    .await;
    let metrics = replica.metrics().await;
    assert!(metrics.sum("langnghe_events_received_total", &[("kind", "unknown")]) >= 1.0);
}

#[tokio::test]
async fn what_does_not_answer_a_question_is_said_so_and_asked_again() {
    let mut road = Road::new().await;
    road.installation
        .flows(&[("so-do.toml", FLOW)])
        .set("flows.start", "so-do");
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    citizen.says("đo").await;
    let mut texts = road.graph.wait_for_texts(&citizen.id, 1).await.len();

    let location = json!({"attachments": [{"type": "location",
        "payload": {"coordinates": {"lat": 10.03, "long": 105.78}}}]});
    let sticker = json!({"attachments": [{"type": "sticker",
        "payload": {"url": "https://cdn.example/s.png", "sticker_id": 369_239_263_222_822_u64}}]});

    // Where words are asked.
    citizen.sends("video", "https://cdn.example/v.mp4").await;
    texts = road
        .graph
        .wait_for_texts(&citizen.id, texts + 1)
        .await
        .len();
    citizen.sends_raw(sticker.clone()).await;
    texts = road
        .graph
        .wait_for_texts(&citizen.id, texts + 1)
        .await
        .len();
    let long = "đường rất dài ".repeat(360);
    road.installation.private(long.trim());
    citizen.says(&long[..long.floor_char_boundary(5000)]).await;
    texts = road
        .graph
        .wait_for_texts(&citizen.id, texts + 1)
        .await
        .len();
    let asked: Vec<String> = road.graph.texts_for(&citizen.id);
    assert!(
        asked.iter().all(|text| !text.contains("Sâu")),
        "one of these was taken: {asked:?}"
    );
    citizen.says("Ba Tháng Hai").await;
    texts = road
        .graph
        .wait_for_texts(&citizen.id, texts + 1)
        .await
        .len();

    // Where a number is asked.
    for words in ["🙂🙂🙂", "không biết", "0", "201", "-5"] {
        citizen.says(words).await;
        texts = road
            .graph
            .wait_for_texts(&citizen.id, texts + 1)
            .await
            .len();
    }
    for raw in [location, sticker] {
        citizen.sends_raw(raw).await;
        texts = road
            .graph
            .wait_for_texts(&citizen.id, texts + 1)
            .await
            .len();
    }
    citizen.sends("audio", "https://cdn.example/a.mp4").await;
    texts = road
        .graph
        .wait_for_texts(&citizen.id, texts + 1)
        .await
        .len();
    assert!(
        road.agency.tickets().is_empty(),
        "one of these was taken for an answer"
    );
    citizen.says("30 cm").await;
    let all = road.graph.wait_for_texts(&citizen.id, texts + 1).await;
    assert!(
        all.last()
            .is_some_and(|text| text.contains("Xong: Ba Tháng Hai, 30")),
        "{all:?}"
    );
    let tickets = road.agency.wait_for(1, wait::SOON).await;
    let kept = tickets.values().next().expect("a ticket");
    assert_eq!(kept.ticket["answers"][0]["value"], "Ba Tháng Hai");
    assert_eq!(kept.ticket["answers"][1]["value"].as_f64(), Some(30.0));
    let metrics = replica.metrics().await;
    assert!(metrics.sum("langnghe_events_set_aside_total", &[]) < 1.0);
}
