//! Who may answer in a thread (Conversation Routing, formerly the Handover Protocol).

use langnghe_model::{Event, EventKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    item::Context,
    scope::{Place, digest_id},
    wire::Word,
};
use crate::PAGE_INBOX;

#[derive(Deserialize)]
struct Passed<'a> {
    #[serde(borrow)]
    new_owner_app_id: Option<Word<'a>>,
}

/// The thread was passed on. To whom: to us when our app is named; when ours is not configured, to
/// anyone but the Page's inbox in an item that is addressed to us; to nobody when nobody is named,
/// and then whoever is written to may answer.
pub(super) fn passed(context: Context<'_>, body: &RawValue) -> Result<Event, serde_json::Error> {
    let passed: Passed<'_> = serde_json::from_str(body.get())?;
    let owner = passed.new_owner_app_id.as_ref().map(Word::as_str);
    let ours = match (owner, context.scope.own_app) {
        (Some(owner), Some(own)) => owner == own,
        (Some(owner), None) => owner != PAGE_INBOX && context.place == Place::Messaging,
        (None, _) => context.place == Place::Messaging,
    };
    Ok(control(context, ours))
}

/// The thread was taken away from us; Meta tells nobody else.
pub(super) fn taken(context: Context<'_>) -> Event {
    control(context, false)
}

/// A citizen wrote while somebody else holds the thread.
pub(super) fn overheard(context: Context<'_>) -> Event {
    control(context, false)
}

fn control(context: Context<'_>, ours: bool) -> Event {
    let Context {
        scope, item, raw, ..
    } = context;
    let party = if scope.is_page(item.sender.as_ref()) {
        &item.recipient
    } else {
        &item.sender
    };
    let kind = EventKind::Control { ours };
    let conversation = scope.conversation(party.as_ref());
    scope.event(
        digest_id("control", raw),
        conversation,
        item.timestamp,
        kind,
    )
}
