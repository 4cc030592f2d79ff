//! Which of a few choices a message means.

use std::collections::HashSet;

use super::{
    has_words,
    lexicon::{self, strip_politeness},
    number,
    phrases::Phrases,
    telex, trim,
};
use crate::flow::Target;

/// The choices of a question, folded in all languages.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) list: Vec<Entry>,
    /// Every word of every label and hint.
    words: HashSet<String>,
    /// Labels, hints and parts of labels, with the number of their choice and whether they are but
    /// a part.
    phrases: Phrases<(usize, bool)>,
}

/// One choice.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// What it does in a menu.
    pub(crate) target: Option<Target>,
    /// Folded. Ids are no labels: they are often words that several labels hold.
    pub(crate) labels: Vec<String>,
    /// Folded hints.
    pub(crate) hints: Vec<String>,
    /// The parts of labels with commas: "Rác, vệ sinh" is told of by either.
    parts: Vec<String>,
}

impl Entry {
    /// A choice with folded labels and hints.
    pub(crate) fn new(
        id: String,
        target: Option<Target>,
        labels: Vec<String>,
        hints: Vec<String>,
    ) -> Self {
        let pieces = labels
            .iter()
            .flat_map(|label| label.split([',', '/']))
            .map(trim);
        let parts = pieces
            .filter(|part| part.len() >= 3)
            .map(str::to_owned)
            .collect();
        Self {
            id,
            target,
            labels,
            hints,
            parts,
        }
    }
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    One(usize),
    /// It fits several.
    Several(Vec<usize>),
    None,
}

impl Options {
    pub(crate) fn new(list: Vec<Entry>) -> Self {
        let texts = list
            .iter()
            .flat_map(|entry| entry.labels.iter().chain(&entry.hints));
        let words = texts
            .flat_map(|text| text.split(' '))
            .map(|word| trim(word).to_owned())
            .collect();
        let phrases = list.iter().enumerate().flat_map(|(index, entry)| {
            let whole = entry.labels.iter().chain(&entry.hints);
            let whole = whole.map(move |phrase| (phrase.clone(), (index, false)));
            whole.chain(
                entry
                    .parts
                    .iter()
                    .map(move |phrase| (phrase.clone(), (index, true))),
            )
        });
        let phrases = Phrases::new(phrases);
        Self {
            list,
            words,
            phrases,
        }
    }

