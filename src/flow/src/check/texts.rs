//! A text of a flow file with its places.

use super::unknown;
use crate::{
    reader::{At, Reader},
    words::{AGENCY_PLACES, Template},
};

/// A text of a flow file.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) template: Template,
}

impl Text {
    /// Reads a text; `questions` are the ids whose answers it may show.
    pub(super) fn read(reader: &Reader, text: &At<String>, questions: &[String]) -> Self {
        let (template, places) = Template::parse(&text.value);
        for (name, place) in places {
            let known = || {
                AGENCY_PLACES
                    .into_iter()
                    .chain(questions.iter().map(String::as_str))
            };
            if known().all(|known| known != name) {
                let message = format!("nothing is known as `{{{name}}}` here");
                let span = reader.inside(text, place);
                let known: Vec<&str> = known().collect();
                unknown(
                    reader,
                    "flow::unknown-place",
                    message,
                    span,
                    &name,
                    known.iter().copied(),
                );
            }
        }
        Self { template }
    }
}
