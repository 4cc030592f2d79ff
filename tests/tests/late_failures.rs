//! Replies that a provider takes and fails to bring: none is lost, none comes twice.

use std::time::Duration;

use langnghe_tests::{
    Installation, Replica,
    agency::Agency,
    installation::BACKEND_SECRET,
    news::{FLOW, TOKEN, becomes, repaired, tell, waiting},
    sms::{Gateway, twilio},
    speedsms::SpeedSms,
    wait,
    whatsapp::{Closed, NUMBER, Person, Taken, WhatsApp},
};
use serde_json::json;
use tokio::time::Instant;

/// A number on WhatsApp whose news go by SMS where they must.
struct Site {
    whatsapp: WhatsApp,
    sms: SpeedSms,
    agency: Agency,
    installation: Installation,
}

impl Site {
    async fn new() -> Self {
        let mut installation = Installation::new();
        let whatsapp = WhatsApp::start(&installation.url("/webhooks/wa")).await;
        let sms = SpeedSms::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        installation
            .whatsapp("wa", NUMBER, &whatsapp.api_base())
            .speedsms("sms", sms.api_base())
            .backend("ioc", agency.url())
            .flows(&[("su-co.toml", FLOW)])
            .set("flows.start", "su-co")
            .set("api.token", TOKEN)
            .set("notices.quiet_hours", "off")
            .set("retries.replies", vec!["100ms"; 20]);
        Self {
            whatsapp,
            sms,
            agency,
            installation,
        }
    }

    fn with_template(&mut self) {
        let template = toml::toml! {
            id = "status"
            name = "case_update"
            language = "vi"
            parameters = ["status"]
            gaps = ["trang_thai"]
        };
        self.installation.set_of(
            "channel",
            "wa",
            "template",
            vec![toml::Value::from(template)],
        );
        self.whatsapp.approve("case_update", "vi", &["trang_thai"]);
    }

    fn person(&self) -> Person {
        Person::new(&self.installation, &self.whatsapp)
    }

    /// A citizen reports, giving this number, and is silent for a second; the ticket's code.
    async fn report(&self, person: &Person, phone: &str) -> String {
        self.installation.private(phone);
        let steps = [
            ("báo sự cố", "Việc gì"),
            ("đèn hỏng", "Số điện thoại"),
            (phone, "Xong:"),
        ];
        for (seen, (words, expected)) in steps.into_iter().enumerate() {
            person.says(words).await;
            self.whatsapp.wait_for(&person.id, seen, expected).await;
        }
        let answered = Instant::now();
        let tickets = self.agency.wait_for(1, wait::SOON).await;
        self.whatsapp.told().await;
        // What fails within a second of the citizen's words is tried once more: providers tell moments in
        // whole seconds.
        tokio::time::sleep_until(answered + Duration::from_secs(1)).await;
        let ticket = &tickets.values().next().expect("a ticket").ticket;
        ticket["code"].as_str().expect("a code").to_owned()
    }

    /// What was said to a citizen, in order.
    fn texts(&self, person: &Person) -> Vec<String> {
        let taken = self.whatsapp.taken_for(&person.id).into_iter();
        taken.map(|taken| taken.text).collect()
    }

    /// The words of a ticket's history, as an operator reads them.
    fn history(&self, code: &str) -> String {
        let output = self.installation.run(&["tickets", "show", code]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }
}

async fn failed(site: &Site, person: &Person, count: usize) -> Vec<Taken> {
    let what = format!("{count} messages were taken and failed");
    wait::until(&what, wait::SOON, async || {
        site.whatsapp.failed_for(&person.id).len() >= count
    })
    .await;
    site.whatsapp.failed_for(&person.id)
}

async fn late_failures(replica: &Replica<'_>, class: &str) -> f64 {
    let metrics = replica.metrics().await;
    metrics.sum("langnghe_late_failures_total", &[("class", class)])
}

#[tokio::test]
async fn an_answer_that_the_window_shuts_out_later_comes_when_the_citizen_writes() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let person = site.person();
    site.whatsapp.shut_window(&person.id, Some(Closed::Later));
    person.says("báo sự cố").await;
    waiting(&replica, "wa", [1, 1]).await;
    let failed = failed(&site, &person, 1).await;
    assert!(
        failed.len() <= 2,
        "it is not sent again and again: {failed:?}"
    );
    assert!(site.texts(&person).is_empty());
    // Each status comes twice, and that is the same one.
    site.whatsapp.told().await;
    waiting(&replica, "wa", [1, 1]).await;

