use std::time::Duration;

use langnghe_model::{
    capabilities::{ChoiceLimit, MediaLimit, TextUnit},
    event::MediaKind,
};
use proptest::prelude::*;

use super::*;

fn rich() -> Capabilities {
    let limit = ChoiceLimit::in_characters(4, 20, 100, 60);
    Capabilities {
        text: TextLimit {
            max: 80,
            unit: TextUnit::Characters,
        },
        quick_replies: Some(limit),
        media: vec![MediaLimit {
            kind: MediaKind::Image,
            bytes: 1 << 20,
            caption: 10,
        }],
        ask_phone: true,
        typing: true,
        hand_over: true,
        window: Some(Duration::from_hours(24)),
        extended_window: None,
        templates: false,
        ..Capabilities::text_only(80)
    }
}

fn text(text: &str) -> Reply {
    Reply::Text {
        text: text.to_owned(),
    }
}

fn choices(labels: &[&str]) -> Vec<Choice> {
    (0..)
        .zip(labels)
        .map(|(at, label)| Choice::new(*label, format!("p{at}")))
        .collect()
}

fn question(words: &str, labels: &[&str], style: ChoiceStyle) -> Reply {
    Reply::Choices {
        text: words.to_owned(),
        choices: choices(labels),
        style,
    }
}

fn answers(words: &str, labels: &[&str]) -> Reply {
    question(words, labels, ChoiceStyle::Answers)
}

fn shortcuts(words: &str, labels: &[&str]) -> Reply {
    question(words, labels, ChoiceStyle::Shortcuts)
}

#[test]
fn choices_become_what_the_channel_has() {
    let rich = rich();
    let plain = Capabilities::text_only(80);
    let long = "Đường, vỉa hè, đèn chiếu sáng";
    for (reply, capabilities, expected) in [
        (
            answers("Chọn:", &["Có", "Không"]),
            &rich,
            vec![answers("Chọn:", &["Có", "Không"])],
        ),
        (
            answers("Chọn:", &["Có", "Không"]),
            &plain,
            vec![text("Chọn:\n\n1. Có\n2. Không")],
        ),
        // One long label: all are numbered, in the text in full, on the buttons as far as they go.
        (
            answers("Việc gì ạ?", &[long, "Rác"]),
            &rich,
            vec![answers(
                "Việc gì ạ?\n\n1. Đường, vỉa hè, đèn chiếu sáng\n2. Rác",
                &["1. Đường, vỉa hè, đ…", "2. Rác"],
            )],
        ),
        // Labels that a citizen could not tell apart.
        (
            answers("?", &["Khác", "Khác"]),
            &rich,
            vec![answers("?\n\n1. Khác\n2. Khác", &["1. Khác", "2. Khác"])],
        ),
        // More than fit: all in the text, none to tap.
        (
            answers("?", &["a", "b", "c", "d", "e"]),
            &rich,
            vec![text("?\n\n1. a\n2. b\n3. c\n4. d\n5. e")],
        ),
        (
            shortcuts("?", &["a", "b", "c", "d", "e"]),
            &rich,
            vec![shortcuts("?", &["a", "b", "c", "d"])],
        ),
        (shortcuts("Ảnh?", &["Bỏ qua"]), &plain, vec![text("Ảnh?")]),
        (
            shortcuts("?", &["Quay lại câu trước đó", "Quay lại câu trước nữa"]),
            &rich,
            vec![shortcuts(
                "?",
                &["Quay lại câu trước…", "2. Quay lại câu trư…"],
            )],
        ),
        // A text above the choices is never missing.
        (
            answers(" ", &["Có", "Không"]),
            &rich,
            vec![answers("1. Có\n2. Không", &["Có", "Không"])],
        ),
        (
            shortcuts("", &["Menu", "Dừng"]),
            &rich,
            vec![shortcuts("Menu · Dừng", &["Menu", "Dừng"])],
        ),
        (answers("Xin chào", &[]), &rich, vec![text("Xin chào")]),
    ] {
        assert_eq!(render(reply.clone(), capabilities), expected, "{reply:?}");
    }
}

