//! Telegram under the connectors' test kit.

use std::{path::Path, sync::Arc, time::Duration};

use langnghe_connector::{
    Connector,
    testkit::{self, Subject},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;
use langnghe_telegram::{Config, Mode, Telegram};
use serde_json::{Value, json};

const TOKEN: &str = "700700:EXAMPLE-token_1";
const SECRET: &str = "example-webhook-secret";

/// A bot as the fixtures know it.
struct Bot {
    client: GuardedClient,
    polls: bool,
}

impl Bot {
    fn new() -> Self {
        let settings = ClientSettings {
            allow_private: true,
            ..ClientSettings::default()
        };
        Self {
            client: GuardedClient::new(&settings).expect("a client"),
            polls: false,
        }
    }
}

impl Subject for Bot {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let channel = ChannelId::new("bot").expect("a good id");
        let mut config = Config::new(channel, TOKEN.into());
        if !self.polls {
            config.mode = Mode::Webhook {
                secret: SECRET.into(),
            };
        }
        config.api_base = api_base.into();
        config.timeout = Duration::from_secs(2);
        Arc::new(Telegram::new(config, self.client.clone()).expect("a good configuration"))
    }

    fn sign(&self, _body: &[u8]) -> Vec<(&'static str, String)> {
        vec![("x-telegram-bot-api-secret-token", SECRET.to_owned())]
    }

    fn credentials(&self) -> Vec<String> {
        vec![
            TOKEN.to_owned(),
            "EXAMPLE-token_1".to_owned(),
            SECRET.to_owned(),
        ]
    }

    fn unknown(&self) -> Value {
        json!({"update_id": 10, "telepathy": {"from": {"id": 50_055_005, "is_bot": false,
            "first_name": "An"}, "thought": "Ồ"}})
    }
}

fn check(bot: &Bot, folder: &str) -> testkit::Held {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    testkit::check(bot, &fixtures.join(folder))
}

#[test]
fn every_case_holds() {
    let held = check(&Bot::new(), "");
    assert!(held.incoming >= 70 && held.outgoing >= 75, "{held:?}");
}

/// A bot that polls takes no webhook, whoever sends it, and gets rid of one that was set.
#[test]
fn a_bot_that_polls_is_asked_for_nothing() {
    let bot = Bot {
        polls: true,
        ..Bot::new()
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/polling");
    let held = testkit::check_outgoing(&bot, &fixtures);
    assert!(held >= 4, "{held}");
    let connector = bot.connector("http://127.0.0.1:9");
    let mut headers = http::HeaderMap::new();
    for secret in [SECRET, ""] {
        let value = http::HeaderValue::from_static(secret);
        headers.insert("x-telegram-bot-api-secret-token", value);
        let received = connector.receive(&langnghe_connector::WebhookRequest {
            method: &http::Method::POST,
            path: "",
            query: "",
            headers: &headers,
            body: br#"{"update_id":10}"#,
            received_at: testkit::RECEIVED_AT,
        });
        assert_eq!(
            received.map(|_| ()),
            Err(langnghe_connector::Rejection::Signature)
        );
    }
}
