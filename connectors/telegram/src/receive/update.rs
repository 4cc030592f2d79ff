//! One update.

use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp};
use serde_json::Value;

use super::{
    callback::{self, Callback},
    message,
    read::{digest, id_of, name, object, text},
};
use crate::{NOBODY, languages::Languages};

/// What an update became.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    /// Its number, by which polling confirms it.
    pub(crate) id: Option<i64>,
    /// What happened; nothing where nobody speaks to us.
    pub(crate) events: Vec<Event>,
    /// A pressed button that waits for an answer.
    pub(crate) callback: Option<Callback>,
}

/// An update and where it came.
pub(super) struct Scope<'a> {
    pub(super) channel: &'a ChannelId,
    pub(super) received_at: Timestamp,
    /// The update's number, or a digest of it where it has none.
    pub(super) update: String,
    /// The update as it came.
    pub(super) raw: &'a Value,
}

/// Normalises one update, given as JSON. Never fails: what cannot be read is kept raw.
pub(crate) fn normalise(
    channel: &ChannelId,
    languages: &Languages,
    raw: &str,
    received_at: Timestamp,
) -> Normalised {
    // What serde_json cannot hold (a nesting deeper than its bound) is kept as its text.
    let value: Value = serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_owned()));
    let id = id_of(&value["update_id"]);
    let scope = Scope {
        channel,
        received_at,
        update: id.map_or_else(|| digest(raw), |id| id.to_string()),
        raw: &value,
    };
    let mut normalised = scope.read();
    normalised.id = id;
    if let Some((_, part)) = kind(&value)
        && let Some(tag) = text(&part["from"], "language_code")
        && let Some(event) = normalised.events.first()
    {
        languages.note(&event.conversation.citizen, tag);
    }
    normalised
}

/// What the update speaks of, beside its number.
fn kind(value: &Value) -> Option<(&str, &Value)> {
    let fields = value.as_object()?;
    let mut kinds = fields.iter().filter(|(key, _)| *key != "update_id");
    kinds.next().map(|(key, part)| (key.as_str(), part))
}

impl Scope<'_> {
    fn read(&self) -> Normalised {
        let Some((kind, part)) = kind(self.raw) else {
            return self.unknown("malformed", None).into();
        };
        let callback = (kind == "callback_query").then(|| &part["message"]);
        let Some(chat) = object(callback.unwrap_or(part), "chat") else {
            // A callback whose message is gone still says who pressed.
            return match kind {
                "callback_query" => callback::read(self, part, None),
                _ => self.unknown(kind, id_of(&part["from"]["id"])).into(),
            };
        };
        let place = text(chat, "type").unwrap_or("private");
        if place != "private" {
            // Said in a group: not to us, so nothing of it is kept; but the spinner of a button ends.
            return match kind {
                "callback_query" => callback::answer_only(part),
                _ => Normalised::default(),
            };
        }
        let Some(chat) = id_of(&chat["id"]) else {
            return self.unknown(kind, None).into();
        };
        match kind {
            "message" => message::new(self, part, chat),
            "edited_message" => message::edited(self, part, chat),
            "callback_query" => callback::read(self, part, Some(chat)),
            "my_chat_member" => self.member(part, chat),
            _ => self.unknown(kind, Some(chat)).into(),
        }
    }

    /// The citizen blocked the bot, or came back.
    fn member(&self, part: &Value, chat: i64) -> Normalised {
        let kind = match text(&part["new_chat_member"], "status") {
            Some("kicked" | "left") => EventKind::Unfollow,
            Some("member") => EventKind::Follow,
            _ => return self.unknown("my_chat_member", Some(chat)).into(),
        };
        let sent_at = super::read::time(part, "date");
        let id = format!("member:{}", self.update);
        self.event(EventId::new(id), chat, sent_at, kind).into()
    }

    pub(super) fn event(
        &self,
        id: EventId,
        chat: i64,
        sent_at: Option<Timestamp>,
        kind: EventKind,
    ) -> Event {
        Event {
            id,
            conversation: ConversationId::new(
                self.channel.clone(),
                CitizenId::new(&chat.to_string()),
            ),
            sent_at: sent_at.unwrap_or(self.received_at),
            received_at: self.received_at,
            kind,
        }
    }

    /// Something that is not known, kept whole.
    pub(super) fn unknown(&self, kind: &str, chat: Option<i64>) -> Event {
        let kind = EventKind::Unknown {
            name: name(kind).to_owned(),
            raw: self.raw.clone(),
        };
        let id = EventId::new(format!("unknown:{}", self.update));
        let mut event = self.event(id, 0, None, kind);
        event.conversation = ConversationId::new(
            self.channel.clone(),
            chat.map_or_else(
                || CitizenId::new(NOBODY),
                |chat| CitizenId::new(&chat.to_string()),
            ),
        );
        event
    }
}

impl From<Event> for Normalised {
    fn from(event: Event) -> Self {
        Self {
            events: vec![event],
            ..Self::default()
        }
    }
}
