//! A citizen to talk with the engine in tests.

use std::{path::Path, sync::Arc, time::Duration};

use langnghe_flow::{Agency, Context, Library, Loaded, Session, Settings, Step};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Profile, Reply,
    Timestamp,
    event::{Attachment, Location, Media, MediaKind, Message},
    problem::Source,
    ticket::{TicketDraft, TicketSummary},
};

/// 2026-11-21 10:00 in Vietnam.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_230_000);

/// The settings that tests use.
pub(crate) fn settings(start: &str) -> Settings {
    Settings {
        start: start.to_owned(),
        language: "vi".to_owned(),
        backends: None,
        agency: Agency {
            name: "UBND".to_owned(),
            hotline: "1900 1075".to_owned(),
            ..Agency::default()
        },
    }
}

/// The files of a folder of the project with this ending.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<Arc<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let text = std::fs::read_to_string(&path).expect("it can be read");
                found.push(Source::new(path.to_string_lossy(), text));
            }
        }
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    found
}

/// Loads flows given as texts, with a menu-less start.
pub(crate) fn load(flows: &[&str], start: &str) -> Loaded {
    let sources: Vec<_> = flows
        .iter()
        .enumerate()
        .map(|(index, text)| Source::new(format!("flows/{index}.toml"), *text))
        .collect();
    Library::load(&sources, &[], settings(start))
}

/// The project's own flows and locales.
pub(crate) fn project() -> Library {
    let loaded = Library::load(
        &files("flows", "toml"),
        &files("locales", "ftl"),
        settings("menu"),
    );
    assert!(loaded.problems.is_empty(), "{:#?}", told(&loaded));
    loaded.library.expect("the project's flows check")
}

/// Problems as short lines: code, underlined text, help.
pub(crate) fn told(loaded: &Loaded) -> Vec<String> {
    loaded
        .problems
        .iter()
        .map(|problem| {
            let under = match (&problem.source, &problem.label) {
                (Some(source), Some((span, _))) => source.text[span.clone()].to_owned(),
                _ => String::new(),
            };
            format!(
                "{} | {under} | {} | {}",
                problem.code,
                problem.message,
                problem.help.as_deref().unwrap_or_default()
            )
        })
        .collect()
}

/// A citizen and their session, encoded between turns as the server does.
pub(crate) struct Citizen<'l> {
    pub(crate) library: &'l Library,
    pub(crate) session: Option<Vec<u8>>,
    pub(crate) now: Timestamp,
    pub(crate) capabilities: Capabilities,
    pub(crate) profile_language: Option<String>,
    pub(crate) tickets: Vec<TicketDraft>,
    pub(crate) timer: Option<Timestamp>,
    pub(crate) last: Step,
    count: u32,
}

impl<'l> Citizen<'l> {
    pub(crate) fn new(library: &'l Library) -> Self {
        Self {
            library,
            session: None,
            now: NOW,
            capabilities: Capabilities::text_only(2000),
            profile_language: None,
            tickets: Vec::new(),
            timer: None,
            last: Step::default(),
            count: 0,
        }
    }

