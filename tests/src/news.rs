//! An agency that tells citizens news through the API, and sees what became of it.

use serde_json::{Value, json};

use crate::{Replica, wait};

/// The token of the API.
pub const TOKEN: &str = "b8c64f2f9d2e4b0f8f5b9a31d7e0c4aa";
/// Two questions, the second of which asks for a telephone for news.
pub const FLOW: &str = r#"
id = "su-co"
version = 1
title = "Sự cố"
language = "vi"
triggers = { phrases = ["bao su co"] }
done = "Xong: {code}."

[[question]]
id = "mo_ta"
kind = "text"
ask = "Việc gì?"

[[question]]
id = "so"
kind = "phone"
ask = "Số điện thoại để chúng tôi báo kết quả?"
notify = true

[ticket]
backend = "ioc"
"#;

/// The agency asks for something to be told: the status, and the answer.
///
/// # Panics
/// When there is no answer.
pub async fn tell(replica: &Replica<'_>, code: &str, key: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/v1/tickets/{code}/notices");
    let answer = replica
        .client()
        .post(replica.url(&path))
        .bearer_auth(TOKEN)
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

/// What became of a ticket's notices: state, reason, channel.
///
/// # Panics
/// When there is no answer.
pub async fn notices(replica: &Replica<'_>, code: &str) -> Vec<[String; 3]> {
    let path = format!("/api/v1/tickets/{code}/notices");
    let request = replica.client().get(replica.url(&path)).bearer_auth(TOKEN);
    let answer = request.send().await.expect("an answer");
    let body: Value = answer.json().await.expect("JSON");
    let told = body["notices"].as_array().expect("a list").iter();
    told.map(|notice| {
        ["state", "reason", "channel"]
            .map(|field| notice[field].as_str().unwrap_or_default().to_owned())
    })
    .collect()
}

/// Waits until the newest notice of a ticket is in this state, for this reason, on this channel.
///
/// # Panics
/// When it does not become so.
pub async fn becomes(replica: &Replica<'_>, code: &str, expected: [&str; 3]) {
    let what = format!("the newest notice is {expected:?}");
    wait::until(&what, wait::SOON, async || {
        let told = notices(replica, code).await;
        told.last().is_some_and(|last| *last == expected)
    })
    .await;
}

/// Waits until so many replies of a channel wait, parked ones among them: `[waiting, parked]`.
///
/// # Panics
/// When they do not.
pub async fn waiting(replica: &Replica<'_>, channel: &str, expected: [u64; 2]) {
    let what = format!("{expected:?} wait and are parked on {channel}");
    wait::until(&what, wait::SOON, async || {
        let request = replica.client().get(replica.url("/api/v1/channels"));
        let answer = request.bearer_auth(TOKEN).send().await.expect("an answer");
        let body: Value = answer.json().await.expect("JSON");
        let mut channels = body["channels"].as_array().expect("a list").iter();
        let one = channels
            .find(|one| one["id"] == channel)
            .expect("it is there");
        one["outbox"]["waiting"] == expected[0] && one["outbox"]["parked"] == expected[1]
    })
    .await;
}

/// The same notice each time: that the lamp is repaired, as a text and as the template `status`.
pub fn repaired() -> Value {
    json!({
        "text": "Đèn đã sửa xong.",
        "template": "status",
        "parameters": { "status": "đã sửa" },
    })
}
