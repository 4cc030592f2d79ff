//! A report from the street through an Official Account on Zalo, end to end.

use langnghe_tests::{
    Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    wait,
    zalo::{Zalo, ZaloCitizen},
};

/// Zalo, the agency, and an installation between them.
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
        installation
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            zalo,
            agency,
            installation,
        }
    }

    fn citizen(&self) -> ZaloCitizen {
        ZaloCitizen::new(&self.installation)
    }
}

/// A conversation as the citizen sees it.
struct Talk<'a> {
    street: &'a Street,
    citizen: ZaloCitizen,
    seen: usize,
}

impl Talk<'_> {
    async fn expects(&mut self, words: &str) -> String {
        let zalo = &self.street.zalo;
        let (place, text) = zalo.wait_for(&self.citizen.id, self.seen, words).await;
        self.seen = place + 1;
        text
    }

    async fn says(&mut self, text: &str, expected: &str) -> String {
        self.citizen.says(text).await;
        self.expects(expected).await
    }
}

#[tokio::test]
async fn a_report_with_photo_and_place_becomes_a_ticket() {
    let mut street = Street::new().await;
    street.installation.set_of("channel", "oa", "profile", true);
    street.zalo.echo_to(&street.installation);
    let replica = street.installation.start().await;
    // A profile is waited for for two seconds only: somebody else writes until there is a token.
    let first = street.citizen();
    first.says("xin chào").await;
    street.zalo.wait_for(&first.id, 0, "").await;
    let mut talk = Talk {
        street: &street,
        citizen: street.citizen(),
        seen: 0,
    };
    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, nhờ xem giúp";
    talk.says(what, "Sự việc ở đâu").await;
    talk.citizen.sends_place("10.0341", "105.7882").await;
    let question = talk.expects("thuộc lĩnh vực nào").await;
    assert!(question.contains("1. Đường, vỉa hè"), "{question}");
    talk.says("1", "Cụ thể là việc nào").await;
    talk.says("3", "ảnh, video").await;
    talk.citizen.sends_picture(&street.zalo.picture()).await;
    talk.says("xong", "họ tên").await;
    talk.says("Nguyễn Thị Hoa", "số điện thoại").await;
    talk.says("0912 345 678", "công khai").await;
    talk.says("có", "đồng ý không").await;
    let review = talk.says("đồng ý", what).await;
    assert!(review.contains("Đèn đường"), "{review}");
    let done = talk.says("gửi", "Mã phản ánh:").await;

    let tickets = street.agency.wait_for(1, wait::SOON).await;
    street.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code");
    assert!(done.contains(code), "the citizen was told another: {done}");
    assert_eq!(ticket["channel"], "oa");
    let answers = ticket["answers"].as_array().expect("answers");
    let answer = |question: &str| {
        let found = answers.iter().find(|answer| answer["question"] == question);
        found.expect(question).to_string()
    };
    assert!(answer("vi_tri").contains("10.0341"), "{}", answer("vi_tri"));
    assert!(answer("anh").contains("media"), "{}", answer("anh"));
    // Echoes of our own messages were no input: nothing was said twice.
    let messages = street.zalo.taken_for(&talk.citizen.id);
    let mut texts: Vec<_> = messages.iter().map(|message| &message.text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), messages.len(), "{texts:?}");
    let profiles = street.zalo.profiles();
    let (token, _) = profiles.first().expect("a profile was asked for");
    street.installation.private(token);
    assert!(
        street
            .installation
            .leaks(&street.installation.log())
            .is_empty()
    );
    drop(replica);
}