    /// The number of the choice with this id.
    pub(crate) fn index(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|entry| entry.id == id)
    }

    /// Which choice a whole folded message means.
    pub(crate) fn find(&self, folded: &str) -> Found {
        if let Some(number) = number::position(folded) {
            return match number
                .checked_sub(1)
                .filter(|index| *index < self.list.len())
            {
                Some(index) => Found::One(index),
                // A label can be a number ("24/7", "113").
                None => self.exact(trim(folded)),
            };
        }
        let text = trim(folded);
        if text.is_empty() {
            return Found::None;
        }
        let found = self.exact(text);
        if found != Found::None {
            return found;
        }
        if let [letter @ b'a'..=b'j'] = text.as_bytes() {
            let index = usize::from(letter - b'a');
            return if index < self.list.len() {
                Found::One(index)
            } else {
                Found::None
            };
        }
        let rest = strip_politeness(text);
        let found = self.by_words(if rest.is_empty() { text } else { rest });
        if found != Found::None {
            return found;
        }
        match telex::decode(text, &|word| self.words.contains(word)) {
            Some(decoded) => self.by_words(&decoded),
            None => Found::None,
        }
    }

    fn exact(&self, text: &str) -> Found {
        self.choose(|entry| {
            entry
                .labels
                .iter()
                .chain(&entry.hints)
                .any(|label| label == text)
        })
    }

    fn by_words(&self, text: &str) -> Found {
        let exact = self.exact(text);
        if exact != Found::None {
            return exact;
        }
        // "no" is a word of "cháy nổ" too: a yes or a no is no piece of a label.
        if text.chars().count() >= 3 && lexicon::yes_no(text).is_none() {
            let part = self.choose(|entry| entry.labels.iter().any(|label| has_words(label, text)));
            if part != Found::None {
                return part;
            }
        }
        let mentioned = self.mentioned(text, true);
        if mentioned != Found::None {
            return mentioned;
        }
        self.slip(text)
    }

    fn choose(&self, fits: impl Fn(&Entry) -> bool) -> Found {
        let fitting: Vec<usize> = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, entry)| fits(entry))
            .map(|(index, _)| index)
            .collect();
        match fitting.as_slice() {
            [] => Found::None,
            [one] => Found::One(*one),
            _ => Found::Several(fitting),
        }
    }

    /// The choice whose label or hint a sentence mentions; of two, the one with the longer words
    /// wins when they hold the shorter ones.
    fn mentioned(&self, text: &str, parts: bool) -> Found {
        let mut best: Vec<(usize, &str)> = Vec::new();
        self.phrases.each(text, |phrase, (index, part)| {
            if part && !parts {
                return;
            }
            match best.iter_mut().find(|(other, _)| *other == index) {
                Some((_, longest)) if longest.len() < phrase.len() => *longest = phrase,
                Some(_) => {}
                None => best.push((index, phrase)),
            }
        });
        best.sort_unstable_by_key(|(index, _)| *index);
        let covered = |one: &str| {
            best.iter()
                .any(|(_, other)| other.len() > one.len() && other.contains(one))
        };
        let left: Vec<usize> = best
            .iter()
            .filter(|(_, words)| !covered(words))
            .map(|(index, _)| *index)
            .collect();
        match left.as_slice() {
            [] => Found::None,
            [one] => Found::One(*one),
            _ => Found::Several(left),
        }
    }

    /// The choice that a sentence's hints point to, if it is just one.
    pub(crate) fn guess(&self, folded: &str) -> Option<usize> {
        match self.mentioned(folded, false) {
            Found::One(index) => Some(index),
            _ => None,
        }
    }

    /// The one choice that is a typing slip away.
    fn slip(&self, text: &str) -> Found {
        let length = text.chars().count();
        let allowed = match length {
            0..=3 => return Found::None,
            4..=8 => 1,
            _ => 2,
        };
        let mut best = (usize::MAX, Vec::new());
        for (index, entry) in self.list.iter().enumerate() {
            let distance = entry
                .labels
                .iter()
                .chain(&entry.hints)
                .filter(|label| can_be_near(label, text, allowed))
                .map(|label| strsim::osa_distance(label, text))
                .min()
                .unwrap_or(usize::MAX);
            match distance.cmp(&best.0) {
                std::cmp::Ordering::Less => best = (distance, vec![index]),
                std::cmp::Ordering::Equal => best.1.push(index),
                std::cmp::Ordering::Greater => {}
            }
        }
        match best {
            (distance, fitting) if distance > allowed || fitting.is_empty() => Found::None,
            (_, fitting) if fitting.len() == 1 => Found::One(fitting[0]),
            (_, fitting) => Found::Several(fitting),
        }
    }
}

/// A quick look that spares most of the real comparison: a slip changes few letters.
fn can_be_near(one: &str, two: &str, allowed: usize) -> bool {
    if one.len().abs_diff(two.len()) > allowed * 4 {
        return false;
    }
    let mut counts = [0_i8; 32];
    for byte in one.bytes() {
        counts[usize::from(byte % 32)] = counts[usize::from(byte % 32)].saturating_add(1);
    }
    for byte in two.bytes() {
        counts[usize::from(byte % 32)] = counts[usize::from(byte % 32)].saturating_sub(1);
    }
    // Every slip moves at most two counts; letters of four bytes move eight.
    let moved: usize = counts
        .iter()
        .map(|count| usize::from(count.unsigned_abs()))
        .sum();
    let per_slip = if one.is_ascii() && two.is_ascii() {
        2
    } else {
        8
    };
    moved <= allowed * per_slip
}
