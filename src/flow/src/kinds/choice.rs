//! One of several, several of several, yes or no.

use super::Heard;
use crate::{
    answer::Answer,
    turn::Input,
    understand::{
        lexicon, number,
        options::{Found, Options},
    },
    words::Word,
};

/// One choice.
pub(super) fn one(options: &Options, input: &Input<'_>) -> Heard {
    match options.find(&input.folded) {
        Found::One(index) => Heard::Answer(Answer::Choice(options.list[index].id.clone())),
        Found::Several(indexes) => Heard::Several(indexes),
        Found::None => Heard::wrong(Word::RetryChoice),
    }
}

/// Several choices: numbers, or words between commas.
pub(super) fn several(options: &Options, input: &Input<'_>, min: usize, max: usize) -> Heard {
    let indexes = match number::positions(&input.folded) {
        Some(numbers) => numbers
            .iter()
            .map(|number| {
                number
                    .checked_sub(1)
                    .filter(|index| *index < options.list.len())
            })
            .collect::<Option<Vec<usize>>>(),
        None => by_words(options, &input.folded),
    };
    let Some(mut indexes) = indexes.filter(|indexes| !indexes.is_empty()) else {
        return Heard::wrong(Word::RetryChoices);
    };
    indexes.sort_unstable();
    indexes.dedup();
    if indexes.len() < min || indexes.len() > max {
        let places = vec![("min", min.max(1).to_string()), ("max", max.to_string())];
        return Heard::Wrong(Word::RetryChoicesCount, places);
    }
    let ids = indexes.iter().map(|index| options.list[*index].id.clone());
    Heard::Answer(Answer::Choices(ids.collect()))
}

fn by_words(options: &Options, folded: &str) -> Option<Vec<usize>> {
    if let Found::One(index) = options.find(folded) {
        // A label can hold a comma itself.
        if !folded.contains(',') {
            return Some(vec![index]);
        }
    }
    let normal = folded
        .replace(" va ", ",")
        .replace(" and ", ",")
        .replace([';', '+', '&'], ",");
    let parts = normal
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let all: Option<Vec<usize>> = parts
        .map(|part| match options.find(part) {
            Found::One(index) => Some(index),
            _ => None,
        })
        .collect();
    all.or_else(|| match options.find(folded) {
        Found::One(index) => Some(vec![index]),
        // "rác và ổ gà" inside a sentence mentions both, and several are wanted.
        Found::Several(indexes) => Some(indexes),
        Found::None => None,
    })
}

/// Yes or no; the printed list is "1. yes 2. no".
pub(super) fn yes_no(input: &Input<'_>, retry: Word) -> Heard {
    let found = match number::position(&input.folded) {
        Some(1) => Some(true),
        Some(2) => Some(false),
        Some(_) => None,
        None => lexicon::yes_no(&input.folded),
    };
    found.map_or_else(
        || Heard::wrong(retry),
        |value| Heard::Answer(Answer::Truth(value)),
    )
}
