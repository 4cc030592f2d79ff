//! `[channel.quotas]`: what is to be otherwise about the limits that a channel keeps.

use std::time::Duration;

use langnghe_flow::reader::{At, Entry};

use crate::config::reader::Section;

/// The word for "keep it not".
const OFF: &str = "off";
/// The most of one rule.
const MOST: i64 = 1_000_000;
/// The shortest and the longest time of a rule.
const TIMES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_hours(31 * 24));

/// What is to be otherwise.
#[derive(Debug, Default)]
pub(crate) struct QuotaChanges {
    /// None of the connector's limits is kept.
    pub(crate) off: bool,
    /// What the file says of single ones.
    pub(crate) each: Vec<QuotaChange>,
}

/// What the file says of one limit.
#[derive(Debug)]
pub(crate) struct QuotaChange {
    /// Its name, and where that stands.
    pub(crate) name: At<String>,
    /// What is to be otherwise; `None` where it is not kept.
    pub(crate) terms: Option<QuotaTerms>,
}

/// What is to be otherwise about a limit that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QuotaTerms {
    /// So many …
    pub(crate) limit: Option<u32>,
    /// … in this time.
    pub(crate) per: Option<Duration>,
    /// How many may go at once after a rest.
    pub(crate) burst: Option<u32>,
}

pub(super) fn read(section: &Section<'_>) -> QuotaChanges {
    let expected =
        "\"off\" or a table of quotas: { chat = { limit = 1, per = \"1s\", burst = 3 } }";
    let entry = section.text_or_table("quotas", "[channel.quotas]", expected);
    match entry {
        None => QuotaChanges::default(),
        Some(Entry::Text(word)) => {
            let off = is_off(section, "quotas", &word);
            QuotaChanges {
                off,
                each: Vec::new(),
            }
        }
        Some(Entry::Table(table)) => {
            let expected = "\"off\" or { limit = 1, per = \"1s\", burst = 3 }";
            let entries = table.entries("a quota", expected).into_iter();
            let each = entries.filter_map(|(name, entry)| {
                let terms = match entry {
                    Entry::Text(word) => {
                        if !is_off(section, &name.value, &word) {
                            return None;
                        }
                        None
                    }
                    Entry::Table(table) => {
                        Some(terms(Section::new(section.reader(), table, "a quota")))
                    }
                };
                Some(QuotaChange { name, terms })
            });
            QuotaChanges {
                off: false,
                each: each.collect(),
            }
        }
    }
}

fn terms(table: Section<'_>) -> QuotaTerms {
    let count = |key| {
        let count = table.count(key, 1, MOST);
        count.and_then(|count| u32::try_from(count).ok())
    };
    let terms = QuotaTerms {
        limit: count("limit"),
        per: table.duration("per", TIMES.0, TIMES.1),
        burst: count("burst"),
    };
    table.finish();
    terms
}

fn is_off(section: &Section<'_>, key: &str, word: &At<String>) -> bool {
    let off = word.value == OFF;
    if !off {
        section.error(
            "config::quota",
            format!("`{}` is no value of `{key}`", word.value),
            word.span.clone(),
            "only \"off\" is a word for a quota",
            "for example: { limit = 1, per = \"1s\", burst = 3 }",
        );
    }
    off
}
