//! Citizens report over WhatsApp: with a number and without one, with what its window and its limits do
//! to the replies.

use langnghe_tests::{
    Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    wait,
    whatsapp::{Closed, NUMBER, Person, Taken, WhatsApp},
};
use serde_json::json;

/// Meta, the agency, and an installation with a number between them.
struct Road {
    whatsapp: WhatsApp,
    agency: Agency,
    installation: Installation,
}

impl Road {
    async fn new() -> Self {
        let mut installation = Installation::new();
        let whatsapp = WhatsApp::start(&installation.url("/webhooks/wa")).await;
        let agency = Agency::start(BACKEND_SECRET).await;
        installation
            .whatsapp("wa", NUMBER, &whatsapp.api_base())
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            whatsapp,
            agency,
            installation,
        }
    }
}

/// A conversation as the citizen sees it.
struct Talk<'a> {
    road: &'a Road,
    person: Person,
    seen: usize,
}

impl<'a> Talk<'a> {
    fn new(road: &'a Road, person: Person) -> Self {
        Self {
            road,
            person,
            seen: 0,
        }
    }

    /// Waits for words after all that were expected before.
    async fn expects(&mut self, words: &str) -> Taken {
        let whatsapp = &self.road.whatsapp;
        let (place, taken) = whatsapp.wait_for(&self.person.id, self.seen, words).await;
        self.seen = place + 1;
        taken
    }

    async fn says(&mut self, text: &str, expected: &str) -> Taken {
        self.road.installation.private(text);
        self.person.says(text).await;
        self.expects(expected).await
    }

    /// Taps the choice whose title has these words, under the newest message that has choices.
    async fn taps(&mut self, title: &str, expected: &str) -> Taken {
        let taken = self.road.whatsapp.taken_for(&self.person.id);
        let newest = taken.into_iter().rev().find(|it| !it.choices.is_empty());
        let newest = newest.expect("something to tap");
        let choice = newest
            .choices
            .iter()
            .find(|(shown, _)| shown.contains(title));
        let (title, id) = choice.unwrap_or_else(|| panic!("no {title:?} among {newest:?}"));
        if newest.kind == "list" {
            self.person.taps_row(title, id).await;
        } else {
            self.person.taps_button(title, id).await;
        }
        self.expects(expected).await
    }

    /// A whole report, from the first word to the code.
    async fn report(&mut self, what: &str) -> String {
        self.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
        let asked = self.says(what, "Sự việc ở đâu").await;
        assert_eq!(asked.kind, "location_request_message");
        self.person.shares(10.0341, 105.7881).await;
        let asked = self.expects("thuộc lĩnh vực nào").await;
        assert_eq!((asked.kind.as_str(), asked.choices.len()), ("list", 10));
        self.taps("Đường, vỉa hè", "Cụ thể là việc nào").await;
        self.taps("Đèn đường", "ảnh, video").await;
        self.person.sends_photo(PHOTO).await;
        self.says("xong", "họ tên").await;
        let asked = self.says("Nguyễn Thị Hoa", "số điện thoại").await;
        assert_eq!(asked.kind, "request_contact_info");
        let card = json!([{
            "name": { "formatted_name": "Nguyễn Thị Hoa" },
            "phones": [{ "phone": "+84 912 345 678", "wa_id": "84912345678", "type": "CELL" }],
            "origin": "contact_request",
        }]);
        self.person.sends("contacts", card).await;
        self.expects("công khai").await;
        self.taps("Có", "đồng ý không").await;
        let review = self.says("đồng ý", "Đèn đường").await;
        assert!(review.text.contains(what), "{review:?}");
        self.taps("Gửi", "Mã phản ánh:").await.text
    }
}

/// The smallest thing that begins like a JPEG picture.
const PHOTO: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";

#[tokio::test]
async fn a_report_with_photo_and_place_becomes_a_ticket_at_the_agency() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let person = Person::new(&road.installation, &road.whatsapp);
    let mut talk = Talk::new(&road, person);
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, nhờ xem giúp";
    let done = talk.report(what).await;

    let tickets = road.agency.wait_for(1, wait::SOON).await;
    road.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code");
    assert!(done.contains(code), "another code: {done}");
    assert_eq!(ticket["flow"], "hien-truong");
    assert_eq!(ticket["service"], "DEN_DUONG");
    assert_eq!(ticket["channel"], "wa");
    let text = ticket.to_string();
    for part in [what, "10.0341", "105.7881", "912345678"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // Each reply went once, and "typing" spoke of messages that the citizen wrote.
    assert!(road.whatsapp.repeated().is_empty());
    drop(replica);
}

#[tokio::test]
async fn a_citizen_without_a_number_is_heard_and_answered() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let person = Person::without_number(&road.installation, &road.whatsapp);
    let mut talk = Talk::new(&road, person);
    talk.report("Đèn trước nhà hỏng ba đêm rồi, rất tối").await;
    let tickets = road.agency.wait_for(1, wait::SOON).await;
    assert_eq!(tickets.len(), 1);
    assert!(talk.person.id.starts_with("VN."));
    drop(replica);
}

#[tokio::test]
async fn a_reply_waits_for_the_window_and_for_the_pair_limit() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let person = Person::new(&road.installation, &road.whatsapp);
    let mut talk = Talk::new(&road, person);
    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    // The recipient is to be left alone for a while: what follows waits the four seconds that Meta
    // recommends, and then comes.
    road.whatsapp.leave_of_pair(&talk.person.id, 0.4);
    talk.says("Ba đêm nay đầu ngõ đi lại nguy hiểm", "Sự việc ở đâu")
        .await;
    assert!(road.whatsapp.pair_refusals() >= 1);
    // The citizen's own next message opens the window again, and nothing was lost meanwhile.
    road.whatsapp.leave_of_pair(&talk.person.id, 10.0);
    road.whatsapp.close_window(&talk.person.id, Closed::AtOnce);
    talk.says(
        "trước số 12 Nguyễn Trãi, phường Cái Khế",
        "thuộc lĩnh vực nào",
    )
    .await;
    drop(replica);
}
