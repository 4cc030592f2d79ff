//! News for citizens who did not just write: when and how it reaches them, and what the agency is told
//! of that.

use std::time::Duration;

use langnghe_tests::{
    Graph, Installation,
    agency::Agency,
    citizen::Citizen,
    graph::{Failure, Manner},
    installation::BACKEND_SECRET,
    news::{FLOW, TOKEN, becomes, notices, tell, waiting},
    speedsms::SpeedSms,
    wait,
};
use serde_json::{Value, json};

/// A page whose news go by SMS where they must.
struct Site {
    graph: Graph,
    sms: SpeedSms,
    agency: Agency,
    installation: Installation,
}

impl Site {
    async fn new() -> Self {
        let graph = Graph::start().await;
        let sms = SpeedSms::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        installation
            .messenger("page", &graph.api_base())
            .speedsms("sms", sms.api_base())
            .backend("ioc", agency.url())
            .flows(&[("su-co.toml", FLOW)])
            .set("flows.start", "su-co")
            .set("api.token", TOKEN)
            .set("notices.quiet_hours", "off")
            .set("retries.replies", vec!["100ms"; 20]);
        Self {
            graph,
            sms,
            agency,
            installation,
        }
    }

    /// A citizen reports, giving this number; the ticket's code.
    async fn report(&self, citizen: &Citizen, phone: &str) -> String {
        self.installation.private(phone);
        for (number, words) in ["báo sự cố", "đèn hỏng", phone].into_iter().enumerate() {
            citizen.says(words).await;
            self.graph.wait_for_texts(&citizen.id, number + 1).await;
        }
        let tickets = self.agency.wait_for(1, wait::SOON).await;
        let ticket = &tickets.values().next().expect("a ticket").ticket;
        ticket["code"].as_str().expect("a code").to_owned()
    }

    /// From now on Meta says that the window is closed, whatever our clock says.
    fn close_window(&self, citizen: &Citizen, times: usize) {
        for _ in 0..times {
            let closed = Manner::Fail(Failure::WINDOW_CLOSED);
            self.graph.next_to(&citizen.id, closed);
        }
    }
}

#[tokio::test]
async fn news_goes_out_freely_or_waits_until_the_citizen_writes_and_the_agency_sees_which() {
    let site = Site::new().await;
    let replica = site.installation.start().await;
    let citizen = Citizen::new(&site.installation);
    // A number that SMS does not reach.
    let code = site.report(&citizen, "02923 810 123").await;
    let body = json!({ "text": "Đèn đã sửa xong." });
    let (status, taken) = tell(&replica, &code, "fixed", &body).await;
    assert_eq!((status, &taken["repeated"]), (202, &json!(false)));
    becomes(&replica, &code, ["sent", "free", "page"]).await;
    let (status, again) = tell(&replica, &code, "fixed", &body).await;
    assert_eq!((status, &again["repeated"]), (202, &json!(true)));
    assert_eq!(again["id"], taken["id"]);

    site.close_window(&citizen, 1);
    let body = json!({ "text": "Mời anh/chị đánh giá." });
    tell(&replica, &code, "rate", &body).await;
    becomes(&replica, &code, ["kept", "window_closed", "page"]).await;
    // Answers pass what waits, and the citizen's word opens the window for it.
    citizen.says("báo sự cố").await;
    becomes(&replica, &code, ["sent", "free", "page"]).await;
    let texts = site.graph.wait_for_texts(&citizen.id, 6).await;
    let said = |words: &str| texts.iter().filter(|text| text.contains(words)).count();
    assert_eq!((said("sửa xong"), said("đánh giá")), (1, 1), "{texts:?}");

    // What is worth nothing any more is not sent, and said so.
    site.close_window(&citizen, 1);
    let soon = jiff::Timestamp::now() + Duration::from_secs(8);
    let body = json!({ "text": "Cúp nước lúc 9 giờ.", "deadline": soon.to_string() });
    let (status, answer) = tell(&replica, &code, "water", &body).await;
    assert_eq!(status, 202, "{answer}");
    becomes(&replica, &code, ["given_up", "deadline", "page"]).await;

    let problem = |answer: (u16, Value)| (answer.0, answer.1["code"].clone());
    let long = json!({ "text": "dài ".repeat(400) });
    let answer = problem(tell(&replica, &code, "long", &long).await);
    assert_eq!(answer, (422, json!("text_too_long")));
    let answer = problem(tell(&replica, "PA-NONE", "x", &json!({ "text": "a" })).await);
    assert_eq!(answer, (404, json!("not_found")));
    let output = site
        .installation
        .run(&["notify", &code, "--text", "Chào anh/chị."]);
    assert!(output.status.success(), "{output:?}");
    becomes(&replica, &code, ["sent", "free", "page"]).await;
    drop(replica);
}

