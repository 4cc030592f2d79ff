//! Messages, their echoes, and messages taken back.

use langnghe_model::{
    Event, EventId, EventKind,
    event::{Attachment, Message},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    attachment, handover,
    item::Context,
    other::referral_of,
    scope::{Place, digest_id, value},
    wire::Word,
};
use crate::PAGE_INBOX;

#[derive(Deserialize)]
struct WireMessage<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    mid: Option<Word<'a>>,
    text: Option<String>,
    #[serde(borrow)]
    quick_reply: Option<&'a RawValue>,
    #[serde(borrow)]
    reply_to: Option<&'a RawValue>,
    #[serde(borrow)]
    attachments: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    referral: Option<&'a RawValue>,
    #[serde(default)]
    is_echo: Option<bool>,
    #[serde(default)]
    is_deleted: Option<bool>,
    #[serde(borrow)]
    app_id: Option<Word<'a>>,
    metadata: Option<String>,
}

#[derive(Deserialize)]
struct QuickReply {
    payload: Option<String>,
}

#[derive(Deserialize)]
struct ReplyTo<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    mid: Option<Word<'a>>,
}

pub(super) fn event(context: Context<'_>, body: &RawValue) -> Result<Event, serde_json::Error> {
    let wire: WireMessage<'_> = serde_json::from_str(body.get())?;
    let Context {
        scope, item, raw, ..
    } = context;
    // A message that the Page sent is never a citizen's, whether it says so or not: the bot must
    // not answer itself.
    if wire.is_echo == Some(true) || scope.is_page(item.sender.as_ref()) {
        let id = prefixed("echo", wire.mid, raw);
        let conversation = scope.conversation(item.recipient.as_ref());
        let kind = EventKind::Echo {
            by_staff: wire.app_id.is_some_and(|app| app.as_str() == PAGE_INBOX),
            metadata: wire.metadata,
        };
        return Ok(scope.event(id, conversation, item.timestamp, kind));
    }
    if context.place == Place::Standby {
        return Ok(handover::overheard(context));
    }
    let conversation = scope.conversation(item.sender.as_ref());
    if wire.is_deleted == Some(true)
        && let Some(mid) = &wire.mid
    {
        let kind = EventKind::Deleted {
            message: EventId::new(mid.as_str()),
        };
        let id = format!("deleted:{}", mid.as_str());
        return Ok(scope.event(id, conversation, item.timestamp, kind));
    }
    let message = Message {
        payload: wire
            .quick_reply
            .and_then(|raw| chosen(raw, wire.text.as_deref())),
        reply_to: wire.reply_to.and_then(|raw| {
            let reply_to: ReplyTo<'_> = serde_json::from_str(raw.get()).ok()?;
            reply_to.mid.map(|mid| EventId::new(mid.into_string()))
        }),
        referral: wire.referral.and_then(referral_of),
        attachments: attachments(wire.attachments, wire.text.is_none(), body)?,
        text: wire.text,
        album: None,
    };
    let id = wire
        .mid
        .map_or_else(|| digest_id("message", raw), Word::into_string);
    Ok(scope.event(
        id,
        conversation,
        item.timestamp,
        EventKind::Message(message),
    ))
}

/// The attachments. A message with nothing in it is one that Messenger could not pass on to us; it
/// is kept as an attachment, so that the citizen is told rather than left alone.
fn attachments(
    raws: Option<Vec<&RawValue>>,
    no_text: bool,
    body: &RawValue,
) -> Result<Vec<Attachment>, serde_json::Error> {
    let attachments = attachment::read_all(raws.unwrap_or_default())?;
    if attachments.is_empty() && no_text {
        return Ok(vec![Attachment::Other {
            name: "unsupported".to_owned(),
            raw: value(body)?,
        }]);
    }
    Ok(attachments)
}

/// The payload of a quick reply. Those for a phone number or an e-mail address carry what the
/// citizen shared, twice: that is text like any other.
fn chosen(raw: &RawValue, text: Option<&str>) -> Option<String> {
    let reply: QuickReply = serde_json::from_str(raw.get()).ok()?;
    reply
        .payload
        .filter(|payload| Some(payload.as_str()) != text || !is_contact(payload))
}

fn is_contact(text: &str) -> bool {
    text.contains('@') || text.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// The id of what speaks of a message: prefixed, so that it is not taken for the message.
pub(super) fn prefixed(prefix: &str, mid: Option<Word<'_>>, raw: &str) -> String {
    mid.map_or_else(
        || digest_id(prefix, raw),
        |mid| format!("{prefix}:{}", mid.as_str()),
    )
}
