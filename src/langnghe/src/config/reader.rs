//! A TOML file read with its places: a mistake is noted and underlined, and reading goes on, so that
//! one run shows all of them.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, sync::Arc};

use langnghe_model::{Problem, problem::Source};
use toml::{Spanned, de::DeTable, de::DeValue};

/// A value and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    /// The value.
    pub(crate) value: T,
    /// The bytes of the file that say it.
    pub(crate) span: Range<usize>,
}

/// The file being read, and what was found wrong with it.
#[derive(Debug)]
pub(crate) struct Reader {
    source: Arc<Source>,
    problems: RefCell<Vec<Problem>>,
    known: RefCell<BTreeSet<(String, &'static str)>>,
}

impl Reader {
    /// Begins to read `source`.
    pub(crate) fn new(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            problems: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Parses the file; syntax errors are noted, and what could be read is given.
    pub(crate) fn parse<'t>(&self, text: &'t str) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let problem = Problem::error("config::syntax", "this is not TOML").at(
                &self.source,
                span,
                error.message().trim().to_owned(),
            );
            self.note(problem);
        }
        table
    }

    /// Notes a problem.
    pub(crate) fn note(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Notes an error at a place.
    pub(crate) fn error(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = help.into();
        let problem = Problem::error(code, message).at(&self.source, span, label);
        self.note(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
    }

    /// Notes a warning at a place.
    pub(crate) fn warn(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(
            Problem::warning(code, message)
                .at(&self.source, span, label)
                .help(help),
        );
    }

    /// Every key that was asked for, by section: what the sample must explain.
    #[cfg(test)]
    pub(crate) fn known(&self) -> BTreeSet<(String, &'static str)> {
        self.known.borrow().clone()
    }

    /// Everything noted, in the order of places.
    pub(crate) fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.label.as_ref().map_or(0, |(span, _)| span.start));
        problems
    }
}

