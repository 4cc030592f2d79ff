//! A site with a web chat, and the report that our citizen makes there.

use std::{fs, path::PathBuf};

use crate::{
    Installation,
    agency::Agency,
    chat_page::{Answer, ChatPage},
    installation::BACKEND_SECRET,
    wait,
};

/// What the page says to begin with.
pub const BEGIN: &str = "Bắt đầu";
/// What our citizen reports.
pub const PROBLEM: &str = "Trước nhà số 12 hỏng nặng ba ngày nay, bà con đi lại rất khổ";
const NAME: &str = "Nguyễn Thị Hoa";
const PHONE: &str = "0912 345 678";
/// What the last message of a report has in it.
pub const DONE: &str = "Mã phản ánh:";

/// A replica with a web chat, its agency, and a photo.
#[derive(Debug)]
pub struct Site {
    /// Where replicas run.
    pub installation: Installation,
    /// Who gets the tickets.
    pub agency: Agency,
    /// A picture to be sent.
    pub photo: PathBuf,
}

impl Site {
    /// A new one, with nothing running.
    ///
    /// # Panics
    /// When the photo cannot be written.
    pub async fn new() -> Self {
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        installation.webchat("web").backend("ioc", agency.url());
        for words in [PROBLEM, NAME, PHONE, "0912345678", "+84912345678"] {
            installation.private(words);
        }
        let photo = installation.path("ổ gà.jpg");
        fs::write(&photo, include_bytes!("../tests/data/pothole.jpg")).expect("a photo");
        Self {
            installation,
            agency,
            photo,
        }
    }

    /// What hien-truong asks, and what our citizen answers.
    pub fn report(&self) -> [(&str, Answer<'_>); 13] {
        [
            ("cần giúp việc gì", Answer::Tap("Báo sự cố")),
            ("gặp sự việc gì", Answer::Say(PROBLEM)),
            ("Sự việc ở đâu", Answer::Share),
            ("thuộc lĩnh vực nào", Answer::Tap("Đường, vỉa hè")),
            ("Cụ thể là việc nào", Answer::Tap("Đường, vỉa hè hư hỏng")),
            ("gửi ảnh, video", Answer::Send(&self.photo, "")),
            ("", Answer::Tap("Xong")),
            ("cho biết họ tên", Answer::Say(NAME)),
            ("số điện thoại để", Answer::Say(PHONE)),
            ("cho đăng công khai", Answer::Tap("Không")),
            ("đồng ý không", Answer::Tap("Đồng ý")),
            (PROBLEM, Answer::Tap("Gửi")),
            (DONE, Answer::Nothing),
        ]
    }

    /// The agency has exactly the one report that the page shows.
    ///
    /// # Panics
    /// When it has not.
    pub async fn assert_reported(&self, page: ChatPage<'_>) {
        let messages = page.messages().await;
        let (_, done) = messages.last().expect("messages");
        let tickets = self.agency.wait_for(1, wait::SOON).await;
        assert_eq!(tickets.len(), 1);
        let ticket = &tickets.values().next().expect("one").ticket;
        let code = ticket["code"].as_str().expect("a code");
        assert!(done.contains(code), "{done:?} tells {code}");
        assert_eq!(ticket["service"], "DUONG_HU");
        let answers = ticket["answers"].to_string();
        assert!(
            answers.contains(PROBLEM) && answers.contains("10.03"),
            "{answers}"
        );
        assert!(answers.contains("/media/"), "{answers}");
        self.agency.assert_no_violations();
    }
}

/// Nothing of a report is missing, and nothing is there twice.
///
/// # Panics
/// When something is.
pub fn assert_once_each(messages: &[(String, String)], report: &[(&str, Answer<'_>)]) {
    let ours: Vec<_> = messages.iter().filter(|(from, _)| from == "me").collect();
    // Each answer but the last, which is none, and "Start".
    assert_eq!(ours.len(), report.len(), "{messages:#?}");
    for (question, _) in report.iter().filter(|(question, _)| !question.is_empty()) {
        let asked = |(from, text): &&(String, String)| from == "them" && text.contains(question);
        assert_eq!(
            messages.iter().filter(asked).count(),
            1,
            "{question:?} in {messages:#?}"
        );
    }
}
