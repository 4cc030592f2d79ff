//! Free text.

use super::Heard;
use crate::{answer::Answer, turn::Input, words::Word};

/// Any words; pictures and punctuation alone are none.
pub(super) fn hear(input: &Input<'_>, min: usize, max: usize) -> Heard {
    if input.key().is_empty() {
        return Heard::wrong(Word::RetryText);
    }
    let length = input.text.chars().count();
    if length < min {
        return Heard::Wrong(Word::RetryTextShort, vec![("min", min.to_string())]);
    }
    if length > max {
        return Heard::Wrong(Word::RetryTextLong, vec![("max", max.to_string())]);
    }
    Heard::Answer(Answer::Text(input.text.clone()))
}