/// One table of the file.
#[derive(Debug)]
pub(crate) struct Section<'r> {
    reader: &'r Reader,
    /// How the file writes it: `[server]`, `[[channel]]`.
    name: String,
    table: &'r DeTable<'r>,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r> Section<'r> {
    /// The file's outermost table.
    pub(crate) fn root(reader: &'r Reader, table: &'r Spanned<DeTable<'r>>) -> Self {
        Self::new(reader, "the file".to_owned(), table.get_ref(), 0..0)
    }

    fn new(reader: &'r Reader, name: String, table: &'r DeTable<'r>, span: Range<usize>) -> Self {
        Self {
            reader,
            name,
            table,
            span,
            asked: RefCell::default(),
        }
    }

    /// Where problems go.
    pub(crate) fn reader(&self) -> &'r Reader {
        self.reader
    }

    fn value(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    /// The place of a key's value, for problems that are found later.
    pub(crate) fn place(&self, key: &str) -> Range<usize> {
        self.table
            .get(key)
            .map_or_else(|| self.span.clone(), Spanned::span)
    }

    fn wrong_type(&self, key: &str, wanted: &str, found: &Spanned<DeValue<'_>>) {
        self.reader.error(
            "config::type",
            format!("`{key}` of {} is {wanted}", self.name),
            found.span(),
            format!("this is {}", article(found.get_ref().type_str())),
            "",
        );
    }

    /// A text, if it is there.
    pub(crate) fn text(&self, key: &'static str) -> Option<Placed<&'r str>> {
        let value = self.value(key)?;
        if let DeValue::String(text) = value.get_ref() {
            return Some(Placed {
                value: text.as_ref(),
                span: value.span(),
            });
        }
        self.wrong_type(key, "a text in quotation marks", value);
        None
    }

    /// A text that must be there.
    pub(crate) fn required(&self, key: &'static str, example: &str) -> Option<Placed<&'r str>> {
        if !self.table.contains_key(key) {
            self.asked.borrow_mut().push(key);
            self.reader.error(
                "config::missing-key",
                format!("{} needs `{key}`", self.name),
                self.span.clone(),
                format!("`{key}` is missing here"),
                format!("for example: {key} = {example}"),
            );
            return None;
        }
        self.text(key)
    }

    /// A whole number between two bounds, if it is there.
    pub(crate) fn number(&self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, "a whole number", value);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number.filter(|number| (least..=most).contains(number));
        if within.is_none() {
            self.reader.error(
                "config::range",
                format!("`{key}` of {} is out of range", self.name),
                value.span(),
                format!("{least} to {most} is possible"),
                "",
            );
        }
        within
    }

    /// Yes or no, if it is there.
    pub(crate) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if let DeValue::Boolean(boolean) = value.get_ref() {
            return Some(*boolean);
        }
        self.wrong_type(key, "`true` or `false`", value);
        None
    }

    /// A list of texts, if it is there; with `or_one`, a single text counts as a list of one.
    pub(crate) fn texts(&self, key: &'static str, or_one: bool) -> Option<Vec<Placed<&'r str>>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) if or_one => Some(vec![Placed {
                value: text.as_ref(),
                span: value.span(),
            }]),
            DeValue::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    if let DeValue::String(text) = item.get_ref() {
                        texts.push(Placed {
                            value: text.as_ref(),
                            span: item.span(),
                        });
                    } else {
                        self.wrong_type(key, "a list of texts", item);
                    }
                }
                Some(texts)
            }
            _ => {
                self.wrong_type(key, "a list of texts", value);
                None
            }
        }
    }

    /// A table inside this one; when it is missing, an empty one stands in.
    pub(crate) fn section(&self, key: &'static str, empty: &'r DeTable<'r>) -> Self {
        let name = format!("[{key}]");
        let Some(value) = self.value(key) else {
            return Self::new(self.reader, name, empty, self.span.clone());
        };
        if let DeValue::Table(table) = value.get_ref() {
            return Self::new(self.reader, name, table, value.span());
        }
        self.wrong_type(key, &format!("a section: write `{name}`"), value);
        Self::new(self.reader, name, empty, value.span())
    }

    /// The tables of a list of tables.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<Self> {
        let name = format!("[[{key}]]");
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, &format!("a list of sections: write `{name}`"), value);
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for item in items {
            if let DeValue::Table(table) = item.get_ref() {
                sections.push(Self::new(self.reader, name.clone(), table, item.span()));
            } else {
                self.wrong_type(key, &format!("a list of sections: write `{name}`"), item);
            }
        }
        sections
    }

    /// A small whole number between two bounds, if it is there.
    pub(crate) fn count(&self, key: &'static str, least: u64, most: u64) -> Option<usize> {
        self.number(key, least, most)
            .and_then(|number| usize::try_from(number).ok())
    }

    /// A text, without a word when it is none: for a second look at what is read elsewhere.
    pub(crate) fn peek(&self, key: &str) -> Option<&'r str> {
        match self.table.get(key)?.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// Whether the key is in the file.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes every key that nobody asked for, with the known one that looks most like it.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        let named = asked.iter().map(|key| (self.name.clone(), *key));
        self.reader.known.borrow_mut().extend(named);
        for key in self.table.keys() {
            let found = key.get_ref().as_ref();
            if asked.contains(&found) {
                continue;
            }
            let help = nearest(found, &asked).map_or_else(
                || format!("known here: {}", asked.join(", ")),
                |known| format!("did you mean `{known}`?"),
            );
            self.reader.error(
                "config::unknown-key",
                format!("{} has no key `{found}`", self.name),
                key.span(),
                "unknown",
                help,
            );
        }
    }
}

/// The candidate that looks most like `found`, if one looks like it at all.
pub(crate) fn nearest<'a>(found: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(found, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn article(type_name: &str) -> String {
    let vowel = type_name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {type_name}", if vowel { "an" } else { "a" })
}
