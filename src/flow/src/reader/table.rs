//! One table of a file, read key by key.

use std::{cell::RefCell, ops::Range, time::Duration};

use toml::de::{DeTable, DeValue};

use super::{At, Reader, nearest};

/// One table of a file. Ask for every key that it may have, then [`Self::finish`] it.
#[derive(Debug)]
pub struct Table<'r> {
    reader: &'r Reader,
    entries: &'r DeTable<'r>,
    span: Range<usize>,
    what: &'static str,
    asked: RefCell<Vec<&'static str>>,
}

/// A value that may be written shortly, as a word, or at length.
#[derive(Debug)]
pub enum Entry<'r> {
    /// A text.
    Text(At<String>),
    /// A table.
    Table(Table<'r>),
}

impl<'r> Table<'r> {
    pub(super) fn new(
        reader: &'r Reader,
        entries: &'r DeTable<'r>,
        span: Range<usize>,
        what: &'static str,
    ) -> Self {
        Self {
            reader,
            entries,
            span,
            what,
            asked: RefCell::new(Vec::new()),
        }
    }

    /// The place of the table.
    pub fn span(&self) -> Range<usize> {
        self.reader.visible(self.span.start..self.span.start).start
            ..self.line_end(self.span.start).max(self.span.start + 1)
    }

    fn line_end(&self, start: usize) -> usize {
        let text = &self.reader.source.text;
        let line = text
            .get(start..)
            .and_then(|rest| rest.find('\n'))
            .map(|at| start + at);
        line.unwrap_or(text.len()).min(self.span.end.max(start))
    }

