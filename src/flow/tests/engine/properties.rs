//! What holds for every input.

use langnghe_flow::{Context, Library, Session, Step};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Profile,
    Timestamp,
    event::{Attachment, Contact, Location, Media, MediaKind, Message, Referral},
    fold::fold,
};
use proptest::prelude::*;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

use crate::citizen::{NOW, project};

static LIBRARY: LazyLock<Library> = LazyLock::new(project);

/// The most bytes that a session may take: every answer at its bound, and twenty links.
const SESSION: usize = 128 * 1024;

fn words() -> impl Strategy<Value = String> {
    let known = [
        "1",
        "2",
        "0",
        "gửi",
        "sửa 2",
        "quay lại",
        "bỏ qua",
        "hủy bỏ",
        "menu",
        "english",
        "xóa dữ liệu",
        "có",
        "không",
        "rác",
        "ổ gà",
        "phản ánh",
        "đồng ý",
        "xong",
        "0912345678",
        "12 Nguyễn Trãi",
        "cháy nhà",
        "làm lại",
        "tiếp",
        "xem dữ liệu",
        "gặp cán bộ",
        "ngưng",
        "giúp",
        "PA ổ gà rất to",
        "hôm qua",
    ];
    prop_oneof![
        6 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        2 => "[a-zđôưăâêơáàảãạ0-9 ,.?!]{0,60}",
        2 => "\\PC{0,80}",
        1 => any::<String>(),
        1 => (1_usize..3000).prop_map(|count| "ố ".repeat(count)),
    ]
}

fn payload() -> impl Strategy<Value = String> {
    prop_oneof![
        "[afwl]/[a-z-]{0,12}(/[a-z_]{0,10}(/[A-Za-z_]{0,10})?)?",
        Just("a/hien-truong/nhom/ha_tang".to_owned()),
        Just("a/hien-truong/dong_y/no".to_owned()),
        Just("a/menu/chon/phan-anh".to_owned()),
        Just("send".to_owned()),
        Just("done".to_owned()),
        Just("erase/yes".to_owned()),
        "\\PC{0,30}",
    ]
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let kinds = [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Audio,
        MediaKind::File,
    ];
    prop_oneof![
        (
            proptest::sample::select(kinds.to_vec()),
            "https://x/[a-z]{1,5}"
        )
            .prop_map(|(kind, url)| {
                Attachment::Media(Media {
                    kind,
                    url,
                    content_type: None,
                    bytes: None,
                    name: None,
                })
            }),
        (
            any::<f64>(),
            any::<f64>(),
            proptest::option::of(any::<String>())
        )
            .prop_map(|(latitude, longitude, label)| {
                Attachment::Location(Location {
                    latitude,
                    longitude,
                    accuracy: Some(latitude),
                    label,
                })
            }),
        any::<String>().prop_map(|phone| {
            Attachment::Contact(Contact {
                phones: vec![phone],
                ..Contact::default()
            })
        }),
        Just(Attachment::Sticker {
            id: None,
            url: None
        }),
        any::<String>().prop_map(|url| Attachment::Link {
            url: Some(url),
            title: None
        }),
    ]
}

fn kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        8 => (
            proptest::option::weighted(0.9, words()),
            proptest::option::weighted(0.15, payload()),
            proptest::collection::vec(attachment(), 0..3),
        )
            .prop_map(|(text, payload, attachments)| {
                EventKind::Message(Message { text, payload, attachments, ..Message::default() })
            }),
        1 => payload().prop_map(|payload| EventKind::Postback {
            payload: Some(payload),
            title: None,
            referral: None,
        }),
        1 => any::<String>().prop_map(|text| EventKind::Edit { message: EventId::new("m1"), text }),
        1 => Just(EventKind::Timer { name: "idle".to_owned() }),
        1 => Just(EventKind::Follow),
        1 => any::<bool>().prop_map(|ours| EventKind::Control { ours }),
        1 => Just(EventKind::Flood),
        1 => words().prop_map(|reference| EventKind::Referral(Referral {
            reference: Some(reference),
            source: None,
        })),
    ]
}

