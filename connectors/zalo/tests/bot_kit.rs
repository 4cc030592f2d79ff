//! The Zalo Bot Platform under the connectors' test kit.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use langnghe_connector::{
    Connector, Rejection, WebhookRequest,
    testkit::{self, Subject},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;
use langnghe_zalo::bot::{BotConfig, BotConfigError, BotMode, ZaloBot};
use serde_json::{Value, json};

const TOKEN: &str = "12345689:EXAMPLE-bot_token";
const SECRET: &str = "example-bot-secret";

/// A bot as the fixtures know it.
struct Bot {
    client: GuardedClient,
    polls: bool,
}

impl Bot {
    fn new(polls: bool) -> Self {
        let settings = ClientSettings {
            allow_private: true,
            ..ClientSettings::default()
        };
        Self {
            client: GuardedClient::new(&settings).expect("a client"),
            polls,
        }
    }
}

fn config(polls: bool) -> BotConfig {
    let channel = ChannelId::new("zbot").expect("a good id");
    let secret = SECRET.into();
    let mode = if polls {
        BotMode::Polling
    } else {
        BotMode::Webhook { secret }
    };
    BotConfig::new(channel, TOKEN.into(), mode)
}

impl Subject for Bot {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let config = BotConfig {
            api_base: api_base.to_owned(),
            timeout: Duration::from_secs(2),
            media_hosts: vec![api_base.to_owned()],
            ..config(self.polls)
        };
        Arc::new(ZaloBot::new(config, self.client.clone()).expect("a good configuration"))
    }

    fn sign(&self, _body: &[u8]) -> Vec<(&'static str, String)> {
        vec![("x-bot-api-secret-token", SECRET.to_owned())]
    }

    fn credentials(&self) -> Vec<String> {
        [TOKEN, "EXAMPLE-bot_token", SECRET]
            .map(str::to_owned)
            .to_vec()
    }

    fn unknown(&self) -> Value {
        json!({"ok": true, "result": {"event_name": "message.telepathy.received",
            "message": {"chat": {"id": "6ede9afa66b88fe6d6a9", "chat_type": "PRIVATE"}}}})
    }
}

fn fixtures(folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("fixtures/bot").join(folder)
}

#[test]
fn every_case_holds() {
    let held = testkit::check(&Bot::new(false), &fixtures(""));
    assert!(held.incoming >= 60 && held.outgoing >= 60, "{held:?}");
}

#[test]
fn a_bot_that_polls_takes_no_webhook() {
    let bot = Bot::new(true);
    let held = testkit::check_outgoing(&bot, &fixtures("polling"));
    assert!(held >= 4, "{held}");
    let mut headers = http::HeaderMap::new();
    let nothing = http::HeaderValue::from_static("");
    headers.insert("x-bot-api-secret-token", nothing);
    let received = bot
        .connector("http://127.0.0.1:9")
        .receive(&WebhookRequest {
            method: &http::Method::POST,
            path: "",
            query: "",
            headers: &headers,
            body: b"{}",
            received_at: testkit::RECEIVED_AT,
        });
    assert_eq!(received.map(|_| ()), Err(Rejection::Signature));
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let client = Bot::new(false).client;
    let refused = |config| ZaloBot::new(config, client.clone()).err();
    for token in ["", ":", "12345689", "123:a/b", "123:a b", "123:a?b"] {
        let config = BotConfig {
            token: token.into(),
            ..config(true)
        };
        assert_eq!(refused(config), Some(BotConfigError::Token), "{token:?}");
    }
    for secret in ["", "short", "with a blank", &"a".repeat(257)] {
        let mode = BotMode::Webhook {
            secret: secret.into(),
        };
        let config = BotConfig {
            mode,
            ..config(true)
        };
        let error = refused(config);
        assert_eq!(error, Some(BotConfigError::WebhookSecret), "{secret:?}");
    }
    let config = BotConfig {
        api_base: "bot-api".to_owned(),
        ..config(true)
    };
    assert!(matches!(refused(config), Some(BotConfigError::Address(_))));
}
