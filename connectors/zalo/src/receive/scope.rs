//! What is known around an event: who it is of, when, and which account.

use std::borrow::Cow;

use langnghe_connector::{WebhookRequest, signature::encode_hex};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{feedback, message, news, other};
use crate::{Config, citizen, lenient};

/// The longest name of an event that is kept as such.
const LONGEST_NAME: usize = 60;

/// One webhook's body, and what is known around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) channel: &'a ChannelId,
    configured_oa: Option<&'a str>,
    pub(super) body: &'a Value,
    received_at: Timestamp,
}

impl<'a> Scope<'a> {
    pub(super) fn new(config: &'a Config, body: &'a Value, received_at: Timestamp) -> Self {
        Self {
            channel: &config.channel,
            configured_oa: config.oa_id.as_deref(),
            body,
            received_at,
        }
    }

    /// The text, or a number's digits, at a JSON pointer.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        lenient::text(self.body.pointer(pointer)?)
    }

    /// Zalo's word for the event.
    pub(super) fn name(&self) -> Cow<'a, str> {
        match self.body.get("event_name") {
            Some(Value::String(name)) if is_name(name) => name.into(),
            _ => "no event_name".into(),
        }
    }

    /// The account's id, as far as it can be told.
    fn oa(&self) -> Option<String> {
        let [sender, recipient] = ["/sender/id", "/recipient/id"].map(|at| self.text(at));
        if let Some(oa) = self.text("/oa_id").or_else(|| self.text("/oaId")) {
            return Some(oa);
        }
        if let Some(configured) = self.configured_oa
            && [&sender, &recipient].contains(&&Some(configured.to_owned()))
        {
            return Some(configured.to_owned());
        }
        if self.speaks_of_ours() {
            sender
        } else {
            recipient
        }
    }

    /// Whether the event is about a message of the account's, so that the sender is the account.
    fn speaks_of_ours(&self) -> bool {
        let name = self.name();
        ["oa_", "user_received_", "user_seen_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    }

    /// Whether the event is of an account that this channel is not.
    pub(super) fn is_foreign(&self) -> bool {
        let oa = self.oa();
        matches!((self.configured_oa, oa), (Some(ours), Some(oa)) if ours != oa)
    }

    /// Whether the account itself is the sender, as far as that can be told.
    pub(super) fn is_from_oa(&self) -> bool {
        let sender = self.text("/sender/id");
        sender.is_some() && sender.as_deref() == self.configured_oa
    }

    /// Of sender and recipient, the one who is not the account.
    fn party(&self) -> Option<String> {
        let (sender, recipient) = (self.text("/sender/id"), self.text("/recipient/id"));
        let oa = self.oa();
        if sender == oa { recipient } else { sender }
    }

    /// Whom the event is about: the account itself where there is no citizen.
    pub(super) fn citizen(&self) -> CitizenId {
        let found = ["/follower/id", "/user_id", "/user/id"]
            .iter()
            .find_map(|at| self.text(at));
        if let Some(id) = self.party().or(found) {
            return match self.text("/message/conversation_id") {
                Some(conversation) if self.name().contains("anonymous") => {
                    citizen::anonymous(&conversation, &id)
                }
                _ => CitizenId::new(&id),
            };
        }
        self.account()
    }

    /// Nobody: what happened is about the account itself.
    pub(super) fn account(&self) -> CitizenId {
        citizen::account(self.oa().as_deref())
    }

    /// The message's id.
    pub(super) fn message_id(&self) -> Option<String> {
        let at = ["/message/msg_id", "/message/message_id", "/msg_id"];
        at.iter().find_map(|at| self.text(at))
    }

    /// An id for what has none: the same event has the same, whenever it comes.
    pub(super) fn digest_id(&self, prefix: &str) -> String {
        digest_id(prefix, self.body.to_string().as_bytes())
    }

    /// The id of a message, or for one without id a digest.
    pub(super) fn id_of_message(&self, prefix: &str) -> String {
        match self.message_id() {
            Some(id) if prefix.is_empty() => id,
            Some(id) => format!("{prefix}:{id}"),
            None if prefix.is_empty() => self.digest_id("message"),
            None => self.digest_id(prefix),
        }
    }

    /// Puts an event together.
    pub(super) fn made(&self, id: String, citizen: CitizenId, kind: EventKind) -> Event {
        let sent_at = self.body.get("timestamp").and_then(lenient::moment);
        Event {
            id: EventId::new(id),
            conversation: ConversationId::new(self.channel.clone(), citizen),
            sent_at: sent_at.unwrap_or(self.received_at),
            received_at: self.received_at,
            kind,
        }
    }

    /// What became of the body.
    pub(super) fn event(&self) -> Event {
        let known = [message::event, other::event, feedback::event, news::event];
        let known = known.iter().find_map(|known| known(self));
        known.unwrap_or_else(|| {
            let kind = EventKind::Unknown {
                name: self.name().into_owned(),
                raw: self.body.clone(),
            };
            self.made(self.digest_id("unknown"), self.citizen(), kind)
        })
    }
}

/// What Zalo signed and nobody can read.
pub(super) fn unreadable(config: &Config, request: &WebhookRequest<'_>) -> Event {
    let citizen = citizen::account(config.oa_id.as_deref());
    Event {
        id: EventId::new(digest_id("unknown", request.body)),
        conversation: ConversationId::new(config.channel.clone(), citizen),
        sent_at: request.received_at,
        received_at: request.received_at,
        kind: EventKind::Unknown {
            name: "unreadable".to_owned(),
            raw: Value::String(String::from_utf8_lossy(request.body).into_owned()),
        },
    }
}

pub(super) fn digest_id(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}:{}", encode_hex(&Sha256::digest(bytes)[..16]))
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(plain)
}
