//! Every provider of SMS under the connectors' test kit.

use std::{path::Path, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use langnghe_connector::{
    Connector,
    signature::HmacSha256Key,
    testkit::{self, Held, RECEIVED_AT, Subject, Webhook},
};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::{ChannelId, capabilities};
use langnghe_sms::{
    Android, AndroidConfig, Config, Esms, EsmsConfig, Keyword, Sms, SpeedSms, SpeedSmsConfig,
    Twilio, TwilioConfig,
    http::{
        Answers, Encoding, Field, HttpConfig, HttpGateway, Incoming, Meaning, Reports, Signature,
        Taken, Template, Values,
    },
};
use serde_json::{Value, json};

/// Shorter than anything stalls.
const TIMEOUT: Duration = Duration::from_millis(500);
const PATH_TOKEN: &str = "c2VjcmV0LXBhdGgtMQ";

fn client() -> GuardedClient {
    let settings = ClientSettings {
        allow_private: true,
        ..ClientSettings::default()
    };
    GuardedClient::new(&settings).expect("a client")
}

fn channel(keyword: Option<&str>) -> Config {
    let mut config = Config::new(ChannelId::new("sms").expect("a good id"));
    config.keyword = keyword.and_then(Keyword::new);
    config
}

/// From the reference.
const TWILIO_TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct TwilioAccount {
    sender: &'static str,
}

/// `X-Twilio-Signature` as the reference describes it.
fn twilio_signature(path: &str, query: &str, body: &[u8]) -> String {
    let mut text = String::from("https://gw.example.vn/sms/twilio");
    if !path.is_empty() {
        text = format!("{text}/{path}");
    }
    if !query.is_empty() {
        text = format!("{text}?{query}");
    }
    if !body.starts_with(b"{") {
        let mut fields: Vec<(String, String)> =
            url::form_urlencoded::parse(body).into_owned().collect();
        fields.sort();
        for (name, value) in fields {
            text = format!("{text}{name}{value}");
        }
    }
    let mut mac: Hmac<sha1::Sha1> =
        Hmac::new_from_slice(TWILIO_TOKEN.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

impl Subject for TwilioAccount {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let config = TwilioConfig {
            api_base: api_base.to_owned(),
            timeout: TIMEOUT,
            ..TwilioConfig::new(
                "AC00000000000000000000000000000001".to_owned(),
                TWILIO_TOKEN.into(),
                self.sender.to_owned(),
                "https://gw.example.vn/sms/twilio".to_owned(),
            )
        };
        let twilio = Twilio::new(config, client()).expect("a good configuration");
        Arc::new(Sms::new(channel(None), twilio))
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        self.sign_webhook(&Method::POST, "", "", body)
    }

    fn sign_webhook(
        &self,
        _method: &Method,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        vec![("x-twilio-signature", twilio_signature(path, query, body))]
    }

    fn credentials(&self) -> Vec<String> {
        let basic = format!("AC00000000000000000000000000000001:{TWILIO_TOKEN}");
        vec![TWILIO_TOKEN.to_owned(), BASE64_STANDARD.encode(basic)]
    }

    fn unknown(&self) -> Value {
        Value::Null
    }

    fn unknown_webhook(&self) -> Webhook {
        let fields = [
            ("AccountSid", "AC1"),
            ("TelepathySid", "TP1"),
            ("Thought", "Ồ"),
        ];
        Webhook::form("", fields)
    }

    fn answer(&self) -> &'static str {
        "<Response/>"
    }
}

struct EsmsAccount {
    private_key: Option<&'static str>,
}

impl Subject for EsmsAccount {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let config = EsmsConfig {
            sender: Some("UBNDXA".to_owned()),
            private_key: self.private_key.map(Into::into),
            api_base: api_base.to_owned(),
            timeout: TIMEOUT,
            ..EsmsConfig::new(
                "EXAMPLEAPIKEY".into(),
                "EXAMPLESECRETKEY".into(),
                PATH_TOKEN.into(),
                "https://gw.example.vn/sms/esms".to_owned(),
            )
        };
        let esms = Esms::new(config, client()).expect("a good configuration");
        let config = Config {
            encoding: capabilities::Encoding::Unaccented,
            ..channel(Some("PA"))
        };
        Arc::new(Sms::new(config, esms))
    }

    fn sign(&self, _body: &[u8]) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn credentials(&self) -> Vec<String> {
        ["EXAMPLEAPIKEY", "EXAMPLESECRETKEY", PATH_TOKEN, "khoabimat"]
            .map(str::to_owned)
            .to_vec()
    }

    fn unknown(&self) -> Value {
        Value::Null
    }

    fn unknown_webhook(&self) -> Webhook {
        Webhook::query(PATH_TOKEN, [("Telepathy", "Ồ")])
    }

    fn secret_path(&self) -> &'static str {
        PATH_TOKEN
    }
}