#[test]
fn the_first_presentation_that_carries_all_is_taken() {
    let mut capabilities = rich();
    capabilities.list = Some(ChoiceLimit::in_characters(10, 24, 200, 80));
    let five = answers("?", &["a", "b", "c", "d", "e"]);
    assert_eq!(render(five.clone(), &capabilities), [five]);
    let long_payload = Reply::Choices {
        text: "?".to_owned(),
        choices: vec![Choice::new("a", "p".repeat(150))],
        style: ChoiceStyle::Answers,
    };
    assert_eq!(
        render(long_payload.clone(), &capabilities),
        std::slice::from_ref(&long_payload)
    );
    capabilities.list = None;
    assert_eq!(render(long_payload, &capabilities), [text("?\n\n1. a")]);
}

#[test]
fn long_texts_are_cut_where_a_reader_would() {
    let short = Capabilities::text_only(20);
    for (long, parts) in [
        (
            "Đoạn một dài.\n\nĐoạn hai.",
            vec!["Đoạn một dài.", "Đoạn hai."],
        ),
        (
            "Dòng số một dài\nDòng hai",
            vec!["Dòng số một dài", "Dòng hai"],
        ),
        (
            "Câu một đây ạ. Câu hai nữa.",
            vec!["Câu một đây ạ.", "Câu hai nữa."],
        ),
        ("một hai ba bốn năm sáu", vec!["một hai ba bốn năm", "sáu"]),
        (
            "abcdefghijklmnopqrst uvw",
            vec!["abcdefghijklmnopqrst", "uvw"],
        ),
        (
            "abcdefghijklmnopqrstuvw",
            vec!["abcdefghijklmnopqrst", "uvw"],
        ),
        ("  \n ", vec![]),
        ("", vec![]),
    ] {
        let parts: Vec<Reply> = parts.into_iter().map(text).collect();
        assert_eq!(render(text(long), &short), parts, "{long:?}");
    }
}

#[test]
fn the_choices_stand_under_the_last_part() {
    let words = "một hai ba bốn ".repeat(10);
    let parts = render(answers(&words, &["Có"]), &rich());
    let (last, before) = parts.split_last().expect("some parts");
    assert!(
        before.iter().all(|part| matches!(part, Reply::Text { .. })),
        "{parts:?}"
    );
    assert!(matches!(last, Reply::Choices { text, .. } if text.chars().count() <= 60));
}

#[test]
fn what_a_channel_lacks_is_worded_or_left_out() {
    let rich = rich();
    let plain = Capabilities::text_only(80);
    let image = |caption: Option<&str>| Reply::Media {
        media: MediaKind::Image,
        url: "https://gop-y.example.vn/a.jpg".to_owned(),
        caption: caption.map(str::to_owned),
    };
    let phone = Reply::AskContact {
        text: "Số của anh/chị?".to_owned(),
        field: ContactField::Phone,
        choices: choices(&["Bỏ qua"]),
    };
    let location = Reply::AskLocation {
        text: "Ở đâu ạ?".to_owned(),
        choices: choices(&["Bỏ qua"]),
    };
    for (reply, capabilities, expected) in [
        (image(Some("Ngắn")), &rich, vec![image(Some("Ngắn"))]),
        (image(Some(" ")), &rich, vec![image(None)]),
        (
            image(Some("Dài hơn mười chữ")),
            &rich,
            vec![image(None), text("Dài hơn mười chữ")],
        ),
        (
            image(Some("Sơ đồ")),
            &plain,
            vec![text("Sơ đồ\nhttps://gop-y.example.vn/a.jpg")],
        ),
        (
            image(None),
            &plain,
            vec![text("https://gop-y.example.vn/a.jpg")],
        ),
        (phone.clone(), &rich, vec![phone.clone()]),
        (phone, &plain, vec![text("Số của anh/chị?")]),
        (
            location.clone(),
            &rich,
            vec![shortcuts("Ở đâu ạ?", &["Bỏ qua"])],
        ),
        (location, &plain, vec![text("Ở đâu ạ?")]),
        (Reply::Typing, &rich, vec![Reply::Typing]),
        (Reply::Typing, &plain, vec![]),
        (Reply::HandOver, &rich, vec![Reply::HandOver]),
        (Reply::HandOver, &plain, vec![]),
    ] {
        assert_eq!(render(reply.clone(), capabilities), expected, "{reply:?}");
    }
}

