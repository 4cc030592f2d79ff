//! Whatever a channel's limits are and whatever is said: no limit is exceeded in the provider's own
//! unit, no word is lost, and nobody mistakes one choice for another.

use std::collections::HashSet;

use langnghe_model::capabilities::{ChoiceLimit, TextUnit};
use proptest::prelude::*;

use super::*;

fn unit() -> impl Strategy<Value = TextUnit> {
    prop_oneof![
        Just(TextUnit::Characters),
        Just(TextUnit::Utf16),
        Just(TextUnit::Bytes),
        Just(TextUnit::Graphemes),
    ]
}

/// Vietnamese, as people type it: composed and decomposed, with emojis and odd spaces.
fn words(most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Đường ".to_owned()),
        Just("vỉa hè, ".to_owned()),
        Just("e\u{302}\u{323}".to_owned()),
        Just("👨‍👩‍👧‍👦".to_owned()),
        Just("🇻🇳 ".to_owned()),
        Just("\n".to_owned()),
        "[a-zà-ỹ ]{0,8}",
    ];
    proptest::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// Titles take at least a number and a few letters in any unit, as all providers' do.
fn limit() -> impl Strategy<Value = ChoiceLimit> {
    (
        1_usize..14,
        16_usize..60,
        unit(),
        0_usize..120,
        8_usize..40,
        unit(),
        30_usize..200,
    )
        .prop_map(
            |(max, title, title_unit, description, payload, payload_unit, text)| ChoiceLimit {
                max,
                title,
                title_unit,
                description,
                payload,
                payload_unit,
                text,
            },
        )
}

fn channel() -> impl Strategy<Value = Capabilities> {
    let limits = || proptest::option::of(limit());
    (
        limits(),
        limits(),
        limits(),
        unit(),
        30_usize..300,
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(quick_replies, buttons, list, unit, max, [place, phone, beside])| Capabilities {
                text: TextLimit { max, unit },
                quick_replies,
                buttons,
                list,
                ask_location: place,
                ask_phone: phone,
                choices_beside_asking: beside,
                ..Capabilities::text_only(max)
            },
        )
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    let choice = (words(6), proptest::option::of(words(4)), "[a-zđ:]{1,30}");
    proptest::collection::vec(choice, 1..16).prop_map(|choices| {
        (0..)
            .zip(choices)
            .map(|(at, (label, description, payload))| Choice {
                label,
                description,
                payload: format!("{at}{payload}"),
            })
            .collect()
    })
}

fn reply() -> impl Strategy<Value = Reply> {
    (words(30), choices(), 0..4_u8).prop_map(|(text, choices, kind)| match kind {
        0 => Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Answers,
        },
        1 => Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Shortcuts,
        },
        2 => Reply::AskLocation { text, choices },
        _ => Reply::AskContact {
            text,
            field: ContactField::Phone,
            choices,
        },
    })
}

fn parts_of(reply: &Reply) -> (&str, &[Choice]) {
    match reply {
        Reply::Text { text } => (text, &[]),
        Reply::Choices { text, choices, .. }
        | Reply::AskLocation { text, choices }
        | Reply::AskContact { text, choices, .. } => (text, choices),
        other => panic!("{other:?}"),
    }
}

/// Whether a provider with this limit takes these choices under this text.
fn takes(limit: &ChoiceLimit, capabilities: &Capabilities, text: &str, choices: &[Choice]) -> bool {
    let titles: HashSet<&str> = choices.iter().map(|choice| &*choice.label).collect();
    choices.len() <= limit.max
        && titles.len() == choices.len()
        && capabilities.text.unit.count(text) <= limit.text
        && choices.iter().all(|choice| {
            let description = choice.description.as_deref().unwrap_or_default();
            !choice.label.is_empty()
                && limit.title_unit.count(&choice.label) <= limit.title
                && limit.title_unit.count(description) <= limit.description
                && limit.payload_unit.count(&choice.payload) <= limit.payload
        })
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_exceeded(reply in reply(), capabilities in channel()) {
        let limits = [capabilities.quick_replies, capabilities.buttons, capabilities.list];
        for part in render(reply, &capabilities) {
            let (text, choices) = parts_of(&part);
            prop_assert!(!text.trim().is_empty());
            prop_assert!(capabilities.text.unit.count(text) <= capabilities.text.max);
            if !choices.is_empty() {
                let taken = limits
                    .iter()
                    .flatten()
                    .any(|limit| takes(limit, &capabilities, text, choices));
                prop_assert!(taken, "{:?} under {:?}", choices, text);
            }
        }
    }

    #[test]
    fn no_word_is_lost(reply in reply(), capabilities in channel()) {
        let (asked, choices) = parts_of(&reply);
        let (asked, choices) = (without_space(asked), choices.to_vec());
        let are_answers = matches!(
            &reply,
            Reply::Choices { style: ChoiceStyle::Answers, .. }
        );
        let rendered = render(reply, &capabilities);
        let said: String = rendered.iter().map(|part| without_space(parts_of(part).0)).collect();
        prop_assert!(said.starts_with(&asked), "{:?} in {:?}", asked, said);
        if are_answers {
            let shown = rendered.last().map(|part| parts_of(part).1).unwrap_or_default();
            for (number, choice) in (1..).zip(&choices) {
                let label = without_space(&choice.label);
                let in_text = said.contains(&format!("{number}.{label}"));
                let to_tap = shown.get(number - 1).is_some_and(|shown| {
                    let description = shown.description.as_deref().unwrap_or_default();
                    without_space(&shown.label) == label || without_space(description) == label
                });
                prop_assert!(in_text || to_tap, "{number}. {label:?}");
            }
        }
    }

    /// An answer by its number means the same whatever the channel shows, and so does a tap.
    #[test]
    fn answers_keep_their_places(text in words(10), choices in choices(), capabilities in channel()) {
        let reply = Reply::Choices { text, choices: choices.clone(), style: ChoiceStyle::Answers };
        let rendered = render(reply, &capabilities);
        let shown = rendered.last().map(|part| parts_of(part).1).unwrap_or_default();
        if !shown.is_empty() {
            let payloads = |choices: &[Choice]| -> Vec<String> {
                choices.iter().map(|choice| choice.payload.clone()).collect()
            };
            prop_assert_eq!(payloads(shown), payloads(&choices));
        }
    }
}
