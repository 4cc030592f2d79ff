//! All files together: what only shows when they are seen side by side.

use std::{collections::HashMap, sync::Arc};

use langnghe_model::{
    Problem,
    problem::{Severity, Source},
};

use super::{
    draft::{self, Draft},
    finish::finish,
};
use crate::{
    Library, Loaded, Settings,
    flow::{Flow, Kind},
    reader::nearest,
    words::{AGENCY_PLACES, LocaleFile, Words, check_places},
};

/// Loads and checks everything.
pub(crate) fn load(flows: &[Arc<Source>], locales: &[Arc<Source>], settings: Settings) -> Loaded {
    let mut problems = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    for source in flows {
        let (draft, found) = draft::read(source, &settings);
        problems.extend(found);
        drafts.extend(draft);
    }
    let files: Vec<LocaleFile> = locales
        .iter()
        .filter_map(|source| LocaleFile::read(source, &mut problems))
        .collect();
    let own: Vec<String> = drafts.iter().map(|draft| draft.language.clone()).collect();
    let words = Words::load(
        &files,
        &own,
        &settings.language,
        &settings.agency,
        &mut problems,
    );
    check_ids(&drafts, &mut problems);
    check_targets(&drafts, &mut problems);
    check_triggers(&drafts, &words, &mut problems);
    check_start(&drafts, &settings, &mut problems);
    for file in files.iter().filter(|file| file.name != "system") {
        check_locale(file, &drafts, &mut problems);
    }
    let order = |problem: &Problem| {
        let place = problem.source.as_ref().map_or(0, |source| {
            let all = flows.iter().chain(locales);
            all.clone()
                .position(|other| Arc::ptr_eq(other, source))
                .unwrap_or(usize::MAX)
        });
        (
            place,
            problem.label.as_ref().map_or(0, |(span, _)| span.start),
        )
    };
    problems.sort_by_key(order);
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Loaded {
            library: None,
            problems,
        };
    }
    let done: Vec<Flow> = drafts
        .into_iter()
        .map(|draft| finish(draft, &words, &files, &settings.agency))
        .collect();
    Loaded {
        library: Some(Library::new(done, words, files, settings)),
        problems,
    }
}

/// Reads one version of a flow beside the current ones, for sessions that began on it; `None` when
/// it does not check here.
pub(crate) fn read_version(
    source: &Arc<Source>,
    words: &Words,
    locales: &[LocaleFile],
    settings: &Settings,
) -> Option<Flow> {
    let (draft, found) = draft::read(source, settings);
    let good = found
        .iter()
        .all(|problem| problem.severity != Severity::Error);
    let draft = draft.filter(|_| good)?;
    Some(finish(draft, words, locales, &settings.agency))
}

fn check_ids(drafts: &[Draft], problems: &mut Vec<Problem>) {
    for (index, draft) in drafts.iter().enumerate() {
        if let Some(first) = drafts[..index]
            .iter()
            .find(|other| other.id.value == draft.id.value)
        {
            problems.push(
                Problem::error(
                    "flow::duplicate-id",
                    format!(
                        "a flow `{}` is in {} already",
                        draft.id.value, first.source.path
                    ),
                )
                .at(&draft.source, draft.id.span.clone(), "the second one")
                .help("give every flow an id of its own"),
            );
        }
    }
}

fn check_targets(drafts: &[Draft], problems: &mut Vec<Problem>) {
    for draft in drafts {
        for target in &draft.targets {
            if drafts.iter().any(|other| other.id.value == target.value) {
                continue;
            }
            let problem = Problem::error(
                "flow::unknown-flow",
                format!("there is no flow `{}`", target.value),
            )
            .at(&draft.source, target.span.clone(), "unknown");
            problems.push(near(
                problem,
                &target.value,
                drafts.iter().map(|draft| draft.id.value.as_str()),
            ));
        }
    }
}

fn check_triggers(drafts: &[Draft], words: &Words, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for draft in drafts {
        let phrases = draft
            .phrases
            .iter()
            .map(|at| (langnghe_model::fold::fold(&at.value), at));
        let contents = draft
            .contents
            .iter()
            .map(|at| (format!("\u{0}{}", at.value), at));
        for (key, at) in phrases.chain(contents) {
            if words.keywords.global(&key, false).is_some() {
                problems.push(
                    Problem::warning("flow::trigger-hidden", "this is a key word of the system")
                        .at(&draft.source, at.span.clone(), "never starts this flow"),
                );
            }
            if let Some(other) = seen.insert(key, &draft.id.value) {
                problems.push(
                    Problem::error(
                        "flow::trigger-taken",
                        format!("`{}` starts `{other}` already", at.value),
                    )
                    .at(&draft.source, at.span.clone(), "starts two flows")
                    .help("the same without diacritics counts as the same"),
                );
            }
        }
    }
}

