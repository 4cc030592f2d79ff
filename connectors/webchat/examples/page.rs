//! The page with a scripted conversation and nothing behind it, to work on the page itself:
//! `cargo run -p langnghe-webchat --example page -- [PORT]`

#[path = "../tests/common/mod.rs"]
mod common;

use std::{collections::HashMap, sync::Arc, time::Duration};

use common::FakeHost;
use langnghe_connector::{Connector, Outgoing, SendError};
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
        match chat.send(&Outgoing { id, citizen, reply }).await {
            Ok(_) => return,
            Err(SendError::Away) => {
                drop(tokio::time::timeout(Duration::from_secs(1), host.changed.notified()).await);
            }
            Err(error) => println!("{error}"),
        }
    }
}

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
    match turn % 6 {
        0 => vec![
            Reply::Typing,
            text("Dạ, em chào anh/chị. Em ghi nhận phản ánh hiện trường trên địa bàn thành phố."),
            choices(
                "Anh/chị muốn phản ánh việc gì?",
                ChoiceStyle::Answers,
                &[
                    "Đường, vỉa hè, đèn",
                    "Rác, vệ sinh",
                    "Cây xanh, cống rãnh",
                    "Trật tự đô thị",
                ],
            ),
        ],
        1 => vec![text("Anh/chị mô tả ngắn sự việc giúp em ạ.")],
        2 => vec![choices(
            "Anh/chị gửi ảnh, video hoặc ghi âm (không bắt buộc).",
            ChoiceStyle::Shortcuts,
            &["Bỏ qua", "Quay lại"],
        )],
        3 => vec![Reply::AskLocation {
            text: "Sự việc ở đâu ạ? Anh/chị gửi vị trí, hoặc nhập số nhà, tên đường.".to_owned(),
            choices: vec![Choice::new("Quay lại", "back")],
        }],
        4 => vec![choices(
            "Em xin tóm tắt:\n1. Loại: Đường, vỉa hè, đèn\n2. Mô tả: Ổ gà lớn trước số 12 \
             Nguyễn Trãi\n3. Ảnh: 1\n4. Vị trí: 10,0341, 105,7882\nAnh/chị gửi phản ánh này chứ ạ?",
            ChoiceStyle::Answers,
            &["Gửi phản ánh", "Sửa", "Hủy"],
        )],
        _ => vec![text(
            "Em đã nhận phản ánh. Mã của anh/chị: CT-7K4M-9XQ. Tra cứu tại \
             https://cantho.gov.vn/phan-anh. Cảm ơn anh/chị!",
        )],
    }
}
