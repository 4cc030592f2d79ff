//! Checks the `when` of a question.

use crate::{
    condition::{Condition, Type, Variable, check, parse},
    flow::{Flow, Kind},
    reader::{At, Reader},
};

/// Reads a condition over the questions before this one.
pub(super) fn read(
    reader: &Reader,
    text: &At<String>,
    flow: &Flow,
    earlier: &[String],
    later: &[String],
) -> Option<Condition> {
    let program = match parse(&text.value) {
        Ok(program) => program,
        Err(errors) => {
            for (at, message) in errors {
                let end = text.value[at..]
                    .chars()
                    .next()
                    .map_or(at, |next| at + next.len_utf8());
                let span = reader.inside(text, at.min(text.value.len())..end);
                reader.report(
                    langnghe_model::Problem::error(
                        "flow::when-syntax",
                        format!("`when` is no CEL expression: {}", first_line(&message)),
                    )
                    .at(reader.source(), span, "here")
                    .help("for example: loai == \"rac\" && has(mo_ta)"),
                );
            }
            return None;
        }
    };
    let known: Vec<Variable<'_>> = flow
        .questions
        .iter()
        .zip(earlier)
        .enumerate()
        .map(|(question, (_, id))| Variable {
            name: id.replace('-', "_"),
            question,
            kind: kind(&flow.questions[question].kind),
            values: choice_ids(&flow.questions[question].kind),
        })
        .collect();
    let later: Vec<String> = later.iter().map(|id| id.replace('-', "_")).collect();
    let (used, findings) = check(&program, &text.value, &known, &later);
    let good = findings.is_empty();
    for finding in findings {
        let span = reader.inside(text, finding.span);
        let mut problem = langnghe_model::Problem::error(finding.code, finding.message).at(
            reader.source(),
            span,
            finding.label,
        );
        if let Some(help) = finding.help {
            problem = problem.help(help);
        }
        reader.report(problem);
    }
    if good && used.is_empty() {
        let message = "this `when` looks at no answer, so it is always the same";
        reader.warning(
            "flow::when-constant",
            message,
            text.span.clone(),
            "always the same",
        );
    }
    good.then(|| Condition::new(program.expression().clone(), used))
}

fn choice_ids(kind: &Kind) -> Vec<&str> {
    let entries = kind
        .options()
        .map(|options| options.list.as_slice())
        .unwrap_or_default();
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn kind(kind: &Kind) -> Type {
    match kind {
        Kind::Text { .. } | Kind::Choice(_) | Kind::Date { .. } | Kind::Phone | Kind::Email => {
            Type::Text
        }
        Kind::Choices { .. } | Kind::Media { .. } => Type::List,
        Kind::YesNo | Kind::Consent => Type::Truth,
        Kind::Number { .. } | Kind::Rating { .. } => Type::Number,
        Kind::Location => Type::Place,
        Kind::Say => Type::Unknown,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
