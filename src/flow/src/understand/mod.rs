//! How people answer: numbers, labels, hints, slips, politeness, keyboards left off.

pub(crate) mod date;
pub(crate) mod lexicon;
pub(crate) mod number;
pub(crate) mod options;
pub(crate) mod phone;
pub(crate) mod phrases;
pub(crate) mod place;
pub(crate) mod telex;

/// A folded message without the punctuation and pictures at its ends.
pub(crate) fn trim(folded: &str) -> &str {
    folded.trim_matches(|character: char| !character.is_alphanumeric())
}

/// True when `words` stand in `text` as whole words. Both are folded.
pub(crate) fn has_words(text: &str, words: &str) -> bool {
    find_words(text, words).is_some()
}

/// Where `words` stand in `text` as whole words.
pub(crate) fn find_words(text: &str, words: &str) -> Option<usize> {
    if words.is_empty() {
        return None;
    }
    let edge = |character: Option<char>| character.is_none_or(|found| !found.is_alphanumeric());
    text.match_indices(words).map(|(at, _)| at).find(|at| {
        edge(text[..*at].chars().next_back()) && edge(text[at + words.len()..].chars().next())
    })
}
