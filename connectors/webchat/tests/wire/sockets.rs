//! The WebSocket and [`Connector::send`].

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use langnghe_connector::{Connector, Manner, Outgoing, Rejection, SendError, Sent, WebhookRequest};
use langnghe_model::{CitizenId, Reply, Timestamp, event::Attachment, reply::Choice};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use crate::{
    chat::{Chat, settled},
    page::{PageSocket, SECRET, SOON},
};

#[tokio::test]
async fn a_message_is_acknowledged_once_it_is_durable() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    page.text("0000-0001", "Ổ gà").await;
    assert_eq!(
        page.hear().await,
        json!({ "type": "accepted", "id": "0000-0001" })
    );
    let choice = json!({ "type": "message", "id": "0000-0002", "text": "Rác", "payload": "p:2" });
    page.say(choice).await;
    assert_eq!(page.hear().await["type"], "accepted");
    let place = json!({ "latitude": 10.03, "longitude": 105.78, "accuracy": 12.0 });
    page.say(json!({ "type": "message", "id": "0000-0003", "location": place }))
        .await;
    assert_eq!(page.hear().await["type"], "accepted");
    let [text, choice, place] = chat.messages().try_into().expect("three messages");
    assert_eq!(text.text.as_deref(), Some("Ổ gà"));
    assert_eq!(choice.payload.as_deref(), Some("p:2"));
    assert!(matches!(&place.attachments[..], [Attachment::Location(at)] if at.accuracy.is_some()));
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged_and_is_taken_later() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    chat.host.unavailable.store(true, Ordering::Relaxed);
    page.text("0000-0001", "Ổ gà").await;
    let refused = page.hear().await;
    assert_eq!(refused["reason"], "unavailable");
    assert_eq!(refused["retry_after"], 1);
    chat.host.unavailable.store(false, Ordering::Relaxed);
    page.text("0000-0001", "Ổ gà").await;
    assert_eq!(page.hear().await["type"], "accepted");
    chat.host.flooded.store(true, Ordering::Relaxed);
    page.text("0000-0002", "Ổ gà").await;
    assert_eq!(page.hear().await["reason"], "flooded");
    assert_eq!(chat.messages().len(), 1);
}

#[tokio::test]
async fn a_message_sent_again_after_a_cut_is_one_message() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    page.text("0000-0001", "Ổ gà").await;
    // The answer is on its way, and nobody reads it.
    drop(page);
    let mut page = chat.page().await;
    page.text("0000-0001", "Ổ gà").await;
    assert_eq!(page.hear().await["type"], "accepted");
    // Again over the other transport.
    let (status, answer) = chat
        .post(json!({ "type": "message", "id": "0000-0001", "text": "Ổ gà" }))
        .await;
    assert_eq!(
        (status, &answer["type"]),
        (StatusCode::OK, &json!("accepted"))
    );
    assert_eq!(chat.messages().len(), 1);
}

#[tokio::test]
async fn a_reply_is_sent_when_the_page_has_kept_it_and_not_before() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    let send = chat.send("o1");
    assert_eq!(page.reply().await, "o1");
    assert!(!send.is_finished(), "the page has not said that it has it");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
}

#[tokio::test]
async fn a_reply_cut_on_its_way_comes_over_the_next_connection() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    let send = chat.send("o1");
    assert_eq!(page.reply().await, "o1");
    drop(page);
    let mut page = chat.page().await;
    assert_eq!(page.reply().await, "o1", "offered again, under the same id");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    // Nothing is left over for the next one.
    let mut page = chat.page().await;
    page.say(json!({ "type": "ping" })).await;
    assert_eq!(page.hear().await["type"], "pong");
}

#[tokio::test]
async fn who_is_not_there_is_away_and_is_announced_when_they_come() {
    let chat = Chat::impatient().await;
    let page = chat.page().await;
    let citizen = chat.citizen();
    drop(page);
    assert_eq!(settled(chat.send("o1")).await, Err(SendError::Away));
    let came = chat.came().len();
    let mut page = chat.page().await;
    page.say(json!({ "type": "ping" })).await;
    assert_eq!(page.hear().await["type"], "pong");
    assert_eq!(
        chat.came()[came..],
        [citizen.clone(), citizen],
        "on coming, and staying"
    );
    let nobody = CitizenId::new("nobody");
    let reply = Reply::Text {
        text: "x".to_owned(),
    };
    let sent = chat
        .connector
        .send(&Outgoing {
            id: "o2",
            citizen: &nobody,
            reply: &reply,
            manner: Manner::Free,
        })
        .await;
    assert_eq!(sent, Err(SendError::Away), "at once");
}

#[tokio::test]
async fn a_page_that_stays_silent_is_cut_off_and_counts_as_away() {
    let chat = Chat::impatient().await;
    let mut asleep = chat.page().await;
    assert_eq!(settled(chat.send("o1")).await, Err(SendError::Away));
    assert_eq!(asleep.reply().await, "o1");
    assert_eq!(asleep.hear().await["type"], "error");
    assert_eq!(asleep.hear_or_end().await, None);
}