    site.whatsapp.shut_window(&person.id, None);
    person.says("đèn hỏng").await;
    site.whatsapp.wait_for(&person.id, 1, "Số điện thoại").await;
    waiting(&replica, "wa", [0, 0]).await;
    let texts = site.texts(&person);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("Việc gì"),
        "what was said first comes first: {texts:?}"
    );
    assert!(late_failures(&replica, "window_closed").await >= 1.0);
    drop(replica);
}

#[tokio::test]
async fn news_that_fails_later_goes_as_a_template_and_else_by_the_channel_agreed_to() {
    let mut site = Site::new().await;
    site.with_template();
    site.installation.set_of("channel", "wa", "fallback", "sms");
    let replica = site.installation.start().await;
    let person = site.person();
    let code = site.report(&person, "0912 345 678").await;
    site.whatsapp.shut_window(&person.id, Some(Closed::Later));
    tell(&replica, &code, "fixed", &repaired()).await;
    becomes(&replica, &code, ["sent", "template", "wa"]).await;
    let taken = site.whatsapp.taken_for(&person.id);
    let template = taken.last().expect("a template");
    assert_eq!(template.kind, "template");
    assert_eq!(template.text, "case_update\nđã sửa");
    let history = site.history(&code);
    let told = |words: &str| {
        history
            .find(words)
            .unwrap_or_else(|| panic!("no {words:?} in {history}"))
    };
    assert!(told("sent free") < told("returned window_closed"));
    assert!(told("returned window_closed") < told("sent template"));

    // The template fails as well, for good: what is left is the telephone.
    site.whatsapp.fail_later(&person.id, &[131_047, 132_015]);
    tell(&replica, &code, "again", &repaired()).await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    let texts = site.sms.texts_for("84912345678");
    assert_eq!(texts.len(), 1, "{texts:?}");
    let history = site.history(&code);
    assert!(history.contains("fell_back template_refused"), "{history}");

    // Who has left WhatsApp has not left the telephone.
    site.whatsapp.shut_window(&person.id, None);
    site.whatsapp.fail_later(&person.id, &[131_026]);
    tell(&replica, &code, "gone", &repaired()).await;
    wait::until("it goes by SMS", wait::SOON, async || {
        site.sms.texts_for("84912345678").len() == 2
    })
    .await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    let history = site.history(&code);
    assert!(history.contains("fell_back recipient_gone"), "{history}");
    waiting(&replica, "wa", [0, 0]).await;
    drop(replica);
}

#[tokio::test]
async fn news_without_another_way_waits_and_comes_once() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let person = site.person();
    let code = site.report(&person, "02923 810 123").await;
    site.whatsapp.shut_window(&person.id, Some(Closed::Later));
    tell(
        &replica,
        &code,
        "fixed",
        &json!({ "text": "Đèn đã sửa xong." }),
    )
    .await;
    becomes(&replica, &code, ["kept", "window_closed", "wa"]).await;
    let failed = failed(&site, &person, 1).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    site.whatsapp.told().await;
    site.whatsapp.shut_window(&person.id, None);
    person.says("báo sự cố").await;
    becomes(&replica, &code, ["sent", "free", "wa"]).await;
    site.whatsapp.wait_for(&person.id, 3, "Việc gì").await;
    waiting(&replica, "wa", [0, 0]).await;
    let texts = site.texts(&person);
    let news = texts.iter().filter(|text| text.contains("sửa xong"));
    assert_eq!(news.count(), 1, "{texts:?}");
    drop(replica);
}

#[tokio::test]
async fn what_will_never_come_is_a_dead_letter_and_the_history_says_failed() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let person = site.person();
    let code = site.report(&person, "02923 810 123").await;
    site.whatsapp.fail_later(&person.id, &[131_026]);
    tell(
        &replica,
        &code,
        "fixed",
        &json!({ "text": "Đèn đã sửa xong." }),
    )
    .await;
    becomes(&replica, &code, ["failed", "recipient_gone", "wa"]).await;
    wait::until("there is a dead letter", wait::SOON, async || {
        let output = site.installation.run(&["dead", "list", "--kind", "reply"]);
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        listed.contains("recipient_gone (131026)")
    })
    .await;
    assert!(late_failures(&replica, "recipient_gone").await >= 1.0);
    waiting(&replica, "wa", [0, 0]).await;
    drop(replica);
}

