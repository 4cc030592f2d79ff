//! How long a webhook takes from bytes to events, signature included.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Method};
use langnghe_connector::{Connector, WebhookRequest, signature::HmacSha256Key};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_messenger::{App, Config, Messenger};
use langnghe_model::{ChannelId, Timestamp};

const SECRET: &str = "example-app-secret";

const TEXT: &str = r#"{"object":"page","entry":[{"id":"100200300","time":1790000000123,"messaging":[{"sender":{"id":"7001700170017001"},"recipient":{"id":"100200300"},"timestamp":1790000000100,"message":{"mid":"m_9Rr4sDw0eE0mO1Q2Xg3h4i5j6k7l8m9n0o1p2q3r4s5t6u7v8w9x0y1z2","text":"\u1ed4 g\u00e0 s\u00e2u tr\u01b0\u1edbc s\u1ed1 12 Nguy\u1ec5n Hu\u1ec7 \ud83d\ude21"}}]}]}"#;

const PHOTO: &str = r#"{"object":"page","entry":[{"id":"100200300","time":1790000000123,"messaging":[{"sender":{"id":"7001700170017001"},"recipient":{"id":"100200300"},"timestamp":1790000000100,"message":{"mid":"m_9Rr4sDw0eE0mO1Q2Xg3h4i5j6k7l8m9n0o1p2q3r4s5t6u7v8w9x0y1z2","attachments":[{"type":"image","payload":{"url":"https:\/\/cdn.example\/v\/t1.15752-9\/1234567890_n.jpg?_nc_cat=101&ccb=1-7&oh=03_Q7cD1gE&oe=66F0A1B2"}}]}}]}]}"#;

fn receive(criterion: &mut Criterion) {
    let channel = ChannelId::new("page").expect("a good id");
    let config = Config::new(
        channel,
        App::new(SECRET.into(), "verify".into(), "EXAMPLETOKEN".into()),
    );
    let client = GuardedClient::new(&ClientSettings::default()).expect("a client");
    let messenger = Messenger::new(config, client).expect("a good configuration");
    for (name, body) in [("text", TEXT), ("photo", PHOTO)] {
        let signature = HmacSha256Key::new(SECRET.as_bytes()).sign_hex(body.as_bytes());
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(format!("sha256={signature}")).expect("a header value");
        headers.insert("x-hub-signature-256", value);
        let request = WebhookRequest {
            method: &Method::POST,
            path: "",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
            received_at: Timestamp::from_milliseconds(1_790_000_001_000),
        };
        let received = messenger.receive(&request).expect("signed");
        assert_eq!(received.events.len(), 1);
        criterion.bench_function(&format!("receive a {name}"), |bencher| {
            bencher.iter(|| messenger.receive(black_box(&request)));
        });
    }
}

criterion_group!(benches, receive);
criterion_main!(benches);
