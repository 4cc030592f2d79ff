//! What is wrong with a file that a person wrote, and where: flow files, locales, configuration.
//!
//! Plain data, so that the parts that find problems need no terminal library; the binary shows them
//! with the text underlined.

use std::{ops::Range, sync::Arc};

/// A file that a person wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path as the person knows it.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Puts the two together, to be shared by everything that points into it.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
        })
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file works, but probably not as meant.
    Warning,
    /// The file is not used.
    Error,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A short stable name for the kind of problem (`flow::unknown-key`).
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The file; `None` where there is none (a folder that is missing).
    pub source: Option<Arc<Source>>,
    /// The bytes of the file's text to underline, with words to put there.
    pub label: Option<(Range<usize>, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// An error without a place; add one with [`Self::at`].
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            source: None,
            label: None,
            help: None,
        }
    }

    /// A warning without a place; add one with [`Self::at`].
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Says where: underlines `span` in `source`, with `label` beside it.
    #[must_use]
    pub fn at(
        mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.source = Some(Arc::clone(source));
        self.label = Some((span, label.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
