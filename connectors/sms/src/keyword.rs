//! The keyword of a shared short code: `PA ổ gà trước số 12`.

use langnghe_model::fold::fold;

/// A keyword, as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword(String);

impl Keyword {
    /// Takes a keyword of letters and digits; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let folded = fold(text);
        let good = !folded.is_empty() && folded.chars().all(char::is_alphanumeric);
        good.then_some(Self(folded))
    }
}

/// What follows the keyword; the whole text where it does not begin with it. Case, accents and what
/// stands in and around the word (`PA.`, `P A`, `pa:`) do not matter. Removed once: what follows may
/// begin with the same letters.
pub(crate) fn strip<'a>(text: &'a str, keyword: &Keyword) -> &'a str {
    let mut wanted = keyword.0.chars();
    let mut next = wanted.next();
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let Some(letter) = next else { break };
        if !character.is_alphanumeric() {
            // Marks of a decomposed letter, blanks and punctuation.
            continue;
        }
        let folded = fold(character.encode_utf8(&mut [0; 4]));
        if !folded.starts_with(letter) {
            return text;
        }
        next = wanted.next();
        end = at + character.len_utf8();
    }
    if next.is_some() {
        return text;
    }
    let rest = &text[end..];
    let mark = |character: char| ('\u{300}'..='\u{36f}').contains(&character);
    let rest = rest.trim_start_matches(mark);
    if rest.starts_with(char::is_alphanumeric) {
        // "Pano" and "phan" are words of their own.
        return text;
    }
    let around = |character: char| {
        character.is_whitespace()
            || matches!(character, '.' | ':' | ',' | ';' | '-' | '_' | '/' | '!')
    };
    rest.trim_start_matches(around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_removed_once_and_only_where_it_is() {
        let keyword = Keyword::new("PA").expect("a keyword");
        for (text, body) in [
            ("PA đường hỏng", "đường hỏng"),
            ("pa: đường hỏng", "đường hỏng"),
            ("PA. Đường", "Đường"),
            ("P A duong hong", "duong hong"),
            (" p.a - duong", "duong"),
            ("PÁ đường", "đường"),
            ("Pa\u{301} đường", "đường"),
            ("PA PA nghĩa là gì", "PA nghĩa là gì"),
            ("PA", ""),
            ("PA  ", ""),
            ("Pano đổ", "Pano đổ"),
            ("Phản ánh", "Phản ánh"),
            ("đường hỏng", "đường hỏng"),
            ("P", "P"),
            ("", ""),
            ("PA 1", "1"),
            ("PA1", "PA1"),
            ("PA -5 độ", "5 độ"),
        ] {
            assert_eq!(strip(text, &keyword), body, "{text:?}");
        }
        assert_eq!(Keyword::new("P A"), None);
        assert_eq!(Keyword::new(""), None);
    }
}