struct SpeedSmsAccount;

impl Subject for SpeedSmsAccount {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let config = SpeedSmsConfig {
            sender: Some("UBNDXA".to_owned()),
            api_base: format!("{api_base}/index.php"),
            timeout: TIMEOUT,
            ..SpeedSmsConfig::new("EXAMPLEACCESSTOKEN".into(), PATH_TOKEN.into())
        };
        let speedsms = SpeedSms::new(config, client()).expect("a good configuration");
        Arc::new(Sms::new(channel(None), speedsms))
    }

    fn sign(&self, _body: &[u8]) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn credentials(&self) -> Vec<String> {
        let basic = BASE64_STANDARD.encode("EXAMPLEACCESSTOKEN:x");
        vec![
            "EXAMPLEACCESSTOKEN".to_owned(),
            basic,
            PATH_TOKEN.to_owned(),
        ]
    }

    fn unknown(&self) -> Value {
        json!({"type": "telepathy", "thought": "Ồ"})
    }

    fn secret_path(&self) -> &'static str {
        PATH_TOKEN
    }
}

/// From the reference; the app's own would be longer.
const SIGNING_KEY: &str = "khoa-ky";

struct Phone;

impl Subject for Phone {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let config = AndroidConfig {
            api_base: format!("{api_base}/3rdparty/v1"),
            timeout: TIMEOUT,
            ..AndroidConfig::new(
                "EXAMPLEUSER".to_owned(),
                "EXAMPLEPASSWORD".into(),
                SIGNING_KEY.into(),
                "https://gw.example.vn/webhooks/sim".to_owned(),
            )
        };
        let android = Android::new(config, client()).expect("a good configuration");
        Arc::new(Sms::new(channel(None), android))
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let timestamp = RECEIVED_AT.as_seconds().to_string();
        let signed = [body, timestamp.as_bytes()].concat();
        let signature = HmacSha256Key::new(SIGNING_KEY.as_bytes()).sign_hex(&signed);
        vec![("x-timestamp", timestamp), ("x-signature", signature)]
    }

    fn redelivered_after(&self) -> Duration {
        Duration::from_mins(10)
    }

    fn credentials(&self) -> Vec<String> {
        let basic = BASE64_STANDARD.encode("EXAMPLEUSER:EXAMPLEPASSWORD");
        vec!["EXAMPLEPASSWORD".to_owned(), basic, SIGNING_KEY.to_owned()]
    }

    fn unknown(&self) -> Value {
        json!({"id": "ev9", "event": "sms:telepathy", "deviceId": "dev1", "payload": {"thought": "Ồ"}})
    }
}

/// A gateway that nobody wrote code for.
struct Gateway;

const GATEWAY_KEY: &str = "EXAMPLEGATEWAYKEY";

