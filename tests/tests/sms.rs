//! A citizen reports from the street by SMS: through an aggregator abroad, a Vietnamese one with a
//! short code, and a commune's own phone.

use langnghe_tests::{
    Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    sms::{Gateway, android, esms, twilio},
    wait,
};
use serde_json::Value;

const NUMBER: &str = "+84912345678";
const WHAT: &str = "Ba đêm nay đầu ngõ nhà tôi tối om, đèn đường hỏng";
const WHERE: &str = "trước số 12 Nguyễn Trãi, phường Cái Khế";

fn installation(agency: &Agency) -> Installation {
    let mut installation = Installation::new();
    installation
        .backend("ioc", agency.url())
        .set("retries.replies", vec!["100ms"; 20])
        .set("retries.deliveries", vec!["100ms"; 20]);
    for secret in [
        twilio::TOKEN,
        esms::API_KEY,
        esms::SECRET_KEY,
        esms::PRIVATE_KEY,
        esms::TOKEN,
        android::PASSWORD,
        android::SIGNING_KEY,
        NUMBER,
        "84912345678",
        "0912345678",
        WHAT,
    ] {
        installation.private(secret);
    }
    installation
}

/// A conversation over one gateway; `writes` brings a text to it, `plain` says that ours have no accents.
struct Talk<'a, W> {
    gateway: &'a Gateway,
    writes: W,
    plain: bool,
    seen: usize,
}

impl<W: AsyncFnMut(&str)> Talk<'_, W> {
    /// Writes something and waits for a text with these words.
    async fn says(&mut self, text: &str, expected: &str) -> String {
        (self.writes)(text).await;
        self.expects(expected).await
    }

    async fn expects(&mut self, expected: &str) -> String {
        let (place, text) = self.gateway.expect(NUMBER, expected, self.seen).await;
        assert!(
            !self.plain || text.is_ascii(),
            "accents were to be left out: {text}"
        );
        self.seen = place + 1;
        text
    }

    /// The whole report, from the question for pictures on.
    async fn finishes(&mut self) -> String {
        self.says("Nguyễn Thị Hoa", "số điện thoại").await;
        self.says("0912 345 678", "công khai").await;
        self.says("có", "đồng ý không").await;
        self.says("đồng ý", "tối om").await;
        self.says("gửi", "Mã phản ánh:").await
    }
}

/// What the agency has of the one report.
async fn ticket(agency: &Agency, channel: &str, told: &str) -> Value {
    let tickets = agency.wait_for(1, wait::SOON).await;
    agency.assert_no_violations();
    let ticket = tickets.values().next().expect("a ticket").ticket.clone();
    let code = ticket["code"].as_str().expect("a code");
    assert!(
        told.contains(code),
        "the citizen was told another code: {told}"
    );
    assert_eq!(ticket["flow"], "hien-truong");
    assert_eq!(ticket["channel"], channel);
    assert_eq!(answer(&ticket, "mo_ta")["value"], WHAT);
    ticket
}

fn answer(ticket: &Value, question: &str) -> Value {
    let answers = ticket["answers"].as_array().expect("answers");
    let found = answers.iter().find(|answer| answer["question"] == question);
    found.cloned().unwrap_or_default()
}

#[tokio::test]
async fn through_twilio_with_a_picture() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = installation(&agency);
    let webhook = installation.url("/webhooks/sms");
    let gateway = Gateway::start(twilio::Twilio::new(&webhook)).await;
    twilio::channel(&mut installation, &gateway);
    let replica = installation.start().await;
    let mut talk = Talk {
        gateway: &gateway,
        writes: async |text: &str| twilio::writes(&gateway, &webhook, NUMBER, text, false).await,
        plain: false,
        seen: 0,
    };
    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    talk.says(WHAT, "Sự việc ở đâu").await;
    // A place by a map's link, as there is no button for it.
    let map = "https://maps.google.com/?q=10.0452,105.7469";
    talk.says(map, "ảnh, video").await;
    twilio::writes(&gateway, &webhook, NUMBER, "", true).await;
    talk.says("xong", "họ tên").await;
    let told = talk.finishes().await;
    let ticket = ticket(&agency, "sms", &told).await;
    let photo = &answer(&ticket, "anh")["media"][0]["url"];
    assert!(
        photo.as_str().is_some_and(|url| !url.is_empty()),
        "{ticket}"
    );
    twilio::reports(
        &webhook,
        "SM00000000000000000000000000000001",
        NUMBER,
        "delivered",
    )
    .await;
    drop(replica);
}

#[tokio::test]
async fn through_esms_and_a_short_code() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = installation(&agency);
    let webhook = installation.url("/webhooks/dau-so");
    let gateway = Gateway::start(esms::Esms {
        webhook: webhook.clone(),
    })
    .await;
    installation
        .environment("ESMS_KEY", esms::API_KEY)
        .environment("ESMS_SECRET", esms::SECRET_KEY)
        .environment("ESMS_PRIVATE", esms::PRIVATE_KEY)
        .environment("ESMS_TOKEN", esms::TOKEN)
        .channel(
            "dau-so",
            toml::toml! {
                kind = "sms"
                provider = "esms"
                api_key = "env:ESMS_KEY"
                secret_key = "env:ESMS_SECRET"
                private_key = "env:ESMS_PRIVATE"
                webhook_token = "env:ESMS_TOKEN"
                encoding = "unaccented"
                keyword = "PA"
                parts_per_second = 1000
                quotas = "off"
                allow_private = true
            },
            &[
                ("sender", esms::BRANDNAME),
                ("api_base", &gateway.api_base()),
            ],
        );
    let replica = installation.start().await;
    let mut talk = Talk {
        gateway: &gateway,
        writes: async |text: &str| esms::writes(&webhook, NUMBER, text).await,
        plain: true,
        seen: 0,
    };
    // The first message is the report: the keyword is no part of it.
    talk.says(WHAT, "Sự việc ở đâu").await;
    talk.says(WHERE, "ảnh, video").await;
    talk.says("0", "họ tên").await;
    let told = talk.finishes().await;
    let ticket = ticket(&agency, "dau-so", &told).await;
    assert_eq!(answer(&ticket, "mo_ta")["value"], WHAT);
    drop(replica);
}

#[tokio::test]
async fn through_the_communes_own_phone() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = installation(&agency);
    let webhook = installation.url("/webhooks/sim");
    let gateway = Gateway::start(android::Android).await;
    installation
        .environment("SIM_PASSWORD", android::PASSWORD)
        .environment("SIM_KEY", android::SIGNING_KEY)
        .channel(
            "sim",
            toml::toml! {
                kind = "sms"
                provider = "android"
                password = "env:SIM_PASSWORD"
                signing_key = "env:SIM_KEY"
                parts_per_second = 1000
                quotas = "off"
                allow_private = true
            },
            &[
                ("username", android::USERNAME),
                ("api_base", &gateway.api_base()),
            ],
        );
    let replica = installation.start().await;
    let mut talk = Talk {
        gateway: &gateway,
        // The phone tells of each message twice, as users report.
        writes: async |text: &str| android::writes(&webhook, NUMBER, text, 1).await,
        plain: false,
        seen: 0,
    };
    talk.says("Phản ánh", "gặp sự việc gì").await;
    talk.says(WHAT, "Sự việc ở đâu").await;
    talk.says(WHERE, "ảnh, video").await;
    talk.says("0", "họ tên").await;
    let told = talk.finishes().await;
    ticket(&agency, "sim", &told).await;
    assert_eq!(agency.tickets().len(), 1, "a message told twice is one");
    drop(replica);
}
