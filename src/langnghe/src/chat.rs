//! One citizen and the engine, without anything between them.

use std::{fs, io::Read as _, path::Path};

use langnghe_connector::{render, sniff};
use langnghe_desk::{
    code,
    ticket::{self, Ticket},
};
use langnghe_flow::{Context, Library, Session};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Profile, Reply,
    TicketId,
    event::{Attachment, Location, Media, Message},
    ticket::TicketSummary,
};
use langnghe_server::clock;

/// What a terminal shows of one message.
const TEXT_CHARACTERS: usize = 4000;

/// One line of the citizen.
#[derive(Debug, PartialEq)]
pub(crate) enum Input {
    /// To be sent.
    Message(Box<Message>),
    /// An empty line.
    Nothing,
    /// The end.
    Quit,
}

/// Reads one line of the citizen: words, or a command that begins with `/`.
pub(crate) fn parse(line: &str) -> Result<Input, String> {
    let line = line.trim();
    let message = |attachment| {
        let message = Message {
            attachments: vec![attachment],
            ..Message::default()
        };
        Ok(Input::Message(Box::new(message)))
    };
    let Some(command) = line.strip_prefix('/') else {
        if line.is_empty() {
            return Ok(Input::Nothing);
        }
        let message = Message {
            text: Some(line.to_owned()),
            ..Message::default()
        };
        return Ok(Input::Message(Box::new(message)));
    };
    let (name, argument) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    match name {
        "quit" => Ok(Input::Quit),
        "photo" | "file" => message(Attachment::Media(file(Path::new(argument.trim()))?)),
        "location" => message(Attachment::Location(place(argument.trim())?)),
        _ => Err(format!(
            "there is no command /{name}: /photo PATH, /location LAT,LON, /quit"
        )),
    }
}

fn place(text: &str) -> Result<Location, String> {
    let wrong = || "write a place as /location 10.0452,105.7469 (degrees north, east)".to_owned();
    let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
    let latitude: f64 = latitude.trim().parse().map_err(|_| wrong())?;
    let longitude: f64 = longitude.trim().parse().map_err(|_| wrong())?;
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return Err(wrong());
    }
    Ok(Location {
        latitude,
        longitude,
        accuracy: None,
        label: None,
    })
}

fn file(path: &Path) -> Result<Media, String> {
    let fail = |reason: &dyn std::fmt::Display| format!("cannot send {}: {reason}", path.display());
    let whole = fs::canonicalize(path).map_err(|error| fail(&error))?;
    let mut beginning = Vec::new();
    let opened = fs::File::open(&whole).map_err(|error| fail(&error))?;
    let bytes = opened.metadata().map_err(|error| fail(&error))?.len();
    opened
        .take(4096)
        .read_to_end(&mut beginning)
        .map_err(|error| fail(&error))?;
    let Some(found) = sniff(&beginning) else {
        return Err(fail(
            &"it is no picture, film, recording or document that is taken",
        ));
    };
    let url = url::Url::from_file_path(&whole).map_err(|()| fail(&"its path cannot be written"))?;
    Ok(Media {
        kind: found.kind,
        url: url.into(),
        content_type: Some(found.content_type.to_owned()),
        bytes: Some(bytes),
        name: whole
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
    })
}

/// One citizen and the engine.
#[derive(Debug)]
pub(crate) struct Chat {
    library: Library,
    conversation: ConversationId,
    capabilities: Capabilities,
    profile: Option<Profile>,
    session: Option<Session>,
    events: u64,
    made: Vec<TicketSummary>,
    tickets: Vec<Ticket>,
}

impl Chat {
    /// A citizen whose messenger tells this language.
    pub(crate) fn new(library: Library, language: Option<String>) -> Self {
        let channel = ChannelId::new("terminal").expect("a good id");
        Self {
            library,
            conversation: ConversationId::new(channel, CitizenId::new("terminal")),
            capabilities: Capabilities::text_only(TEXT_CHARACTERS),
            profile: language.map(|language| Profile {
                name: None,
                language: Some(language),
            }),
            session: None,
            events: 0,
            made: Vec::new(),
            tickets: Vec::new(),
        }
    }

    /// The citizen presses "Get started".
    pub(crate) fn start(&mut self) -> Vec<String> {
        self.turn(EventKind::Follow)
    }

    /// The citizen sends something; what they read in answer.
    pub(crate) fn message(&mut self, message: Message) -> Vec<String> {
        self.turn(EventKind::Message(message))
    }

    /// What came of the conversation.
    pub(crate) fn tickets(&self) -> &[Ticket] {
        &self.tickets
    }

    fn turn(&mut self, kind: EventKind) -> Vec<String> {
        let now = clock::now();
        self.events += 1;
        let event = Event {
            id: EventId::new(self.events.to_string()),
            conversation: self.conversation.clone(),
            sent_at: now,
            received_at: now,
            kind,
        };
        let code = code::from_random(rand::random());
        let context = Context {
            now,
            ticket_code: code.as_str(),
            capabilities: &self.capabilities,
            profile: self.profile.as_ref(),
            tickets: None,
        };
        let session = self.session.take();
        let mut step = self.library.step(session.clone(), &event, &context);
        if step.needs_tickets {
            let context = Context {
                tickets: Some(&self.made),
                ..context
            };
            step = self.library.step(session, &event, &context);
        }
        if step.erase {
            self.made.clear();
            self.tickets.clear();
        }
        self.session = step.session;
        if let Some(draft) = step.ticket {
            let id = TicketId::new(uuid::Uuid::now_v7().to_string());
            let made = ticket::compose(&draft, id.clone(), &self.conversation, now);
            self.made.push(TicketSummary {
                id,
                code: made.code,
                title: made.title,
                created_at: now,
            });
            self.tickets
                .extend(ticket::merge(&made.body, made.personal.as_deref()).ok());
        }
        let shown = |reply| render(reply, &self.capabilities);
        step.replies
            .into_iter()
            .flat_map(shown)
            .filter_map(words)
            .collect()
    }
}

/// What a citizen reads of one rendered reply.
fn words(reply: Reply) -> Option<String> {
    match reply {
        Reply::Text { text }
        | Reply::Choices { text, .. }
        | Reply::AskLocation { text, .. }
        | Reply::AskContact { text, .. } => Some(text),
        Reply::Media { url, caption, .. } => {
            Some(caption.map_or_else(|| url.clone(), |caption| format!("{caption}\n{url}")))
        }
        Reply::HandOver => Some("[handed over to the agency's staff]".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_or_commands() {
        assert_eq!(parse("  "), Ok(Input::Nothing));
        assert_eq!(parse("/quit"), Ok(Input::Quit));
        let Ok(Input::Message(message)) = parse(" Ổ gà ") else {
            panic!()
        };
        assert_eq!(message.text.as_deref(), Some("Ổ gà"));
        let Ok(Input::Message(message)) = parse("/location 10.05, 105.75") else {
            panic!()
        };
        assert!(matches!(
            message.attachments[..],
            [Attachment::Location(Location { latitude, .. })] if (latitude - 10.05).abs() < 1e-9
        ));
        for bad in [
            "/location",
            "/location 100,0",
            "/location a,b",
            "/photo /no/such",
            "/dance",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