fn take(session: Option<Session>, kind: EventKind, now: Timestamp, hand_over: bool) -> Step {
    let channel = ChannelId::new("web").expect("a good id");
    let event = Event {
        id: EventId::new("m1"),
        conversation: ConversationId::new(channel, CitizenId::new("c1")),
        sent_at: now,
        received_at: now,
        kind,
    };
    let capabilities = Capabilities {
        hand_over,
        ..Capabilities::text_only(2000)
    };
    let profile = Profile {
        name: None,
        language: Some("vi-VN".to_owned()),
    };
    let mut context = Context {
        now,
        ticket_code: "X",
        capabilities: &capabilities,
        profile: Some(&profile),
        tickets: None,
    };
    let step = LIBRARY.step(session.clone(), &event, &context);
    if !step.needs_tickets {
        return step;
    }
    context.tickets = Some(&[]);
    LIBRARY.step(session, &event, &context)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_conversation_makes_a_step_panic_or_a_session_grow(
        events in proptest::collection::vec((kind(), 0_i64..100_000), 1..40),
        hand_over in any::<bool>(),
    ) {
        let mut session: Option<Session> = None;
        let mut now = NOW.as_seconds();
        for (kind, wait) in events {
            now += wait;
            let asks = matches!(&kind, EventKind::Message(message) if message.text.as_ref().is_some_and(|text| !text.trim().is_empty()));
            let quiet = session.is_some();
            let step = take(session, kind, Timestamp::from_seconds(now), hand_over);
            prop_assert!(!step.needs_tickets);
            prop_assert!(step.replies.len() <= 12, "{} replies", step.replies.len());
            // Nobody is left without an answer, unless a person has the word.
            prop_assert!(!asks || quiet || !step.replies.is_empty());
            if let Some(ticket) = &step.ticket {
                for needed in ["mo_ta", "vi_tri", "nhom", "dong_y"] {
                    let answer = ticket.answers.iter().find(|answer| answer.question == needed);
                    prop_assert!(answer.is_some(), "a ticket without {needed}");
                }
                let agreed = ticket.answers.iter().find(|answer| answer.question == "dong_y");
                prop_assert_eq!(agreed.map(|answer| &answer.value), Some(&true.into()));
            }
            let bytes = step.session.as_ref().map(Session::encode);
            prop_assert!(bytes.as_ref().is_none_or(|bytes| bytes.len() < SESSION));
            let again = bytes.map(|bytes| Session::decode(&bytes).expect("our own session"));
            prop_assert_eq!(&again, &step.session);
            session = again;
        }
    }

    #[test]
    fn stored_bytes_of_any_kind_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in kind()) {
        let tagged = |version| [&[version], &bytes[..]].concat();
        for bytes in [tagged(1), tagged(2), bytes] {
            if let Ok(session) = Session::decode(&bytes) {
                take(Some(session), kind.clone(), NOW, false);
            }
        }
    }

    #[test]
    fn a_session_that_was_tampered_with_does_no_harm(
        flow in prop_oneof![Just("hien-truong".to_owned()), Just("menu".to_owned()), "\\PC{0,90}"],
        at in proptest::option::of(prop_oneof![Just("nhom".to_owned()), Just("anh".to_owned()), "\\PC{0,90}"]),
        question in prop_oneof![Just("nhom".to_owned()), Just("mo_ta".to_owned()), Just("anh".to_owned()), "[a-z_]{0,9}"],
        answer in prop_oneof![
            Just("\"-\"".to_owned()),
            Just("{\"t\":\"x\"}".to_owned()),
            Just("{\"c\":\"ha_tang\"}".to_owned()),
            Just("{\"n\":1e300}".to_owned()),
            Just("{\"f\":[]}".to_owned()),
            Just("{\"b\":true}".to_owned()),
        ],
        stage in proptest::sample::select(vec!["a", "s", "r", "w"]),
        strikes in any::<u8>(),
        open in any::<bool>(),
        kinds in proptest::collection::vec(kind(), 1..6),
    ) {
        let form = serde_json::json!({
            "f": flow, "h": "0", "p": at, "s": stage, "n": strikes, "o": open,
            "a": [[question, serde_json::from_str::<serde_json::Value>(&answer).expect("JSON")]],
        });
        let text = serde_json::json!({ "f": form, "a": -5, "t": i64::MAX, "r": true }).to_string();
        let mut bytes = vec![1];
        bytes.extend(text.as_bytes());
        let mut session = Session::decode(&bytes).ok();
        prop_assert!(session.is_some());
        for kind in kinds {
            session = take(session, kind, NOW, true).session;
        }
    }

    #[test]
    fn any_composition_of_the_same_words_is_the_same_step(
        text in "[a-zA-Zđơưăâêôáàảãạấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộúùủũụứừửữựýỳỷỹỵ ,.0-9]{1,60}",
        cut in any::<proptest::sample::Index>(),
    ) {
        let characters: Vec<char> = text.chars().collect();
        let at = cut.index(characters.len() + 1);
        let (front, back): (String, String) =
            (characters[..at].iter().collect(), characters[at..].iter().collect());
        let composed: String = text.nfc().collect();
        let decomposed: String = text.nfd().collect();
        // One half composed, the other not: what a phone and a paste make together.
        let mixed: String = front.nfc().chain(back.nfd()).collect();
        prop_assert_eq!(fold(&composed), fold(&decomposed));
        prop_assert_eq!(fold(&composed), fold(&mixed));
        let begin = take(None, message("phan anh"), NOW, false).session;
        let one = take(begin.clone(), message(&composed), NOW, false);
        prop_assert_eq!(&one, &take(begin.clone(), message(&decomposed), NOW, false));
        prop_assert_eq!(&one, &take(begin, message(&mixed), NOW, false));
    }
}

fn message(text: &str) -> EventKind {
    EventKind::Message(Message {
        text: Some(text.to_owned()),
        ..Message::default()
    })
}
