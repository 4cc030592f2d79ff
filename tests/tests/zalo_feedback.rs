//! What citizens think of a notice that went out as a template of Zalo's: their stars and words reach the
//! agency, once, wherever the program dies, and go when the citizen is forgotten. What else happens on the
//! account leaves no dead letter.

use std::time::Duration;

use langnghe_tests::{
    Installation, Replica,
    agency::Agency,
    installation::BACKEND_SECRET,
    news::{FLOW, TOKEN},
    wait,
    zalo::{OA_ID, Zalo, ZaloCitizen, webhook},
};
use serde_json::{Value, json};

const PHONE: &str = "84912345678";
const WORDS: &str = "Đèn sáng được một đêm rồi lại tắt";

/// An account whose news go out as templates where they must.
struct Street {
    zalo: Zalo,
    agency: Agency,
    installation: Installation,
}

impl Street {
    async fn new() -> Self {
        let zalo = Zalo::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        zalo.channel(&mut installation);
        let template = toml::toml! {
            id = "status"
            template_id = "123456"
            parameters = ["code"]
            gaps = ["ma_phieu"]
        };
        installation
            .set_of(
                "channel",
                "oa",
                "template",
                vec![toml::Value::from(template)],
            )
            .backend("ioc", agency.url())
            .flows(&[("su-co.toml", FLOW)])
            .set("flows.start", "su-co")
            .set("api.token", TOKEN)
            .set("notices.quiet_hours", "off")
            .set("retries.replies", vec!["100ms"; 20]);
        for words in ["0912 345 678", PHONE, WORDS] {
            installation.private(words);
        }
        Self {
            zalo,
            agency,
            installation,
        }
    }

    /// A citizen reports, and the news of it goes out as a template, as the window is closed; gives the
    /// ticket's code and the template's message.
    async fn tell(&self, replica: &Replica<'_>, citizen: &ZaloCitizen) -> (String, Value) {
        for (seen, words) in ["báo sự cố", "đèn hỏng", "0912 345 678"]
            .into_iter()
            .enumerate()
        {
            citizen.says(words).await;
            self.zalo.wait_for(&citizen.id, seen, "").await;
        }
        let tickets = self.agency.wait_for(1, wait::SOON).await;
        let ticket = &tickets.values().next().expect("a ticket").ticket;
        let code = ticket["code"].as_str().expect("a code").to_owned();
        self.zalo.refuse_next(-230);
        let path = format!("/api/v1/tickets/{code}/notices");
        let body =
            json!({ "text": "Đã sửa.", "template": "status", "parameters": { "code": code } });
        let request = replica.client().post(replica.url(&path)).bearer_auth(TOKEN);
        let request = request.header("Idempotency-Key", "one").json(&body);
        assert_eq!(request.send().await.expect("an answer").status(), 202);
        let sent = wait::for_some("the template goes out", wait::SOON, async || {
            self.zalo.taken_for(PHONE).pop()
        })
        .await;
        let tracking = sent.message["tracking_id"].clone();
        (
            code,
            json!({ "msg_id": sent.message_id, "tracking_id": tracking }),
        )
    }

    async fn deliver(&self, event: &str, fields: Value) {
        webhook::deliver(&self.installation, event, fields).await;
    }

