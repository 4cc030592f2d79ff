//! Choices as something to tap, as numbers in a text, or as both.

use std::collections::HashSet;

use langnghe_model::{
    Capabilities, Reply,
    capabilities::{ChoiceLimit, TextLimit},
    reply::{Choice, ChoiceStyle},
};
use unicode_segmentation::UnicodeSegmentation;

use super::{split::split, texts};

/// Words with choices, as the channel shows them best.
pub(super) fn render(
    text: &str,
    choices: Vec<Choice>,
    style: ChoiceStyle,
    capabilities: &Capabilities,
) -> Vec<Reply> {
    if choices.is_empty() {
        return texts(text, capabilities.text);
    }
    match (presentation(&choices, capabilities), style) {
        (Some(limit), ChoiceStyle::Answers) => answers(text, choices, limit, capabilities.text),
        (None, ChoiceStyle::Answers) => texts(&with_numbers(text, &choices), capabilities.text),
        (Some(limit), ChoiceStyle::Shortcuts) => {
            let above = if text.trim().is_empty() {
                in_words(&choices)
            } else {
                text.to_owned()
            };
            tappable(
                &above,
                shorten_all(choices, limit),
                style,
                limit,
                capabilities.text,
            )
        }
        (None, ChoiceStyle::Shortcuts) => match some_of(choices, capabilities) {
            Some((choices, limit)) if !text.trim().is_empty() => tappable(
                text,
                shorten_all(choices, limit),
                style,
                limit,
                capabilities.text,
            ),
            _ => texts(text, capabilities.text),
        },
    }
}

/// The shortcuts that fit beside a question with a button of the channel's own.
pub(super) fn shortcuts_beside(choices: Vec<Choice>, capabilities: &Capabilities) -> Vec<Choice> {
    let Some(limit) = capabilities.quick_replies.or(capabilities.buttons) else {
        return Vec::new();
    };
    let beside = ChoiceLimit {
        max: limit.max.saturating_sub(1),
        ..limit
    };
    shorten_all(fitting(choices, beside), beside)
}

fn presentations(capabilities: &Capabilities) -> impl Iterator<Item = ChoiceLimit> {
    [
        capabilities.quick_replies,
        capabilities.buttons,
        capabilities.list,
    ]
    .into_iter()
    .flatten()
}

/// The first presentation that carries all the choices.
fn presentation(choices: &[Choice], capabilities: &Capabilities) -> Option<ChoiceLimit> {
    presentations(capabilities).find(|limit| {
        choices.len() <= limit.max && choices.iter().all(|choice| fits_payload(choice, *limit))
    })
}

/// As many as the channel's first presentation carries.
fn some_of(
    choices: Vec<Choice>,
    capabilities: &Capabilities,
) -> Option<(Vec<Choice>, ChoiceLimit)> {
    let limit = presentations(capabilities).next()?;
    let choices = fitting(choices, limit);
    (!choices.is_empty()).then_some((choices, limit))
}

fn fitting(choices: Vec<Choice>, limit: ChoiceLimit) -> Vec<Choice> {
    choices
        .into_iter()
        .filter(|choice| fits_payload(choice, limit))
        .take(limit.max)
        .collect()
}

fn fits_payload(choice: &Choice, limit: ChoiceLimit) -> bool {
    !choice.payload.is_empty() && limit.payload_unit.count(&choice.payload) <= limit.payload
}

fn answers(
    text: &str,
    mut choices: Vec<Choice>,
    limit: ChoiceLimit,
    text_limit: TextLimit,
) -> Vec<Reply> {
    let mut labels = HashSet::new();
    let clear = choices.iter().all(|choice| {
        let label = choice.label.trim();
        !label.is_empty() && limit.title_unit.count(label) <= limit.title && labels.insert(label)
    });
    let above = if clear && !text.trim().is_empty() {
        text.to_owned()
    } else {
        with_numbers(text, &choices)
    };
    for (number, choice) in (1..).zip(&mut choices) {
        let label = choice.label.trim();
        choice.label = if clear {
            label.to_owned()
        } else {
            shorten(&format!("{number}. {label}"), limit)
        };
    }
    tappable(&above, choices, ChoiceStyle::Answers, limit, text_limit)
}

/// The text, split where it must be, with the choices on its last part.
fn tappable(
    text: &str,
    choices: Vec<Choice>,
    style: ChoiceStyle,
    limit: ChoiceLimit,
    text_limit: TextLimit,
) -> Vec<Reply> {
    let mut parts = split(text, text_limit);
    if let Some(last) = parts.pop() {
        parts.extend(split(
            &last,
            TextLimit {
                max: limit.text,
                unit: text_limit.unit,
            },
        ));
    }
    let Some(last) = parts.pop() else {
        return Vec::new();
    };
    let mut replies: Vec<Reply> = parts.into_iter().map(|text| Reply::Text { text }).collect();
    replies.push(Reply::Choices {
        text: last,
        choices,
        style,
    });
    replies
}

/// "1. …" on a line each, under the text.
fn with_numbers(text: &str, choices: &[Choice]) -> String {
    let mut parts: Vec<String> = vec![text.trim().to_owned(), String::new()];
    if parts[0].is_empty() {
        parts.clear();
    }
    parts.extend(
        (1..)
            .zip(choices)
            .map(|(number, choice)| format!("{number}. {}", choice.label.trim())),
    );
    parts.join("\n")
}

fn in_words(choices: &[Choice]) -> String {
    let labels: Vec<&str> = choices.iter().map(|choice| choice.label.trim()).collect();
    labels.join(" · ")
}

/// Shortens titles so that no two become the same.
fn shorten_all(choices: Vec<Choice>, limit: ChoiceLimit) -> Vec<Choice> {
    let mut titles = HashSet::new();
    choices
        .into_iter()
        .filter_map(|choice| {
            let label = choice.label.trim();
            let mut title = shorten(label, limit);
            for number in 2..=99 {
                if titles.contains(&title) {
                    title = shorten(&format!("{number}. {label}"), limit);
                }
            }
            (!title.is_empty() && titles.insert(title.clone())).then_some(Choice {
                label: title,
                payload: choice.payload,
            })
        })
        .collect()
}

/// At most what the provider takes as a title, of whole graphemes, ending in "…" where something was
/// cut.
fn shorten(label: &str, limit: ChoiceLimit) -> String {
    let count = |text: &str| limit.title_unit.count(text);
    if count(label) <= limit.title {
        return label.to_owned();
    }
    let mut used = count("…");
    let kept: String = label
        .graphemes(true)
        .take_while(|grapheme| {
            used += count(grapheme);
            used <= limit.title
        })
        .collect();
    let kept = kept.trim_end_matches(|character: char| {
        character.is_whitespace() || matches!(character, ',' | ';' | ':' | '-' | '–' | '(')
    });
    format!("{kept}…")
}
