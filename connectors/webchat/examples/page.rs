//! The page with a scripted conversation and nothing behind it, to work on the page itself:
//! `cargo run -p langnghe-webchat --example page -- [PORT]`

#[path = "../tests/common/mod.rs"]
mod common;

use std::{collections::HashMap, sync::Arc, time::Duration};

use common::FakeHost;
use langnghe_connector::{Connector, Manner, Outgoing, SendError};
use langnghe_model::{
    ChannelId, CitizenId, Reply,
    reply::{Choice, ChoiceStyle},
};
use langnghe_webchat::{Config, WebChat};

#[tokio::main]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(8088, |port| port.parse().expect("a port number"));
    let defaults = Config::new(ChannelId::new("web").expect("a good id"));
    let config = Config {
        title: "Phản ánh hiện trường Cần Thơ".to_owned(),
        // For a portal of one's own with the widget.
        allow_frames: vec!["http://localhost:8099".to_owned()],
        ..defaults
    };
    let chat = Arc::new(WebChat::new(config).expect("a good configuration"));
    let host = Arc::new(FakeHost::default());
    let address = common::serve(&chat, host.clone(), port).await;
    println!("http://{address}/chat");
    let mut answered: HashMap<CitizenId, usize> = HashMap::new();
    let mut read = 0;
    loop {
        let changed = host.changed.notified();
        let events = host.events();
        for event in events.iter().skip(read) {
            let citizen = event.conversation.citizen.clone();
            let turn = answered.entry(citizen.clone()).or_default();
            for (index, reply) in script(*turn).into_iter().enumerate() {
                let id = format!("{turn}-{index}");
                say(&chat, &host, &citizen, &id, &reply).await;
            }
            *turn += 1;
        }
        read = events.len();
        // Also looked at now and then: a notification can come between the two lines above.
        drop(tokio::time::timeout(Duration::from_millis(200), changed).await);
    }
}

/// Says it again until the page has it.
async fn say(chat: &WebChat, host: &FakeHost, citizen: &CitizenId, id: &str, reply: &Reply) {
    loop {
        match chat
            .send(&Outgoing {
                id,
                citizen,
                reply,
                manner: Manner::Free,
            })
            .await
        {
            Ok(_) => return,
            Err(SendError::Away) => {
                drop(tokio::time::timeout(Duration::from_secs(1), host.changed.notified()).await);
            }
            Err(error) => println!("{error}"),
        }
    }
}

/// About what `flows/hien-truong.toml` says to a citizen who answers everything.
fn script(turn: usize) -> Vec<Reply> {
    let choices = |text: &str, style, labels: &[&str]| Reply::Choices {
        text: text.to_owned(),
        choices: labels
            .iter()
            .map(|label| Choice::new(*label, format!("{turn}:{label}")))
            .collect(),
        style,
    };
    let text = |text: &str| Reply::Text {
        text: text.to_owned(),
    };
    let (answers, shortcuts) = (ChoiceStyle::Answers, ChoiceStyle::Shortcuts);
    let reply = match turn % 13 {
        0 => choices(
            "Kính chào anh/chị! Anh/chị cần giúp việc gì ạ?",
            answers,
            &[
                "Báo sự cố, phản ánh",
                "Phản ánh đã gửi",
                "Gặp cán bộ",
                "English / Tiếng Việt",
            ],
        ),
        1 => text("Anh/chị gặp sự việc gì ạ? Xin mô tả ngắn gọn, hoặc gửi ảnh."),
        2 => Reply::AskLocation {
            text: "Sự việc ở đâu ạ? Anh/chị gửi vị trí, hoặc gõ địa chỉ.".to_owned(),
            choices: vec![Choice::new("Quay lại", "back")],
        },
        3 => choices(
            "Việc này thuộc lĩnh vực nào ạ?",
            answers,
            &[
                "Đường, vỉa hè, đèn, cống",
                "Rác, ô nhiễm, tiếng ồn",
                "Cây xanh, công viên",
                "Việc khác",
            ],
        ),
        4 => choices(
            "Cụ thể là việc nào ạ?",
            answers,
            &["Đường, vỉa hè hư hỏng", "Nắp hố ga, cống", "Đèn đường"],
        ),
        5 => choices(
            "Nếu có, anh/chị gửi ảnh, video hoặc ghi âm giúp ạ (tối đa 5).",
            shortcuts,
            &["Bỏ qua", "Quay lại"],
        ),
        6 => choices(
            "Đã nhận 1 tệp. Anh/chị gửi tiếp, hoặc nhắn XONG.",
            shortcuts,
            &["Xong"],
        ),
        7 => choices("Anh/chị cho biết họ tên ạ?", shortcuts, &["Bỏ qua"]),
        8 => choices(
            "Anh/chị cho biết số điện thoại để chúng tôi liên hệ ạ?",
            shortcuts,
            &["Bỏ qua"],
        ),
        9 => choices(
            "Anh/chị có cho đăng công khai nội dung không ạ?",
            answers,
            &["Có", "Không"],
        ),
        10 => choices(
            "Anh/chị đồng ý không ạ?",
            answers,
            &["Đồng ý", "Không đồng ý"],
        ),
        11 => choices(
            "Xin kiểm tra:\n1. Sự việc: Trước nhà số 12 hỏng nặng ba ngày nay, bà con đi lại rất khổ\n\
             2. Địa điểm: 10,0341, 105,7882\n3. Ảnh: 1",
            answers,
            &["Gửi", "Sửa", "Hủy"],
        ),
        _ => text(
            "Dạ, đã tiếp nhận phản ánh của anh/chị. Mã phản ánh: CT-7K4M-9XQ. Tra cứu tại \
             https://cantho.gov.vn/phan-anh. Cảm ơn anh/chị!",
        ),
    };
    vec![Reply::Typing, reply]
}
