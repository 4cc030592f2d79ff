//! The main job, end to end: a citizen reports from the street on Messenger, the ready-made flow
//! listens, the agency gets a ticket.

use langnghe_tests::{citizen::Citizen, graph::Said, road::Road, wait};

/// A conversation as the citizen sees it.
struct Talk<'a> {
    road: &'a Road,
    citizen: Citizen,
    seen: usize,
}

impl Talk<'_> {
    /// Waits for a text with these words, after all that were expected before.
    async fn expects(&mut self, words: &str) -> String {
        let what = format!("a reply with {words:?} after {} others", self.seen);
        let (place, text) = wait::for_some(&what, wait::SOON, async || {
            let texts = self.road.graph.texts_for(&self.citizen.id);
            let mut later = texts.into_iter().enumerate().skip(self.seen);
            later.find(|(_, text)| text.contains(words))
        })
        .await;
        self.seen = place + 1;
        text
    }

    /// Writes something and waits for a text with these words.
    async fn says(&mut self, text: &str, expected: &str) -> String {
        self.road.installation.private(text);
        self.citizen.says(text).await;
        self.expects(expected).await
    }

    /// Taps the choice whose title has these words, under the newest message that has choices.
    async fn taps(&mut self, title: &str, expected: &str) -> String {
        let taken = self.road.graph.taken_for(&self.citizen.id);
        let newest = taken.into_iter().rev().find_map(|taken| match taken.said {
            Said::Text { quick_replies, .. } if !quick_replies.is_empty() => Some(quick_replies),
            Said::Buttons { buttons, .. } => Some(buttons),
            _ => None,
        });
        let choices = newest.expect("something to tap");
        let choice = choices.iter().find(|(shown, _)| shown.contains(title));
        let (title, payload) = choice.unwrap_or_else(|| panic!("no {title:?} among {choices:?}"));
        self.citizen.taps(title, payload).await;
        self.expects(expected).await
    }
}

#[tokio::test]
async fn a_report_from_the_street_becomes_a_ticket_at_the_agency() {
    let road = Road::with_own_flows().await;
    let mut replica = road.installation.start().await;
    let mut talk = Talk {
        road: &road,
        citizen: road.citizen(),
        seen: 0,
    };

    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, nhờ xem giúp";
    talk.says(what, "Sự việc ở đâu").await;
    talk.says(
        "trước số 12 Nguyễn Trãi, phường Cái Khế",
        "thuộc lĩnh vực nào",
    )
    .await;
    talk.taps("Đường, vỉa hè", "Cụ thể là việc nào").await;
    talk.taps("Đèn đường", "ảnh, video").await;
    talk.citizen
        .sends("image", "https://cdn.example/den.jpg")
        .await;
    talk.says("xong", "họ tên").await;
    talk.says("Nguyễn Thị Hoa", "số điện thoại").await;
    talk.says("0912 345 678", "công khai").await;
    talk.says("có", "đồng ý không").await;
    let review = talk.says("đồng ý", "Nguyễn Trãi").await;
    for shown in [what, "Đèn đường", "Nguyễn Thị Hoa"] {
        assert!(
            review.contains(shown),
            "the review has no {shown:?}: {review}"
        );
    }
    let done = talk.taps("Gửi", "Mã phản ánh:").await;

    let tickets = road.agency.wait_for(1, wait::SOON).await;
    road.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code");
    assert!(
        done.contains(code),
        "the citizen was told another code: {done}"
    );
    assert_eq!(ticket["flow"], "hien-truong");
    assert_eq!(ticket["service"], "DEN_DUONG");
    assert_eq!(ticket["channel"], "page");
    let answer = |question: &str| {
        let answers = ticket["answers"].as_array().expect("answers");
        answers
            .iter()
            .find(|answer| answer["question"] == question)
            .cloned()
    };
    assert_eq!(answer("mo_ta").expect("a description")["value"], what);
    let media = answer("anh").expect("a photo");
    let link = media["media"][0]["url"].as_str().expect("a link of ours");
    let ours = road.installation.url("/media/");
    assert!(link.starts_with(&ours), "{link}");
    let name = answer("ho_ten").expect("a name");
    assert_eq!(
        (&name["value"], &name["personal"]),
        (&"Nguyễn Thị Hoa".into(), &true.into())
    );
    assert!(
        answer("dien_thoai").expect("a number")["value"]
            .to_string()
            .contains("912345678")
    );

    // A redelivery of the whole conversation would change nothing; neither does a restart.
    replica.terminate(wait::SOON).await;
    let replica = road.installation.start().await;
    talk.says("xin chào", "Kính chào").await;
    assert_eq!(road.agency.tickets().len(), 1);
    let output = road.installation.run(&["tickets", "list", "--json"]);
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && listed.contains(code), "{listed}");
    assert!(listed.contains("delivered"), "{listed}");
    assert!(road.graph.repeated().is_empty());
    drop(replica);
}

#[tokio::test]
async fn a_citizen_who_wants_it_is_forgotten() {
    let road = Road::with_own_flows().await;
    let replica = road.installation.start().await;
    let mut talk = Talk {
        road: &road,
        citizen: road.citizen(),
        seen: 0,
    };
    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    let secret = "Hàng xóm đổ trộm xà bần ban đêm ở bờ kênh Xáng";
    talk.says(secret, "Sự việc ở đâu").await;
    talk.says("xóa dữ liệu", "Anh/chị muốn xóa mọi dữ liệu")
        .await;
    talk.taps("Xóa hết", "đã được xóa").await;
    // What was being entered is gone: the next word begins anew.
    talk.says("Phản ánh", "Anh/chị gặp sự việc gì").await;
    drop(replica);
    // What SQLite has not overwritten yet in its log goes with the checkpoint that a clean stop makes.
    let mut replica = road.installation.start().await;
    replica.terminate(wait::SOON).await;
    let after = std::fs::read(road.installation.database()).expect("the database");
    assert!(
        !contains(&after, secret),
        "the words are still in the database"
    );
}

fn contains(bytes: &[u8], words: &str) -> bool {
    bytes
        .windows(words.len())
        .any(|window| window == words.as_bytes())
}
