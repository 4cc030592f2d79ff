//! Splits a text into parts that a channel carries.

use langnghe_model::capabilities::{TextLimit, TextUnit};
use unicode_segmentation::UnicodeSegmentation;

/// Splits `text` into parts of at most `limit`: after a paragraph, else a line, else a sentence,
/// else a word, else between two graphemes. White space at the cuts is dropped, nothing else; the
/// parts are never empty, and there are none when the text has nothing but white space.
///
/// A grapheme that is longer than a whole part (a letter under hundreds of marks) is cut between
/// characters; no limit is smaller than a character.
pub(super) fn split(text: &str, limit: TextLimit) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fitting = fitting_prefix(rest, limit);
        let cut = if fitting == rest.len() {
            fitting
        } else {
            best_cut(rest, fitting)
        };
        let (part, after) = rest.split_at(cut);
        parts.push(part.trim_end().to_owned());
        rest = after.trim_start();
    }
    parts
}

/// As [`split`], with a last part of at most `last` in the same unit: something stands under it.
pub(super) fn split_last(text: &str, limit: TextLimit, last: usize) -> Vec<String> {
    let mut parts = split(text, limit);
    if let Some(end) = parts.pop() {
        let max = last.min(limit.max);
        parts.extend(split(&end, TextLimit { max, ..limit }));
    }
    parts
}

/// The length in bytes of the longest prefix of whole graphemes within the limit; at least one
/// character.
fn fitting_prefix(text: &str, limit: TextLimit) -> usize {
    let start = match limit.unit {
        // A character of another alphabet changes the price of all before it.
        TextUnit::Segments => {
            if limit.unit.count(text) <= limit.max {
                return text.len();
            }
            let starts: Vec<usize> = text
                .grapheme_indices(true)
                .map(|(start, _)| start)
                .collect();
            let fits = |start: &usize| limit.unit.count(&text[..*start]) <= limit.max;
            let fitting = starts.partition_point(fits);
            starts.get(fitting.saturating_sub(1)).copied()
        }
        unit => {
            let mut used = 0;
            let beyond = text.grapheme_indices(true).find(|(_, grapheme)| {
                used += unit.count(grapheme);
                used > limit.max
            });
            beyond.map(|(start, _)| start)
        }
    };
    match start {
        None => text.len(),
        Some(0) => {
            let first = text.graphemes(true).next().unwrap_or(text);
            fitting_characters(first, limit)
        }
        Some(start) => start,
    }
}

fn fitting_characters(grapheme: &str, limit: TextLimit) -> usize {
    if limit.unit == TextUnit::Graphemes {
        // What follows in a grapheme costs nothing.
        return grapheme.len();
    }
    let ends = grapheme
        .char_indices()
        .map(|(start, character)| start + character.len_utf8());
    let first = grapheme.chars().next().map_or(0, char::len_utf8);
    ends.take_while(|end| limit.unit.count(&grapheme[..*end]) <= limit.max)
        .last()
        .unwrap_or(first)
}

/// Where to cut in the first `fitting` bytes, which do not reach the end. A cut that would leave a
/// part less than half full is worse than a cut at something smaller, words excepted.
fn best_cut(text: &str, fitting: usize) -> usize {
    let prefix = &text[..fitting];
    // White space right after what fits is a cut too; it is dropped.
    if text[fitting..].starts_with(char::is_whitespace) {
        let line_ends = text[fitting..].starts_with('\n');
        if line_ends || prefix.ends_with(is_sentence_end) {
            return fitting;
        }
    }
    let half = fitting / 2;
    let paragraph = prefix.rfind("\n\n").filter(|at| *at >= half);
    let line = || prefix.rfind('\n').filter(|at| *at >= half);
    let sentence = || last_sentence_end(prefix).filter(|at| *at >= half);
    paragraph
        .or_else(line)
        .or_else(sentence)
        .or_else(|| word_end(text, fitting))
        .unwrap_or(fitting)
}

fn is_sentence_end(character: char) -> bool {
    matches!(character, '.' | '!' | '?' | '…' | ';')
}

fn last_sentence_end(prefix: &str) -> Option<usize> {
    let ends = prefix
        .char_indices()
        .rev()
        .filter(|(_, character)| character.is_whitespace());
    ends.map(|(at, _)| at)
        .find(|at| prefix[..*at].ends_with(is_sentence_end))
}

fn word_end(text: &str, fitting: usize) -> Option<usize> {
    if text[fitting..].starts_with(char::is_whitespace) {
        return Some(fitting);
    }
    text[..fitting]
        .rfind(char::is_whitespace)
        .filter(|at| *at > 0)
}
