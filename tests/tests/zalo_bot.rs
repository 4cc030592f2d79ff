//! A report from the street to a Zalo bot, delivered and polled.

use langnghe_tests::{
    Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    wait,
    zalo_bot::{ZaloBotCitizen, ZaloBotPlatform},
};

struct Town {
    platform: ZaloBotPlatform,
    agency: Agency,
    installation: Installation,
}

impl Town {
    async fn new(webhook: bool) -> Self {
        let platform = ZaloBotPlatform::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        platform.channel(&mut installation, "zbot", webhook);
        installation
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            platform,
            agency,
            installation,
        }
    }

    /// The number of the choice with these words in the newest list.
    fn number(citizen: &ZaloBotCitizen, words: &str) -> String {
        let said = citizen.said();
        let mut lines = said.iter().rev().flat_map(|said| said.text.lines());
        let line = lines.find(|line| {
            line.contains(words) && line.starts_with(|first: char| first.is_ascii_digit())
        });
        let (number, _) = line
            .and_then(|line| line.split_once('.'))
            .expect("a numbered choice");
        number.to_owned()
    }
}

async fn report(town: &Town, citizen: &mut ZaloBotCitizen) {
    citizen.says("Phản ánh");
    citizen.expects("Anh/chị gặp sự việc gì").await;
    citizen.sends_unsupported();
    // Whatever it is in words: who sends what cannot be read is not left alone.
    citizen.expects("").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, nhờ xem giúp";
    town.installation.private(what);
    citizen.says(what);
    citizen.expects("Sự việc ở đâu").await;
    citizen.says("trước số 12 Nguyễn Trãi, phường Cái Khế");
    citizen.expects("thuộc lĩnh vực nào").await;
    citizen.says(&Town::number(citizen, "Đường, vỉa hè"));
    citizen.expects("Cụ thể là việc nào").await;
    citizen.says(&Town::number(citizen, "Đèn đường"));
    citizen.expects("ảnh, video").await;
    citizen.sends_picture("", b"\xff\xd8\xff\xe0 a picture");
    wait::until("the picture is taken", wait::SOON, async || {
        citizen
            .said()
            .last()
            .is_some_and(|said| !said.text.contains("ảnh, video"))
    })
    .await;
    citizen.says("xong");
    citizen.expects("họ tên").await;
    citizen.says("Nguyễn Thị Hoa");
    citizen.expects("số điện thoại").await;
    citizen.says("0912 345 678");
    citizen.expects("công khai").await;
    citizen.says("có");
    citizen.expects("đồng ý không").await;
    citizen.says("đồng ý");
    citizen.expects("Nguyễn Thị Hoa").await;
    citizen.says("gửi");
    let done = citizen.expects("Mã phản ánh:").await;
    let tickets = town.agency.wait_for(1, wait::SOON).await;
    town.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    assert!(done.text.contains(ticket["code"].as_str().expect("a code")));
    assert_eq!(ticket["service"], "DEN_DUONG");
    assert_eq!(ticket["channel"], "zbot");
    let answers = ticket["answers"].as_array().expect("answers");
    let media = answers.iter().find(|answer| answer["question"] == "anh");
    let media = media.and_then(|answer| answer["media"].as_array());
    assert_eq!(media.map(Vec::len), Some(1));
    town.platform.settled().await;
}

#[tokio::test]
async fn a_report_to_a_zalo_bot_is_delivered_and_becomes_a_ticket() {
    let town = Town::new(true).await;
    town.platform
        .set_webhook(&town.installation.url("/webhooks/zbot"));
    let replica = town.installation.start().await;
    let mut citizen = town.platform.citizen(&town.installation);
    report(&town, &mut citizen).await;
    drop(replica);
}

#[tokio::test]
async fn a_report_to_a_zalo_bot_is_polled_and_becomes_a_ticket() {
    let town = Town::new(false).await;
    let replica = town.installation.start().await;
    let mut citizen = town.platform.citizen(&town.installation);
    report(&town, &mut citizen).await;
    let log = town.installation.log();
    assert!(log.contains("use a webhook"), "polling is not warned of");
    drop(replica);
}
