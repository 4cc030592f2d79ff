//! SMPP under the connectors' test kit: octets as the standard has them, and what becomes of them.

use std::{path::Path, sync::Arc, time::Duration};

use langnghe_connector::{
    Connector,
    testkit::line::{self, LineSubject},
};
use langnghe_model::{ChannelId, capabilities::Encoding};
use langnghe_sms::{
    Config, Keyword, Sms,
    smpp::{DefaultAlphabet, LongMessages, ReceiptIds, Reconnect, Sender, Smpp, SmppConfig},
};
use serde::Deserialize;
use serde_json::Value;

const PASSWORD: &str = "matkhau1";

/// What a case may say of the account, by the words of the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    default_alphabet: Option<String>,
    join_within_ms: Option<u64>,
    keep_s: Option<u64>,
    keyword: Option<String>,
    long_messages: Option<String>,
    receipt_ids: Option<String>,
    receipts: Option<bool>,
    response_timeout_ms: Option<u64>,
    sender: Option<String>,
    sender_ton: Option<u8>,
    sender_npi: Option<u8>,
    system_type: Option<String>,
    waiting_messages: Option<usize>,
    window: Option<usize>,
}

impl Settings {
    fn config(&self, port: u16) -> SmppConfig {
        let sender = self.sender.as_deref().unwrap_or("8088");
        let mut config = SmppConfig::new("127.0.0.1", port, "congdan", PASSWORD.into(), sender);
        config.reconnect = Reconnect {
            first: Duration::from_millis(5),
            longest: Duration::from_millis(10),
            refused: Duration::from_millis(5),
            ..Reconnect::default()
        };
        config.enquire_link = Duration::from_mins(10);
        let milliseconds = Duration::from_millis;
        config.response_timeout = self
            .response_timeout_ms
            .map_or(Duration::from_secs(30), milliseconds);
        config.waiting.time = self
            .join_within_ms
            .map_or(config.waiting.time, milliseconds);
        config.waiting.messages = self.waiting_messages.unwrap_or(config.waiting.messages);
        config.keep = self.keep_s.map(Duration::from_secs);
        config.receipts = self.receipts.unwrap_or(true);
        config.window = self.window.unwrap_or(config.window);
        config.sender = Sender::new(sender);
        config.sender.ton = self.sender_ton.unwrap_or(config.sender.ton);
        config.sender.npi = self.sender_npi.unwrap_or(config.sender.npi);
        config.system_type = self.system_type.clone().unwrap_or_default();
        config.default_alphabet = match self.default_alphabet.as_deref() {
            None | Some("gsm7") => DefaultAlphabet::Gsm7,
            Some("latin1") => DefaultAlphabet::Latin1,
            Some("ascii") => DefaultAlphabet::Ascii,
            Some(other) => panic!("no alphabet: {other}"),
        };
        config.receipt_ids = match self.receipt_ids.as_deref() {
            None | Some("same") => ReceiptIds::Same,
            Some("hex-decimal") => ReceiptIds::HexDecimal,
            Some("decimal-hex") => ReceiptIds::DecimalHex,
            Some(other) => panic!("no way to write ids: {other}"),
        };
        config.long_messages = match self.long_messages.as_deref() {
            None | Some("udh8") => LongMessages::Header8,
            Some("udh16") => LongMessages::Header16,
            Some("sar") => LongMessages::Parameters,
            Some("payload") => LongMessages::Payload,
            Some(other) => panic!("no way to join parts: {other}"),
        };
        config
    }
}

/// An account at a message centre.
struct Account;

impl LineSubject for Account {
    fn connector(&self, port: u16, settings: &Value) -> Arc<dyn Connector> {
        let settings = match settings {
            Value::Null => Settings::default(),
            settings => Settings::deserialize(settings).expect("settings of a case"),
        };
        let smpp = Smpp::new(settings.config(port)).expect("a good configuration");
        let mut config = Config::new(ChannelId::new("sms").expect("a good id"));
        config.keyword = settings.keyword.as_deref().and_then(Keyword::new);
        config.encoding = Encoding::Unicode;
        Arc::new(Sms::new(config, smpp))
    }

    fn credentials(&self) -> Vec<String> {
        // In octets as well, as somebody may log a frame.
        let octets = PASSWORD.bytes().map(|octet| format!("{octet:02x}"));
        vec![PASSWORD.to_owned(), octets.collect()]
    }
}

fn fixtures(folder: &str) -> usize {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/smpp");
    line::check(&Account, &fixtures.join(folder))
}

#[test]
fn every_case_of_what_comes_in_holds() {
    let held = fixtures("incoming");
    assert!(held >= 60, "{held}");
}

#[test]
fn every_case_of_what_goes_out_holds() {
    let held = fixtures("outgoing");
    assert!(held >= 60, "{held}");
}