    /// The newest tickets, as the command shows them.
    fn shown(&self, code: &str) -> String {
        let output = self.installation.run(&["tickets", "show", code]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn dead(&self) -> String {
        let output = self.installation.run(&["dead", "list"]);
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn answer<'t>(ticket: &'t Value, question: &str) -> &'t Value {
    let answers = ticket["answers"].as_array().expect("answers");
    let found = answers.iter().find(|answer| answer["question"] == question);
    &found.expect(question)["value"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stars_and_words_reach_the_agency_once_wherever_the_program_dies() {
    for point in ["", "accepted", "stepped", "committed"] {
        let mut street = Street::new().await;
        let mut replica = street.installation.start().await;
        let citizen = ZaloCitizen::new(&street.installation);
        let (code, message) = street.tell(&replica, &citizen).await;
        if !point.is_empty() {
            drop(replica);
            street
                .installation
                .environment("LANGNGHE_CRASH_AT", &format!("{point}:1"));
            replica = street.installation.start().await;
        }
        let mut rating = message.clone();
        for (field, value) in [
            ("rate", json!(2)),
            ("note", json!(WORDS)),
            ("feedbacks", json!(["Chậm"])),
            ("submit_time", json!("1790000000900")),
        ] {
            rating[field] = value;
        }
        let fields = json!({ "oa_id": OA_ID, "message": rating });
        if point.is_empty() {
            street.deliver("user_feedback", fields.clone()).await;
        } else {
            let dies = async {
                let what = format!("it dies at {point}");
                let status = replica.end(&what, Duration::from_secs(30)).await;
                assert!(!status.success(), "{what}");
                Replica::spawn_without(&street.installation, "LANGNGHE_CRASH_AT")
            };
            let ((), again) = tokio::join!(street.deliver("user_feedback", fields.clone()), dies);
            replica = again;
        }
        // Zalo sends it once more.
        street.deliver("user_feedback", fields).await;
        let tickets = street.agency.wait_for(2, wait::SOON).await;
        street.agency.assert_no_violations();
        let mut tickets = tickets.values().map(|kept| &kept.ticket);
        let feedback = tickets.find(|ticket| ticket["flow"] == "feedback");
        let feedback = feedback.expect("the feedback");
        assert_eq!(feedback["title"], "Đánh giá: Sự cố", "{point}");
        assert_eq!(answer(feedback, "ticket"), &json!(code));
        assert_eq!(answer(feedback, "rating"), &json!(2));
        assert_eq!(answer(feedback, "choices"), &json!(["Chậm"]));
        assert_eq!(answer(feedback, "text"), &json!(WORDS));
        let shown = street.shown(&code);
        assert_eq!(shown.matches("2/5").count(), 1, "{point}: {shown}");
        assert!(
            !shown.contains(WORDS),
            "the history holds no words: {shown}"
        );
        let own = feedback["code"].as_str().expect("a code");
        assert!(street.shown(own).contains(WORDS));
        assert_eq!(street.agency.tickets().len(), 2, "{point}");
        assert!(
            !street.dead().contains("event"),
            "{point}: {}",
            street.dead()
        );

        // It is the citizen's: it goes with everything else of theirs.
        citizen.says("xóa dữ liệu").await;
        street.zalo.wait_for(&citizen.id, 0, "muốn xóa").await;
        citizen.says("1").await;
        street.zalo.wait_for(&citizen.id, 0, "đã được xóa").await;
        assert!(!street.shown(own).contains(WORDS), "{point}");
        drop(replica);
    }
}

#[tokio::test]
async fn a_pressed_answer_reaches_the_agency_and_what_is_no_word_to_us_is_only_counted() {
    let street = Street::new().await;
    let replica = street.installation.start().await;
    let citizen = ZaloCitizen::new(&street.installation);
    let (code, message) = street.tell(&replica, &citizen).await;
    let pressed = json!({
        "button_type": "response",
        "data": "Chưa hài lòng",
        "tracking_id": message["tracking_id"],
        "submit_time": "1790000000900",
    });
    let fields = json!({ "oa_id": OA_ID, "msg_id": message["msg_id"], "message": pressed });
    street.deliver("user_click_response_button", fields).await;
    let tickets = street.agency.wait_for(2, wait::SOON).await;
    let mut tickets = tickets.values().map(|kept| &kept.ticket);
    let feedback = tickets.find(|ticket| ticket["flow"] == "feedback");
    let feedback = feedback.expect("the feedback");
    assert_eq!(answer(feedback, "choices"), &json!(["Chưa hài lòng"]));
    assert!(street.shown(&code).contains("answered"));

    let received = json!({
        "sender": { "id": OA_ID },
        "recipient": { "id": PHONE },
        "message": { "msg_id": message["msg_id"], "tracking_id": message["tracking_id"],
            "delivery_time": "1790000000800" },
    });
    street.deliver("user_received_message", received).await;
    for event in [
        "add_user_to_tag",
        "change_oa_daily_quota",
        "user_reply_consent",
    ] {
        let fields =
            json!({ "oa_id": OA_ID, "quota": { "prev_value": "500", "new_value": "100" } });
        street.deliver(event, fields).await;
        let metrics = replica.metrics().await;
        let labels = [("channel", "oa"), ("news", event)];
        let counted = metrics.sum("langnghe_account_news_total", &labels);
        assert!((counted - 1.0).abs() < f64::EPSILON, "{event}");
    }
    let told = street.installation.log();
    assert!(
        told.contains("change_oa_daily_quota"),
        "an operator is told"
    );
    assert_eq!(
        street.dead().matches("event").count(),
        0,
        "{}",
        street.dead()
    );

    // Feedback on another program's message, and what nobody knows, are kept.
    let other = json!({ "msg_id": "a4d0243feee163bd3af2", "tracking_id": "order-1001", "rate": 5 });
    let fields = json!({ "oa_id": OA_ID, "message": other });
    street.deliver("user_feedback", fields).await;
    street
        .deliver("user_sends_thought", json!({ "oa_id": OA_ID }))
        .await;
    wait::until("both are dead letters", wait::SOON, async || {
        let dead = street.dead();
        dead.contains("about no ticket of ours") && dead.contains("unknown kind")
    })
    .await;
    drop(replica);
}
