//! Choices as something to tap, as numbers in a text, or as both.

use std::collections::HashSet;

use langnghe_model::{
    Capabilities, Reply,
    capabilities::{ChoiceLimit, TextLimit},
    reply::{Choice, ChoiceStyle},
};
use unicode_segmentation::UnicodeSegmentation;

use super::{split::split_last, texts};

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
    match style {
        ChoiceStyle::Answers => answers(text, &choices, capabilities),
        ChoiceStyle::Shortcuts => shortcuts(text, choices, capabilities),
    }
}

/// What can be tapped beside a question with a button of the channel's own, which takes the place of
/// one choice, and the longest text above such a question.
pub(super) fn shortcuts_beside(
    choices: Vec<Choice>,
    capabilities: &Capabilities,
) -> (Vec<Choice>, usize) {
    let Some(limit) = capabilities.quick_replies.or(capabilities.buttons) else {
        return (Vec::new(), capabilities.text.max);
    };
    if !capabilities.choices_beside_asking {
        return (Vec::new(), limit.text);
    }
    let beside = ChoiceLimit {
        max: limit.max.saturating_sub(1),
        ..limit
    };
    (shorten_all(fitting(choices, beside), beside), limit.text)
}

/// All the choices, or none to tap and all in words.
fn answers(text: &str, choices: &[Choice], capabilities: &Capabilities) -> Vec<Reply> {
    let carrying = || {
        presentations(capabilities).filter(|limit| {
            choices.len() <= limit.max && choices.iter().all(|choice| fits_payload(choice, *limit))
        })
    };
    let shown = if text.trim().is_empty() {
        None
    } else {
        carrying()
            .find_map(|limit| Some((in_full(choices, limit)?, limit)))
            .or_else(|| carrying().find_map(|limit| Some((described(choices, limit)?, limit))))
    };
    if let Some((shown, limit)) = shown {
        return tappable(text, shown, ChoiceStyle::Answers, limit, capabilities.text);
    }
    let above = with_numbers(text, choices);
    let Some(limit) = carrying().next() else {
        return texts(&above, capabilities.text);
    };
    let shown = in_full(choices, limit).unwrap_or_else(|| numbered(choices, limit));
    tappable(
        &above,
        shown,
        ChoiceStyle::Answers,
        limit,
        capabilities.text,
    )
}

/// As many of the choices as fit; they can be typed as well.
fn shortcuts(text: &str, choices: Vec<Choice>, capabilities: &Capabilities) -> Vec<Reply> {
    let carries_all = |limit: &ChoiceLimit| {
        choices.len() <= limit.max && choices.iter().all(|choice| fits_payload(choice, *limit))
    };
    let limit = presentations(capabilities)
        .find(carries_all)
        .or_else(|| presentations(capabilities).next());
    let shown = limit.map(|limit| (shorten_all(fitting(choices, limit), limit), limit));
    let Some((shown, limit)) = shown.filter(|(shown, _)| !shown.is_empty()) else {
        return texts(text, capabilities.text);
    };
    let above = if text.trim().is_empty() {
        in_words(&shown)
    } else {
        text.to_owned()
    };
    tappable(
        &above,
        shown,
        ChoiceStyle::Shortcuts,
        limit,
        capabilities.text,
    )
}

/// The choices with their labels as titles, where all of them fit and no two are the same.
fn in_full(choices: &[Choice], limit: ChoiceLimit) -> Option<Vec<Choice>> {
    let mut titles = HashSet::new();
    choices
        .iter()
        .map(|choice| {
            let title = one_line(&choice.label);
            let good = !title.is_empty() && limit.title_unit.count(&title) <= limit.title;
            (good && titles.insert(title.clone())).then(|| Choice {
                label: title,
                description: description(choice, limit),
                payload: choice.payload.clone(),
            })
        })
        .collect()
}

/// The choices with what fits of their labels as titles, and the labels in full under them, where all
/// of them fit and a reader can tell them apart.
fn described(choices: &[Choice], limit: ChoiceLimit) -> Option<Vec<Choice>> {
    let labels: Vec<String> = choices
        .iter()
        .map(|choice| one_line(&choice.label))
        .collect();
    let distinct: HashSet<&String> = labels.iter().collect();
    let fits =
        |label: &String| !label.is_empty() && limit.title_unit.count(label) <= limit.description;
    if distinct.len() < labels.len() || !labels.iter().all(fits) {
        return None;
    }
    let shown = shorten_all(choices.to_vec(), limit);
    (shown.len() == choices.len()).then(|| {
        shown
            .into_iter()
            .zip(labels)
            .map(|(choice, label)| Choice {
                description: if choice.label == label {
                    description(&choice, limit)
                } else {
                    Some(label)
                },
                ..choice
            })
            .collect()
    })
}

/// The choices with their numbers before what fits of their labels.
fn numbered(choices: &[Choice], limit: ChoiceLimit) -> Vec<Choice> {
    (1..)
        .zip(choices)
        .map(|(number, choice)| Choice {
            label: shorten(
                format!("{number}. {}", one_line(&choice.label)).trim(),
                limit,
            ),
            description: description(choice, limit),
            payload: choice.payload.clone(),
        })
        .collect()
}

/// The choice's own description, where the channel shows one.
fn description(choice: &Choice, limit: ChoiceLimit) -> Option<String> {
    let words = one_line(choice.description.as_deref()?);
    let room = ChoiceLimit {
        title: limit.description,
        ..limit
    };
    let shown = shorten(&words, room);
    let fits = limit.title_unit.count(&shown) <= limit.description;
    (fits && !words.is_empty()).then_some(shown)
}

/// Titles have no lines.
fn one_line(label: &str) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    words.join(" ")
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

/// The text, split where it must be, with the choices on its last part.
fn tappable(
    text: &str,
    choices: Vec<Choice>,
    style: ChoiceStyle,
    limit: ChoiceLimit,
    text_limit: TextLimit,
) -> Vec<Reply> {
    let mut parts = split_last(text, text_limit, limit.text);
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
            let label = one_line(&choice.label);
            let mut title = shorten(&label, limit);
            for number in 2..=99 {
                if titles.contains(&title) {
                    title = shorten(&format!("{number}. {label}"), limit);
                }
            }
            (!title.is_empty() && titles.insert(title.clone())).then(|| Choice {
                label: title,
                description: description(&choice, limit),
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
