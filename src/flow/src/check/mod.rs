//! From files to a checked library: every problem of every file in one run.

mod draft;
mod finish;
mod kinds;
mod library;
mod texts;
mod triggers;
mod when;

pub(crate) use kinds::LONGEST_TEXT;
pub(crate) use library::{load, read_version};

use std::ops::Range;

use crate::reader::{At, Reader, nearest};

/// True for an id of a flow or a question: small letters, digits, `_` and `-`, a letter first.
fn is_id(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        })
}

/// True for an id of a choice, which may be an agency's code in capitals.
fn is_choice_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Tells that nothing is known under `name`, with the nearest name that is.
fn unknown<'a>(
    reader: &Reader,
    code: &'static str,
    message: String,
    span: Range<usize>,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) {
    let mut problem =
        langnghe_model::Problem::error(code, message).at(reader.source(), span, "unknown");
    problem = match nearest(name, known.clone()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => {
            let names: Vec<&str> = known.take(20).collect();
            if names.is_empty() {
                problem
            } else {
                problem.help(format!("known: {}", names.join(", ")))
            }
        }
    };
    reader.report(problem);
}

/// The id, unless it is not one.
fn checked_id(reader: &Reader, id: At<String>) -> At<String> {
    if !is_id(&id.value) {
        reader.report(
            langnghe_model::Problem::error("flow::bad-id", format!("`{}` cannot be an id", id.value))
                .at(reader.source(), id.span.clone(), "not an id")
                .help("an id is up to 40 small ASCII letters, digits, `_` or `-`, a letter first: \"dia_chi\""),
        );
    }
    id
}
