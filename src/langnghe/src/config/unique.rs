//! What must not come twice: ids, and the paths of web chats.

use std::ops::Range;

use super::reader::Section;

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Unique(Vec<(&'static str, &'static str, String)>);

impl Unique {
    /// Notes a value of `key` in sections named `list`, and an error when it was there before.
    pub(crate) fn note(
        &mut self,
        section: &Section<'_>,
        list: &'static str,
        key: &'static str,
        value: &str,
        place: Range<usize>,
    ) {
        let seen = (list, key, value.to_owned());
        if self.0.contains(&seen) {
            section.error(
                "config::duplicate",
                format!("two of {list} have the {key} `{value}`"),
                place,
                "the second one",
                format!("give this one another {key}"),
            );
        }
        self.0.push(seen);
    }
}
