//! News as templates that the provider approved, while we may not write freely; and what follows where a
//! template is not taken.

use langnghe_tests::{
    Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    news::{FLOW, TOKEN, becomes, repaired, tell, waiting},
    speedsms::SpeedSms,
    wait,
    whatsapp::{Closed, NUMBER, Person, WhatsApp},
    zalo::{Zalo, ZaloCitizen},
};
use serde_json::json;

const PHONE: &str = "0912 345 672";
const DIGITS: &str = "84912345672";

/// An installation with this flow and an agency, to which the channels are still to be added.
async fn installation() -> (Installation, Agency, SpeedSms) {
    let agency = Agency::start(BACKEND_SECRET).await;
    let sms = SpeedSms::start().await;
    let mut installation = Installation::new();
    installation
        .speedsms("sms", sms.api_base())
        .backend("ioc", agency.url())
        .flows(&[("su-co.toml", FLOW)])
        .set("flows.start", "su-co")
        .set("api.token", TOKEN)
        .set("notices.quiet_hours", "off")
        .set("retries.replies", vec!["100ms"; 20]);
    for secret in [PHONE, DIGITS, "0912345672"] {
        installation.private(secret);
    }
    (installation, agency, sms)
}

async fn code(agency: &Agency) -> String {
    let tickets = agency.wait_for(1, wait::SOON).await;
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    ticket["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn on_whatsapp_the_template_goes_and_where_it_is_paused_the_next_way_is_taken() {
    let (mut installation, agency, sms) = installation().await;
    let whatsapp = WhatsApp::start(&installation.url("/webhooks/wa")).await;
    whatsapp.approve("case_update", "vi", &["trang_thai"]);
    let template = toml::toml! {
        id = "status"
        name = "case_update"
        language = "vi"
        parameters = ["status"]
        gaps = ["trang_thai"]
    };
    installation
        .whatsapp("wa", NUMBER, &whatsapp.api_base())
        .set_of(
            "channel",
            "wa",
            "template",
            vec![toml::Value::from(template)],
        );
    let replica = installation.start().await;
    let person = Person::new(&installation, &whatsapp);
    let steps = [
        ("báo sự cố", "Việc gì"),
        ("đèn hỏng", "Số điện thoại"),
        (PHONE, "Xong:"),
    ];
    for (seen, (words, expected)) in steps.into_iter().enumerate() {
        person.says(words).await;
        whatsapp.wait_for(&person.id, seen, expected).await;
    }
    let code = code(&agency).await;
    whatsapp.close_window(&person.id, Closed::AtOnce);
    tell(&replica, &code, "one", &repaired()).await;
    becomes(&replica, &code, ["sent", "template", "wa"]).await;
    // The stand-in takes the name, language and gaps that are approved, and nothing else.
    let (_, taken) = whatsapp.wait_for(&person.id, 3, "case_update").await;
    assert_eq!(
        (taken.kind.as_str(), taken.text.as_str()),
        ("template", "case_update\nđã sửa")
    );

    // Paused: there is no other way, so it waits until the citizen writes.
    whatsapp.refuse_templates(Some(132_015));
    tell(&replica, &code, "two", &repaired()).await;
    becomes(&replica, &code, ["kept", "template_refused", "wa"]).await;
    waiting(&replica, "wa", [1, 1]).await;
    person.says("báo sự cố").await;
    becomes(&replica, &code, ["sent", "free", "wa"]).await;
    // Settled: what is on its way at a kill comes again.
    waiting(&replica, "wa", [0, 0]).await;
    drop(replica);

    // The citizen agreed to be told by telephone; the template does not exist any more.
    installation.set_of("channel", "wa", "fallback", "sms");
    whatsapp.refuse_templates(Some(132_001));
    whatsapp.close_window(&person.id, Closed::AtOnce);
    let replica = installation.start().await;
    tell(&replica, &code, "three", &repaired()).await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    assert_eq!(sms.texts_for(DIGITS).len(), 1);
    let shown = installation.run(&["tickets", "show", &code]);
    let history = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(history.contains("fell_back template_refused"), "{history}");
    waiting(&replica, "wa", [0, 0]).await;
    drop(replica);
}

#[tokio::test]
async fn on_zalo_the_template_goes_to_the_number_that_the_citizen_gave() {
    let (mut installation, agency, sms) = installation().await;
    let zalo = Zalo::start().await;
    zalo.channel(&mut installation);
    let template = toml::toml! {
        id = "status"
        template_id = "471203"
        parameters = ["status"]
        gaps = ["trang_thai"]
    };
    installation.set_of(
        "channel",
        "oa",
        "template",
        vec![toml::Value::from(template)],
    );
    let replica = installation.start().await;
    let citizen = ZaloCitizen::new(&installation);
    let steps = [
        ("báo sự cố", "Việc gì"),
        ("đèn hỏng", "Số điện thoại"),
        (PHONE, "Xong:"),
    ];
    let mut seen = 0;
    for (words, expected) in steps {
        citizen.says(words).await;
        seen = zalo.wait_for(&citizen.id, seen, expected).await.0 + 1;
    }
    let code = code(&agency).await;
    // No free message any more.
    zalo.refuse_next(-230);
    tell(&replica, &code, "one", &repaired()).await;
    becomes(&replica, &code, ["sent", "template", "oa"]).await;
    let taken = zalo.taken_for(DIGITS);
    assert_eq!(taken.len(), 1, "{taken:?}");
    let mut message = taken[0].message.clone();
    let tracking = message["tracking_id"].take();
    assert!(tracking.as_str().is_some_and(|id| !id.is_empty()));
    let expected = json!({
        "phone": DIGITS,
        "template_id": "471203",
        "template_data": { "trang_thai": "đã sửa" },
        "tracking_id": null,
    });
    assert_eq!(message, expected);

    // Not approved any more: it waits until the citizen writes.
    zalo.refuse_next(-230);
    zalo.refuse_next_template(-131);
    tell(&replica, &code, "two", &repaired()).await;
    becomes(&replica, &code, ["kept", "template_refused", "oa"]).await;
    waiting(&replica, "oa", [1, 1]).await;
    citizen.says("báo sự cố").await;
    becomes(&replica, &code, ["sent", "free", "oa"]).await;
    waiting(&replica, "oa", [0, 0]).await;
    drop(replica);

    installation.set_of("channel", "oa", "fallback", "sms");
    let replica = installation.start().await;
    zalo.refuse_next(-230);
    zalo.refuse_next_template(-131);
    tell(&replica, &code, "three", &repaired()).await;
    becomes(&replica, &code, ["sent", "free", "sms"]).await;
    assert_eq!(sms.texts_for(DIGITS).len(), 1);
    assert_eq!(zalo.taken_for(DIGITS).len(), 1);
    waiting(&replica, "oa", [0, 0]).await;
    drop(replica);
}
