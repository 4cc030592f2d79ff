//! Messenger under the connectors' test kit.

use std::{path::Path, sync::Arc, time::Duration};

use langnghe_connector::{
    Connector,
    signature::HmacSha256Key,
    testkit::{self, Subject},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_messenger::{App, ChoicePresentation, Config, Messenger, TemplateForm};
use langnghe_model::ChannelId;
use serde_json::{Value, json};

const SECRET: &str = "example-app-secret";
const OLD_SECRET: &str = "example-old-secret";
const TOKEN: &str = "EXAMPLETOKEN";
const VERIFY_TOKEN: &str = "example verify&token";
/// The reference's own value for the secret and the token.
const PROOF: &str = "24f0d12042cb414261446e82064eeb340a54ec5908eeedd2ea5cf3cfd23a4627";

/// A Page as the fixtures know it.
struct Page {
    client: GuardedClient,
    choices: ChoicePresentation,
    /// What incoming webhooks are signed with.
    secret: &'static str,
    /// What the configuration names.
    named: Option<&'static str>,
    app: Option<&'static str>,
}

impl Page {
    fn new() -> Self {
        let settings = ClientSettings {
            allow_private: true,
            ..ClientSettings::default()
        };
        Self {
            client: GuardedClient::new(&settings).expect("a client"),
            choices: ChoicePresentation::QuickReplies,
            secret: SECRET,
            named: None,
            app: None,
        }
    }
}

impl Subject for Page {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let channel = ChannelId::new("page").expect("a good id");
        let mut config = Config::new(
            channel,
            App::new(SECRET.into(), VERIFY_TOKEN.into(), TOKEN.into()),
        );
        config.app.secrets.push(OLD_SECRET.into());
        config.app.api_base = api_base.into();
        config.page_id = self.named.map(str::to_owned);
        config.app_id = self.app.map(str::to_owned);
        config.choices = self.choices;
        let form = TemplateForm {
            name: "case_update".to_owned(),
            language: "vi".to_owned(),
            parameters: vec!["code".to_owned(), "status".to_owned()],
            named: None,
        };
        config.templates.insert("status".to_owned(), form);
        config.app.timeout = Duration::from_secs(2);
        Arc::new(Messenger::new(config, self.client.clone()).expect("a good configuration"))
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let signature = HmacSha256Key::new(self.secret.as_bytes()).sign_hex(body);
        vec![("x-hub-signature-256", format!("sha256={signature}"))]
    }

    fn credentials(&self) -> Vec<String> {
        [SECRET, OLD_SECRET, TOKEN, VERIFY_TOKEN, PROOF]
            .map(str::to_owned)
            .to_vec()
    }

    fn unknown(&self) -> Value {
        json!({"object": "page", "entry": [{"id": "100200300", "time": 1_790_000_000_123_i64,
            "messaging": [{"sender": {"id": "7001"}, "recipient": {"id": "100200300"},
                "timestamp": 1_790_000_000_100_i64, "telepathy": {"thought": "Ồ"}}]}]})
    }
}

fn check(page: &Page, folder: &str) -> testkit::Held {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    testkit::check(page, &fixtures.join(folder))
}

#[test]
fn every_case_holds() {
    let held = check(&Page::new(), "");
    assert!(held.incoming >= 85 && held.outgoing >= 85, "{held:?}");
}

/// While a secret is changed, Meta may sign with either.
#[test]
fn the_old_secret_is_taken_too() {
    let held = check(
        &Page {
            secret: OLD_SECRET,
            ..Page::new()
        },
        "old_secret",
    );
    assert_eq!(held.incoming, 1);
}

#[test]
fn a_page_and_an_app_that_are_named_tell_strangers_apart() {
    let page = Page {
        named: Some("100200300"),
        app: Some("100001"),
        ..Page::new()
    };
    let held = check(&page, "named");
    assert!(held.incoming >= 4 && held.outgoing >= 1, "{held:?}");
}

#[test]
fn choices_can_be_buttons() {
    let held = check(
        &Page {
            choices: ChoicePresentation::Buttons,
            ..Page::new()
        },
        "buttons",
    );
    assert!(held.incoming >= 1 && held.outgoing >= 5, "{held:?}");
}
