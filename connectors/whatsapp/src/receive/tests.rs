use http::{HeaderMap, HeaderValue, Method};
use langnghe_connector::signature::HmacSha256Key;
use langnghe_graph::App;
use langnghe_model::{ChannelId, EventKind, Timestamp};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "example-app-secret";

fn config() -> Config {
    let channel = ChannelId::new("wa").expect("a good id");
    let app = App::new(SECRET.into(), "verify".into(), "EXAMPLETOKEN".into());
    Config::new(channel, app, "1060")
}

fn receive_signed(body: &[u8]) -> Result<Vec<Event>, Rejection> {
    let signature = HmacSha256Key::new(SECRET.as_bytes()).sign_hex(body);
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("sha256={signature}")).expect("a header value");
    headers.insert("x-hub-signature-256", value);
    let request = WebhookRequest {
        method: &Method::POST,
        path: "",
        query: "",
        headers: &headers,
        body,
        received_at: Timestamp::from_milliseconds(1_790_000_001_000),
    };
    let config = config();
    let hub = Hub::new(&config.app);
    receive(&config, &hub, &Recent::default(), &request).map(|received| received.events)
}

/// Items of many types, to be mutilated.
const BODY: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"1060"},"contacts":[{"profile":{"name":"Hoa"},"wa_id":"84912345678","user_id":"VN.1"}],
"messages":[{"from":"84912345678","id":"wamid.1","timestamp":"1790000000","type":"text","text":{"body":"\u1ed4 g\u00e0 \ud83d\ude21"},"context":{"id":"wamid.0"}},
{"from_user_id":"VN.1","id":"wamid.2","timestamp":"1790000000","type":"image","image":{"id":"17","mime_type":"image/jpeg","caption":"a"}},
{"from":"84912345678","id":"wamid.3","timestamp":"1790000000","type":"location","location":{"latitude":10.03,"longitude":105.78}},
{"from":"84912345678","id":"wamid.4","timestamp":"1790000000","type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"p","title":"t"}}},
{"from":"84912345678","id":"wamid.5","timestamp":"1790000000","type":"reaction","reaction":{"message_id":"wamid.0","emoji":"\u2764"}}],
"statuses":[{"id":"wamid.0","status":"failed","timestamp":"1790000050","recipient_id":"84912345678","errors":[{"code":131026}]}]}},{"field":"account_update","value":{}}]}]}"#;

#[test]
fn three_megabytes_are_read() {
    let message = |at: usize| {
        let words = "à".repeat(4000);
        format!(
            r#"{{"from":"84912345678","id":"wamid.{at}","timestamp":"1790000000","type":"text","text":{{"body":"{words}"}}}}"#
        )
    };
    let messages: Vec<String> = (0..375).map(message).collect();
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"W","changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"1060"}},"messages":[{}]}}}}]}}]}}"#,
        messages.join(",")
    );
    assert!(body.len() >= 3_000_000, "{}", body.len());
    let events = receive_signed(body.as_bytes()).expect("signed");
    assert_eq!(events.len(), 375);
}

proptest! {
    /// Whatever Meta signs is taken: read, or kept as it is.
    #[test]
    fn nothing_signed_makes_it_fail(cut in 0..BODY.len(), with in "\\PC{0,3}", length in 0_usize..12) {
        let start = BODY.floor_char_boundary(cut);
        let end = BODY.ceil_char_boundary((start + length).min(BODY.len()));
        let body = format!("{}{with}{}", &BODY[..start], &BODY[end..]);
        let is_json = serde_json::from_str::<&RawValue>(&body).is_ok();
        match receive_signed(body.as_bytes()) {
            Ok(events) => {
                prop_assert!(is_json);
                for event in &events {
                    prop_assert!(!event.id.as_str().is_empty());
                }
            }
            Err(rejection) => prop_assert!(!is_json, "{rejection}"),
        }
    }
}

#[test]
fn messages_whose_ids_are_empty_are_not_one() {
    let body = BODY.replace("wamid.1", "").replace("wamid.2", "");
    let events = receive_signed(body.as_bytes()).expect("signed");
    let [one, other] = [&events[0].id, &events[1].id];
    assert!(!one.as_str().is_empty() && !other.as_str().is_empty());
    assert_ne!(one, other);
}

#[test]
fn the_whole_of_it_is_read() {
    let events = receive_signed(BODY.as_bytes()).expect("signed");
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.name()).collect();
    let expected = [
        "message", "message", "message", "message", "reaction", "receipt", "unknown",
    ];
    assert_eq!(kinds, expected);
    assert!(matches!(events[0].kind, EventKind::Message(_)));
}
