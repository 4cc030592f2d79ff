//! Polling, uploads and the page itself.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt;
use langnghe_connector::Sent;
use langnghe_model::event::{Attachment, MediaKind};
use serde_json::json;

use crate::chat::{Chat, settled};

#[tokio::test]
async fn polling_carries_the_same_with_the_same_ids() {
    let chat = Chat::new().await;
    assert_eq!(chat.poll().await, json!([]), "held, then nothing");
    let send = chat.send("o1");
    let frames = chat.poll().await;
    assert_eq!(frames[0]["id"], "o1");
    assert_eq!(chat.poll().await[0]["id"], "o1", "until it is acknowledged");
    let (status, _) = chat.post(json!({ "type": "ack", "id": "o1" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(settled(send).await, Ok(Sent::default()));
    assert_eq!(chat.poll().await, json!([]));

    let message = json!({ "type": "message", "id": "0000-0001", "text": "Ổ gà" });
    assert_eq!(chat.post(message.clone()).await.1["type"], "accepted");
    assert_eq!(chat.post(message).await.1["type"], "accepted");
    assert_eq!(chat.messages().len(), 1);
    chat.host.unavailable.store(true, Ordering::Relaxed);
    let (status, answer) = chat
        .post(json!({ "type": "message", "id": "0000-0002", "text": "x" }))
        .await;
    assert_eq!(
        (status, &answer["retry_after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(1))
    );
    assert_eq!(chat.post(json!([])).await.0, StatusCode::BAD_REQUEST);
    let stranger = Request::get("/chat/poll").body(Body::empty()).unwrap();
    assert_eq!(
        chat.request(stranger).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn who_polls_is_announced_again_for_what_was_set_aside_as_they_came() {
    let chat = Chat::with(|config| config.poll_hold = Duration::from_millis(3_100)).await;
    assert_eq!(chat.poll().await, json!([]));
    assert_eq!(chat.came().len(), 2);
}

#[tokio::test]
async fn a_file_is_a_message_and_is_judged_by_its_content() {
    let chat = Chat::with(|config| config.upload_bytes = 1000).await;
    let photo = b"\xff\xd8\xff\xe0 a photo";
    let (status, answer) = chat.upload("0000-0001", "Ổ gà đây ạ", photo).await;
    assert_eq!(
        (status, &answer["type"]),
        (StatusCode::OK, &json!("accepted")),
        "{answer}"
    );
    chat.upload("0000-0001", "Ổ gà đây ạ", photo).await;
    let [message] = chat.messages().try_into().expect("one message");
    assert_eq!(message.text.as_deref(), Some("Ổ gà đây ạ"));
    let [Attachment::Media(media)] = &message.attachments[..] else {
        panic!("{message:?}")
    };
    assert_eq!(
        (media.kind, media.name.as_deref()),
        (MediaKind::Image, Some("ổ gà.jpg"))
    );

    let (status, answer) = chat
        .upload("0000-0002", "", b"<svg onload='alert(1)'/>")
        .await;
    assert_eq!(
        (status, &answer["reason"]),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("kind"))
    );
    let large = [&photo[..], &[0; 1000]].concat();
    let (status, answer) = chat.upload("0000-0003", "", &large).await;
    assert_eq!(
        (status, &answer["reason"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
    let huge = [&photo[..], &vec![0; 200_000]].concat();
    assert_eq!(
        chat.upload("0000-0004", "", &huge).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(chat.upload("", "", photo).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(chat.messages().len(), 1);
}

#[tokio::test]
async fn the_page_comes_with_a_strict_policy_and_everything_it_names() {
    let chat = Chat::with(|config| {
        config.title = "Sở <Xây dựng> & \"bạn\"".to_owned();
        config.allow_frames = vec!["https://portal.example.vn".to_owned()];
    })
    .await;
    let get = |path: String| chat.request(Request::get(path).body(Body::empty()).unwrap());
    let page = get("/chat?lang=en".to_owned()).await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(
        policy.ends_with("frame-ancestors 'self' https://portal.example.vn"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let html = page.into_body().collect().await.unwrap().to_bytes();
    let html = String::from_utf8(html.to_vec()).unwrap();
    assert!(html.contains(r#"<html lang="en""#));
    assert!(html.contains("Sở &lt;Xây dựng&gt; &amp; &quot;bạn&quot;"));
    assert!(!html.contains("{assets}") && !html.contains("style=") && !html.contains("<script>"));
    let named = html
        .split('"')
        .filter(|text| text.starts_with("/chat/assets/"));
    for path in named {
        let asset = get(path.to_owned()).await;
        assert_eq!(asset.status(), StatusCode::OK, "{path}");
        assert!(
            asset.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
    }
    assert_eq!(
        get("/chat/assets/0/app.js".to_owned()).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        get("/chat/widget.js".to_owned()).await.status(),
        StatusCode::OK
    );
}
