//! Keyboards: buttons under a message, or in the place of the letters.

use langnghe_model::reply::Choice;
use teloxide::types::{
    ButtonRequest, InlineKeyboardButton, KeyboardButton, KeyboardMarkup, ReplyMarkup,
};

/// The longest payload of a button under a message, in bytes.
pub(crate) const LONGEST_CALLBACK: usize = 64;

/// Choices as buttons under the message; in the place of the letters where a payload is too long for
/// that: then the label comes back, which says the same.
pub(super) fn choices(choices: &[Choice]) -> ReplyMarkup {
    if choices
        .iter()
        .any(|choice| choice.payload.len() > LONGEST_CALLBACK)
    {
        return replies(None, choices);
    }
    let buttons = choices
        .iter()
        .map(|choice| InlineKeyboardButton::callback(&choice.label, &choice.payload));
    ReplyMarkup::inline_kb(rows(choices, buttons))
}

/// A keyboard in the place of the letters, with a button that asks for something first. It goes away
/// once it is used; the next text takes it away for good.
pub(super) fn replies(first: Option<KeyboardButton>, choices: &[Choice]) -> ReplyMarkup {
    let buttons = choices
        .iter()
        .map(|choice| KeyboardButton::new(&choice.label));
    let mut keyboard: Vec<Vec<KeyboardButton>> = first.into_iter().map(|one| vec![one]).collect();
    keyboard.extend(rows(choices, buttons));
    let markup = KeyboardMarkup::new(keyboard)
        .resize_keyboard()
        .one_time_keyboard();
    ReplyMarkup::Keyboard(markup)
}

/// The button that shares where the citizen is, in the language of the question.
pub(super) fn location(question: &str) -> KeyboardButton {
    let label = if is_vietnamese(question) {
        "📍 Gửi vị trí của tôi"
    } else {
        "📍 Share my location"
    };
    KeyboardButton::new(label).request(ButtonRequest::Location)
}

/// The button that shares the citizen's own number, in the language of the question.
pub(super) fn phone(question: &str) -> KeyboardButton {
    let label = if is_vietnamese(question) {
        "📞 Gửi số điện thoại của tôi"
    } else {
        "📞 Share my phone number"
    };
    KeyboardButton::new(label).request(ButtonRequest::Contact)
}

/// Short labels share a row, as on a phone.
fn rows<B>(choices: &[Choice], buttons: impl Iterator<Item = B>) -> Vec<Vec<B>> {
    let longest = choices.iter().map(|choice| choice.label.chars().count());
    let a_row = match longest.max().unwrap_or(0) {
        0..=4 => 5,
        5..=14 => 2,
        _ => 1,
    };
    let mut rows: Vec<Vec<B>> = Vec::new();
    for button in buttons {
        match rows.last_mut() {
            Some(row) if row.len() < a_row => row.push(button),
            _ => rows.push(vec![button]),
        }
    }
    rows
}

/// Whether a text has letters that, of the languages here, only Vietnamese has.
fn is_vietnamese(text: &str) -> bool {
    let vietnamese = |letter: char| {
        matches!(
            letter,
            'đ' | 'Đ' | 'ă' | 'Ă' | 'â' | 'ê' | 'ô' | 'ơ' | 'Ơ' | 'ư' | 'Ư' | '\u{1ea0}'
                ..='\u{1ef9}'
        )
    };
    text.chars().any(vietnamese)
}
