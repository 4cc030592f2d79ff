//! The main job over SMS: a citizen with any phone, an operator's message centre that speaks SMPP, and
//! what goes wrong on the line between.

use std::{cell::Cell, sync::Arc};

use langnghe_tests::{
    Installation, Replica,
    agency::Agency,
    installation::BACKEND_SECRET,
    redis::Certificate,
    smsc::{self, Deliver, PASSWORD, Receipts, Smsc, written},
    wait,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

const NUMBER: &str = "84912345678";
const CODE: &str = "8088";

/// A citizen with a phone, the message centre, the agency, and an installation between them.
struct Phone {
    smsc: Smsc,
    agency: Agency,
    installation: Installation,
    /// How many of the texts that came were looked at.
    seen: Cell<usize>,
    /// The phone's own count of long messages.
    reference: Cell<u8>,
    /// The number that the message centre knows the phone by.
    known_as: &'static str,
    /// The number that answers go to.
    number: &'static str,
}

impl Phone {
    async fn new() -> Self {
        Self::at(Smsc::start(10).await).await
    }

    async fn at(smsc: Smsc) -> Self {
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        installation
            .smpp("sms", smsc.port())
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        for private in [NUMBER, &NUMBER[2..], PASSWORD] {
            installation.private(private);
        }
        Self {
            smsc,
            agency,
            installation,
            seen: Cell::new(0),
            reference: Cell::new(0),
            known_as: NUMBER,
            number: NUMBER,
        }
    }

    /// A replica that is bound.
    async fn start(&self) -> Replica<'_> {
        let before = self.smsc.binds().len();
        let replica = self.installation.start().await;
        self.bound(before).await;
        replica
    }

    /// Waits for one more bind than there were.
    async fn bound(&self, before: usize) {
        let bound = async || self.smsc.binds().len() > before && self.smsc.links() == 1;
        wait::until("bound", wait::SOON, bound).await;
    }

    /// The parts in which the phone sends some words.
    fn parts(&self, words: &str) -> Vec<Deliver> {
        let (data_coding, octets) = written(words);
        let whole = Deliver {
            source: self.known_as.to_owned(),
            destination: CODE.to_owned(),
            data_coding,
            ..Deliver::default()
        };
        let room = if data_coding == 0 { 153 } else { 134 };
        let pieces: Vec<&[u8]> = octets.chunks(room).collect();
        let total = u8::try_from(pieces.len()).expect("a few");
        let reference = self.reference.get().wrapping_add(1);
        self.reference.set(reference);
        let part = |(number, piece): (u8, &&[u8])| {
            let part = Deliver {
                octets: piece.to_vec(),
                ..whole.clone()
            };
            if total == 1 {
                part
            } else {
                part.part(reference, total, number)
            }
        };
        (1..=total).zip(&pieces).map(part).collect()
    }

    /// Sends some words; the message centre sends them again while they are not taken.
    async fn says(&self, words: &str) {
        if words.len() > 12 {
            self.installation.private(words);
        }
        for part in self.parts(words) {
            self.deliver(&part).await;
        }
    }

    async fn deliver(&self, part: &Deliver) {
        let taken = async || self.smsc.deliver(part).await == Some(0);
        wait::until("the words are taken", wait::SOON, taken).await;
    }

    /// Waits for a text with these words, after all that were expected before.
    async fn expects(&self, words: &str) -> String {
        let what = format!("a text with {words:?} after {} others", self.seen.get());
        let (place, text) = wait::for_some(&what, wait::SOON, async || {
            let texts = self.smsc.texts_to(self.number).into_iter();
            let mut later = texts.enumerate().skip(self.seen.get());
            later.find(|(_, text)| text.contains(words))
        })
        .await;
        self.seen.set(place + 1);
        text
    }

    async fn asks(&self, words: &str, expected: &str) -> String {
        self.says(words).await;
        self.expects(expected).await
    }
}

