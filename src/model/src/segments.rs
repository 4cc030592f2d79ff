//! SMS counted exactly: how many parts a text takes, and where the parts begin.
//!
//! A text whose characters are all of GSM's alphabet goes in septets, any other one in UTF-16 units
//! (UCS-2 with surrogate pairs): a single accented letter turns 160 characters into 70. What takes
//! more than one part loses room in each for the numbers that join them.

use unicode_normalization::UnicodeNormalization;

use crate::gsm;

/// How the characters of a text are written on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Septets; a character of the extension takes two.
    Gsm7,
    /// Units of 16 bits; what lies beyond them takes two.
    Ucs2,
}

impl Alphabet {
    /// The smallest one that carries the text.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|character| gsm::code(character).is_some()) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// The room of a message of one part, in units.
    pub fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// The room of one part of several, in units.
    pub fn in_part(self, joined: Joined) -> usize {
        match (self, joined) {
            (Self::Gsm7, Joined::Reference8) => 153,
            (Self::Gsm7, Joined::Reference16) => 152,
            (Self::Ucs2, Joined::Reference8) => 67,
            (Self::Ucs2, Joined::Reference16) => 66,
        }
    }

    /// How many units a character takes.
    fn units(self, character: char) -> usize {
        match self {
            Self::Gsm7 => gsm::code(character).map_or(1, gsm::Code::septets),
            Self::Ucs2 => character.len_utf16(),
        }
    }
}

/// How the parts of a message are joined: the width of the reference that they share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// Eight bits, as nearly everybody does.
    #[default]
    Reference8,
    /// Sixteen bits.
    Reference16,
}

/// What a text costs as SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// How it is written.
    pub alphabet: Alphabet,
    /// Its length in the alphabet's units.
    pub units: usize,
    /// How many parts are paid for; none for an empty text.
    pub parts: usize,
}

/// Counts a text as it is; give it in NFC ([`composed`]), for decomposed accents count double.
pub fn count(text: &str) -> Segments {
    let alphabet = Alphabet::of(text);
    let units = text.chars().map(|one| alphabet.units(one)).sum();
    let parts = split(text, alphabet, Joined::Reference8).count();
    Segments {
        alphabet,
        units,
        parts,
    }
}

/// The parts of a text, each within its room. No character is cut, so neither an escape nor a
/// surrogate pair is.
pub fn parts(text: &str, joined: Joined) -> Vec<&str> {
    split(text, Alphabet::of(text), joined).collect()
}

/// The text with its accents composed (NFC).
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

fn split(text: &str, alphabet: Alphabet, joined: Joined) -> impl Iterator<Item = &str> {
    let units: usize = text.chars().map(|one| alphabet.units(one)).sum();
    let room = if units <= alphabet.alone() {
        alphabet.alone()
    } else {
        alphabet.in_part(joined)
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut used = 0;
        let end = rest.char_indices().find(|(_, character)| {
            used += alphabet.units(*character);
            used > room
        });
        let (part, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> (Alphabet, usize, usize) {
        let Segments {
            alphabet,
            units,
            parts,
        } = count(text);
        (alphabet, units, parts)
    }

    /// The boundaries of the reference.
    #[test]
    fn parts_begin_where_the_standard_says() {
        for (count, parts) in [
            (0, 0),
            (1, 1),
            (160, 1),
            (161, 2),
            (306, 2),
            (307, 3),
            (459, 3),
            (460, 4),
        ] {
            let is = counted(&"a".repeat(count));
            assert_eq!(is, (Alphabet::Gsm7, count, parts));
        }
        for (count, parts) in [
            (1, 1),
            (70, 1),
            (71, 2),
            (134, 2),
            (135, 3),
            (201, 3),
            (202, 4),
        ] {
            let is = counted(&"đ".repeat(count));
            assert_eq!(is, (Alphabet::Ucs2, count, parts));
        }
        // The euro sign takes two septets: as the 160th character it opens a second part.
        let euro = format!("{}€", "a".repeat(159));
        assert_eq!(counted(&euro), (Alphabet::Gsm7, 161, 2));
        assert_eq!(counted(&euro[1..]), (Alphabet::Gsm7, 160, 1));
        // One accented letter.
        assert_eq!(counted(&format!("{}ỏ", "a".repeat(159))).2, 3);
        assert_eq!(counted(&format!("{}à", "a".repeat(159))).2, 1);
    }

    #[test]
    fn nothing_that_belongs_together_is_cut() {
        // The escape would be the 153rd septet.
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
        let split = parts(&text, Joined::Reference8);
        assert_eq!(split, [&text[..152], &text[152..]]);
        // An emoji across the 67th unit, and the 66th with the wide reference.
        let text = format!("{}😡{}", "đ".repeat(66), "ê".repeat(20));
        let units = |part: &str| part.encode_utf16().count();
        let split = parts(&text, Joined::Reference8);
        assert_eq!(
            split.iter().map(|part| units(part)).collect::<Vec<_>>(),
            [66, 22]
        );
        let text = format!("{}😡{}", "đ".repeat(65), "ê".repeat(20));
        let split = parts(&text, Joined::Reference16);
        assert_eq!(
            split.iter().map(|part| units(part)).collect::<Vec<_>>(),
            [65, 22]
        );
        // Every second part a unit short: emoji in the place of each boundary.
        let text = "😡".repeat(70);
        assert_eq!(counted(&text), (Alphabet::Ucs2, 140, 3));
        assert_eq!(parts(&text, Joined::Reference8).concat(), text);
    }

    #[test]
    fn decomposed_accents_are_composed_before_they_are_counted() {
        let text = "đường";
        let apart = "đu\u{31b}o\u{31b}\u{300}ng";
        assert_eq!(count(apart).units, 8);
        assert_eq!(count(&composed(apart)), count(text));
    }
}