    /// Something happens; gives what is said.
    pub(crate) fn happens(&mut self, kind: EventKind) -> String {
        self.count += 1;
        let channel = ChannelId::new("web").expect("a good id");
        let event = Event {
            id: EventId::new(format!("m{}", self.count)),
            conversation: ConversationId::new(channel, CitizenId::new("c1")),
            sent_at: self.now,
            received_at: self.now,
            kind,
        };
        let code = format!("CT-{}", self.count);
        let session = self
            .session
            .as_deref()
            .map(|bytes| Session::decode(bytes).expect("our own session"));
        let profile = Profile {
            name: None,
            language: self.profile_language.clone(),
        };
        let mut context = Context {
            now: self.now,
            ticket_code: &code,
            capabilities: &self.capabilities,
            profile: Some(&profile),
            tickets: None,
        };
        let mut step = self.library.step(session.clone(), &event, &context);
        let summaries: Vec<TicketSummary> = self
            .tickets
            .iter()
            .map(|ticket| TicketSummary {
                id: langnghe_model::TicketId::new(ticket.code.clone()),
                code: ticket.code.clone(),
                title: ticket.title.clone(),
                created_at: NOW,
            })
            .collect();
        if step.needs_tickets {
            assert!(step.replies.is_empty() && step.ticket.is_none());
            context.tickets = Some(&summaries);
            step = self.library.step(session, &event, &context);
        }
        self.session = step.session.as_ref().map(Session::encode);
        self.tickets.extend(step.ticket.clone());
        for timer in &step.timers {
            self.timer = timer.at;
        }
        let said = said(&step.replies);
        self.last = step;
        said
    }

    pub(crate) fn says(&mut self, text: &str) -> String {
        self.happens(EventKind::Message(Message {
            text: Some(text.to_owned()),
            ..Message::default()
        }))
    }

    pub(crate) fn sends(&mut self, text: Option<&str>, attachments: Vec<Attachment>) -> String {
        let text = text.map(str::to_owned);
        self.happens(EventKind::Message(Message {
            text,
            attachments,
            ..Message::default()
        }))
    }

    /// Taps the choice with this label in the last replies.
    pub(crate) fn taps(&mut self, label: &str) -> String {
        let choices = self.last.replies.iter().flat_map(choices);
        let payload = choices
            .filter(|choice| choice.label == label)
            .map(|choice| choice.payload.clone())
            .next()
            .unwrap_or_else(|| panic!("nothing called {label:?} to tap"));
        self.taps_payload(label, &payload)
    }

    pub(crate) fn taps_payload(&mut self, label: &str, payload: &str) -> String {
        self.happens(EventKind::Message(Message {
            text: Some(label.to_owned()),
            payload: Some(payload.to_owned()),
            ..Message::default()
        }))
    }

    /// Lets time pass until the timer that is set, and fires it.
    pub(crate) fn waits(&mut self) -> String {
        let due = self.timer.take().expect("a timer is set");
        self.now = due.max(self.now);
        self.happens(EventKind::Timer {
            name: "idle".to_owned(),
        })
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// The answer to a question in the last ticket, in words.
    pub(crate) fn ticket(&self, question: &str) -> Option<String> {
        let ticket = self.tickets.last()?;
        ticket
            .answers
            .iter()
            .find(|answer| answer.question == question)
            .map(|answer| answer.text.clone())
    }
}

pub(crate) fn choices(reply: &Reply) -> &[langnghe_model::reply::Choice] {
    match reply {
        Reply::Choices { choices, .. }
        | Reply::AskLocation { choices, .. }
        | Reply::AskContact { choices, .. } => choices,
        _ => &[],
    }
}

pub(crate) fn said(replies: &[Reply]) -> String {
    let mut all = Vec::new();
    for reply in replies {
        match reply {
            Reply::Text { text }
            | Reply::AskLocation { text, .. }
            | Reply::AskContact { text, .. } => {
                all.push(text.clone());
            }
            Reply::Choices { text, choices, .. } => {
                let labels: Vec<&str> =
                    choices.iter().map(|choice| choice.label.as_str()).collect();
                all.push(format!("{text} [{}]", labels.join(" | ")));
            }
            other => all.push(format!("{other:?}")),
        }
    }
    all.join("\n")
}

pub(crate) fn photo(url: &str) -> Attachment {
    Attachment::Media(Media {
        kind: MediaKind::Image,
        url: url.to_owned(),
        content_type: None,
        bytes: None,
        name: None,
    })
}

pub(crate) fn place() -> Attachment {
    Attachment::Location(Location {
        latitude: 10.0341,
        longitude: 105.7883,
        accuracy: None,
        label: None,
    })
}
