//! One item of `messaging` or `standby`.

use langnghe_graph::wire::repair;
use langnghe_model::Event;
use serde_json::value::RawValue;

use super::{
    handover, message, other,
    scope::{Place, Scope},
    wire::Item,
};

/// Adds the events of one item. Never fails: what cannot be read is kept raw.
pub(super) fn events(scope: &Scope<'_>, place: Place, raw: &str, events: &mut Vec<Event>) {
    if scope.is_foreign() {
        events.push(scope.unknown("other_page", raw));
        return;
    }
    let known = events.len();
    if read(scope, place, raw, events).is_ok() {
        return;
    }
    events.truncate(known);
    if read(scope, place, &repair(raw), events).is_err() {
        events.truncate(known);
        events.push(scope.unknown("malformed", raw));
    }
}

fn read(
    scope: &Scope<'_>,
    place: Place,
    raw: &str,
    events: &mut Vec<Event>,
) -> Result<(), serde_json::Error> {
    let mut item: Item<'_> = serde_json::from_str(raw)?;
    let kinds = std::mem::take(&mut item.kinds);
    let before = events.len();
    for (kind, body) in &kinds {
        let context = Context {
            scope,
            place,
            item: &item,
            raw,
        };
        if let Some(event) = context.event(kind.as_str(), body)? {
            events.push(event);
        }
    }
    if events.len() == before {
        let name = kinds.first().map_or("empty", |(kind, _)| kind.as_str());
        events.push(scope.unknown_item(name, raw, &item));
    }
    Ok(())
}

/// An item and everything around it.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) place: Place,
    pub(super) item: &'a Item<'a>,
    /// The whole item.
    pub(super) raw: &'a str,
}

impl Context<'_> {
    /// The event of one kind; `None` when the kind is not known.
    fn event(self, kind: &str, body: &RawValue) -> Result<Option<Event>, serde_json::Error> {
        let event = match kind {
            "message" => message::event(self, body)?,
            "postback" => other::postback(self, body)?,
            "referral" => other::referral(self, body),
            "message_edit" => other::edit(self, body)?,
            "reaction" => other::reaction(self, body)?,
            "delivery" => other::delivery(self, body)?,
            "read" => other::read(self, body)?,
            "pass_thread_control" => handover::passed(self, body)?,
            "take_thread_control" => handover::taken(self),
            _ => return Ok(None),
        };
        Ok(Some(event))
    }
}
