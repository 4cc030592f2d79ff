//! What an answer of each kind looks like.

mod choice;
mod contact;
mod date;
mod number;
mod place;
mod text;

use jiff::civil::Date;

use crate::{
    answer::Answer,
    flow::{Kind, Question},
    turn::Input,
    understand::{lexicon, number as numbers},
    words::Word,
};

/// What was understood.
#[derive(PartialEq)]
pub(crate) enum Heard {
    Answer(Answer),
    /// The citizen would rather not answer.
    Skip,
    /// It fits several of the choices.
    Several(Vec<usize>),
    /// No answer: what to say, with the words for its places.
    Wrong(Word, Vec<(&'static str, String)>),
}

impl Heard {
    fn wrong(word: Word) -> Self {
        Self::Wrong(word, Vec::new())
    }
}

/// Understands a message as the answer to a question. Media are collected by the turn itself.
pub(crate) fn hear(question: &Question, input: &Input<'_>, today: Date) -> Heard {
    if question.optional && is_skip(question, input) {
        return Heard::Skip;
    }
    match &question.kind {
        Kind::Text { min, max } => text::hear(input, *min, *max),
        Kind::Choice(options) => choice::one(options, input),
        Kind::Choices { options, min, max } => choice::several(options, input, *min, *max),
        Kind::YesNo => choice::yes_no(input, Word::RetryYesNo),
        Kind::Consent => choice::yes_no(input, Word::RetryConsent),
        Kind::Number { min, max, whole } => number::hear(input, *min, *max, *whole),
        Kind::Rating { max } => number::rating(input, *max),
        Kind::Date { min, max } => date::hear(input, *min, *max, today),
        Kind::Phone => contact::phone(input),
        Kind::Email => contact::email(input),
        Kind::Location => place::hear(input),
        Kind::Media { .. } | Kind::Say => Heard::wrong(Word::RetryMedia),
    }
}

/// What the payload of a tapped choice answers.
pub(crate) fn tapped(question: &Question, value: &str) -> Option<Answer> {
    match &question.kind {
        Kind::Choice(options) => options
            .index(value)
            .map(|_| Answer::Choice(value.to_owned())),
        Kind::Choices { options, .. } => options
            .index(value)
            .map(|_| Answer::Choices(vec![value.to_owned()])),
        Kind::YesNo | Kind::Consent => match value {
            "yes" => Some(Answer::Truth(true)),
            "no" => Some(Answer::Truth(false)),
            _ => None,
        },
        Kind::Rating { max } => {
            let point: u8 = value.parse().ok()?;
            (1..=*max)
                .contains(&point)
                .then(|| Answer::Number(f64::from(point)))
        }
        _ => None,
    }
}

/// "No" as the whole answer to a question that need not be answered; the printed number of "skip";
/// "0" where the question says so.
fn is_skip(question: &Question, input: &Input<'_>) -> bool {
    let key = input.key();
    if question.zero_skips && key == "0" {
        return true;
    }
    match &question.kind {
        Kind::Choice(options) | Kind::Choices { options, .. } => {
            numbers::position(&input.folded) == Some(options.list.len() + 1)
        }
        Kind::YesNo => numbers::position(&input.folded) == Some(3),
        Kind::Rating { max } => numbers::position(&input.folded) == Some(usize::from(*max) + 1),
        Kind::Number { .. } | Kind::Consent | Kind::Say => false,
        _ => {
            lexicon::strip_politeness(key).split(' ').count() <= 3
                && key.chars().any(char::is_alphabetic)
                && lexicon::yes_no(key) == Some(false)
        }
    }
}

/// The kind's own help.
pub(crate) fn help(kind: &Kind) -> Word {
    match kind {
        Kind::Text { .. } | Kind::Say => Word::HelpText,
        Kind::Choice(_) => Word::HelpChoice,
        Kind::Choices { .. } => Word::HelpChoices,
        Kind::YesNo => Word::HelpYesNo,
        Kind::Number { .. } => Word::HelpNumber,
        Kind::Rating { .. } => Word::HelpRating,
        Kind::Date { .. } => Word::HelpDate,
        Kind::Phone => Word::HelpPhone,
        Kind::Email => Word::HelpEmail,
        Kind::Location => Word::HelpLocation,
        Kind::Media { .. } => Word::HelpMedia,
        Kind::Consent => Word::HelpConsent,
    }
}
