//! Reads a TOML file that a person wrote, by hand and with all its mistakes in one run.
//!
//! The tree that `toml` recovers is lowered key by key through [`Table`]; every wrong or unknown key
//! becomes a [`Problem`] with its place, and reading goes on. Flow files and the configuration use
//! the same reader, so that the same mistake is told in the same words.

mod duration;
mod table;

use std::{cell::RefCell, ops::Range, sync::Arc};

use langnghe_model::{Problem, problem::Source};
use toml::de::DeTable;

pub use duration::parse as parse_duration;
pub use table::{Entry, Table};

/// A value and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The bytes that it was written in, quotation marks included.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: change(self.value),
            span: self.span,
        }
    }
}

/// Collects the problems of one file while it is read.
#[derive(Debug)]
pub struct Reader {
    source: Arc<Source>,
    problems: RefCell<Vec<Problem>>,
    broken: bool,
}

impl Reader {
    /// Parses `source` as far as it goes, gives its top table to `body`, and returns what `body`
    /// made of it with everything that was found.
    pub fn read<T>(
        source: &Arc<Source>,
        body: impl FnOnce(&Self, Table<'_>) -> T,
    ) -> (T, Vec<Problem>) {
        let (tree, errors) = DeTable::parse_recoverable(&source.text);
        let reader = Self {
            source: Arc::clone(source),
            problems: RefCell::new(Vec::new()),
            broken: !errors.is_empty(),
        };
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            reader.report(
                Problem::error(
                    "toml::syntax",
                    format!("this is not TOML: {}", error.message()),
                )
                .at(source, reader.visible(span), "here"),
            );
        }
        let value = body(
            &reader,
            Table::new(&reader, tree.get_ref(), tree.span(), "the file"),
        );
        (value, reader.problems.into_inner())
    }

    /// Keeps a problem.
    pub fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Keeps an error at a place of this file.
    pub fn error(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
    ) {
        self.report(Problem::error(code, message).at(&self.source, span, label));
    }

    /// Keeps a warning at a place of this file.
    pub fn warning(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
    ) {
        self.report(Problem::warning(code, message).at(&self.source, span, label));
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// True when the file is no good TOML, so that things can be missing because of that.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The place of a piece of a string value, given as bytes of the value: the piece itself where
    /// the string is written without escapes, else the whole string.
    pub fn inside(&self, value: &At<String>, piece: Range<usize>) -> Range<usize> {
        let written = self.source.text.get(value.span.clone()).unwrap_or("");
        for quote in ["'''", "\"\"\"", "'", "\""] {
            let Some(rest) = written.strip_prefix(quote) else {
                continue;
            };
            let inner = rest.strip_suffix(quote).unwrap_or(rest);
            let skipped = inner.len() - inner.strip_prefix('\n').unwrap_or(inner).len();
            if inner[skipped..] == *value.value {
                let start = value.span.start + quote.len() + skipped;
                return start + piece.start..start + piece.end;
            }
        }
        value.span.clone()
    }

    /// A span that underlines at least one character, inside the text.
    fn visible(&self, span: Range<usize>) -> Range<usize> {
        let text = &self.source.text;
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let next = text[start..].chars().next().map_or(0, char::len_utf8);
        let mut end = span.end.clamp(start, text.len()).max(start + next);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }
}

/// The known name that `unknown` is a slip of, if there is one.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = langnghe_model::fold::fold(unknown).replace('-', "_");
    known
        .into_iter()
        .map(|name| {
            let plain = langnghe_model::fold::fold(name).replace('-', "_");
            (strsim::osa_distance(&folded, &plain), name)
        })
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
