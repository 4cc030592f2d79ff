//! WhatsApp under the connectors' test kit.

use std::{path::Path, sync::Arc, time::Duration};

use langnghe_connector::{
    Connector,
    signature::HmacSha256Key,
    testkit::{self, Subject},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;
use langnghe_whatsapp::{App, Config, TemplateForm, WhatsApp};
use serde_json::{Value, json};

const SECRET: &str = "example-app-secret";
const TOKEN: &str = "EXAMPLETOKEN";
const VERIFY_TOKEN: &str = "example verify&token";
/// The reference's own value for the secret and the token.
const PROOF: &str = "24f0d12042cb414261446e82064eeb340a54ec5908eeedd2ea5cf3cfd23a4627";

/// A number as the fixtures know it.
struct Number {
    client: GuardedClient,
    account: Option<&'static str>,
}

impl Number {
    fn new(account: Option<&'static str>) -> Self {
        let settings = ClientSettings {
            allow_private: true,
            ..ClientSettings::default()
        };
        Self {
            client: GuardedClient::new(&settings).expect("a client"),
            account,
        }
    }
}

impl Subject for Number {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let channel = ChannelId::new("wa").expect("a good id");
        let mut app = App::new(SECRET.into(), VERIFY_TOKEN.into(), TOKEN.into());
        app.api_base = api_base.into();
        app.timeout = Duration::from_secs(2);
        let mut config = Config::new(channel, app, "1060");
        config.account_id = self.account.map(str::to_owned);
        let form = |parameters: &[&str], named: Option<&[&str]>| TemplateForm {
            name: "case_update".to_owned(),
            language: "vi".to_owned(),
            parameters: parameters.iter().map(|&it| it.to_owned()).collect(),
            named: named.map(|names| names.iter().map(|&it| it.to_owned()).collect()),
        };
        config.templates = [
            ("status".to_owned(), form(&["code", "status"], None)),
            (
                "named".to_owned(),
                form(&["code", "status"], Some(&["ticket", "state"])),
            ),
            ("greeting".to_owned(), form(&[], None)),
        ]
        .into();
        Arc::new(WhatsApp::new(config, self.client.clone()).expect("a good configuration"))
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let signature = HmacSha256Key::new(SECRET.as_bytes()).sign_hex(body);
        vec![("x-hub-signature-256", format!("sha256={signature}"))]
    }

    fn credentials(&self) -> Vec<String> {
        [SECRET, TOKEN, VERIFY_TOKEN, PROOF]
            .map(str::to_owned)
            .to_vec()
    }

    fn unknown(&self) -> Value {
        json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{
            "field": "messages", "value": {"messaging_product": "whatsapp",
                "metadata": {"phone_number_id": "1060"},
                "messages": [{"from": "84912345678", "id": "wamid.T", "timestamp": "1790000000",
                    "type": "telepathy", "telepathy": {"thought": "Ồ"}}]}}]}]})
    }
}

fn check(number: &Number, folder: &str) -> testkit::Held {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    testkit::check(number, &fixtures.join(folder))
}

#[test]
fn every_case_holds() {
    let held = check(&Number::new(None), "");
    assert!(held.incoming >= 90 && held.outgoing >= 90, "{held:?}");
}

#[test]
fn an_account_that_is_named_is_subscribed() {
    let held = check(&Number::new(Some("102290129340398")), "account");
    assert_eq!(held.outgoing, 3);
}
