//! A section of the configuration: a [`Table`] of the flows' reader that may also be missing, with
//! bounds for numbers and an example for what is missing.

use std::ops::Range;

use langnghe_flow::reader::{At, Entry, Reader, Table};
use langnghe_model::{IdError, Problem};

/// One section of the file. One that is missing answers as an empty one would.
#[derive(Debug)]
pub(crate) struct Section<'r> {
    reader: &'r Reader,
    table: Option<Table<'r>>,
    /// How the file writes it: `[server]`, `[[channel]]`.
    name: &'static str,
    /// Where it stands.
    pub(crate) span: Range<usize>,
}

impl<'r> Section<'r> {
    /// A table of the file.
    pub(crate) fn new(reader: &'r Reader, table: Table<'r>, name: &'static str) -> Self {
        let span = table.span();
        Self {
            reader,
            table: Some(table),
            name,
            span,
        }
    }

    /// Where problems go.
    pub(crate) fn reader(&self) -> &'r Reader {
        self.reader
    }

    /// A section inside this one.
    pub(crate) fn section(&self, key: &'static str, name: &'static str) -> Self {
        match self.table.as_ref().and_then(|table| table.table(key, name)) {
            Some(table) => Self::new(self.reader, table, name),
            None => Self {
                reader: self.reader,
                table: None,
                name,
                span: 0..0,
            },
        }
    }

    /// A text or a table, if it is there.
    pub(crate) fn text_or_table(
        &self,
        key: &'static str,
        name: &'static str,
        expected: &str,
    ) -> Option<Entry<'r>> {
        self.table.as_ref()?.text_or_table(key, name, expected)
    }

    /// A list of sections.
    pub(crate) fn sections(&self, key: &'static str, name: &'static str) -> Vec<Self> {
        let tables = self.table.as_ref().map(|table| table.tables(key, name));
        let section = |table| Self::new(self.reader, table, name);
        tables
            .unwrap_or_default()
            .into_iter()
            .map(section)
            .collect()
    }

    /// Whether the key is in the file.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.key(key).is_some()
    }

    /// Where the key stands, if it is in the file.
    pub(crate) fn key(&self, key: &'static str) -> Option<Range<usize>> {
        self.table.as_ref().and_then(|table| table.key(key))
    }

    /// A text, if it is there.
    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        self.table.as_ref()?.string(key)
    }

    /// A text that must be there.
    pub(crate) fn required(&self, key: &'static str, example: &str) -> Option<At<String>> {
        if self.has(key) {
            self.text(key)
        } else {
            self.missing(key, example)
        }
    }

    /// Notes that a key is missing.
    pub(crate) fn missing<T>(&self, key: &'static str, example: &str) -> Option<T> {
        if !self.reader.is_broken() {
            self.error(
                "config::missing-key",
                format!("{} needs `{key}`", self.name),
                self.span.clone(),
                format!("`{key}` is missing here"),
                format!("for example: {key} = {example}"),
            );
        }
        None
    }

    /// A whole number between two bounds, if it is there.
    pub(crate) fn count(&self, key: &'static str, least: i64, most: i64) -> Option<usize> {
        let number = self.table.as_ref()?.integer(key, least..=most)?;
        usize::try_from(number.value).ok()
    }

    /// Yes or no, if it is there.
    pub(crate) fn boolean(&self, key: &'static str) -> Option<bool> {
        Some(self.table.as_ref()?.boolean(key)?.value)
    }

    /// One of a few words, if it is there.
    pub(crate) fn one_of<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        Some(self.table.as_ref()?.one_of(key, words)?.value)
    }

    /// A list of texts; empty where the key is not there.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<At<String>> {
        self.table
            .as_ref()
            .map(|table| table.strings(key))
            .unwrap_or_default()
    }

    /// A text or a list of texts; empty where the key is not there.
    pub(crate) fn text_or_texts(&self, key: &'static str) -> Vec<At<String>> {
        self.table
            .as_ref()
            .map(|table| table.string_or_strings(key))
            .unwrap_or_default()
    }

    /// Notes that a text is no id.
    pub(crate) fn not_an_id(&self, error: &IdError, span: Range<usize>) {
        self.error("config::id", error.to_string(), span, "not an id", "");
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
        let problem = Problem::error(code, message).at(self.reader.source(), span, label);
        let help = help.into();
        self.reader.report(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
    }

    /// Tells of every key that nobody asked for.
    pub(crate) fn finish(self) {
        if let Some(table) = self.table {
            table.finish();
        }
    }
}
