//! A text with places for words in it, made ready at load.

use std::{borrow::Cow, ops::Range, sync::Arc};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

/// A Fluent bundle that many workers read at once.
pub(crate) type Bundle = FluentBundle<Arc<FluentResource>>;

/// A text with places for words in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Variable(String),
    /// A Fluent message that needs more than words put in (plural forms, selectors).
    Fluent(Fluent),
}

#[derive(Clone)]
pub(crate) struct Fluent {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) message: String,
    pub(crate) attribute: Option<String>,
    pub(crate) variables: Vec<String>,
}

impl std::fmt::Debug for Fluent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fluent")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// A text without places.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self {
            parts: vec![Part::Text(text.into())],
        }
    }

    pub(crate) fn fluent(fluent: Fluent) -> Self {
        Self {
            parts: vec![Part::Fluent(fluent)],
        }
    }

    /// Reads `{name}`; `{{` and `}}` stand for the braces themselves. Gives the names with their
    /// places in `text`.
    pub(crate) fn parse(text: &str) -> (Self, Vec<(String, Range<usize>)>) {
        let mut template = Self::default();
        let mut names = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if after.starts_with(brace) {
                plain.push_str(brace);
                rest = &after[1..];
                continue;
            }
            let name = (brace == "{")
                .then(|| after.find('}').map(|end| &after[..end]))
                .flatten();
            if let Some(name) = name.filter(|name| is_name(name)) {
                template.push_text(std::mem::take(&mut plain));
                let start = text.len() - rest.len() + at;
                names.push((name.to_owned(), start..start + name.len() + 2));
                template.push_variable(name);
                rest = &after[name.len() + 1..];
            } else {
                plain.push_str(brace);
                rest = after;
            }
        }
        plain.push_str(rest);
        template.push_text(plain);
        (template, names)
    }

    pub(crate) fn push_text(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        if let Some(Part::Text(last)) = self.parts.last_mut() {
            last.push_str(&text);
        } else {
            self.parts.push(Part::Text(text));
        }
    }

    pub(crate) fn push_variable(&mut self, name: &str) {
        self.parts.push(Part::Variable(name.to_owned()));
    }

    /// Puts in what is known at load and keeps the other places.
    #[must_use]
    pub(crate) fn settle(&self, known: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut settled = Self::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => settled.push_text(text.clone()),
                Part::Variable(name) => match known(name) {
                    Some(word) => settled.push_text(word),
                    None => settled.push_variable(name),
                },
                Part::Fluent(_) => settled.parts.push(part.clone()),
            }
        }
        settled
    }

    /// The text with `word` for each place; a place without a word stays empty.
    pub(crate) fn fill(&self, word: &dyn Fn(&str) -> Option<String>) -> String {
        if let [Part::Text(text)] = self.parts.as_slice() {
            return text.clone();
        }
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Variable(name) => filled.push_str(&word(name).unwrap_or_default()),
                Part::Fluent(fluent) => filled.push_str(&fluent.format(word)),
            }
        }
        filled
    }

    /// The text with nothing put in.
    pub(crate) fn bare(&self) -> String {
        self.fill(&|_| None)
    }
}

impl Fluent {
    fn format(&self, word: &dyn Fn(&str) -> Option<String>) -> Cow<'_, str> {
        let Some(message) = self.bundle.get_message(&self.message) else {
            return Cow::Borrowed("");
        };
        let pattern = match &self.attribute {
            Some(name) => message
                .get_attribute(name)
                .map(|attribute| attribute.value()),
            None => message.value(),
        };
        let Some(pattern) = pattern else {
            return Cow::Borrowed("");
        };
        let mut arguments = FluentArgs::new();
        for name in &self.variables {
            let word = word(name).unwrap_or_default();
            // A number stays one, so that plural forms work.
            arguments.set(
                name.clone(),
                FluentValue::try_number(word.as_str()).into_owned(),
            );
        }
        let mut errors = Vec::new();
        Cow::Owned(
            self.bundle
                .format_pattern(pattern, Some(&arguments), &mut errors)
                .into_owned(),
        )
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn places_are_found_and_filled() {
        let (template, names) = Template::parse("Mã {{của}} anh: {code}. {a b} {");
        assert_eq!(names.len(), 1);
        assert_eq!(
            template.fill(&|_| Some("X1".to_owned())),
            "Mã {của} anh: X1. {a b} {"
        );
    }
}
