//! The keys of each kind of question.

use jiff::civil::Date;
use langnghe_model::{Problem, event::MediaKind, fold::fold};

use super::{
    draft::{ChoiceDraft, QuestionDraft},
    is_choice_id,
};
use crate::{
    flow::{DateBound, Flow, Kind, Target},
    reader::{At, Reader, Table},
    understand::options::{Entry, Options},
    words::Global,
};

/// The most that one free answer keeps, in characters.
pub(crate) const LONGEST_TEXT: usize = 4000;

#[derive(Clone, Copy)]
enum Name {
    Text,
    Choice,
    Choices,
    YesNo,
    Number,
    Rating,
    Date,
    Phone,
    Email,
    Location,
    Media,
    Consent,
    Say,
}

const NAMES: [(&str, Name); 13] = [
    ("text", Name::Text),
    ("choice", Name::Choice),
    ("choices", Name::Choices),
    ("yes_no", Name::YesNo),
    ("number", Name::Number),
    ("rating", Name::Rating),
    ("date", Name::Date),
    ("phone", Name::Phone),
    ("email", Name::Email),
    ("location", Name::Location),
    ("media", Name::Media),
    ("consent", Name::Consent),
    ("say", Name::Say),
];

/// Reads the kind of a question with its own keys.
pub(super) fn read(
    reader: &Reader,
    table: &Table<'_>,
    flow: &Flow,
    question: &str,
    draft: &mut QuestionDraft,
    targets: &mut Vec<At<String>>,
) -> Kind {
    if table.required_string("kind").is_none() {
        return Kind::Say;
    }
    let Some(name) = table.one_of("kind", &NAMES) else {
        // Read what any kind may have, so that a wrong kind brings no further findings.
        for key in [
            "choices", "min", "max", "whole", "accept", "refused", "notify",
        ] {
            table.key(key);
        }
        return Kind::Say;
    };
    let count = |key: &'static str, most: i64| {
        table
            .integer(key, 0..=most)
            .map(|found| found.map(|value| usize::try_from(value).unwrap_or(0)))
    };
    match name.value {
        Name::Text => {
            let longest = i64::try_from(LONGEST_TEXT).unwrap_or(i64::MAX);
            let (min, max) = (count("min", longest), count("max", longest));
            ordered(reader, min.as_ref(), max.as_ref());
            Kind::Text {
                min: min.map_or(1, |min| min.value.max(1)),
                max: max.map_or(LONGEST_TEXT, |max| max.value.max(1)),
            }
        }
        Name::Choice => {
            choices(reader, table, flow, question, draft, targets);
            Kind::Choice(options(draft, &[]))
        }
        Name::Choices => {
            choices(reader, table, flow, question, draft, targets);
            let (min, max) = (count("min", 100), count("max", 100));
            ordered(reader, min.as_ref(), max.as_ref());
            let all = draft.choices.len();
            if let Some(min) = min.as_ref().filter(|min| min.value > all) {
                table.bad_value("min", min, "more than there are choices");
            }
            Kind::Choices {
                options: options(draft, &[]),
                min: min.map_or(1, |min| min.value),
                max: max.map_or(all, |max| max.value.min(all)),
            }
        }
        Name::YesNo => Kind::YesNo,
        Name::Number => {
            let (min, max) = (table.number("min"), table.number("max"));
            ordered(reader, min.as_ref(), max.as_ref());
            Kind::Number {
                min: min.map(|min| min.value),
                max: max.map(|max| max.value),
                whole: table.boolean("whole").is_some_and(|whole| whole.value),
            }
        }
        Name::Rating => {
            let max = table.integer("max", 2..=10).map_or(5, |max| max.value);
            Kind::Rating {
                max: u8::try_from(max).unwrap_or(5),
            }
        }
        Name::Date => Kind::Date {
            min: day(table, "min"),
            max: day(table, "max"),
        },
        Name::Phone => {
            draft.notify = table.boolean("notify").is_some_and(|found| found.value);
            Kind::Phone
        }
        Name::Email => Kind::Email,
        Name::Location => Kind::Location,
        Name::Media => media(table),
        Name::Consent => Kind::Consent,
        Name::Say => Kind::Say,
    }
}

/// The choices with their labels and hints in all languages; `translated` gives more texts under the
/// choice's id.
pub(super) fn options(
    draft: &QuestionDraft,
    translated: &[(String, Vec<String>, Vec<String>)],
) -> Options {
    let entries = draft.choices.iter().map(|choice| {
        let mut labels = vec![fold(&choice.label)];
        let mut hints: Vec<String> = choice.hints.iter().map(|hint| fold(hint)).collect();
        for (_, more_labels, more_hints) in translated.iter().filter(|(id, ..)| *id == choice.id) {
            labels.extend(more_labels.iter().map(|label| fold(label)));
            hints.extend(more_hints.iter().map(|hint| fold(hint)));
        }
        for list in [&mut labels, &mut hints] {
            list.retain(|text| !text.is_empty());
            list.sort();
            list.dedup();
        }
        Entry::new(choice.id.clone(), choice.target.clone(), labels, hints)
    });
    Options::new(entries.collect())
}

