//! Reads what starts a flow.

use langnghe_model::{Problem, event::MediaKind, fold::fold};
use regex::RegexBuilder;

use super::unknown;
use crate::{
    flow::{Flow, Kind, Pattern},
    reader::{At, Reader, Table},
};

/// The most memory that one pattern may take, in bytes.
const PATTERN_SIZE: usize = 256 * 1024;

/// Reads `triggers`; gives the phrases and contents as written.
pub(super) fn read(
    reader: &Reader,
    table: Table<'_>,
    flow: &mut Flow,
) -> (Vec<At<String>>, Vec<At<String>>) {
    let phrases = table.strings("phrases");
    for phrase in &phrases {
        let folded = fold(&phrase.value);
        if folded.is_empty() {
            table.bad_value("phrases", phrase, "it has no letters");
        } else {
            flow.triggers.phrases.push(folded);
        }
    }
    for pattern in table.strings("patterns") {
        if let Some(pattern) = read_pattern(reader, &pattern, flow) {
            flow.triggers.patterns.push(pattern);
        }
    }
    let contents = table.strings("contents");
    for content in &contents {
        let kind = match content.value.as_str() {
            "image" => Some(MediaKind::Image),
            "video" => Some(MediaKind::Video),
            "audio" => Some(MediaKind::Audio),
            "file" => Some(MediaKind::File),
            "location" => {
                flow.triggers.location = true;
                None
            }
            "text" => {
                flow.triggers.text = true;
                None
            }
            _ => {
                let known = ["image", "video", "audio", "file", "location", "text"].into_iter();
                let message = format!("`{}` is no content", content.value);
                let span = content.span.clone();
                unknown(
                    reader,
                    "toml::bad-value",
                    message,
                    span,
                    &content.value,
                    known,
                );
                continue;
            }
        };
        flow.triggers.media.extend(kind);
        let taken = flow
            .questions
            .iter()
            .any(|question| match (&question.kind, kind) {
                (Kind::Media { accept, .. }, Some(kind)) => accept.contains(&kind),
                (Kind::Location, None) => content.value == "location",
                (Kind::Text { .. }, None) => content.value == "text",
                _ => false,
            });
        if !taken {
            let message = "no question of this flow takes this content";
            reader.warning(
                "flow::trigger-unused",
                message,
                content.span.clone(),
                "would be lost",
            );
        }
    }
    table.finish();
    (phrases, contents)
}

fn read_pattern(reader: &Reader, pattern: &At<String>, flow: &Flow) -> Option<Pattern> {
    let built = RegexBuilder::new(&pattern.value)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE)
        .case_insensitive(true)
        .build();
    let regex = match built {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(limit)) => {
            let message = format!("this pattern needs more than {limit} bytes");
            reader.error("flow::pattern", message, pattern.span.clone(), "too large");
            return None;
        }
        Err(error) => {
            let message = error.to_string();
            let last = message
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            let message = format!("this is no regular expression: {last}");
            reader.error(
                "flow::pattern",
                message,
                pattern.span.clone(),
                "cannot be used",
            );
            return None;
        }
    };
    if regex.is_match("") {
        reader.report(
            Problem::error("flow::pattern", "this pattern fits every message")
                .at(reader.source(), pattern.span.clone(), "fits the empty text")
                .help("begin it with `^` and a word"),
        );
    }
    let mut groups = Vec::new();
    for name in regex.capture_names().flatten() {
        let same = |id: &str| id == name || id.replace('-', "_") == name;
        if let Some(question) = flow
            .questions
            .iter()
            .position(|question| same(&question.id))
        {
            groups.push((name.to_owned(), question));
            continue;
        }
        let at = pattern
            .value
            .find(&format!("<{name}>"))
            .map_or(0, |at| at + 1);
        let span = reader.inside(pattern, at..at + name.len());
        let known = flow.questions.iter().map(|question| question.id.as_str());
        let message = format!("no question is called `{name}`");
        unknown(reader, "flow::unknown-group", message, span, name, known);
    }
    Some(Pattern { regex, groups })
}