fn check_start(drafts: &[Draft], settings: &Settings, problems: &mut Vec<Problem>) {
    let start = settings.start.as_str();
    if drafts.iter().all(|draft| draft.id.value != start) {
        let problem = Problem::error(
            "flow::no-start",
            format!("there is no flow `{start}` to start with"),
        );
        let ids = drafts.iter().map(|draft| draft.id.value.as_str());
        problems.push(near(problem, start, ids));
    }
    for draft in drafts {
        let triggers = &draft.flow.triggers;
        let triggered = !draft.phrases.is_empty()
            || !draft.contents.is_empty()
            || !triggers.patterns.is_empty();
        let targeted = drafts.iter().any(|other| {
            other
                .targets
                .iter()
                .any(|target| target.value == draft.id.value)
        });
        if !triggered && !targeted && draft.id.value != start {
            problems.push(
                Problem::warning("flow::unreachable", "nothing starts this flow")
                    .at(
                        &draft.source,
                        draft.id.span.clone(),
                        "no trigger, in no menu",
                    )
                    .help("add `triggers`, or a choice with this flow to a menu"),
            );
        }
    }
}

fn check_locale(file: &LocaleFile, drafts: &[Draft], problems: &mut Vec<Problem>) {
    let Some(draft) = drafts.iter().find(|draft| draft.id.value == file.name) else {
        let problem = Problem::warning(
            "locale::unknown-flow",
            format!("there is no flow `{}`", file.name),
        )
        .at(&file.source, 0..0, "these words belong to no flow");
        let ids = drafts
            .iter()
            .map(|draft| draft.id.value.as_str())
            .chain(["system"]);
        problems.push(near(problem, &file.name, ids));
        return;
    };
    let known = Known::of(draft);
    let mut allowed: Vec<&str> = AGENCY_PLACES.to_vec();
    allowed.push("code");
    allowed.extend(
        draft
            .flow
            .questions
            .iter()
            .map(|question| question.id.as_str()),
    );
    for (key, entry) in &file.entries {
        if known.all.contains(key) {
            check_places(file, entry, &allowed, problems);
            continue;
        }
        let message = format!("the flow `{}` has no text `{key}`", file.name);
        let problem = Problem::error("fluent::unknown-message", message).at(
            &file.source,
            entry.span.clone(),
            "no such text",
        );
        problems.push(near(problem, key, known.all.iter().map(String::as_str)));
    }
    let missing: Vec<&str> = known
        .needed
        .iter()
        .filter(|key| !file.entries.contains_key(*key))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let shown = missing
            .iter()
            .take(8)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if missing.len() > 8 { ", …" } else { "" };
        let message = format!("{} texts are not translated: {shown}{more}", missing.len());
        problems.push(
            Problem::warning("fluent::missing-translation", message)
                .at(&file.source, 0..0, "in this file")
                .help("citizens read them in the flow's own language"),
        );
    }
}

/// The texts that a flow has, by their names in a locale file.
struct Known {
    all: Vec<String>,
    needed: Vec<String>,
}

impl Known {
    fn of(draft: &Draft) -> Self {
        let mut all: Vec<String> = ["flow", "flow.done", "flow.emergency"]
            .map(str::to_owned)
            .to_vec();
        let mut needed = vec!["flow".to_owned()];
        needed.extend(draft.done.as_ref().map(|_| "flow.done".to_owned()));
        needed.extend(
            draft
                .emergency
                .as_ref()
                .map(|_| "flow.emergency".to_owned()),
        );
        for (question, words) in draft.flow.questions.iter().zip(&draft.questions) {
            let id = &question.id;
            needed.push(id.clone());
            all.push(id.clone());
            all.extend(["label", "help", "retry", "refused"].map(|part| format!("{id}.{part}")));
            let has = [
                ("help", words.help.is_some()),
                ("retry", words.retry.is_some()),
                ("refused", words.refused.is_some()),
            ];
            needed.extend(
                has.iter()
                    .filter(|(_, has)| *has)
                    .map(|(part, _)| format!("{id}.{part}")),
            );
            if matches!(question.kind, Kind::Choice(_) | Kind::Choices { .. }) {
                for choice in &words.choices {
                    needed.push(format!("{id}.choice-{}", choice.id));
                    all.push(format!("{id}.choice-{}", choice.id));
                    all.push(format!("{id}.hints-{}", choice.id));
                }
            }
        }
        Self { all, needed }
    }
}

fn near<'a>(problem: Problem, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    match nearest(name, known.clone()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => {
            let names: Vec<&str> = known.take(20).collect();
            if names.is_empty() {
                problem
            } else {
                problem.help(format!("known: {}", names.join(", ")))
            }
        }
    }
}
