//! An Official Account under the connectors' test kit.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use langnghe_connector::{
    Acceptance, Connector, Host, MediaRefusal, Unavailable, Upload,
    signature::encode_hex,
    testkit::{self, RECEIVED_AT, Subject},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, Timestamp, event::Media};
use langnghe_zalo::{ChoicePresentation, Config, ContactRequest, OfficialAccount, TemplateSetting};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const APP_ID: &str = "1000000000000000001";
const APP_SECRET: &str = "app-secret-EXAMPLE";
const OA_SECRET: &str = "oa-secret-EXAMPLE";
const OLD_SECRET: &str = "old-secret-EXAMPLE";
const ACCESS: &str = "EXAMPLEACCESS1";
const REFRESH: &str = "EXAMPLEREFRESH1";

/// The program, as far as an account asks it: a fixed time, and tokens that it once kept.
#[derive(Debug)]
struct Program;

#[async_trait]
impl Host for Program {
    fn now(&self) -> Timestamp {
        RECEIVED_AT
    }

    async fn accept(&self, _events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        Ok(Vec::new())
    }

    async fn present(&self, _citizen: &CitizenId) {}

    async fn keep_media(
        &self,
        _conversation: &ConversationId,
        _upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        Err(MediaRefusal::Unavailable)
    }

    async fn state(&self, _name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        let now = RECEIVED_AT.as_milliseconds();
        let hour = 3_600_000;
        let state = json!({ "pair": {
            "access": {
                "token": ACCESS,
                "issued_at": now - 5 * hour,
                "until": now + 20 * hour,
            },
            "refresh_token": REFRESH,
            "refresh_until": now + 80 * 24 * hour,
        } });
        Ok(Some(state.to_string().into_bytes()))
    }
}

/// An account as the fixtures know it.
struct Account {
    client: GuardedClient,
    choices: ChoicePresentation,
    /// What incoming webhooks are signed with.
    secret: &'static str,
}

impl Account {
    fn new(choices: ChoicePresentation) -> Self {
        let settings = ClientSettings {
            allow_private: true,
            ..ClientSettings::default()
        };
        Self {
            client: GuardedClient::new(&settings).expect("a client"),
            choices,
            secret: OA_SECRET,
        }
    }
}

impl Subject for Account {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let channel = ChannelId::new("oa").expect("a good id");
        let mut config = Config::new(channel, APP_ID, APP_SECRET.into(), OA_SECRET.into());
        config.oa_secrets.push(OLD_SECRET.into());
        config.oa_id = Some("4000000000000000004".to_owned());
        api_base.clone_into(&mut config.api_base);
        api_base.clone_into(&mut config.zns_base);
        api_base.clone_into(&mut config.oauth_base);
        config.media_hosts = vec![api_base.to_owned()];
        config.choices = self.choices;
        config.contact_request = Some(ContactRequest {
            title: "UBND phường".to_owned(),
            image_url: "https://gop-y.example.vn/logo.png".to_owned(),
        });
        let parameters = |names: &[(&str, &str)]| {
            let pair = |(ours, theirs): &(&str, &str)| ((*ours).to_owned(), (*theirs).to_owned());
            names.iter().map(pair).collect()
        };
        let status = TemplateSetting {
            id: "123456".to_owned(),
            parameters: parameters(&[("code", "ma_phieu"), ("status", "trang_thai")]),
            by_user: false,
        };
        let news = TemplateSetting {
            id: "777".to_owned(),
            parameters: parameters(&[("code", "code")]),
            by_user: true,
        };
        config.templates.insert("status".to_owned(), status);
        config.templates.insert("news".to_owned(), news);
        config.answers = std::env::temp_dir().join("langnghe-no-such-folder");
        config.timeout = Duration::from_secs(2);
        let account = OfficialAccount::new(config, self.client.clone());
        let account = account.expect("a good configuration");
        account.attach(Arc::new(Program));
        Arc::new(account)
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let json: Value = serde_json::from_slice(body).unwrap_or_else(|_| {
            // Half a surrogate pair: the reference's own way to a body is its bytes.
            let text = String::from_utf8_lossy(body).replace("\\ud83d", "");
            serde_json::from_str(&text).unwrap_or_default()
        });
        let timestamp = match &json["timestamp"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut digest = Sha256::new();
        for part in [
            APP_ID.as_bytes(),
            body,
            timestamp.as_bytes(),
            self.secret.as_bytes(),
        ] {
            digest.update(part);
        }
        let mac = encode_hex(&digest.finalize());
        vec![("x-zevent-signature", format!("mac={mac}"))]
    }

    fn credentials(&self) -> Vec<String> {
        [APP_SECRET, OA_SECRET, OLD_SECRET, ACCESS, REFRESH]
            .map(str::to_owned)
            .to_vec()
    }

    fn unknown(&self) -> Value {
        json!({
            "app_id": APP_ID,
            "event_name": "user_send_thought",
            "timestamp": "1790000000000",
            "sender": { "id": "2000000000000000002" },
            "recipient": { "id": "4000000000000000004" },
            "message": { "msg_id": "a1b2", "thought": "Ồ" },
        })
    }
}

fn check(account: &Account, folder: &str) -> testkit::Held {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    testkit::check(account, &fixtures.join(folder))
}

#[test]
fn every_case_holds() {
    let held = check(&Account::new(ChoicePresentation::Numbered), "");
    assert!(held.incoming >= 80 && held.outgoing >= 120, "{held:?}");
}

/// While a key is changed, Zalo may sign with either.
#[test]
fn the_old_key_is_taken_too() {
    let account = Account {
        secret: OLD_SECRET,
        ..Account::new(ChoicePresentation::Numbered)
    };
    let held = check(&account, "old_key");
    assert_eq!(held.incoming, 1);
}

#[test]
fn choices_can_be_buttons_and_reach_the_citizen_where_those_are_refused() {
    let held = check(&Account::new(ChoicePresentation::Buttons), "buttons");
    assert!(held.outgoing >= 7, "{held:?}");
}

#[test]
fn choices_can_be_a_list_and_reach_the_citizen_where_that_is_refused() {
    let held = check(&Account::new(ChoicePresentation::List), "list");
    assert!(held.outgoing >= 3, "{held:?}");
}
