//! What a citizen gave to a question.

use std::sync::Arc;

use langnghe_model::event::{Location, Media};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    flow::{Flow, Kind},
    understand::{date, phone, place},
    words::{Language, Word},
};

/// What a citizen gave to a question. The names in storage are short, and stay.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    #[serde(rename = "-")]
    Skipped,
    /// A `say` that was said.
    #[serde(rename = ".")]
    Said,
    #[serde(rename = "t")]
    Text(String),
    #[serde(rename = "c")]
    Choice(String),
    #[serde(rename = "m")]
    Choices(Vec<String>),
    #[serde(rename = "b")]
    Truth(bool),
    #[serde(rename = "n")]
    Number(f64),
    /// ISO 8601.
    #[serde(rename = "d")]
    Date(String),
    /// E.164.
    #[serde(rename = "p")]
    Phone(String),
    #[serde(rename = "e")]
    Email(String),
    #[serde(rename = "a")]
    Address(String),
    #[serde(rename = "l")]
    Place(Location),
    #[serde(rename = "f")]
    Media(Vec<Media>),
}

impl Answer {
    /// The value for expressions in `when`.
    pub(crate) fn to_cel(&self) -> cel::Value {
        let text = |text: &str| cel::Value::String(Arc::new(text.to_owned()));
        let list = |items: Vec<cel::Value>| cel::Value::List(Arc::new(items));
        match self {
            Self::Skipped | Self::Said => cel::Value::Null,
            Self::Text(value)
            | Self::Choice(value)
            | Self::Date(value)
            | Self::Phone(value)
            | Self::Email(value)
            | Self::Address(value) => text(value),
            Self::Choices(values) => list(values.iter().map(|value| text(value)).collect()),
            Self::Truth(value) => cel::Value::Bool(*value),
            Self::Number(value) => cel::Value::Float(*value),
            Self::Place(place) => cel::Value::from(std::collections::HashMap::from([
                ("latitude", cel::Value::Float(place.latitude)),
                ("longitude", cel::Value::Float(place.longitude)),
            ])),
            Self::Media(media) => list(media.iter().map(|media| text(media.kind.name())).collect()),
        }
    }