impl Subject for Gateway {
    fn connector(&self, api_base: &str) -> Arc<dyn Connector> {
        let values = Values {
            key: Some(GATEWAY_KEY.into()),
            sender: Some("UBNDXA".to_owned()),
            ..Values::default()
        };
        let template = |text: &str| Template::new(text, &values).expect("a good template");
        let field = |text: &str| text.parse::<Field>().expect("a good field");
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let codes = |codes: &[&str], meaning| {
            codes
                .iter()
                .map(move |code| ((*code).to_owned(), meaning))
                .collect::<Vec<_>>()
        };
        let body = r#"{"to": {{ national | tojson }}, "from": {{ sender | tojson }}, "text": {{ text | tojson }}, "unicode": {{ unicode | tojson }}, "parts": {{ parts }}, "ref": {{ id | tojson }}}"#;
        let config = HttpConfig {
            method: Method::POST,
            url: template(&format!(
                "{api_base}/send?to={{{{ international | urlencode }}}}"
            )),
            headers: vec![
                (AUTHORIZATION, template("Key {{ key }}")),
                (CONTENT_TYPE, template("application/json")),
            ],
            body: Some(template(body)),
            answers: Answers {
                taken: Taken::Codes(texts(&["0"])),
                code: Some("/code".to_owned()),
                message: Some("/data/id".to_owned()),
                meanings: [
                    codes(&["409"], Meaning::Duplicate),
                    codes(&["429"], Meaning::Throttled),
                    codes(&["21"], Meaning::Gone),
                    codes(&["11"], Meaning::Credentials),
                    codes(&["31"], Meaning::Rejected),
                ]
                .concat(),
            },
            incoming: Some(Incoming {
                from: field("form:msisdn"),
                text: field("form:content"),
                id: Some(field("form:id")),
                answer: "OK".to_owned(),
            }),
            reports: Some(Reports {
                message: field("json:/report/id"),
                state: field("json:/report/state"),
                to: Some(field("json:/report/msisdn")),
                delivered: texts(&["DELIVRD"]),
                failed: texts(&["UNDELIV"]),
            }),
            webhook_token: Some(PATH_TOKEN.into()),
            signature: Some(Signature {
                header: "x-sign".to_owned(),
                prefix: "v1=".to_owned(),
                encoding: Encoding::Base64,
                key: HmacSha256Key::new(GATEWAY_KEY.as_bytes()),
            }),
            check: Some(template(&format!("{api_base}/account"))),
            values: values.clone(),
            timeout: TIMEOUT,
        };
        let gateway = HttpGateway::new(config, client()).expect("a good configuration");
        Arc::new(Sms::new(channel(None), gateway))
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let signature = HmacSha256Key::new(GATEWAY_KEY.as_bytes()).sign(body);
        vec![(
            "x-sign",
            format!("v1={}", BASE64_STANDARD.encode(signature)),
        )]
    }

    fn credentials(&self) -> Vec<String> {
        vec![GATEWAY_KEY.to_owned(), PATH_TOKEN.to_owned()]
    }

    fn unknown(&self) -> Value {
        json!({"telepathy": "Ồ"})
    }

    fn secret_path(&self) -> &'static str {
        PATH_TOKEN
    }
}

#[test]
fn a_text_whose_gaps_nothing_fills_or_that_never_ends_is_refused() {
    let values = Values::default();
    for bad in [
        "{{ recipient }}",
        "{{ key }}",
        "{{ text",
        "{% for a in range(100000) %}{{ a }}{% endfor %}",
        "{{ text | nofilter }}",
    ] {
        assert!(Template::new(bad, &values).is_err(), "{bad}");
    }
    assert!(Template::new("{{ national }}{{ text | tojson }}", &values).is_ok());
}

fn check(subject: &dyn Subject, folder: &str) -> Held {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    testkit::check(subject, &fixtures.join(folder))
}

#[test]
fn every_case_holds() {
    let twilio = TwilioAccount {
        sender: "+12025550100",
    };
    let service = TwilioAccount {
        sender: "MG00000000000000000000000000000001",
    };
    let esms = EsmsAccount {
        private_key: Some("khoabimat"),
    };
    let unsigned = EsmsAccount { private_key: None };
    let all: [(&dyn Subject, &str); 7] = [
        (&twilio, "twilio"),
        (&service, "twilio_service"),
        (&esms, "esms"),
        (&unsigned, "esms_unsigned"),
        (&SpeedSmsAccount, "speedsms"),
        (&Phone, "android"),
        (&Gateway, "http"),
    ];
    let held: Vec<Held> = all
        .into_iter()
        .map(|(subject, folder)| check(subject, folder))
        .collect();
    let incoming: usize = held.iter().map(|held| held.incoming).sum();
    let outgoing: usize = held.iter().map(|held| held.outgoing).sum();
    assert!(incoming >= 60 && outgoing >= 60, "{held:?}");
}