#[tokio::test]
async fn a_report_by_sms_becomes_a_ticket_at_the_agency() {
    let phone = Phone::new().await;
    phone.smsc.receipts(Receipts {
        state: Some("DELIVRD"),
        ..Receipts::default()
    });
    let replica = phone.start().await;
    phone.asks("Phản ánh", "Anh/chị gặp sự việc gì").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm, đèn không sáng, nhờ xem giúp 🙏. \
                Hôm qua đã có một cụ già bị ngã, may mà không sao.";
    phone.asks(what, "Sự việc ở đâu").await;
    let place = "trước số 12 Nguyễn Trãi, phường Cái Khế";
    let groups = phone.asks(place, "thuộc lĩnh vực nào").await;
    assert!(groups.contains('1'), "choices are numbered: {groups}");
    phone.asks("1", "Cụ thể là việc nào").await;
    phone.asks("3", "ảnh, video").await;
    phone.asks("bo qua", "họ tên").await;
    phone.asks("Nguyễn Thị Hoa", "số điện thoại").await;
    // The line is cut in the middle of it all.
    let binds = phone.smsc.binds().len();
    phone.smsc.cut();
    phone.bound(binds).await;
    phone.asks("0912 345 678", "công khai").await;
    phone.asks("có", "đồng ý không").await;
    phone.asks("đồng ý", "Nguyễn Trãi").await;
    let done = phone.asks("gui", "Mã phản ánh:").await;

    let tickets = phone.agency.wait_for(1, wait::SOON).await;
    phone.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    let code = ticket["code"].as_str().expect("a code");
    assert!(done.contains(code), "the citizen was told another code");
    assert_eq!(ticket["flow"], "hien-truong");
    assert_eq!(ticket["service"], "DEN_DUONG");
    assert_eq!(ticket["channel"], "sms");
    let answers = ticket["answers"].as_array().expect("answers");
    let told = answers.iter().find(|answer| answer["question"] == "mo_ta");
    assert_eq!(told.expect("a description")["value"], what);
    drop(replica);
}

/// A report that begins with the keyword, in one long message, over a message centre that still calls the
/// phone by its number of before 2018; a long answer; and the word that refuses notices.
async fn a_long_report_behind_a_keyword(encoding: &str) {
    let mut phone = Phone::new().await;
    (phone.known_as, phone.number) = ("841234567890", "84834567890");
    for private in [phone.known_as, phone.number] {
        phone.installation.private(private);
    }
    for (key, value) in [("keyword", "PA"), ("encoding", encoding)] {
        phone.installation.set_of("channel", "sms", key, value);
    }
    let plain = |text: &str| match encoding {
        "unaccented" => langnghe_model::gsm::transliterate(text),
        _ => text.to_owned(),
    };
    let replica = phone.start().await;
    let what = "Ba đêm nay đầu ngõ nhà tôi tối om, đèn đường hỏng, đi lại rất nguy hiểm 🙏. \
                Hôm qua một cụ già bị ngã, may mà không sao; tổ dân phố đã gọi hai lần mà chưa ai đến xem. \
                Kính nhờ phường cho người sửa giúp trước mùa mưa, bà con xin cảm ơn.";
    assert!(phone.parts(&format!("PA {what}")).len() >= 4);
    phone
        .asks(&format!("PA {what}"), &plain("Sự việc ở đâu"))
        .await;
    let place = "PA trước số 12 Nguyễn Trãi, phường Cái Khế";
    phone.asks(place, &plain("ảnh, video")).await;
    phone.asks("pa: bo qua", &plain("họ tên")).await;
    phone
        .asks("PA Nguyễn Thị Hoa", &plain("số điện thoại"))
        .await;
    phone.asks("PA 0912 345 678", &plain("công khai")).await;
    phone.asks("PA có", &plain("đồng ý không")).await;
    // What was understood is long: all of it comes, in as many messages as it takes.
    let before = phone.smsc.submitted().len();
    phone.asks("PA đồng ý", &plain("Nguyễn Trãi")).await;
    let submitted = phone.smsc.submitted();
    let review = &submitted[before..];
    assert!(review.iter().any(|one| one.join().is_some()), "in parts");
    let most = review
        .iter()
        .filter_map(smsc::Submitted::join)
        .map(|(_, total, _)| total);
    assert!(
        most.max() <= Some(3),
        "no more parts than the setting allows"
    );
    let coding = if encoding == "unaccented" { 0 } else { 8 };
    assert!(review.iter().all(|one| one.data_coding == coding));
    let done = phone.asks("PA gửi", &plain("Mã phản ánh:")).await;
    let tickets = phone.agency.wait_for(1, wait::SOON).await;
    phone.agency.assert_no_violations();
    let ticket = &tickets.values().next().expect("a ticket").ticket;
    assert!(done.contains(ticket["code"].as_str().expect("a code")));
    let answers = ticket["answers"].as_array().expect("answers");
    let told = answers.iter().find(|answer| answer["question"] == "mo_ta");
    assert_eq!(told.expect("a description")["value"], what);
    // The whole message behind the keyword, and no more, refuses.
    phone.asks("PA TC", &plain("không gửi")).await;
    drop(replica);
}

