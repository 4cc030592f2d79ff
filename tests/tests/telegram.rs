//! A report from the street on Telegram, polled and delivered, and what a crash between asking for
//! updates and confirming them leaves.

use langnghe_tests::{
    Installation,
    agency::Agency,
    http,
    installation::BACKEND_SECRET,
    road::FLOW,
    telegram::{Markup, Telegram, TelegramCitizen},
    wait,
};

/// What citizens' phones send as pictures: each another one.
const PICTURES: [&[u8]; 3] = [
    b"\xff\xd8\xff\xe0 one of three",
    b"\xff\xd8\xff\xe0 two of three",
    b"\xff\xd8\xff\xe0 three of three",
];

struct Town {
    telegram: Telegram,
    agency: Agency,
    installation: Installation,
}

impl Town {
    async fn new(webhook: bool) -> Self {
        let telegram = Telegram::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        telegram.channel(&mut installation, "bot", webhook);
        installation
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            telegram,
            agency,
            installation,
        }
    }

    /// One with a small flow of three questions.
    async fn with_small_flow(webhook: bool) -> Self {
        let mut town = Self::new(webhook).await;
        town.installation
            .flows(&[("su-co.toml", FLOW)])
            .set("flows.start", "su-co");
        town
    }
}

/// Drives `hien-truong` to a ticket, with everything that Telegram has for it.
async fn report(town: &Town, citizen: &mut TelegramCitizen) {
    citizen.says("/start");
    citizen.expects("Kính chào").await;
    citizen.says("/phan_anh");
    citizen.expects("Anh/chị gặp sự việc gì").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, nhờ xem giúp";
    town.installation.private(what);
    citizen.says(what);
    citizen.expects("Sự việc ở đâu").await;
    citizen.shares_place(10.0340, 105.7880);
    citizen.expects("thuộc lĩnh vực nào").await;
    citizen.presses("Đường, vỉa hè");
    citizen.expects("Cụ thể là việc nào").await;
    citizen.presses("Đèn đường");
    citizen.expects("ảnh, video").await;
    assert_eq!(
        citizen.keyboard(),
        None,
        "the keyboard for the place is gone"
    );
    citizen.sends_album("", &PICTURES);
    wait::for_some("the album is taken as one", wait::SOON, async || {
        citizen
            .said()
            .into_iter()
            .find(|said| said.text.contains('3'))
    })
    .await;
    citizen.says("xong");
    citizen.expects("họ tên").await;
    citizen.says("Nguyễn Thị Hoa");
    citizen.expects("số điện thoại").await;
    citizen.shares_number("84912345678");
    citizen.expects("công khai").await;
    citizen.says("có");
    citizen.expects("đồng ý không").await;
    citizen.says("đồng ý");
    let review = citizen.expects("Nguyễn Thị Hoa").await;
    assert!(review.text.contains("Đèn đường"), "{}", review.text);
    citizen.presses("Gửi");
    let done = citizen.expects("Mã phản ánh:").await;

    let tickets = town.agency.wait_for(1, wait::SOON).await;
    town.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code");
    assert!(done.text.contains(code), "{}", done.text);
    assert_eq!(ticket["service"], "DEN_DUONG");
    assert_eq!(ticket["channel"], "bot");
    let answer = |question: &str| {
        let answers = ticket["answers"].as_array().expect("answers");
        let found = answers.iter().find(|answer| answer["question"] == question);
        found
            .cloned()
            .unwrap_or_else(|| panic!("no {question} in {answers:?}"))
    };
    assert_eq!(answer("mo_ta")["value"], what);
    let media = answer("anh")["media"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let kept = media.iter().map(|one| one["url"].as_str().expect("a link"));
    assert_eq!(kept.clone().count(), PICTURES.len());
    // The program has fetched them with the bot's token, and the agency needs none.
    let client = http::client();
    for (link, picture) in kept.zip(PICTURES) {
        let bytes = wait::for_some("the file behind the link", wait::SOON, async || {
            let answer = client.get(link).send().await.ok()?;
            let there = answer.status() == 200;
            answer.bytes().await.ok().filter(|_| there)
        })
        .await;
        assert_eq!(bytes, picture);
    }
    let place = answer("vi_tri").to_string();
    assert!(
        place.contains("10.034") && place.contains("105.788"),
        "{place}"
    );
    assert!(
        answer("dien_thoai")["value"]
            .to_string()
            .contains("912345678")
    );
    town.telegram.settled().await;
    let notices = town.telegram.notices();
    assert!(
        notices.iter().any(|notice| notice.contains("Đèn đường")),
        "{notices:?}"
    );
}

#[tokio::test]
async fn a_report_is_polled_and_becomes_a_ticket() {
    let town = Town::new(false).await;
    let replica = town.installation.start().await;
    let mut citizen = town.telegram.citizen(&town.installation);
    report(&town, &mut citizen).await;
    drop(replica);
}

#[tokio::test]
async fn a_report_is_delivered_and_becomes_a_ticket() {
    let town = Town::new(true).await;
    let hook = town.installation.url("/webhooks/bot");
    town.telegram.set_webhook(&hook);
    let mut replica = town.installation.start().await;
    let mut citizen = town.telegram.citizen(&town.installation);
    report(&town, &mut citizen).await;
    replica.terminate(wait::SOON).await;
    // A replica that stops leaves the webhook to the others.
    assert_eq!(town.telegram.webhook(), Some(hook));
    assert_eq!(town.telegram.polls(), 0);
}

/// The process dies where the updates are not stored, and where they are and Telegram does not know:
/// none is lost, none is taken twice.
#[tokio::test]
async fn a_death_before_the_confirmation_loses_and_doubles_nothing() {
    for point in ["received:1", "accepted:1", "received:3", "accepted:3"] {
        let mut town = Town::with_small_flow(false).await;
        town.installation.environment("LANGNGHE_CRASH_AT", point);
        let mut citizen = town.telegram.citizen(&town.installation);
        let id = citizen.id;
        let answers = ["Đèn đường hỏng", "Hẻm 12 Trần Phú", "Ba đêm rồi"];
        let talk = async {
            citizen.says("báo sự cố");
            citizen.expects("Một?").await;
            citizen.says(answers[0]);
            citizen.expects("Hai?").await;
            citizen.says(answers[1]);
            citizen.expects("Ba?").await;
            citizen.says(answers[2]);
            citizen.expects("Xong:").await
        };
        let mut talk = std::pin::pin!(talk);
        {
            let mut replica = town.installation.start().await;
            let death = wait::until("the program dies", wait::SOON, async || {
                replica.exited().is_some()
            });
            tokio::select! {
                said = &mut talk => panic!("{point} was never passed: {said:?}"),
                () = death => {}
            }
        }
        assert!(
            town.telegram.pending() > 0,
            "{point}: nothing waits to be asked for again"
        );
        town.installation.forget("LANGNGHE_CRASH_AT");
        let again = town.installation.start().await;
        talk.await;
        town.telegram.settled().await;
        let tickets = town.agency.wait_for(1, wait::SOON).await;
        assert_eq!(tickets.len(), 1, "{point}");
        assert!(
            town.telegram.given_again() > 0,
            "{point}: nothing came again"
        );
        let mut texts: Vec<String> = town
            .telegram
            .said_to(id)
            .into_iter()
            .map(|said| said.text)
            .collect();
        // What was on its way when the program died, and only that, may have come twice.
        assert!(texts.len() <= 5, "{point}: {texts:?}");
        texts.dedup();
        assert_eq!(texts.len(), 4, "{point}: {texts:?}");
        drop(again);
    }
}

#[tokio::test]
async fn who_has_a_webhook_set_is_told_and_the_operator_removes_it() {
    let town = Town::with_small_flow(false).await;
    town.telegram.set_webhook("https://elsewhere.example/hook");
    let replica = town.installation.start().await;
    wait::until("it is said plainly", wait::SOON, async || {
        town.installation
            .log()
            .contains("a webhook is set for this bot")
    })
    .await;
    drop(replica);
}

#[tokio::test]
async fn a_citizen_who_blocks_the_bot_is_written_to_no_more_and_a_foreign_card_is_no_number() {
    let town = Town::new(false).await;
    let replica = town.installation.start().await;
    let mut citizen = town.telegram.citizen(&town.installation);
    citizen.says("Phản ánh");
    citizen.expects("Anh/chị gặp sự việc gì").await;
    let number = citizen.says("Cống nghẹt ở hẻm 5, nước tràn vô nhà dân");
    let asked = citizen.expects("Sự việc ở đâu").await;
    assert!(matches!(asked.markup, Markup::Keyboard(_)), "{asked:?}");
    citizen.edits(number, "Cống nghẹt ở hẻm 7, nước tràn vô nhà dân");
    let told = citizen.expects("Sự việc ở đâu").await;
    citizen.blocks(true);
    town.telegram.settled().await;
    citizen.says("trước số 12 Nguyễn Trãi, phường Cái Khế");
    town.telegram.settled().await;
    wait::until("the reply is given up", wait::SOON, async || {
        town.installation.log().contains("403/blocked")
    })
    .await;
    assert_eq!(citizen.said().last(), Some(&told));
    drop(replica);
}
