//! What is no message: receipts, reactions, followers, echoes.

use langnghe_model::{
    Event, EventId, EventKind, Timestamp,
    event::{Receipt, Referral},
};
use serde_json::Value;

use super::scope::{Scope, digest_id};
use crate::{citizen, lenient};

/// What takes a reaction back.
const REMOVED: &str = "/-remove";

/// The event that the body becomes; `None` for what is not known.
pub(super) fn event(scope: &Scope<'_>) -> Option<Event> {
    let name = scope.name();
    match &*name {
        "user_received_message" => received(scope),
        "user_seen_message" => seen(scope),
        "user_reacted_message" => reacted(scope),
        "follow" => Some(flat(scope, EventKind::Follow)),
        "unfollow" => Some(flat(scope, EventKind::Unfollow)),
        "user_click_chatnow" => Some(flat(
            scope,
            EventKind::Referral(Referral {
                reference: None,
                source: Some("chatnow".to_owned()),
            }),
        )),
        // Being asked whether one may be called, and groups, are no messages to a citizen.
        "oa_send_consent" => None,
        _ if name.starts_with("oa_send_group") => None,
        _ if name.starts_with("oa_send_") || name == "oa_reacted_message" => Some(echo(scope)),
        _ if name.starts_with("user_send_") && scope.is_from_oa() => Some(echo(scope)),
        _ => None,
    }
}

/// Flat events have no id: the same name, account, user and time are the same event.
fn flat(scope: &Scope<'_>, kind: EventKind) -> Event {
    let who = scope.citizen();
    let time = scope.text("/timestamp").unwrap_or_default();
    let oa = scope.text("/oa_id").unwrap_or_default();
    let key = [&*scope.name(), &oa, who.as_str(), &time].join("\n");
    let id = digest_id(&scope.name(), key.as_bytes());
    scope.made(id, who, kind)
}

/// A message reached the citizen: of the account's, or of a template that went to a phone number.
fn received(scope: &Scope<'_>) -> Option<Event> {
    let message = scope.message_id()?;
    let by_template = ["/message/tracking_id", "/message/delivery_time"]
        .iter()
        .any(|at| scope.text(at).is_some());
    let who = match scope.text("/recipient/id") {
        Some(phone) if by_template => citizen::by_phone(&phone),
        _ => scope.citizen(),
    };
    let kind = EventKind::Receipt(Receipt::Delivered {
        messages: vec![EventId::new(message.clone())],
        up_to: None,
    });
    let mut event = scope.made(format!("received:{message}"), who, kind);
    let delivered = scope.body.pointer("/message/delivery_time");
    if let Some(at) = delivered.and_then(lenient::moment) {
        event.sent_at = at;
    }
    Some(event)
}

fn seen(scope: &Scope<'_>) -> Option<Event> {
    let ids = match scope.body.pointer("/message/msg_ids") {
        Some(Value::Array(ids)) => ids.iter().filter_map(lenient::text).collect(),
        _ => vec![scope.message_id()?],
    };
    let up_to: Option<Timestamp> = scope.body.get("timestamp").and_then(lenient::moment);
    let id = digest_id("seen", ids.join("\n").as_bytes());
    let kind = EventKind::Receipt(Receipt::Read { up_to });
    Some(scope.made(id, scope.citizen(), kind))
}

fn reacted(scope: &Scope<'_>) -> Option<Event> {
    let message = scope.message_id()?;
    let emoji = scope
        .text("/message/react_icon")
        .filter(|icon| icon != REMOVED);
    // A citizen can react to one message several times, each at another moment.
    let time = scope.text("/timestamp").unwrap_or_default();
    let id = format!("reaction:{message}:{time}");
    let kind = EventKind::Reaction {
        message: EventId::new(message),
        emoji,
    };
    Some(scope.made(id, scope.citizen(), kind))
}

/// The account's own message. A person wrote it where Zalo names one.
fn echo(scope: &Scope<'_>) -> Event {
    let kind = EventKind::Echo {
        by_staff: scope.text("/sender/admin_id").is_some(),
        metadata: None,
    };
    let prefix = if &*scope.name() == "oa_reacted_message" {
        "oa-reaction"
    } else {
        "echo"
    };
    scope.made(scope.id_of_message(prefix), scope.citizen(), kind)
}