#[test]
fn a_button_of_the_channel_takes_one_place() {
    let phone = Reply::AskContact {
        text: "Số?".to_owned(),
        field: ContactField::Phone,
        choices: choices(&["a", "b", "c", "d", "e"]),
    };
    let [Reply::AskContact { choices, .. }] = &render(phone, &rich())[..] else {
        panic!("one question")
    };
    assert_eq!(choices.len(), 3);
}

#[test]
fn a_channel_without_vietnamese_gets_plain_letters_but_whole_payloads() {
    let capabilities = Capabilities {
        encoding: Encoding::Unaccented,
        ..Capabilities::text_only(70)
    };
    let reply = Reply::Choices {
        text: "Đường nào ạ?".to_owned(),
        choices: vec![Choice::new("Phường Thới An Đông", "thới")],
        style: ChoiceStyle::Answers,
    };
    assert_eq!(
        render(reply.clone(), &capabilities),
        [text("Duong nao a?\n\n1. Phuong Thoi An Dong")]
    );
    let capabilities = Capabilities {
        encoding: Encoding::Unaccented,
        ..rich()
    };
    let [Reply::Choices { choices, .. }] = &render(reply, &capabilities)[..] else {
        panic!("one question")
    };
    assert_eq!(choices[0].payload, "thới");
}

fn unit() -> impl Strategy<Value = TextUnit> {
    prop_oneof![
        Just(TextUnit::Characters),
        Just(TextUnit::Utf16),
        Just(TextUnit::Bytes)
    ]
}

fn sms(max: usize, encoding: Encoding) -> Capabilities {
    Capabilities {
        text: TextLimit {
            max,
            unit: TextUnit::Segments,
        },
        encoding,
        ..Capabilities::text_only(0)
    }
}

#[test]
fn sms_is_cut_at_words_within_the_largest_number_of_parts() {
    // 60 words of five letters and a space: 359 septets, which is three parts.
    let plain = vec!["duong"; 60].join(" ");
    for (max, lengths) in [(3, vec![359]), (2, vec![305, 53]), (1, vec![155, 155, 47])] {
        let parts = render(text(&plain), &sms(max, Encoding::Unicode));
        let is: Vec<usize> = parts.iter().map(|part| words_of(part).len()).collect();
        // The cut is at the last word that fits.
        assert_eq!(
            is.iter().sum::<usize>() + is.len() - 1,
            plain.len(),
            "{is:?}"
        );
        assert_eq!(is.len(), lengths.len(), "{is:?}");
        for part in &parts {
            assert!(TextUnit::Segments.count(words_of(part)) <= max);
            assert!(words_of(part).ends_with("duong"));
        }
    }
    // One accented word at the end makes all before it dearer, so it goes on alone.
    let mixed = format!("{} đường", vec!["duong"; 26].join(" "));
    let parts = render(text(&mixed), &sms(1, Encoding::Unicode));
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert_eq!(words_of(&parts[1]), "đường");
}

#[test]
fn sms_keeps_its_accents_where_the_policy_says() {
    let question = |words: &str| answers(words, &["Đường", "Rác 🗑"]);
    let accented = "Anh/chị muốn phản ánh việc gì ạ?\n\n1. Đường\n2. Rác 🗑";
    let plain = "Anh/chi muon phan anh viec gi a?\n\n1. Duong\n2. Rac ";
    let words = "Anh/chị muốn phản ánh việc gì a\u{323}?";
    for (encoding, expected) in [
        (Encoding::Unicode, accented),
        (Encoding::Unaccented, plain.trim_end()),
        (Encoding::Auto, accented),
    ] {
        let is = render(question(words), &sms(1, encoding));
        assert_eq!(is, [text(expected)], "{encoding:?}");
    }
    // With accents it would take two messages.
    let long = "Dạ, em đã ghi nhận phản ánh của anh/chị, mã số PA-000123. Cảm ơn anh/chị đã báo.";
    let is = render(text(long), &sms(1, Encoding::Auto));
    assert_eq!(is, [text(&gsm::transliterate(long))]);
    assert_eq!(render(text(long), &sms(1, Encoding::Unicode)).len(), 2);
    assert_eq!(render(text(long), &sms(2, Encoding::Auto)), [text(long)]);
}