#[tokio::test]
async fn what_fails_for_a_while_comes_later_and_before_what_was_said_after_it() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let person = site.person();
    // Unavailable, and media that could not be loaded.
    site.whatsapp.fail_later(&person.id, &[131_016, 131_053]);
    person.says("báo sự cố").await;
    site.whatsapp.wait_for(&person.id, 0, "Việc gì").await;
    assert_eq!(site.whatsapp.failed_for(&person.id).len(), 2);
    person.says("đèn hỏng").await;
    site.whatsapp.wait_for(&person.id, 1, "Số điện thoại").await;
    assert_eq!(site.texts(&person).len(), 2);
    drop(replica);
}

#[tokio::test]
async fn a_failure_is_known_over_a_crash_and_when_it_overtakes_the_answer() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let person = site.person();
    // The replica dies after the provider took the reply, and before it says that it failed.
    site.whatsapp.hold_statuses(true);
    site.whatsapp.fail_later(&person.id, &[131_016]);
    person.says("báo sự cố").await;
    failed(&site, &person, 1).await;
    waiting(&replica, "wa", [0, 0]).await;
    drop(replica);
    let replica = site.installation.start().await;
    site.whatsapp.hold_statuses(false);
    site.whatsapp.wait_for(&person.id, 0, "Việc gì").await;

    // The status is there before the answer to the send.
    site.whatsapp.answers_after(Duration::from_secs(1));
    site.whatsapp.fail_later(&person.id, &[131_016]);
    person.says("đèn hỏng").await;
    site.whatsapp.wait_for(&person.id, 1, "Số điện thoại").await;
    site.whatsapp.answers_after(Duration::ZERO);
    waiting(&replica, "wa", [0, 0]).await;
    assert_eq!(site.texts(&person).len(), 2);
    assert_eq!(site.whatsapp.failed_for(&person.id).len(), 2);
    drop(replica);
}

#[tokio::test]
async fn an_sms_that_never_arrives_is_a_dead_letter_and_is_not_sent_again() {
    const PHONE: &str = "+84912345671";
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = Installation::new();
    let webhook = installation.url("/webhooks/sms");
    let gateway = Gateway::start(twilio::Twilio::new(&webhook)).await;
    twilio::channel(&mut installation, &gateway)
        .backend("ioc", agency.url())
        .flows(&[("su-co.toml", FLOW)])
        .set("flows.start", "su-co")
        .set("api.token", TOKEN);
    for secret in [twilio::TOKEN, PHONE, "84912345671"] {
        installation.private(secret);
    }
    let replica = installation.start().await;
    for (seen, (words, expected)) in [
        ("bao su co", "Việc gì"),
        ("den hong", "Số điện thoại"),
        ("0912345671", "Xong:"),
    ]
    .into_iter()
    .enumerate()
    {
        twilio::writes(&gateway, &webhook, PHONE, words, false).await;
        gateway.expect(PHONE, expected, seen).await;
    }
    let tickets = agency.wait_for(1, wait::SOON).await;
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code").to_owned();
    tell(&replica, &code, "fixed", &json!({ "text": "Đã sửa." })).await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    // The fourth message that Twilio took.
    let sid = format!("SM{:032x}", 4);
    for _ in 0..2 {
        twilio::reports(&webhook, &sid, PHONE, "undelivered").await;
    }
    becomes(&replica, &code, ["failed", "rejected", "sms"]).await;
    let listed = async || {
        let output = installation.run(&["dead", "list", "--kind", "reply"]);
        String::from_utf8_lossy(&output.stdout)
            .matches("it failed after")
            .count()
    };
    wait::until("there is a dead letter", wait::SOON, async || {
        listed().await > 0
    })
    .await;
    waiting(&replica, "sms", [0, 0]).await;
    assert_eq!(listed().await, 1);
    assert_eq!(gateway.texts_for(PHONE).len(), 4);
    assert!((late_failures(&replica, "rejected").await - 1.0).abs() < f64::EPSILON);
    drop(replica);
}
