//! One flow file, read and checked as far as it goes alone.

use std::{collections::HashSet, sync::Arc};

use langnghe_model::{Problem, fold::fold, problem::Source};

use super::{checked_id, kinds, texts::Text, triggers, unknown, when};
use crate::{
    Settings,
    flow::{Flow, Kind, Question, Target, TicketPlan},
    reader::{At, Reader, Table},
    understand::phrases::Phrases,
    words::Template,
};

/// A flow file that was read, before its words in other languages are put in.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) source: Arc<Source>,
    pub(super) id: At<String>,
    pub(super) language: String,
    pub(super) flow: Flow,
    pub(super) title: String,
    pub(super) done: Option<Text>,
    pub(super) emergency: Option<Text>,
    pub(super) questions: Vec<QuestionDraft>,
    /// Phrases as written.
    pub(super) phrases: Vec<At<String>>,
    /// Contents as written.
    pub(super) contents: Vec<At<String>>,
    /// Flows that its choices start.
    pub(super) targets: Vec<At<String>>,
}

/// The words of a question as the file has them.
#[derive(Debug, Default)]
pub(super) struct QuestionDraft {
    pub(super) ask: Text,
    pub(super) label: Option<String>,
    pub(super) help: Option<Text>,
    pub(super) retry: Option<Text>,
    pub(super) refused: Option<Text>,
    pub(super) choices: Vec<ChoiceDraft>,
    pub(super) notify: bool,
}

/// One choice as the file has it.
#[derive(Debug)]
pub(super) struct ChoiceDraft {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) hints: Vec<String>,
    pub(super) target: Option<Target>,
}

/// Reads one flow file; `None` when not even its id is known.
pub(super) fn read(source: &Arc<Source>, settings: &Settings) -> (Option<Draft>, Vec<Problem>) {
    Reader::read(source, |reader, table| read_flow(reader, table, settings))
}

fn read_flow(reader: &Reader, table: Table<'_>, settings: &Settings) -> Option<Draft> {
    let source = reader.source();
    let id = table.required_string("id").map(|id| checked_id(reader, id));
    let mut flow = Flow::empty(
        id.as_ref().map_or_else(String::new, |id| id.value.clone()),
        source.text.clone(),
    );
    if let Some(version) = table.integer("version", 1..=i64::from(u32::MAX)) {
        flow.version = u32::try_from(version.value).unwrap_or(1);
    }
    let title = table
        .required_string("title")
        .map_or_else(String::new, |title| title.value);
    let language = table
        .string("language")
        .map_or_else(|| settings.language.clone(), |tag| tag.value);
    flow.menu = table
        .one_of("kind", &[("form", false), ("menu", true)])
        .is_some_and(|kind| kind.value);
    if let Some(reminder) = table.duration("reminder") {
        flow.reminder = reminder.value;
    }
    if let Some(expires) = table.duration("expires") {
        flow.expires = expires.value;
        if flow.expires <= flow.reminder {
            let label = "not after the reminder";
            reader.warning(
                "flow::expires",
                "it expires before the reminder",
                expires.span,
                label,
            );
        }
    }
    let done = table.string("done");
    let (questions, targets) = read_questions(reader, &table, &mut flow);
    let ids: Vec<String> = flow
        .questions
        .iter()
        .map(|question| question.id.clone())
        .collect();
    let trigger_table = table.table("triggers", "`triggers`");
    let (phrases, contents) = trigger_table
        .map(|triggers| triggers::read(reader, triggers, &mut flow))
        .unwrap_or_default();
    let emergency = table
        .table("emergency", "[emergency]")
        .and_then(|emergency| {
            let words = emergency.strings("words");
            flow.emergency = Phrases::new(words.iter().map(|word| (fold(&word.value), ())));
            let say = emergency.required_string("say");
            emergency.finish();
            say.map(|say| Text::read(reader, &say, &ids))
        });
    if let Some(review) = table.table("review", "[review]") {
        flow.review = true;
        review.finish();
    }
    let ticket = table.table("ticket", "[ticket]");
    if flow.menu
        && let Some(span) = table.key("ticket").or_else(|| table.key("review"))
    {
        let message = "a menu makes no ticket and has nothing to review";
        reader.warning("flow::menu", message, span, "has no effect in a menu");
    }
    if let Some(ticket) = ticket {
        flow.ticket = Some(read_ticket(reader, ticket, &flow, settings));
    }
    let mut known = ids;
    known.push("code".to_owned());
    let done = done.map(|done| Text::read(reader, &done, &known));
    table.finish();
    let id = id?;
    Some(Draft {
        source: Arc::clone(source),
        id,
        language,
        flow,
        title,
        done,
        emergency,
        questions,
        phrases,
        contents,
        targets,
    })
}

