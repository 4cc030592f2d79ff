//! The kinds beside messages.

use langnghe_model::{
    Event, EventId, EventKind, Timestamp,
    event::{Receipt, Referral},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    handover,
    item::Context,
    message::prefixed,
    scope::{Place, digest_id},
    wire::{Moment, Word},
};

type Read = Result<Event, serde_json::Error>;

#[derive(Deserialize)]
struct Postback<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    mid: Option<Word<'a>>,
    title: Option<String>,
    payload: Option<String>,
    #[serde(borrow)]
    referral: Option<&'a RawValue>,
}

/// A button, "Get started", the menu or an ice breaker.
pub(super) fn postback(context: Context<'_>, body: &RawValue) -> Read {
    let Context {
        scope, item, raw, ..
    } = context;
    if context.place == Place::Standby {
        return Ok(handover::overheard(context));
    }
    let postback: Postback<'_> = serde_json::from_str(body.get())?;
    let kind = EventKind::Postback {
        payload: postback.payload,
        title: postback.title,
        referral: postback.referral.and_then(referral_of),
    };
    let id = prefixed("postback", postback.mid, raw);
    Ok(scope.event(
        id,
        scope.conversation(item.sender.as_ref()),
        item.timestamp,
        kind,
    ))
}

/// An m.me link was opened in a conversation that exists already.
pub(super) fn referral(context: Context<'_>, body: &RawValue) -> Event {
    let Context {
        scope, item, raw, ..
    } = context;
    if context.place == Place::Standby {
        return handover::overheard(context);
    }
    let Some(referral) = referral_of(body) else {
        return scope.unknown_item("referral", raw, item);
    };
    let conversation = scope.conversation(item.sender.as_ref());
    let kind = EventKind::Referral(referral);
    scope.event(
        digest_id("referral", raw),
        conversation,
        item.timestamp,
        kind,
    )
}

/// A referral, wherever it stands; `None` when it is not one.
pub(super) fn referral_of(raw: &RawValue) -> Option<Referral> {
    #[derive(Deserialize)]
    struct WireReferral<'a> {
        #[serde(rename = "ref", borrow)]
        reference: Option<Word<'a>>,
        #[serde(borrow)]
        source: Option<Word<'a>>,
    }
    let wire: WireReferral<'_> = serde_json::from_str(raw.get()).ok()?;
    let some = |word: Option<Word<'_>>| word.map(Word::into_string).filter(|text| !text.is_empty());
    Some(Referral {
        reference: some(wire.reference),
        source: some(wire.source),
    })
}

#[derive(Deserialize)]
struct Edit<'a> {
    #[serde(borrow)]
    mid: Word<'a>,
    #[serde(default)]
    text: String,
    #[serde(rename = "num_edit", borrow)]
    number: Option<Word<'a>>,
}

/// The citizen changed a message; at most five times.
pub(super) fn edit(context: Context<'_>, body: &RawValue) -> Read {
    let Context {
        scope, item, raw, ..
    } = context;
    if context.place == Place::Standby {
        return Ok(handover::overheard(context));
    }
    let edit: Edit<'_> = serde_json::from_str(body.get())?;
    let id = match &edit.number {
        Some(number) => format!("edit:{}:{}", edit.mid.as_str(), number.as_str()),
        None => digest_id("edit", raw),
    };
    let conversation = scope.conversation(item.sender.as_ref());
    let message = EventId::new(edit.mid.into_string());
    let kind = EventKind::Edit {
        message,
        text: edit.text,
    };
    Ok(scope.event(id, conversation, item.timestamp, kind))
}

#[derive(Deserialize)]
struct Reaction<'a> {
    #[serde(borrow)]
    mid: Word<'a>,
    #[serde(borrow)]
    action: Option<Word<'a>>,
    emoji: Option<String>,
    #[serde(rename = "reaction")]
    word: Option<String>,
}

/// The citizen reacted to a message, or took it back.
pub(super) fn reaction(context: Context<'_>, body: &RawValue) -> Read {
    let Context {
        scope, item, raw, ..
    } = context;
    if context.place == Place::Standby {
        return Ok(handover::overheard(context));
    }
    if scope.is_page(item.sender.as_ref()) {
        return Ok(scope.unknown_item("reaction", raw, item));
    }
    let reaction: Reaction<'_> = serde_json::from_str(body.get())?;
    let conversation = scope.conversation(item.sender.as_ref());
    let action = reaction.action.as_ref().map_or("react", Word::as_str);
    let mid = reaction.mid.as_str();
    let time = scope.time(item.timestamp).as_milliseconds();
    let id = format!("reaction:{mid}:{}:{action}:{time}", conversation.tag());
    let emoji = if action == "unreact" {
        None
    } else {
        reaction.emoji.or(reaction.word)
    };
    let kind = EventKind::Reaction {
        message: EventId::new(mid),
        emoji,
    };
    Ok(scope.event(id, conversation, item.timestamp, kind))
}

#[derive(Deserialize)]
struct Watermark<'a> {
    #[serde(borrow)]
    mids: Option<Vec<Word<'a>>>,
    watermark: Option<Moment>,
}

/// Our messages reached the device.
pub(super) fn delivery(context: Context<'_>, body: &RawValue) -> Read {
    let delivery: Watermark<'_> = serde_json::from_str(body.get())?;
    let mids = delivery.mids.unwrap_or_default();
    let messages = mids
        .into_iter()
        .map(|mid| EventId::new(mid.into_string()))
        .collect();
    let up_to = delivery.watermark.and_then(Moment::timestamp);
    Ok(receipt(
        context,
        "delivered",
        up_to,
        Receipt::Delivered { messages, up_to },
    ))
}

/// Our messages were read.
pub(super) fn read(context: Context<'_>, body: &RawValue) -> Read {
    let read: Watermark<'_> = serde_json::from_str(body.get())?;
    let up_to = read.watermark.and_then(Moment::timestamp);
    Ok(receipt(context, "read", up_to, Receipt::Read { up_to }))
}

fn receipt(
    context: Context<'_>,
    prefix: &str,
    up_to: Option<Timestamp>,
    receipt: Receipt,
) -> Event {
    let Context {
        scope, item, raw, ..
    } = context;
    let conversation = scope.conversation(item.sender.as_ref());
    let id = match up_to {
        Some(up_to) => format!(
            "{prefix}:{}:{}",
            conversation.tag(),
            up_to.as_milliseconds()
        ),
        None => digest_id(prefix, raw),
    };
    scope.event(
        id,
        conversation,
        item.timestamp,
        EventKind::Receipt(receipt),
    )
}
