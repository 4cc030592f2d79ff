//! Many phrases looked for in one sentence at once.

use std::collections::HashMap;

/// Folded phrases with what each stands for, found as whole words by one walk over a sentence.
#[derive(Debug)]
pub(crate) struct Phrases<T> {
    /// By their first word, so that a walk over a sentence asks once a word.
    by_first: HashMap<String, Vec<(String, T)>>,
}

impl<T> Default for Phrases<T> {
    fn default() -> Self {
        Self {
            by_first: HashMap::new(),
        }
    }
}

impl<T: Copy> Phrases<T> {
    /// Takes folded phrases.
    pub(crate) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut all = Self::default();
        for (phrase, meaning) in phrases {
            let phrase = super::trim(&phrase).to_owned();
            let first = first_word(&phrase).to_owned();
            if !first.is_empty() {
                all.by_first
                    .entry(first)
                    .or_default()
                    .push((phrase, meaning));
            }
        }
        all
    }

    /// Calls `found` with every phrase that stands in `text` as whole words, and its meaning.
    pub(crate) fn each<'p>(&'p self, text: &str, mut found: impl FnMut(&'p str, T)) {
        if self.by_first.is_empty() {
            return;
        }
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(|character: char| !character.is_alphanumeric());
            let word = first_word(rest);
            if word.is_empty() {
                return;
            }
            for (phrase, meaning) in self.by_first.get(word).into_iter().flatten() {
                let after = rest.strip_prefix(phrase.as_str());
                let ends = |after: &str| !after.starts_with(char::is_alphanumeric);
                if after.is_some_and(ends) {
                    found(phrase, *meaning);
                }
            }
            rest = &rest[word.len()..];
        }
    }

    /// True when one of them stands in `text`.
    pub(crate) fn any(&self, text: &str) -> bool {
        let mut any = false;
        self.each(text, |_, _| any = true);
        any
    }
}

/// The letters and digits at the beginning.
fn first_word(text: &str) -> &str {
    let end = text
        .find(|character: char| !character.is_alphanumeric())
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_only() {
        let list = ["o ga", "rac", "rac thai", "den-duong", "chay nha"];
        let phrases = Phrases::new(list.into_iter().map(|phrase| (phrase.to_owned(), ())));
        for (text, expected) in [
            ("co o ga to", vec!["o ga"]),
            ("o gau", vec![]),
            ("bo ga", vec![]),
            ("rac thai, rac", vec!["rac", "rac thai", "rac"]),
            ("(den-duong)", vec!["den-duong"]),
            ("chay nha!", vec!["chay nha"]),
            ("xe chay nhanh", vec![]),
            ("", vec![]),
        ] {
            let mut found = Vec::new();
            phrases.each(text, |phrase, ()| found.push(phrase));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