#[tokio::test]
async fn all_tabs_see_a_reply_and_one_acknowledgement_is_enough() {
    let chat = Chat::new().await;
    let (mut one, mut two) = (chat.page().await, chat.page().await);
    let send = chat.send("o1");
    assert_eq!(
        (one.reply().await, two.reply().await),
        ("o1".to_owned(), "o1".to_owned())
    );
    two.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    one.acknowledge("o1").await;
    let mut other = PageSocket::hello(chat.address, &SECRET.replace('0', "f")).await;
    let send = chat.send("o2");
    assert_eq!(one.reply().await, "o2");
    one.acknowledge("o2").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    other.say(json!({ "type": "ping" })).await;
    assert_eq!(
        other.hear().await["type"],
        "pong",
        "another visitor heard nothing of it"
    );
}

#[tokio::test]
async fn a_newer_tab_than_the_bound_allows_ends_the_oldest() {
    let chat = Chat::with(|config| config.connections_a_visitor = 2).await;
    let (mut first, _second, _third) = (chat.page().await, chat.page().await, chat.page().await);
    assert_eq!(
        first.hear().await,
        json!({ "type": "error", "reason": "replaced" })
    );
    assert_eq!(first.hear_or_end().await, None);
}

#[tokio::test]
async fn beyond_the_bound_on_connections_visitors_are_told_to_come_back() {
    let chat = Chat::with(|config| config.connections = 1).await;
    let page = chat.page().await;
    let own = format!("http://{}", chat.address);
    let refused = PageSocket::open(chat.address, &own)
        .await
        .expect_err("no room");
    let tungstenite::Error::Http(response) = *refused else {
        panic!("{refused}")
    };
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    drop(page);
    let again = async {
        while PageSocket::open(chat.address, &own).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, again).await.expect("the place is given back");
}

#[tokio::test]
async fn what_is_not_of_this_protocol_ends_the_connection() {
    let chat = Chat::new().await;
    let big = json!({ "type": "message", "id": "0000-0001", "text": "a".repeat(70_000) });
    for bad in [
        tungstenite::Message::text("no JSON"),
        tungstenite::Message::text(r#"{"type":"reply"}"#),
        tungstenite::Message::text(format!(r#"{{"type":"hello","visitor":"{SECRET}"}}"#)),
        tungstenite::Message::binary(vec![1, 2, 3]),
        tungstenite::Message::text(big.to_string()),
    ] {
        let mut page = chat.page().await;
        page.say_raw(bad).await;
        if let Some(frame) = page.hear_or_end().await {
            assert_eq!(frame, json!({ "type": "error", "reason": "malformed" }));
        }
        assert_eq!(page.hear_or_end().await, None);
    }
    let own = format!("http://{}", chat.address);
    let mut page = PageSocket::open(chat.address, &own).await.unwrap();
    page.say(json!({ "type": "hello", "visitor": "guessable" }))
        .await;
    assert_eq!(
        page.hear().await,
        json!({ "type": "error", "reason": "visitor" })
    );
    assert!(chat.messages().is_empty());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_and_the_conversation_goes_on() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    page.text("0000-0001", &"ế".repeat(4001)).await;
    assert_eq!(page.hear().await["reason"], "too_long");
    page.text("0000-0002", &"ế".repeat(4000)).await;
    assert_eq!(page.hear().await["type"], "accepted");
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let chat = Chat::new().await;
    let refused = PageSocket::open(chat.address, "https://evil.example").await;
    let tungstenite::Error::Http(response) = *refused.expect_err("refused") else {
        panic!()
    };
    assert_eq!(response.status(), 403);
    for path in ["/chat/send", "/chat/upload"] {
        let request = Request::post(path)
            .header(header::HOST, "gop-y.example.vn")
            .header(header::ORIGIN, "https://evil.example")
            .header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
            .body(Body::from(
                r#"{"type":"message","id":"0000-0001","text":"x"}"#,
            ))
            .unwrap();
        assert_eq!(
            chat.request(request).await.status(),
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert!(chat.messages().is_empty());
}

#[tokio::test]
async fn typing_is_shown_to_who_is_there_and_waits_for_nobody() {
    let chat = Chat::new().await;
    let mut page = chat.page().await;
    let citizen = chat.citizen();
    let typing = |citizen| Outgoing {
        id: "o1",
        citizen,
        reply: &Reply::Typing,
        manner: Manner::Free,
    };
    assert_eq!(
        chat.connector.send(&typing(&citizen)).await,
        Ok(Sent::default())
    );
    assert_eq!(page.hear().await, json!({ "type": "typing" }));
    let nobody = CitizenId::new("nobody");
    assert_eq!(
        chat.connector.send(&typing(&nobody)).await,
        Ok(Sent::default())
    );
    assert_eq!(
        chat.connector
            .profile(&citizen)
            .await
            .unwrap()
            .language
            .as_deref(),
        Some("en")
    );
}

#[tokio::test]
async fn there_is_no_webhook() {
    let chat = Chat::new().await;
    let request = WebhookRequest {
        method: &http::Method::POST,
        path: "",
        query: "",
        headers: &http::HeaderMap::new(),
        body: b"{}",
        received_at: Timestamp::from_seconds(0),
    };
    assert_eq!(
        chat.connector.receive(&request).unwrap_err(),
        Rejection::Method
    );
    let choices = chat
        .connector
        .capabilities()
        .quick_replies
        .expect("buttons");
    assert!(choices.max >= 20 && Choice::new("a", "b").label.len() < choices.title);
}