    /// True for an answer that the citizen gave, not one that stands for none.
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Self::Skipped | Self::Said)
    }

    /// The text of an answer that is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text)
            | Self::Choice(text)
            | Self::Date(text)
            | Self::Phone(text)
            | Self::Email(text)
            | Self::Address(text) => Some(text),
            _ => None,
        }
    }

    /// The value for an agency's program.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Skipped | Self::Said => Value::Null,
            Self::Text(text)
            | Self::Choice(text)
            | Self::Date(text)
            | Self::Phone(text)
            | Self::Email(text) => json!(text),
            Self::Choices(ids) => json!(ids),
            Self::Truth(value) => json!(value),
            Self::Number(number) => {
                whole(*number).map_or_else(|| json!(number), |whole| json!(whole))
            }
            Self::Address(address) => json!({ "address": address }),
            Self::Place(place) => json!(place),
            Self::Media(media) => json!(media),
        }
    }

    /// The value in words.
    pub(crate) fn in_words(
        &self,
        flow: &Flow,
        question: usize,
        number: usize,
        language: &Language,
    ) -> String {
        let kind = &flow.questions[question].kind;
        let shown = flow
            .texts
            .get(number)
            .map(|texts| &texts.questions[question].choices);
        let label = |id: &str| {
            let index = kind.options().and_then(|options| options.index(id));
            let choice = index.and_then(|index| shown.and_then(|choices| choices.get(index)));
            choice.map_or_else(|| id.to_owned(), |choice| choice.label.clone())
        };
        match self {
            Self::Choice(id) => label(id),
            Self::Choices(ids) => ids
                .iter()
                .map(|id| label(id))
                .collect::<Vec<_>>()
                .join("; "),
            Self::Truth(value) => {
                let word = match (kind, value) {
                    (Kind::Consent, true) => Word::Agree,
                    (Kind::Consent, false) => Word::Disagree,
                    (_, true) => Word::Yes,
                    (_, false) => Word::No,
                };
                language.word(word).bare()
            }
            Self::Number(number) => match kind {
                Kind::Rating { max } => format!("{number}/{max}"),
                _ => self.plain(language),
            },
            _ => self.plain(language),
        }
    }

    /// The value in words as far as they do not depend on the question.
    pub(crate) fn plain(&self, language: &Language) -> String {
        match self {
            Self::Skipped | Self::Said => language.word(Word::ReviewNone).bare(),
            Self::Text(text) | Self::Choice(text) | Self::Email(text) | Self::Address(text) => {
                text.clone()
            }
            Self::Date(iso) => iso.parse().map_or_else(|_| iso.clone(), date::show),
            Self::Phone(number) => phone::show(number),
            Self::Choices(ids) => ids.join("; "),
            Self::Truth(value) => language
                .word(if *value { Word::Yes } else { Word::No })
                .bare(),
            Self::Number(number) => {
                let written = number.to_string();
                // Vietnamese writes decimals with a comma.
                if language.tag == "vi" {
                    written.replace('.', ",")
                } else {
                    written
                }
            }
            Self::Place(place) => {
                let words = place
                    .label
                    .clone()
                    .unwrap_or_else(|| language.word(Word::ReviewLocation).bare());
                format!("{words} ({:.5}, {:.5})", place.latitude, place.longitude)
            }
            Self::Media(media) => {
                let count = media.len().to_string();
                language
                    .word(Word::ReviewMedia)
                    .fill(&|name| (name == "count").then(|| count.clone()))
            }
        }
    }

    /// Whether a question of this kind can have it: for sessions that began on another version.
    pub(crate) fn fits(&self, kind: &Kind) -> bool {
        match (self, kind) {
            (Self::Skipped, _)
            | (Self::Said, Kind::Say)
            | (Self::Text(_), Kind::Text { .. })
            | (Self::Truth(_), Kind::YesNo | Kind::Consent)
            | (Self::Date(_), Kind::Date { .. })
            | (Self::Phone(_), Kind::Phone)
            | (Self::Email(_), Kind::Email)
            | (Self::Address(_) | Self::Place(_), Kind::Location)
            | (Self::Media(_), Kind::Media { .. }) => true,
            (Self::Choice(id), Kind::Choice(options)) => options.index(id).is_some(),
            (Self::Choices(ids), Kind::Choices { options, .. }) => {
                ids.iter().all(|id| options.index(id).is_some())
            }
            (Self::Number(number), Kind::Number { min, max, .. }) => {
                min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max)
            }
            (Self::Number(number), Kind::Rating { max }) => {
                (1.0..=f64::from(*max)).contains(number) && number.fract() == 0.0
            }
            _ => false,
        }
    }

    /// Cuts what is longer than an answer may be: stored bytes are not to be trusted.
    pub(crate) fn bound(&mut self, longest: usize) {
        match self {
            Self::Text(text)
            | Self::Choice(text)
            | Self::Date(text)
            | Self::Phone(text)
            | Self::Email(text)
            | Self::Address(text) => cut(text, longest),
            Self::Choices(ids) => {
                ids.truncate(100);
                for id in ids {
                    cut(id, 64);
                }
            }
            Self::Media(media) => media.truncate(20),
            Self::Place(found) => {
                if let Some(label) = &mut found.label {
                    cut(label, 300);
                }
                if !place::valid(found.latitude, found.longitude) {
                    *self = Self::Skipped;
                }
            }
            Self::Number(number) if !number.is_finite() => *self = Self::Skipped,
            Self::Skipped | Self::Said | Self::Truth(_) | Self::Number(_) => {}
        }
    }
}

/// Cuts a text to `longest` characters.
pub(crate) fn cut(text: &mut String, longest: usize) {
    if text.len() > longest
        && let Some((at, _)) = text.char_indices().nth(longest)
    {
        text.truncate(at);
    }
}

/// The number without decimals, where it has none.
fn whole(number: f64) -> Option<i64> {
    let small = number.fract() == 0.0 && number.abs() < 9e15;
    // The text of a whole f64 below 2^53 is that of an i64.
    small.then(|| format!("{number:.0}").parse().ok()).flatten()
}
