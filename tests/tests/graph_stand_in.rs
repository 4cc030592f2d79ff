//! The Graph API's stand-in is itself strict, or the tests that rely on it show nothing.

use langnghe_tests::{
    Graph,
    graph::{Failure, Manner, Said},
    http,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

const TOKEN: &str = "EXAMPLETOKEN";
const SECRET: &str = "example-app-secret";
/// The reference's own value for these two.
const PROOF: &str = "24f0d12042cb414261446e82064eeb340a54ec5908eeedd2ea5cf3cfd23a4627";

async fn graph() -> Graph {
    Graph::for_app(TOKEN, SECRET).await
}

fn url(graph: &Graph) -> String {
    format!(
        "{}/v26.0/me/messages?appsecret_proof={PROOF}",
        graph.api_base()
    )
}

async fn post(url: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let answer = http::client()
        .post(url)
        .bearer_auth(token)
        .json(body)
        .send()
        .await;
    let answer = answer.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

fn message(message: impl Into<Value>) -> Value {
    let message = message.into();
    json!({"recipient": {"id": "7001"}, "messaging_type": "RESPONSE", "message": message})
}

fn quick_replies(count: usize, title: &str) -> Value {
    let reply = json!({"content_type": "text", "title": title, "payload": "p"});
    message(json!({"text": "?", "quick_replies": vec![reply; count]}))
}

#[tokio::test]
async fn what_meta_takes_is_taken_and_written_down() {
    let graph = graph().await;
    let body = message(json!({
        "text": "Chọn ạ",
        "quick_replies": [
            {"content_type": "user_phone_number"},
            {"content_type": "text", "title": "Bỏ qua", "payload": "v1:skip"},
        ],
        "metadata": "out-1",
    }));
    let (status, answer) = post(&url(&graph), TOKEN, &body).await;
    assert_eq!(
        (status, &answer["recipient_id"]),
        (StatusCode::OK, &json!("7001"))
    );
    let action = json!({"recipient": {"id": "7001"}, "sender_action": "typing_on"});
    assert_eq!(post(&url(&graph), TOKEN, &action).await.0, StatusCode::OK);
    let taken = graph.taken_for("7001");
    assert_eq!(taken[0].metadata.as_deref(), Some("out-1"));
    assert_eq!(Some(&*taken[0].message_id), answer["message_id"].as_str());
    let expected = Said::Text {
        text: "Chọn ạ".to_owned(),
        quick_replies: vec![
            ("user_phone_number".to_owned(), String::new()),
            ("Bỏ qua".to_owned(), "v1:skip".to_owned()),
        ],
    };
    assert_eq!(taken[0].said, expected);
    assert_eq!(taken[1].said, Said::Action("typing_on".to_owned()));
    assert_eq!(graph.texts_for("7001"), ["Chọn ạ"]);
}

#[tokio::test]
async fn what_meta_would_not_take_is_refused_and_told() {
    let graph = graph().await;
    let good = url(&graph);
    let text = message(json!({"text": "a"}));
    let image = json!({"type": "image", "payload": {"url": "https://x.example/a.jpg"}});
    let wrong = [
        (good.clone(), "OTHER", text.clone()),
        (good.replace("24f0", "0000"), TOKEN, text.clone()),
        (
            good.replace("?appsecret", "?access_token=EXAMPLETOKEN&appsecret"),
            TOKEN,
            text.clone(),
        ),
        (good.replace("v26.0", "v20.0"), TOKEN, text.clone()),
        (good.replace("/messages", "/message"), TOKEN, text),
        (
            good.clone(),
            TOKEN,
            message(json!({"text": "đ".repeat(2001)})),
        ),
        (good.clone(), TOKEN, message(json!({"text": " "}))),
        (
            good.clone(),
            TOKEN,
            message(json!({"text": "a", "attachment": image})),
        ),
        (
            good.clone(),
            TOKEN,
            message(json!({"text": "a", "metadata": "m".repeat(1001)})),
        ),
        (
            good.clone(),
            TOKEN,
            message(json!({"text": "a", "emoji": "?"})),
        ),
        (good.clone(), TOKEN, quick_replies(14, "a")),
        (good.clone(), TOKEN, quick_replies(1, &"a".repeat(21))),
        (
            good.clone(),
            TOKEN,
            json!({"recipient": {"id": "7001"}, "message": {"text": "a"}}),
        ),
        (
            good.clone(),
            TOKEN,
            json!({"recipient": {"id": "page:1"}, "sender_action": "typing_on"}),
        ),
        (
            good,
            TOKEN,
            json!({"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "sender_action": "typing_on"}),
        ),
    ];
    let count = wrong.len();
    for (url, token, body) in wrong {
        let (status, answer) = post(&url, token, &body).await;
        let refused = status == StatusCode::BAD_REQUEST && answer["error"]["code"] == 100;
        assert!(refused, "{url} {body}");
    }
    assert_eq!(graph.take_violations().len(), count);
    assert_eq!(graph.count(), 0);
}

#[tokio::test]
async fn it_fails_as_told() {
    let graph = graph().await;
    let url = url(&graph);
    let text = message(json!({"text": "a", "metadata": "out-1"}));
    graph.next(Manner::Fail(Failure::throttled(3)));
    graph.next_to("7001", Manner::Fail(Failure::WINDOW_CLOSED));
    let (status, answer) = post(&url, TOKEN, &text).await;
    assert_eq!(
        (status, &answer["error"]["error_subcode"]),
        (StatusCode::BAD_REQUEST, &json!(2_018_278))
    );
    let request = http::client().post(&url).bearer_auth(TOKEN).json(&text);
    let answer = request.send().await.expect("an answer");
    let usage = answer.headers()["x-business-use-case-usage"]
        .to_str()
        .expect("text");
    assert!(
        usage.contains(r#""estimated_time_to_regain_access":3"#),
        "{usage}"
    );

    for manner in [Manner::CutAfter, Manner::CutBefore] {
        graph.next(manner);
        let request = http::client().post(&url).bearer_auth(TOKEN).json(&text);
        let answer = request.send().await.expect("headers");
        assert!(answer.bytes().await.is_err(), "the answer came whole");
    }
    assert_eq!(graph.count(), 1, "only the first of the two was taken");
    assert_eq!(post(&url, TOKEN, &text).await.0, StatusCode::OK);
    assert_eq!(
        graph.repeated().into_iter().collect::<Vec<_>>(),
        [("out-1".to_owned(), 2)]
    );
}

#[tokio::test]
async fn profiles_are_given() {
    let graph = graph().await;
    graph.profile("7001", json!({"name": "Trần Bê"}));
    for (citizen, expected) in [("7001", json!({"name": "Trần Bê"})), ("7002", json!({}))] {
        let address = graph.api_base();
        let url = format!("{address}/v26.0/{citizen}?fields=name&appsecret_proof={PROOF}");
        let request = http::client().get(url).bearer_auth(TOKEN);
        let profile: Value = request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        assert_eq!(profile, expected);
    }
}