#[tokio::test]
async fn nobody_is_disturbed_in_the_hours_of_rest() {
    let mut site = Site::new().await;
    // Hours around now, in Vietnam's time.
    let hour = langnghe_tests::clock::milliseconds() / 3_600_000 + 7;
    let hours = format!("{:02}:00-{:02}:00", (hour + 23) % 24, (hour + 3) % 24);
    site.installation
        .set_of("channel", "page", "quiet_hours", hours);
    let replica = site.installation.start().await;
    let citizen = Citizen::new(&site.installation);
    let code = site.report(&citizen, "02923 810 123").await;
    let soon = jiff::Timestamp::now() + Duration::from_mins(1);
    let body =
        json!({ "text": "Họp lúc 9 giờ.", "purpose": "broadcast", "deadline": soon.to_string() });
    tell(&replica, &code, "meeting", &body).await;
    becomes(
        &replica,
        &code,
        ["given_up", "deadline_in_quiet_hours", "page"],
    )
    .await;
    let body = json!({ "text": "Chúc mừng năm mới.", "purpose": "broadcast" });
    tell(&replica, &code, "greeting", &body).await;
    becomes(&replica, &code, ["kept", "quiet_hours", "page"]).await;
    // Who just wrote is awake: news of their own is not held back.
    tell(&replica, &code, "news", &json!({ "text": "Đã sửa." })).await;
    becomes(&replica, &code, ["sent", "free", "page"]).await;
    assert_eq!(notices(&replica, &code).await[1][0], "kept");
    drop(replica);
}

#[tokio::test]
async fn what_the_window_shuts_out_goes_by_the_channel_agreed_to_once_even_over_a_crash() {
    let mut site = Site::new().await;
    site.installation
        .set_of("channel", "page", "fallback", "sms");
    let replica = site.installation.start().await;
    let citizen = Citizen::new(&site.installation);
    let code = site.report(&citizen, "0912 345 678").await;
    let digits = "84912345678";
    site.close_window(&citizen, 1);
    tell(&replica, &code, "one", &json!({ "text": "Tin thứ nhất." })).await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    assert_eq!(site.sms.texts_for(digits).len(), 1);
    drop(replica);

    // It dies between the two outboxes.
    site.installation
        .environment("LANGNGHE_CRASH_AT", "fell-back:1")
        // Where it could leave before that, and once more afterwards.
        .set_of("channel", "sms", "api_base", "http://127.0.0.1:9");
    site.close_window(&citizen, 9);
    let mut replica = site.installation.start().await;
    tell(&replica, &code, "two", &json!({ "text": "Tin thứ hai." })).await;
    let status = replica.end("it dies", Duration::from_secs(30)).await;
    assert!(!status.success());
    drop(replica);
    site.installation.forget("LANGNGHE_CRASH_AT");
    site.installation
        .set_of("channel", "sms", "api_base", site.sms.api_base());
    let replica = site.installation.start().await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    for channel in ["page", "sms"] {
        waiting(&replica, channel, [0, 0]).await;
    }
    let texts = site.sms.texts_for(digits);
    let second = texts.iter().filter(|text| text.contains("hai"));
    assert_eq!(second.count(), 1, "{texts:?}");
    drop(replica);
}
