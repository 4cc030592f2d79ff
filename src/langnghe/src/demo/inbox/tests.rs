//! The inbox through its routes.

use langnghe_desk::{
    Backend, DeliveryError, Handover, MediaAtDelivery, WebhookBackend, WebhookSettings, ticket,
};
use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, TicketId,
    event::{Media, MediaKind},
    ticket::{Answer, TicketDraft},
};
use langnghe_store::{Delivery, LeaseToken};
use secrecy::ExposeSecret as _;

use super::*;

const WEBHOOK: &str = "/demo/agency/webhook";

fn answer(question: &str, text: &str, personal: bool, media: Vec<Media>) -> Answer {
    Answer {
        question: question.to_owned(),
        label: question.to_owned(),
        value: json!({ "latitude": 10.03, "longitude": 105.78 }),
        text: text.to_owned(),
        personal,
        media,
    }
}

fn delivery(id: &str) -> Delivery {
    let photo = |url: &str| Media {
        kind: MediaKind::Image,
        url: url.to_owned(),
        content_type: None,
        bytes: None,
        name: None,
    };
    let media = [
        "http://10.0.0.7:8080/media/ab/cd.jpg",
        "https://cdn.example.vn/1.jpg",
        "javascript:alert(1)",
    ];
    let draft = TicketDraft {
        code: "22222-22222".to_owned(),
        flow: "hien-truong".to_owned(),
        version: 1,
        title: "Phản ánh <b>hiện trường</b>".to_owned(),
        backend: None,
        service: None,
        urgent: true,
        language: "vi".to_owned(),
        answers: vec![
            answer("mo-ta", "ổ gà <script>alert(1)</script>", false, Vec::new()),
            answer("anh", "3 ảnh", false, media.map(photo).to_vec()),
            answer("ten", "Nguyễn Thị Hoa", true, Vec::new()),
        ],
    };
    let web = ChannelId::new("web").expect("an id");
    let conversation = ConversationId::new(web, CitizenId::new("24601"));
    let new = ticket::compose(&draft, TicketId::new(id), &conversation, clock::now());
    Delivery {
        ticket: new.id,
        token: LeaseToken(1),
        code: new.code,
        body: new.body,
        personal: new.personal,
        attempts: 0,
        created_at: new.created_at,
    }
}

/// An inbox that really listens, and our own backend that delivers to it.
struct Demo {
    folder: tempfile::TempDir,
    backend: WebhookBackend,
    address: std::net::SocketAddr,
}

impl Demo {
    async fn start(folder: tempfile::TempDir, signs: u8, checks: u8) -> Self {
        let secret = |byte| SigningKey::write_secret(&[byte; 32]);
        let key = SigningKey::parse(&secret(checks)).expect("a secret");
        let path = folder.path().join("inbox.jsonl");
        let router = router(WEBHOOK, vec![key], &path).expect("an inbox");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = WebhookSettings {
            id: BackendId::new("agency").expect("an id"),
            url: format!("http://{address}{WEBHOOK}").into(),
            secrets: vec![secret(signs).expose_secret().to_owned().into()],
            timeout: std::time::Duration::from_secs(5),
            allow_private: true,
        };
        let backend = WebhookBackend::new(settings).expect("a backend");
        Self {
            folder,
            backend,
            address,
        }
    }

    async fn deliver(&self, id: &str) -> Result<Option<String>, DeliveryError> {
        let delivery = delivery(id);
        let handover = Handover {
            delivery: &delivery,
            media: &MediaAtDelivery::new(),
            now: clock::now(),
        };
        Ok(self.backend.deliver(handover).await?.reference)
    }

    async fn page(&self) -> String {
        let client = langnghe_http::GuardedClient::new(&langnghe_http::ClientSettings {
            allow_private: true,
            ..langnghe_http::ClientSettings::default()
        })
        .expect("a client");
        let request = client
            .get(&format!("http://{}/demo/agency", self.address))
            .expect("a request");
        let answer = client.fetch(request, 1024 * 1024).await.expect("a page");
        assert_eq!(answer.headers["content-security-policy"], POLICY);
        String::from_utf8(answer.body.to_vec()).expect("text")
    }
}

#[tokio::test]
async fn a_ticket_is_kept_once_over_repetitions_and_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder, 1, 1).await;
    assert!(demo.page().await.contains("Chưa có phiếu nào"));
    for (id, reference) in [("t-1", "PA-0001"), ("t-2", "PA-0002"), ("t-1", "PA-0001")] {
        assert_eq!(demo.deliver(id).await, Ok(Some(reference.to_owned())));
    }
    assert!(
        demo.page()
            .await
            .contains("2 phiếu · 2 khẩn · 1 lần gửi lại đã nhận ra")
    );

    // A crash can leave half a line; the agency was not told that it is there.
    let path = demo.folder.path().join("inbox.jsonl");
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("the file");
    io::Write::write_all(&mut file, b"{\"id\":\"t-3\",\"rec").expect("written");
    let again = Demo::start(demo.folder, 1, 1).await;
    assert_eq!(again.deliver("t-2").await, Ok(Some("PA-0002".to_owned())));
    assert_eq!(again.deliver("t-3").await, Ok(Some("PA-0003".to_owned())));
    let third = Demo::start(again.folder, 1, 1).await;
    assert!(third.page().await.contains("3 phiếu"));
}

#[tokio::test]
async fn what_a_citizen_wrote_is_text_and_never_markup() {
    let demo = Demo::start(tempfile::tempdir().expect("a folder"), 1, 1).await;
    demo.deliver("t-1").await.expect("delivered");
    let page = demo.page().await;
    assert!(page.contains("ổ gà &lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&lt;b&gt;hiện trường"));
    assert!(!page.contains("<script>alert") && !page.contains("href=\"javascript:"));
    // Our own files are asked of the host that the browser knows; others are links only.
    assert!(page.contains("<img src=\"/media/ab/cd.jpg\""));
    assert!(page.contains("href=\"https://cdn.example.vn/1.jpg\""));
    assert!(!page.contains("src=\"https://cdn"));
}

#[tokio::test]
async fn a_stranger_leaves_nothing() {
    let demo = Demo::start(tempfile::tempdir().expect("a folder"), 1, 2).await;
    let error = demo.deliver("t-1").await.expect_err("refused");
    assert_eq!(
        error,
        DeliveryError::Retry {
            after: None,
            reason: "status 401".to_owned()
        }
    );
    assert!(demo.page().await.contains("Chưa có phiếu nào"));
}