fn read_questions(
    reader: &Reader,
    table: &Table<'_>,
    flow: &mut Flow,
) -> (Vec<QuestionDraft>, Vec<At<String>>) {
    let tables = table.tables("question", "this question");
    if tables.is_empty() && !reader.is_broken() {
        reader.report(
            Problem::error("flow::no-question", "a flow needs at least one question")
                .at(reader.source(), table.span(), "asks nothing")
                .help("add a `[[question]]` with `id`, `kind` and `ask`"),
        );
    }
    let ids: Vec<Option<At<String>>> = tables
        .iter()
        .map(|table| table.required_string("id"))
        .collect();
    let names: Vec<String> = ids
        .iter()
        .map(|id| id.as_ref().map_or_else(String::new, |id| id.value.clone()))
        .collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut drafts = Vec::new();
    let mut targets = Vec::new();
    for (index, (table, id)) in tables.into_iter().zip(ids).enumerate() {
        let id = id.map(|id| checked_id(reader, id));
        if let Some(id) = &id
            && (!seen.insert(id.value.replace('-', "_")) || id.value == "flow")
        {
            reader.report(
                Problem::error(
                    "flow::duplicate-id",
                    format!("the id `{}` is taken", id.value),
                )
                .at(reader.source(), id.span.clone(), "used before")
                .help("every question of a flow needs its own id; `flow` is the flow's"),
            );
        }
        let earlier = &names[..index];
        let later = &names[index..];
        let (question, draft) = read_question(
            reader,
            table,
            names[index].clone(),
            flow,
            (earlier, later),
            &mut targets,
        );
        flow.questions.push(question);
        drafts.push(draft);
    }
    (drafts, targets)
}

fn read_question(
    reader: &Reader,
    table: Table<'_>,
    id: String,
    flow: &Flow,
    (earlier, later): (&[String], &[String]),
    targets: &mut Vec<At<String>>,
) -> (Question, QuestionDraft) {
    let text = |key: &'static str| {
        table
            .string(key)
            .map(|text| Text::read(reader, &text, earlier))
    };
    let ask = table.required_string("ask");
    if let Some(ask) = ask.as_ref().filter(|ask| ask.value.trim().is_empty()) {
        table.bad_value("ask", ask, "it needs words");
    }
    if let Some(ask) = ask.as_ref().filter(|ask| ask.value.chars().count() > 600) {
        let message = "this question is longer than 600 characters";
        reader.warning(
            "flow::long-text",
            message,
            ask.span.clone(),
            "long for a small screen",
        );
    }
    let mut draft = QuestionDraft {
        ask: ask
            .map(|ask| Text::read(reader, &ask, earlier))
            .unwrap_or_default(),
        label: table.string("label").map(|label| label.value),
        help: text("help"),
        retry: text("retry"),
        ..QuestionDraft::default()
    };
    let kind = kinds::read(reader, &table, flow, &id, &mut draft, targets);
    if matches!(kind, Kind::Consent) {
        draft.refused = text("refused");
    }
    let optional = table.boolean("optional");
    if let Some(optional) = optional.as_ref().filter(|optional| optional.value)
        && matches!(kind, Kind::Consent | Kind::Say)
    {
        let message = format!("`optional` means nothing for `{}`", kind.name());
        reader.warning(
            "flow::optional",
            message,
            optional.span.clone(),
            "has no effect",
        );
    }
    let condition = table
        .string("when")
        .and_then(|when| when::read(reader, &when, flow, earlier, later));
    let zero_skips = draft
        .ask
        .template
        .bare()
        .split(|character: char| !character.is_alphanumeric())
        .any(|word| word == "0");
    let question = Question {
        id,
        optional: optional.is_some_and(|optional| optional.value)
            && !matches!(kind, Kind::Consent | Kind::Say),
        kind,
        personal: table
            .boolean("personal")
            .is_some_and(|personal| personal.value),
        when: condition,
        reminder: table.duration("reminder").map(|reminder| reminder.value),
        expires: table.duration("expires").map(|expires| expires.value),
        notify: draft.notify,
        zero_skips,
    };
    table.finish();
    (question, draft)
}

fn read_ticket(reader: &Reader, ticket: Table<'_>, flow: &Flow, settings: &Settings) -> TicketPlan {
    let backend = ticket.string("backend").and_then(|backend| {
        let Ok(id) = langnghe_model::BackendId::new(backend.value.as_str()) else {
            ticket.bad_value(
                "backend",
                &backend,
                "the id of a `[[backend]]` of the configuration",
            );
            return None;
        };
        if let Some(known) = &settings.backends
            && !known.contains(&id)
        {
            let message = format!("the configuration has no backend `{}`", backend.value);
            let names = known.iter().map(langnghe_model::BackendId::as_str);
            let span = backend.span;
            unknown(
                reader,
                "flow::unknown-backend",
                message,
                span,
                &backend.value,
                names,
            );
        }
        Some(id)
    });
    let service = ticket.string("service").map(|service| {
        let (template, places) = Template::parse(&service.value);
        for (name, place) in places {
            let span = reader.inside(&service, place);
            let question = flow.questions.iter().find(|question| question.id == name);
            let coded = |question: &&Question| matches!(question.kind, Kind::Choice(_));
            let names = flow
                .questions
                .iter()
                .filter(coded)
                .map(|question| question.id.as_str());
            match question {
                None => {
                    let message = format!("no question is called `{name}`");
                    unknown(reader, "flow::unknown-place", message, span, &name, names);
                }
                Some(question) if !coded(&question) => {
                    let message = format!("`{name}` is no question with choices");
                    reader.error("flow::service", message, span, "its answer is no code");
                }
                Some(_) => {}
            }
        }
        template
    });
    if let Some(span) = ticket.key("nearby") {
        let message = "reports nearby are not looked up yet";
        reader.warning(
            "flow::not-yet",
            message,
            span,
            "has no effect in this version",
        );
    }
    let urgent = ticket.boolean("urgent").is_some_and(|urgent| urgent.value);
    ticket.finish();
    TicketPlan {
        backend,
        service,
        urgent,
    }
}
