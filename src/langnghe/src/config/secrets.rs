//! Secrets: `env:NAME`, `file:PATH`, or, with a warning, the secret itself.

use std::{cell::RefCell, ops::Range, path::Path, sync::Arc};

use langnghe_flow::reader::At;
use langnghe_model::{Problem, problem::Source};
use secrecy::SecretString;

use super::reader::Section;

const EXAMPLE: &str = "\"env:NAME\" or \"file:PATH\"";

/// Where secrets come from.
pub(crate) trait Environment {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether secrets are needed at all: commands that only look into the store do without.
    fn secrets_needed(&self) -> bool {
        true
    }
}

/// The process's own environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessEnvironment {
    /// False for commands that use no channel and no backend.
    pub(crate) secrets: bool,
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn secrets_needed(&self) -> bool {
        self.secrets
    }
}

/// What is around the file while it is read.
pub(crate) struct Surroundings<'a> {
    /// Where relative paths begin.
    pub(crate) folder: &'a Path,
    environment: &'a dyn Environment,
    /// Where secrets stand in the file itself.
    literal_secrets: RefCell<Vec<Range<usize>>>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(folder: &'a Path, environment: &'a dyn Environment) -> Self {
        Self {
            folder,
            environment,
            literal_secrets: RefCell::default(),
        }
    }

    /// The file with stars for the secrets that stand in it: problems are shown with the lines around
    /// them, and end in logs.
    pub(crate) fn mask(&self, source: &Arc<Source>) -> Arc<Source> {
        let spans = self.literal_secrets.borrow();
        if spans.is_empty() {
            return Arc::clone(source);
        }
        let mut text = source.text.clone();
        for span in spans.iter() {
            // As many bytes as before, so that places stay right.
            if text.get(span.clone()).is_some() {
                text.replace_range(span.clone(), &"*".repeat(span.len()));
            }
        }
        Source::new(source.path.clone(), text)
    }

    /// Notes that a secret stands in these bytes of the file.
    pub(super) fn hide(&self, place: Range<usize>) {
        self.literal_secrets.borrow_mut().push(place);
    }

    /// Follows a secret to where it lies.
    ///
    /// # Errors
    /// Why it is not there, and what to do.
    fn follow(&self, text: &str) -> Result<Found, (String, String)> {
        if let Some(name) = text.strip_prefix("env:") {
            self.environment
                .variable(name)
                .map(Found::Elsewhere)
                .ok_or_else(|| {
                    (
                        format!("the environment has no variable {name}"),
                        format!("set it before starting: export {name}=…"),
                    )
                })
        } else if let Some(path) = text.strip_prefix("file:") {
            let path = self.folder.join(path);
            let read = std::fs::read_to_string(&path).map_err(|error| {
                (
                    format!("cannot read {}: {error}", path.display()),
                    "the file holds the secret and nothing else; only the program's user may read it"
                        .to_owned(),
                )
            })?;
            Ok(Found::Elsewhere(
                read.trim_end_matches(['\r', '\n']).to_owned(),
            ))
        } else {
            Ok(Found::Here(text.to_owned()))
        }
    }
}

/// Where a secret was found.
enum Found {
    Elsewhere(String),
    Here(String),
}

impl Section<'_> {
    /// A secret that must be there.
    pub(crate) fn secret(
        &self,
        key: &'static str,
        surroundings: &Surroundings<'_>,
    ) -> Option<SecretString> {
        let text = self.required(key, EXAMPLE)?;
        self.resolve(key, text, surroundings)
    }

    /// Secrets of which there must be at least one: a text or a list of texts.
    pub(crate) fn secrets(
        &self,
        key: &'static str,
        surroundings: &Surroundings<'_>,
    ) -> Option<At<Vec<SecretString>>> {
        let Some(place) = self.key(key) else {
            return self.missing(key, EXAMPLE);
        };
        let texts = self.text_or_texts(key);
        // The keys themselves say more than the word before them.
        let place = texts.first().map_or(place, |first| first.span.clone());
        let count = texts.len();
        let secrets: Vec<_> = texts
            .into_iter()
            .filter_map(|text| self.resolve(key, text, surroundings))
            .collect();
        (count > 0 && secrets.len() == count).then_some(At {
            value: secrets,
            span: place,
        })
    }

    /// What a secret with `env:` or `file:` holds, also for commands that need no other secrets.
    pub(super) fn follow_always(
        &self,
        key: &str,
        text: &At<String>,
        surroundings: &Surroundings<'_>,
    ) -> Option<String> {
        match surroundings.follow(&text.value) {
            Ok(Found::Elsewhere(secret) | Found::Here(secret)) => Some(secret.trim().to_owned()),
            Err((label, help)) => {
                let message = format!("the secret `{key}` is missing");
                self.error("config::secret", message, text.span.clone(), label, help);
                None
            }
        }
    }

    fn resolve(
        &self,
        key: &str,
        text: At<String>,
        surroundings: &Surroundings<'_>,
    ) -> Option<SecretString> {
        let elsewhere = text.value.starts_with("env:") || text.value.starts_with("file:");
        if elsewhere && !surroundings.environment.secrets_needed() {
            return Some(SecretString::default());
        }
        let written = self.reader().inside(&text, 0..text.value.len());
        let At { value, span } = text;
        let missing = match surroundings.follow(&value) {
            Ok(Found::Here(secret)) => {
                surroundings.hide(written);
                let message = format!("the secret `{key}` stands in the file itself");
                let problem = Problem::warning("config::literal-secret", message)
                    .at(
                        self.reader().source(),
                        span.clone(),
                        "everybody who sees this file knows it",
                    )
                    .help(format!("write {EXAMPLE} instead"));
                self.reader().report(problem);
                Ok(secret)
            }
            Ok(Found::Elsewhere(secret)) => Ok(secret),
            Err(missing) => Err(missing),
        };
        let (message, label, help) = match missing {
            Ok(secret) if !secret.is_empty() => return Some(SecretString::from(secret)),
            Ok(_) => (
                format!("the secret `{key}` is empty"),
                "empty".to_owned(),
                format!("for example: {key} = {EXAMPLE}"),
            ),
            Err((label, help)) => (format!("the secret `{key}` is missing"), label, help),
        };
        self.error("config::secret", message, span, label, help);
        None
    }
}
