//! Vietnamese text folding: one key for all the ways in which people type the same words.
//!
//! For matching only; what a citizen wrote is kept as they wrote it.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Folds `text` for matching: compatibility forms (full width) made plain, lower case, `đ` as `d`,
/// marks removed in whatever order and composition they came, zero-width characters removed,
/// quotation marks and dashes made plain, white space collapsed and trimmed.
///
/// `"Phường  Thới An Đông"` becomes `"phuong thoi an dong"`, in NFC, NFD or a mixture. Folding twice
/// changes nothing.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        for byte in text.bytes() {
            push(&mut folded, char::from(byte.to_ascii_lowercase()));
        }
    } else {
        for composed in text.nfkd() {
            for lower in composed.to_lowercase() {
                // Lower-casing can bring decomposable characters back (İ becomes i with a dot).
                for character in std::iter::once(lower).nfd() {
                    fold_character(&mut folded, character);
                }
            }
        }
    }
    while folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

fn fold_character(folded: &mut String, character: char) {
    match character {
        'đ' | 'ð' | 'ɖ' => folded.push('d'),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
        '’' | '‘' | 'ʼ' | '‛' | '`' => folded.push('\''),
        '“' | '”' | '„' => folded.push('"'),
        '‐'..='―' | '−' => folded.push('-'),
        _ if is_combining_mark(character) => {}
        _ => push(folded, character),
    }
}

fn push(folded: &mut String, character: char) {
    if character.is_whitespace() {
        if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    } else if !character.is_control() {
        folded.push(if character == '`' { '\'' } else { character });
    }
}

/// Rewrites `text` with letters that carry no diacritics, keeping case, line breaks and everything
/// else: for channels that cannot carry Vietnamese.
pub fn unaccent(text: &str) -> String {
    text.nfd()
        .filter(|character| !is_combining_mark(*character))
        .map(|character| match character {
            'đ' => 'd',
            'Đ' => 'D',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_typing_gives_one_key() {
        for (typed, key) in [
            ("Phường Thới An Đông", "phuong thoi an dong"),
            ("  ĐƯỜNG \u{a0} Nguyễn Huệ\n", "duong nguyen hue"),
            ("duong nguyen hue", "duong nguyen hue"),
            // Decomposed; circumflex composed with a loose tone; marks in the wrong order.
            ("Hue\u{302}\u{323}", "hue"),
            ("tiê\u{301}ng", "tieng"),
            ("tie\u{301}\u{302}ng", "tieng"),
            // Two schools of tone placement.
            ("hoà thuỷ", "hoa thuy"),
            ("hòa thủy", "hoa thuy"),
            // Letters that only look like Đ.
            ("\u{d0}ường \u{189}en", "duong den"),
            ("ＨＵＥ　１２", "hue 12"),
            ("c\u{200b}ó\u{feff}", "co"),
            ("1\u{fe0f}\u{20e3}", "1"),
            ("‘ừ’ – được", "'u' - duoc"),
            ("", ""),
        ] {
            assert_eq!(fold(typed), key, "{typed:?}");
            assert_eq!(fold(&fold(typed)), key, "folding {typed:?} twice");
        }
    }

    #[test]
    fn unaccented_text_keeps_case_and_lines() {
        assert_eq!(unaccent("Đường Nguyễn Huệ\nỔ gà"), "Duong Nguyen Hue\nO ga");
    }
}
