//! What a citizen sent.

use langnghe_graph::wire::{Moment, Word, digest_id};
use langnghe_model::{
    Event, EventId, EventKind,
    event::{Attachment, Message, Referral},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{content, kinds, scope::Scope};

/// What all types of messages have, and the payload of each type.
#[derive(Deserialize)]
pub(super) struct WireMessage<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    pub(super) id: Option<Word<'a>>,
    #[serde(borrow)]
    from: Option<Word<'a>>,
    #[serde(borrow)]
    from_user_id: Option<Word<'a>>,
    #[serde(borrow)]
    group_id: Option<Word<'a>>,
    pub(super) timestamp: Option<Moment>,
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    referral: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) image: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) video: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) voice: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) document: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) sticker: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) location: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) contacts: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) button: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) interactive: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reaction: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) system: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) edit: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) revoke: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    id: Option<Word<'a>>,
}

/// One item of `messages`.
pub(super) fn event(scope: &Scope<'_>, raw: &str) -> Result<Event, serde_json::Error> {
    let wire: WireMessage<'_> = serde_json::from_str(raw)?;
    if wire.group_id.is_some() {
        // Nobody is answered in front of others.
        let name = format!("group.{}", wire.kind.name());
        let number = scope.number_itself();
        return Ok(scope.unknown_from(&name, raw, number, wire.timestamp, wire.id.as_ref()));
    }
    let conversation = scope.conversation([wire.from.as_ref(), wire.from_user_id.as_ref()]);
    let is_somebody = conversation != scope.number_itself();
    let unknown = |name: &str| {
        scope.unknown_from(
            name,
            raw,
            conversation.clone(),
            wire.timestamp,
            wire.id.as_ref(),
        )
    };
    if !is_somebody {
        return Ok(unknown("no_sender"));
    }
    if let Some(id) = &wire.id {
        let name = scope.name_of(&conversation.citizen);
        scope
            .recent
            .wrote(conversation.citizen.as_str(), id.as_str(), name);
    }
    let kind = match kinds::beside_messages(&wire)? {
        kinds::Beside::Event(kind) => kind,
        kinds::Beside::Unknown(name) => return Ok(unknown(&name)),
        kinds::Beside::Message => match content::read(&wire, raw)? {
            Some(content) => EventKind::Message(Message {
                reply_to: reply_to(&wire),
                referral: wire.referral.and_then(referral),
                ..content
            }),
            None => return Ok(unknown(wire.kind.as_str())),
        },
    };
    let id = wire.id.as_ref();
    let id = id.map_or_else(|| digest_id("message", raw), |id| id.as_str().to_owned());
    Ok(scope.event(id, conversation, wire.timestamp, kind))
}

/// The message that this one answers; a forwarded one has a context without it.
fn reply_to(wire: &WireMessage<'_>) -> Option<EventId> {
    let context: Context<'_> = serde_json::from_str(wire.context?.get()).ok()?;
    Some(EventId::new(context.id?.into_string()))
}

/// The advertisement or post that led to us.
fn referral(raw: &RawValue) -> Option<Referral> {
    #[derive(Deserialize)]
    struct WireReferral<'a> {
        #[serde(borrow)]
        source_id: Option<Word<'a>>,
        #[serde(borrow)]
        source_type: Option<Word<'a>>,
    }
    let wire: WireReferral<'_> = serde_json::from_str(raw.get()).ok()?;
    let some = |word: Option<Word<'_>>| word.map(Word::into_string).filter(|text| !text.is_empty());
    Some(Referral {
        reference: some(wire.source_id),
        source: some(wire.source_type),
    })
}

/// Something that WhatsApp could not pass on: kept as an attachment, so that the citizen is told what we
/// take, rather than left alone.
pub(super) fn unsupported(name: &str, raw: &str) -> Message {
    Message {
        attachments: vec![Attachment::Other {
            name: langnghe_graph::wire::name(name).to_owned(),
            raw: langnghe_graph::wire::whole_value(raw),
        }],
        ..Message::default()
    }
}
