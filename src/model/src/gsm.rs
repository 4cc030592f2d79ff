//! The default alphabet of GSM and its extension (3GPP TS 23.038), and what is left of a text in it.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Says that the next code is of the extension.
pub const ESCAPE: u8 = 0x1b;

/// The default alphabet by code. The escape has no character of its own.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// What costs two septets: the escape and a code.
const EXTENSION: [(char, u8); 10] = [
    ('\u{c}', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

/// Where a character lies in the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// One septet.
    Default(u8),
    /// The escape, and this one.
    Extension(u8),
}

impl Code {
    /// How many septets it takes.
    pub fn septets(self) -> usize {
        match self {
            Self::Default(_) => 1,
            Self::Extension(_) => 2,
        }
    }
}

/// The code of a character; `None` when the alphabet lacks it.
pub fn code(character: char) -> Option<Code> {
    // What Vietnamese is written in without accents, in the place where ASCII has it.
    if matches!(character, 'a'..='z' | 'A'..='Z' | '0'..='9' | ' '..='#' | '%'..='?') {
        return u8::try_from(character).ok().map(Code::Default);
    }
    if character == char::from(ESCAPE) {
        return None;
    }
    let place = DEFAULT.iter().position(|other| *other == character);
    if let Some(code) = place.and_then(|place| u8::try_from(place).ok()) {
        return Some(Code::Default(code));
    }
    let found = EXTENSION.iter().find(|(other, _)| *other == character);
    found.map(|(_, code)| Code::Extension(*code))
}

/// The character of a code of the default alphabet; `None` for the escape and above 127.
pub fn character(code: u8) -> Option<char> {
    DEFAULT
        .get(usize::from(code))
        .copied()
        .filter(|_| code != ESCAPE)
}

/// The character of a code after the escape. A phone that does not know the code shows the character
/// of the default alphabet in its place.
pub fn extension(code: u8) -> Option<char> {
    let found = EXTENSION.iter().find(|(_, other)| *other == code);
    found
        .map(|(character, _)| *character)
        .or_else(|| character(code))
}

/// Rewrites a text so that the alphabet carries all of it: letters without diacritics, plain
/// quotation marks, dashes and spaces. Letters of other scripts become `?`, ornaments (emoji) are
/// left out; lines and everything else stays.
pub fn transliterate(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.nfkd().filter(|one| !is_combining_mark(*one)) {
        match character {
            'đ' | 'ð' | '₫' => plain.push('d'),
            'Đ' | 'Ð' => plain.push('D'),
            '’' | '‘' | 'ʼ' | '‛' | '`' | '´' | '′' => plain.push('\''),
            '“' | '”' | '„' | '«' | '»' | '″' => plain.push('"'),
            '‐'..='―' | '−' | '•' | '·' | '●' | '▪' => plain.push('-'),
            '→' => plain.push_str("->"),
            '×' => plain.push('x'),
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            other if code(other).is_some() => plain.push(other),
            other if other.is_whitespace() => plain.push(' '),
            other if other.is_alphanumeric() => plain.push('?'),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back() {
        for number in 0..128 {
            let Some(letter) = character(number) else {
                assert_eq!(number, ESCAPE);
                continue;
            };
            assert_eq!(code(letter), Some(Code::Default(number)), "{letter:?}");
        }
        for (letter, number) in EXTENSION {
            assert_eq!(code(letter), Some(Code::Extension(number)));
            assert_eq!(extension(number), Some(letter));
        }
        assert_eq!(extension(0x41), Some('A'), "an unknown one is shown plain");
        assert_eq!(character(128), None);
    }

    /// The seven that the reference found by enumeration.
    #[test]
    fn of_the_accented_vietnamese_letters_seven_are_in_it() {
        let lower = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ";
        let all = lower
            .chars()
            .chain(lower.to_uppercase().chars().collect::<Vec<_>>());
        assert_eq!(all.clone().count(), 134);
        let carried: String = all.filter(|letter| code(*letter).is_some()).collect();
        assert_eq!(carried, "àèéìòùÉ");
        assert_eq!(code('`'), None);
        assert_eq!(code('\t'), None);
    }

    #[test]
    fn what_is_rewritten_is_carried_whole() {
        for (text, plain) in [
            (
                "Đường Nguyễn Huệ\nỔ gà – “sâu”…",
                "Duong Nguyen Hue\nO ga - \"sau\"...",
            ),
            ("Tie\u{302}\u{301}ng Vie\u{323}\u{302}t", "Tieng Viet"),
            ("1\u{fe0f}\u{20e3} Rác 🗑\u{fe0f} xong ✅", "1 Rac  xong "),
            ("5.000\u{a0}₫ `x` №", "5.000 d 'x' No"),
            ("中", "?"),
            ("[PA] {x} 10€", "[PA] {x} 10€"),
        ] {
            let is = transliterate(text);
            assert_eq!(is, plain);
            assert!(is.chars().all(|one| code(one).is_some()), "{is:?}");
        }
    }
}