/// Words, Vietnamese in both forms, emoji of several characters, white space.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z]{1,12}",
        Just("Đường ".to_owned()),
        Just("ti\u{ea}\u{301}ng".to_owned()),
        Just("e\u{302}\u{323}".to_owned()),
        Just("👨‍👩‍👧‍👦".to_owned()),
        Just("🇻🇳".to_owned()),
        Just(". ".to_owned()),
        Just("\n\n".to_owned()),
        "\\PC{0,5}",
        "[ \n\t]{1,3}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn without_space<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts
        .into_iter()
        .flat_map(str::chars)
        .filter(|character| !character.is_whitespace())
        .collect()
}

fn words_of(reply: &Reply) -> &str {
    match reply {
        Reply::Text { text } | Reply::Choices { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn parts_keep_within_the_limit_and_lose_nothing(words in words(), max in 4_usize..60, unit in unit()) {
        let capabilities =
            Capabilities { text: TextLimit { max, unit }, ..Capabilities::text_only(max) };
        let parts = render(text(&words), &capabilities);
        prop_assert_eq!(parts.is_empty(), words.trim().is_empty());
        for part in &parts {
            prop_assert!(unit.count(words_of(part)) <= max, "{:?}", part);
            prop_assert!(!words_of(part).trim().is_empty());
        }
        prop_assert_eq!(without_space(parts.iter().map(words_of)), without_space([&*words]));
    }

    #[test]
    fn parts_of_sms_keep_within_the_limit_and_lose_nothing(words in words(), max in 1_usize..4) {
        let parts = render(text(&words), &sms(max, Encoding::Unicode));
        for part in &parts {
            prop_assert!(TextUnit::Segments.count(words_of(part)) <= max, "{:?}", part);
        }
        let composed = segments::composed(&words);
        prop_assert_eq!(without_space(parts.iter().map(words_of)), without_space([&*composed]));
        let plain = render(text(&words), &sms(max, Encoding::Unaccented));
        for part in &plain {
            prop_assert_eq!(segments::count(words_of(part)).alphabet, segments::Alphabet::Gsm7);
            prop_assert!(TextUnit::Segments.count(words_of(part)) <= max, "{:?}", part);
        }
    }

    #[test]
    fn no_grapheme_is_cut_that_fits_a_part(words in words()) {
        let whole: Vec<&str> = unicode_segmentation::UnicodeSegmentation::graphemes(&*words, true)
            .filter(|grapheme| !grapheme.trim().is_empty())
            .collect();
        let parts = render(text(&words), &Capabilities::text_only(24));
        let cut: Vec<&str> = parts
            .iter()
            .flat_map(|part| unicode_segmentation::UnicodeSegmentation::graphemes(words_of(part), true))
            .filter(|grapheme| !grapheme.trim().is_empty())
            .collect();
        prop_assume!(whole.iter().all(|grapheme| grapheme.chars().count() <= 24));
        // A mark on nothing but a space stays without its space: nobody can see the difference.
        prop_assume!(whole.iter().all(|grapheme| !grapheme.starts_with(char::is_whitespace)));
        prop_assert_eq!(cut.concat(), whole.concat());
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn every_answer_can_be_given(
        words in words(),
        labels in proptest::collection::vec("\\PC{0,40}", 1..8),
        max in 2_usize..8,
    ) {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let mut capabilities = rich();
        capabilities.quick_replies = Some(ChoiceLimit::in_characters(max, 20, 100, 60));
        let parts = render(answers(&words, &labels), &capabilities);
        let all = without_space(parts.iter().map(words_of));
        match parts.last().expect("never nothing") {
            Reply::Choices { choices, .. } => {
                prop_assert_eq!(choices.len(), labels.len());
                let titles: std::collections::HashSet<&str> =
                    choices.iter().map(|choice| &*choice.label).collect();
                prop_assert_eq!(titles.len(), labels.len());
                for choice in choices {
                    prop_assert!((1..=20).contains(&choice.label.chars().count()));
                }
            }
            _ => for (number, label) in (1..).zip(&labels) {
                let numbered = format!("{number}.{label}");
                prop_assert!(all.contains(&without_space([&*numbered])), "{number}. {label:?}");
            },
        }
    }
}
