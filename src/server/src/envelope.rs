//! A reply as it lies in the outbox, with what decides when and how it may leave.

use langnghe_model::{Notice, Purpose, Reply, Template, Timestamp};
use langnghe_store::OutboxReply;
use serde::{Deserialize, Serialize};

use crate::setback::Setback;

/// A rendered reply with why it is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) reply: Reply,
    #[serde(default)]
    pub(crate) purpose: Purpose,
    /// After this moment it is worth nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Timestamp>,
    /// It reminds of something: worth nothing once the citizen wrote.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reminds: bool,
    /// The notice that it is, or is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// What happened at earlier sends, where the provider took it and failed to bring it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) setback: Option<Box<Setback>>,
}

/// Where a reply comes from that no citizen's message asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The id of the notice's event.
    pub(crate) id: String,
    /// The code of its ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    /// The notice as it was before it was rendered, with its first part: what another channel and a
    /// template bring is the whole of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whole: Option<Box<Notice>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Envelope(Envelope),
    /// How all replies were stored, and answers still are.
    Bare(Reply),
}

impl Envelope {
    /// Whether it answers what the citizen just did, and no agency's notice stands behind it.
    pub(crate) fn is_plain_answer(&self) -> bool {
        self.purpose == Purpose::Answer && self.origin.is_none()
    }

    /// An answer to what the citizen just did.
    pub(crate) fn answer(reply: Reply) -> Self {
        Self {
            reply,
            purpose: Purpose::Answer,
            deadline: None,
            reminds: false,
            origin: None,
            setback: None,
        }
    }

    /// When it was queued for the first time.
    pub(crate) fn queued_at(&self, outgoing: &OutboxReply) -> Timestamp {
        let setback = self.setback.as_ref();
        setback.map_or(outgoing.queued_at, |setback| setback.queued_at)
    }

    /// Reads an entry of the outbox; `None` for one that a newer version of the program wrote.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(body).ok()? {
            Stored::Envelope(envelope) => envelope,
            Stored::Bare(reply) => Self::answer(reply),
        })
    }

    /// As it lies in the outbox. A plain answer is its reply alone, as most are.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let plain = self.purpose == Purpose::Answer
            && self.deadline.is_none()
            && !self.reminds
            && self.origin.is_none()
            && self.setback.is_none();
        let encoded = if plain {
            serde_json::to_vec(&self.reply)
        } else {
            serde_json::to_vec(self)
        };
        encoded.expect("a reply has only string keys")
    }

    /// The template that says the same.
    pub(crate) fn template(&self) -> Option<&Template> {
        self.whole()?.template.as_ref()
    }

    /// The code of the ticket that it is about.
    pub(crate) fn ticket(&self) -> Option<&str> {
        self.origin.as_ref()?.ticket.as_deref()
    }

    /// The notice of which it is the first part.
    pub(crate) fn whole(&self) -> Option<&Notice> {
        self.origin.as_ref()?.whole.as_deref()
    }

    /// Whether it goes on with a notice whose beginning is another entry.
    pub(crate) fn is_later_part(&self) -> bool {
        self.origin
            .as_ref()
            .is_some_and(|origin| origin.whole.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Reply {
        Reply::Text {
            text: "Chào anh".to_owned(),
        }
    }

    #[test]
    fn what_was_stored_before_is_still_read() {
        let stored = br#"{"kind":"text","text":"Ch\u00e0o anh"}"#;
        let read = Envelope::decode(stored).expect("an old reply");
        assert_eq!(read, Envelope::answer(text()));
        assert_eq!(Envelope::decode(b"{}"), None);
    }

    #[test]
    fn what_is_stored_comes_back() {
        let notice = Notice {
            reply: text(),
            purpose: Purpose::Notice,
            deadline: Some(Timestamp::from_seconds(9)),
            template: None,
            ticket: Some("PA-1".to_owned()),
        };
        let envelope = Envelope {
            reply: text(),
            purpose: Purpose::Notice,
            deadline: notice.deadline,
            reminds: true,
            origin: Some(Origin {
                id: "notice:1".to_owned(),
                ticket: Some("PA-1".to_owned()),
                whole: Some(Box::new(notice)),
            }),
            setback: None,
        };
        for envelope in [envelope, Envelope::answer(text())] {
            assert_eq!(Envelope::decode(&envelope.encode()), Some(envelope));
        }
    }
}
