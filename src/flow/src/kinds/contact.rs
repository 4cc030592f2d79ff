//! Telephone numbers and e-mail addresses, typed or from a contact card.

use super::Heard;
use crate::{answer::Answer, turn::Input, understand::phone as phones, words::Word};

/// A telephone number.
pub(super) fn phone(input: &Input<'_>) -> Heard {
    let card = input
        .contact
        .and_then(|card| card.phones.iter().find_map(|text| phones::parse(text)));
    match card.or_else(|| phones::parse(&input.text)) {
        Some(number) => Heard::Answer(Answer::Phone(number)),
        None => Heard::wrong(Word::RetryPhone),
    }
}

/// An e-mail address.
pub(super) fn email(input: &Input<'_>) -> Heard {
    let card = input
        .contact
        .and_then(|card| card.emails.iter().find_map(|text| phones::email(text)));
    match card.or_else(|| phones::email(&input.text)) {
        Some(address) => Heard::Answer(Answer::Email(address)),
        None => Heard::wrong(Word::RetryEmail),
    }
}
