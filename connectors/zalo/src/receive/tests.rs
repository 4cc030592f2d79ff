//! The reference's own signatures.

use http::{HeaderMap, HeaderValue};
use langnghe_connector::WebhookRequest;
use langnghe_model::{ChannelId, EventKind, Timestamp};

use super::*;
use crate::receive::signature::mac;

const BODY: &str = r#"{"app_id":"1000000000000000001","sender":{"id":"2000000000000000002"},"user_id_by_app":"3000000000000000003","recipient":{"id":"4000000000000000004"},"event_name":"user_send_text","message":{"text":"Xin chào","msg_id":"96d3cdf3af1504609090"},"timestamp":"1760000000000"}"#;
const PLAIN: &str = "80f8d0053f14744db635177f11f8607c9ba16c999facd381b9a460baab728846";
const ESCAPED: &str = "0f486cfd48fdc4c39dc4c7bbd810cf289a560f683c2f3d309a24965e5a930ccb";

fn config() -> Config {
    let channel = ChannelId::new("oa").expect("a good id");
    let secret = "oa-secret-EXAMPLE".into();
    Config::new(channel, "1000000000000000001", "app-secret".into(), secret)
}

fn take(config: &Config, body: &str, signature: &str) -> Result<Received, Rejection> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(signature).expect("a header value");
    headers.insert("x-zevent-signature", value);
    receive(
        config,
        &Keys::new(config),
        &WebhookRequest {
            method: &Method::POST,
            path: "",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
            received_at: Timestamp::from_seconds(1_760_000_001),
        },
    )
}

#[test]
fn the_references_signatures_hold_over_the_bytes_as_they_came() {
    assert_eq!(BODY.len(), 271);
    let escaped = BODY.replace('à', "\\u00e0");
    for (body, good, other) in [(BODY, PLAIN, ESCAPED), (&escaped, ESCAPED, PLAIN)] {
        for signature in [
            format!("mac={good}"),
            format!("MAC={}", good.to_uppercase()),
            good.to_owned(),
        ] {
            let received = take(&config(), body, &signature).expect("it is Zalo's");
            let EventKind::Message(message) = &received.events[0].kind else {
                panic!("a message");
            };
            assert_eq!(message.text.as_deref(), Some("Xin chào"));
        }
        let wrong = take(&config(), body, &format!("mac={other}")).map(|_| ());
        assert_eq!(wrong, Err(Rejection::Signature));
    }
    let sum = mac("X", b"BODY", "1234567890", "Y");
    assert_eq!(
        sum,
        "2f1ef5aabe67e8396a459ca89562e108ad541f82ba5022c85f645bd6b7220cb9"
    );
}

#[test]
fn while_set_up_a_wrong_signature_is_answered_and_nothing_is_kept() {
    let mut config = config();
    config.setup = true;
    let received = take(&config, BODY, "mac=00").expect("answered");
    assert!(received.events.is_empty());
    let received = take(&config, BODY, PLAIN).expect("it is Zalo's");
    assert_eq!(received.events.len(), 1);
}

#[test]
fn another_apps_event_is_not_ours_though_the_secret_fits() {
    let body = BODY.replacen("1000000000000000001", "1000000000000000009", 1);
    let signature = mac(
        "1000000000000000001",
        body.as_bytes(),
        "1760000000000",
        "oa-secret-EXAMPLE",
    );
    let refused = take(&config(), &body, &signature).map(|_| ());
    assert_eq!(refused, Err(Rejection::Signature));
}