fn ordered<T: PartialOrd>(reader: &Reader, min: Option<&At<T>>, max: Option<&At<T>>) {
    if let (Some(min), Some(max)) = (min, max)
        && min.value > max.value
    {
        let message = "no answer can be right: `min` is more than `max`";
        reader.error(
            "flow::impossible",
            message,
            min.span.clone(),
            "more than `max`",
        );
    }
}

fn day(table: &Table<'_>, key: &'static str) -> Option<DateBound> {
    let text = table.string(key)?;
    if text.value == "today" {
        return Some(DateBound::Today);
    }
    let Ok(date) = text.value.parse::<Date>() else {
        table.bad_value(key, &text, "\"today\" or a day like \"2026-11-21\"");
        return None;
    };
    Some(DateBound::Day(date))
}

fn media(table: &Table<'_>) -> Kind {
    let words = [
        ("image", MediaKind::Image),
        ("video", MediaKind::Video),
        ("audio", MediaKind::Audio),
        ("file", MediaKind::File),
    ];
    let mut accept: Vec<MediaKind> = table
        .strings("accept")
        .iter()
        .filter_map(|text| table.word("accept", text, &words))
        .collect();
    if accept.is_empty() {
        accept = vec![MediaKind::Image, MediaKind::Video, MediaKind::Audio];
    }
    accept.sort();
    accept.dedup();
    let max = table.integer("max", 1..=20).map_or(5, |max| max.value);
    Kind::Media {
        accept,
        max: usize::try_from(max).unwrap_or(5),
    }
}

fn choices(
    reader: &Reader,
    table: &Table<'_>,
    flow: &Flow,
    question: &str,
    draft: &mut QuestionDraft,
    targets: &mut Vec<At<String>>,
) {
    let tables = table.tables("choices", "this choice");
    if tables.is_empty() && !reader.is_broken() {
        reader.report(
            Problem::error("flow::no-choices", "a question with choices needs some")
                .at(
                    reader.source(),
                    table.key("kind").unwrap_or(table.span()),
                    "nothing to choose",
                )
                .help("add `choices = [{ id = \"…\", label = \"…\" }, …]`"),
        );
    }
    if tables.len() > 10 {
        let message = format!(
            "{} choices are many to read; some channels show ten",
            tables.len()
        );
        let span = table.key("choices").unwrap_or(table.span());
        reader.warning(
            "flow::many-choices",
            message,
            span,
            "group them over two questions",
        );
    }
    for choice in tables {
        let id = choice.required_string("id");
        let label = choice.required_string("label");
        let hints = choice
            .strings("hints")
            .into_iter()
            .map(|hint| hint.value)
            .collect();
        let target = if flow.menu {
            target(reader, &choice, targets)
        } else {
            None
        };
        choice.finish();
        let (Some(id), Some(label)) = (id, label) else {
            continue;
        };
        if !is_choice_id(&id.value) {
            reader.report(
                Problem::error("flow::bad-id", format!("`{}` cannot be an id", id.value))
                    .at(reader.source(), id.span.clone(), "not an id")
                    .help("an id of a choice is up to 40 ASCII letters, digits, `_` or `-`"),
            );
        }
        if draft.choices.iter().any(|other| other.id == id.value) {
            let message = format!("the choice `{}` is there twice", id.value);
            reader.error(
                "flow::duplicate-id",
                message,
                id.span.clone(),
                "used before",
            );
        }
        let same = fold(&label.value);
        if draft.choices.iter().any(|other| fold(&other.label) == same) {
            let message = "two choices read the same without diacritics";
            reader.error(
                "flow::same-label",
                message,
                label.span.clone(),
                "the second one",
            );
        }
        if label.value.chars().count() > 80 {
            let message = "this label is longer than 80 characters";
            reader.warning(
                "flow::long-text",
                message,
                label.span.clone(),
                "will be cut on buttons",
            );
        }
        // The shortest limit of a messenger on what a button carries.
        if flow.id.len() + question.len() + id.value.len() + 4 > 64 {
            let message = "flow, question and choice ids together are longer than 60 characters";
            reader.warning(
                "flow::long-id",
                message,
                id.span.clone(),
                "too long for some buttons",
            );
        }
        draft.choices.push(ChoiceDraft {
            id: id.value,
            label: label.value,
            hints,
            target,
        });
    }
}

fn target(reader: &Reader, choice: &Table<'_>, targets: &mut Vec<At<String>>) -> Option<Target> {
    let flow = choice.string("flow");
    let word = choice.one_of("word", &Global::names());
    match (flow, word) {
        (Some(flow), None) => {
            let target = Target::Flow(flow.value.clone());
            targets.push(flow);
            Some(target)
        }
        (None, Some(word)) => Some(Target::Word(word.value)),
        (None, None) => {
            if choice.key("word").is_none() && !reader.is_broken() {
                reader.report(
                    Problem::error("flow::no-target", "a choice of a menu must lead somewhere")
                        .at(reader.source(), choice.span(), "leads nowhere")
                        .help("add `flow = \"…\"` or `word = \"person\"`"),
                );
            }
            None
        }
        (Some(flow), Some(_)) => {
            let message = "a choice of a menu has `flow` or `word`, not both";
            reader.error("flow::two-targets", message, flow.span, "one too many");
            None
        }
    }
}
