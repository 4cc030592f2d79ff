use http::{HeaderMap, HeaderValue, Method};
use langnghe_connector::signature::{HmacSha256Key, encode_hex};
use langnghe_model::{ChannelId, EventKind, Timestamp};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "example-app-secret";

fn config() -> Config {
    let channel = ChannelId::new("page").expect("a good id");
    Config::new(
        channel,
        crate::App::new(SECRET.into(), "verify".into(), "EXAMPLETOKEN".into()),
    )
}

fn receive_signed(body: &[u8]) -> Result<Vec<Event>, Rejection> {
    let key = HmacSha256Key::new(SECRET.as_bytes());
    let signature = format!("sha256={}", encode_hex(&key.sign(body)));
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&signature).expect("a header value");
    headers.insert("x-hub-signature-256", value);
    let request = WebhookRequest {
        method: &Method::POST,
        path: "",
        query: "",
        headers: &headers,
        body,
        received_at: Timestamp::from_milliseconds(1_790_000_001_000),
    };
    receive(&config(), &Hub::new(&config().app), &request).map(|received| received.events)
}

/// Items of every kind, to be mutilated.
const BODY: &str = r#"{"object":"page","entry":[{"id":"1","time":1790000000123,"messaging":[
{"sender":{"id":"7"},"recipient":{"id":"1"},"timestamp":1790000000100,"message":{"mid":"m_1","text":"\u1ed4 g\u00e0 \ud83d\ude21","quick_reply":{"payload":"p"},"reply_to":{"mid":"m_0"},"attachments":[{"type":"image","payload":{"url":"https://cdn.example/x.jpg"}},{"type":"location","payload":{"coordinates":{"lat":10.03,"long":105.78}}}]}},
{"sender":{"id":"7"},"recipient":{"id":"1"},"timestamp":1790000000,"postback":{"mid":"m_2","title":"Start","payload":"P","referral":{"ref":"qr_17","source":"SHORTLINK"}}},
{"sender":{"id":"7"},"recipient":{"id":"1"},"reaction":{"reaction":"love","emoji":"\u2764","action":"react","mid":"m_3"}},
{"sender":{"id":"7"},"recipient":{"id":"1"},"delivery":{"mids":["m_3"],"watermark":1790000000200}},
{"recipient":{"id":"1"},"policy_enforcement":{"action":"warning","reason":"x"}}],
"standby":[{"sender":{"id":"7"},"recipient":{"id":"1"},"message":{"mid":"m_4","text":"a"}}],"changes":[{"field":"feed","value":{}}]}]}"#;

#[test]
fn nesting_that_no_parser_should_follow_is_kept_as_text() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let item = format!(r#"{{"sender":{{"id":"7"}},"strange":{deep}}}"#);
    let body = format!(r#"{{"object":"page","entry":[{{"id":"1","messaging":[{item}]}}]}}"#);
    let events = receive_signed(body.as_bytes()).expect("signed");
    let [
        Event {
            kind: EventKind::Unknown { name, raw },
            ..
        },
    ] = &events[..]
    else {
        panic!("one unknown event")
    };
    assert_eq!((name.as_str(), raw.as_str()), ("strange", Some(&*item)));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _whatever = receive_signed(&body);
    }

    /// Whatever happens to a body, as long as it is signed and JSON it is answered 200, and no item
    /// of it is lost.
    #[test]
    fn a_mutilated_body_never_panics(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "\\PC{0,3}"), 1..6),
    ) {
        let mut body = BODY.to_owned();
        for (start, length, text) in cuts {
            let start = body.floor_char_boundary(start.index(body.len().max(1)));
            let end = body.floor_char_boundary((start + length.index(12)).min(body.len()));
            body.replace_range(start..end.max(start), &text);
        }
        let is_json = serde_json::from_str::<&RawValue>(&body).is_ok();
        prop_assert_eq!(receive_signed(body.as_bytes()).is_ok(), is_json);
    }

    /// Any JSON in the place of any part of an item.
    #[test]
    fn any_value_anywhere_is_kept(place in 0..12_usize, value in json_value()) {
        let [a, b, c] = ["\"mid\":\"m_1\"", "\"sender\":{\"id\":\"7\"}", "\"messaging\":["];
        let value = value.to_string();
        let body = match place {
            0 => BODY.replace(a, &format!("\"mid\":{value}")),
            1 => BODY.replace(b, &format!("\"sender\":{value}")),
            2 => BODY.replace("\"message\":{", &format!("\"message\":{value},\"x\":{{")),
            3 => BODY.replace("\"attachments\":[", &format!("\"attachments\":[{value},")),
            4 => BODY.replace("\"timestamp\":1790000000100", &format!("\"timestamp\":{value}")),
            5 => BODY.replace("\"payload\":\"p\"", &format!("\"payload\":{value}")),
            6 => BODY.replace("\"entry\":[", &format!("\"entry\":[{value},")),
            7 => BODY.replace("\"id\":\"1\",\"time\"", &format!("\"id\":{value},\"time\"")),
            8 => BODY.replace("\"object\":\"page\"", &format!("\"object\":{value}")),
            9 => BODY.replace("\"lat\":10.03", &format!("\"lat\":{value}")),
            10 => BODY.replace(c, &format!("{c}{value},")),
            _ => BODY.replace("\"watermark\":1790000000200", &format!("\"watermark\":{value}")),
        };
        let events = receive_signed(body.as_bytes()).expect("signed JSON");
        let expected = match place {
            // An object that is not "page", and an entry without a page's id.
            8 => 1..=7,
            6 | 7 => 1..=8,
            10 => 8..=8,
            _ => 7..=7,
        };
        prop_assert!(expected.contains(&events.len()), "{} events", events.len());
    }
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec(("[a-z_]{1,8}", inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}