#[tokio::test]
async fn a_long_report_behind_a_keyword_is_answered_with_accents() {
    a_long_report_behind_a_keyword("unicode").await;
}

#[tokio::test]
async fn a_long_report_behind_a_keyword_is_answered_without_accents() {
    a_long_report_behind_a_keyword("unaccented").await;
}

#[tokio::test]
async fn parts_survive_a_killed_replica_and_a_redelivery_opens_no_second_case() {
    let phone = Phone::new().await;
    let mut replica = phone.start().await;
    phone.asks("Phản ánh", "Anh/chị gặp sự việc gì").await;
    let what = "Ba đêm nay đầu ngõ nhà tôi đi lại rất nguy hiểm cho người già, nhất là khi trời mưa, nhờ xem giúp";
    phone.installation.private(what);
    let parts = phone.parts(what);
    assert_eq!(parts.len(), 2);
    phone.deliver(&parts[1]).await;
    replica.kill();
    drop(replica);
    wait::until("the link is gone", wait::SOON, async || {
        phone.smsc.links() == 0
    })
    .await;
    let mut replica = phone.start().await;
    phone.deliver(&parts[0]).await;
    phone.expects("Sự việc ở đâu").await;
    replica.kill();
    drop(replica);
    // Whether our answer to it arrived is not known there: it comes again.
    wait::until("the link is gone", wait::SOON, async || {
        phone.smsc.links() == 0
    })
    .await;
    let replica = phone.start().await;
    phone.deliver(&parts[0]).await;
    phone.deliver(&parts[1]).await;
    phone
        .asks(
            "trước số 12 Nguyễn Trãi, phường Cái Khế",
            "thuộc lĩnh vực nào",
        )
        .await;
    drop(replica);
}

#[tokio::test]
async fn odd_operations_do_not_keep_the_next_citizen_out() {
    let phone = Phone::new().await;
    let replica = phone.start().await;
    let mut odd = Deliver::text(NUMBER, CODE, "le");
    odd.parameters.push((0x0423, vec![1, 2, 3, 4]));
    odd.parameters.push((0x001e, b"m-9".to_vec()));
    let mut cut = odd.body();
    cut.extend([4, 0x24, 0, 99, 1]);
    for body in [cut, vec![0; 3], Vec::new()] {
        phone.smsc.ask(5, body).await.expect("an answer");
    }
    for command in [0x77, 0x21, 4] {
        phone.smsc.ask(command, vec![1]).await.expect("an answer");
    }
    phone.asks("Phản ánh", "Anh/chị gặp sự việc gì").await;
    assert_eq!(phone.smsc.binds().len(), 1, "the first link is still there");
    let mut replica = replica;
    replica.terminate(wait::SOON).await;
    assert_eq!(phone.smsc.unbinds(), 1, "it took leave in order");
}

#[tokio::test]
async fn the_line_can_be_encrypted_and_the_account_checked() {
    let certificate = Certificate::make();
    let [chain, key] = certificate.server();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .map(|one| one.expect("PEM"))
        .collect();
    let key = PrivateKeyDer::from_pem_slice(&key).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let mut phone = Phone::at(Smsc::start_tls(10, Arc::new(server)).await).await;
    std::fs::write(phone.installation.path("ca.pem"), certificate.authority()).expect("written");
    let installation = &mut phone.installation;
    installation.set_of("channel", "sms", "tls", true);
    installation.set_of("channel", "sms", "ca", "ca.pem");
    let replica = phone.start().await;
    phone.asks("Phản ánh", "Anh/chị gặp sự việc gì").await;
    drop(replica);
    // Without the authority nothing is said, not even the password.
    let binds = phone.smsc.binds().len();
    phone
        .installation
        .set_of("channel", "sms", "server_name", "smsc.example");
    let replica = phone.installation.start().await;
    wait::until("refused", wait::SOON, async || {
        phone.installation.log().contains("cannot be reached")
    })
    .await;
    assert_eq!(phone.smsc.binds().len(), binds);
    drop(replica);
}