    /// The reader that problems go to.
    pub fn reader(&self) -> &'r Reader {
        self.reader
    }

    /// Whether the key is there, and where.
    pub fn key(&self, key: &'static str) -> Option<Range<usize>> {
        self.note(key);
        let (found, _) = self
            .entries
            .iter()
            .find(|(name, _)| name.get_ref() == key)?;
        Some(found.span())
    }

    fn note(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    fn get(&self, key: &'static str) -> Option<At<&'r DeValue<'r>>> {
        self.note(key);
        let value = self.entries.get(key)?;
        Some(At {
            value: value.get_ref(),
            span: value.span(),
        })
    }

    fn wrong_type(&self, key: &str, found: &At<&DeValue<'_>>, expected: &str) {
        self.reader.error(
            "toml::wrong-type",
            format!("`{key}` is {expected}"),
            self.reader.visible(found.span.clone()),
            format!("this is {}", with_article(found.value.type_str())),
        );
    }

    /// Tells that `value` of `key` is not good, and what would be.
    pub fn bad_value<T>(&self, key: &str, value: &At<T>, expected: &str) {
        self.reader.error(
            "toml::bad-value",
            format!("this value of `{key}` cannot be used"),
            value.span.clone(),
            expected,
        );
    }

    fn missing(&self, key: &'static str, expected: &str) {
        if !self.reader.is_broken() {
            self.reader.report(
                langnghe_model::Problem::error(
                    "toml::missing-key",
                    format!("`{key}` is missing in {}", self.what),
                )
                .at(self.reader.source(), self.span(), format!("needs `{key}`"))
                .help(format!("add `{key} = …`, {expected}")),
            );
        }
    }

    /// A text.
    pub fn string(&self, key: &'static str) -> Option<At<String>> {
        let found = self.get(key)?;
        let DeValue::String(text) = found.value else {
            self.wrong_type(key, &found, "a text in quotation marks");
            return None;
        };
        Some(At {
            value: text.to_string(),
            span: found.span,
        })
    }

    /// A text that must be there.
    pub fn required_string(&self, key: &'static str) -> Option<At<String>> {
        if self.key(key).is_none() {
            self.missing(key, "a text in quotation marks");
        }
        self.string(key)
    }

    /// True or false.
    pub fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        let found = self.get(key)?;
        let DeValue::Boolean(value) = found.value else {
            self.wrong_type(key, &found, "true or false");
            return None;
        };
        Some(At {
            value: *value,
            span: found.span,
        })
    }

    /// A whole number within `range`.
    pub fn integer(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<At<i64>> {
        let found = self.get(key)?;
        let DeValue::Integer(number) = found.value else {
            self.wrong_type(key, &found, "a whole number");
            return None;
        };
        let value = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix());
        match value {
            Ok(value) if range.contains(&value) => Some(At {
                value,
                span: found.span,
            }),
            _ => {
                let expected = format!("from {} to {}", range.start(), range.end());
                self.bad_value(key, &found, &expected);
                None
            }
        }
    }

    /// A number, whole or not.
    pub fn number(&self, key: &'static str) -> Option<At<f64>> {
        let found = self.get(key)?;
        let text = match found.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => {
                self.wrong_type(key, &found, "a number");
                return None;
            }
        };
        match text.replace('_', "").parse::<f64>() {
            Ok(value) if value.is_finite() => Some(At {
                value,
                span: found.span,
            }),
            _ => {
                self.bad_value(key, &found, "a finite number");
                None
            }
        }
    }

    /// A length of time: `"30m"`.
    pub fn duration(&self, key: &'static str) -> Option<At<Duration>> {
        let text = self.string(key)?;
        if let Some(value) = super::parse_duration(&text.value) {
            return Some(At {
                value,
                span: text.span,
            });
        }
        self.bad_value(
            key,
            &text,
            "a number with s, m, h or d: \"30m\", \"24h\", \"7d\"",
        );
        None
    }

    /// A list of texts; empty where the key is not there.
    pub fn strings(&self, key: &'static str) -> Vec<At<String>> {
        let Some(found) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = found.value else {
            self.wrong_type(key, &found, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let at = At {
                value: item.get_ref(),
                span: item.span(),
            };
            if let DeValue::String(text) = at.value {
                texts.push(At {
                    value: text.to_string(),
                    span: at.span,
                });
            } else {
                self.wrong_type(key, &at, "a list of texts");
            }
        }
        texts
    }

    /// A list of texts, or one text in its place; empty where the key is not there.
    pub fn string_or_strings(&self, key: &'static str) -> Vec<At<String>> {
        match self.get(key).map(|found| found.value) {
            Some(DeValue::String(_)) => self.string(key).into_iter().collect(),
            _ => self.strings(key),
        }
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let text = self.string(key)?;
        self.word(key, &text, words).map(|value| At {
            value,
            span: text.span,
        })
    }

    /// The meaning of `text` among a few words, or a problem.
    pub fn word<T: Copy>(&self, key: &str, text: &At<String>, words: &[(&str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let mut problem = langnghe_model::Problem::error(
            "toml::bad-value",
            format!("`{}` is no value of `{key}`", text.value),
        )
        .at(
            self.reader.source(),
            text.span.clone(),
            format!("one of: {}", names.join(", ")),
        );
        if let Some(near) = nearest(&text.value, names) {
            problem = problem.help(format!("did you mean `{near}`?"));
        }
        self.reader.report(problem);
        None
    }

    /// A table within.
    pub fn table(&self, key: &'static str, what: &'static str) -> Option<Table<'r>> {
        let at = self.key(key)?;
        let found = self.get(key)?;
        if let DeValue::Table(entries) = found.value {
            // The header `[key]` reads better under a line than the body.
            let span = at.start..found.span.end.max(at.end);
            return Some(Self::new(self.reader, entries, span, what));
        }
        self.wrong_type(key, &found, "a table");
        None
    }

    /// A text or a table within; `expected` says what a person may write there.
    pub fn text_or_table(
        &self,
        key: &'static str,
        what: &'static str,
        expected: &str,
    ) -> Option<Entry<'r>> {
        let at = self.key(key)?;
        let found = self.get(key)?;
        self.entry(key, at, found, what, expected)
    }

    /// All entries of a table whose keys are names that its author chose, each a text or a table. It
    /// needs no [`Self::finish`].
    pub fn entries(&self, what: &'static str, expected: &str) -> Vec<(At<String>, Entry<'r>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries = entries.into_iter().filter_map(|(key, value)| {
            let name = At {
                value: key.get_ref().to_string(),
                span: self.reader.visible(key.span()),
            };
            let found = At {
                value: value.get_ref(),
                span: value.span(),
            };
            let entry = self.entry(&name.value, key.span(), found, what, expected)?;
            Some((name, entry))
        });
        entries.collect()
    }

    fn entry(
        &self,
        key: &str,
        at: Range<usize>,
        found: At<&'r DeValue<'r>>,
        what: &'static str,
        expected: &str,
    ) -> Option<Entry<'r>> {
        match found.value {
            DeValue::String(text) => Some(Entry::Text(At {
                value: text.to_string(),
                span: found.span,
            })),
            DeValue::Table(entries) => {
                let span = at.start..found.span.end.max(at.end);
                Some(Entry::Table(Self::new(self.reader, entries, span, what)))
            }
            _ => {
                self.wrong_type(key, &found, expected);
                None
            }
        }
    }

    /// A list of tables; empty where the key is not there.
    pub fn tables(&self, key: &'static str, what: &'static str) -> Vec<Table<'r>> {
        let Some(found) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = found.value else {
            self.wrong_type(key, &found, "a list of tables");
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items {
            let at = At {
                value: item.get_ref(),
                span: item.span(),
            };
            if let DeValue::Table(entries) = at.value {
                tables.push(Self::new(self.reader, entries, at.span, what));
            } else {
                self.wrong_type(key, &at, "a list of tables");
            }
        }
        tables
    }

    /// Tells of every key that nobody asked for.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        let mut unknown: Vec<_> = self
            .entries
            .keys()
            .filter(|key| !asked.iter().any(|known| *known == key.get_ref().as_ref()))
            .collect();
        unknown.sort_by_key(|key| key.span().start);
        for key in unknown {
            let mut problem = langnghe_model::Problem::error(
                "toml::unknown-key",
                format!("{} has no `{}`", self.what, key.get_ref()),
            )
            .at(
                self.reader.source(),
                self.reader.visible(key.span()),
                "not a key here",
            );
            problem = match nearest(key.get_ref(), asked.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("its keys are: {}", asked.join(", "))),
            };
            self.reader.report(problem);
        }
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "integer" | "array" => format!("an {kind}"),
        "boolean" => "true or false".to_owned(),
        other => format!("a {other}"),
    }
}
