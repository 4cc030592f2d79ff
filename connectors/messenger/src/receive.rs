//! From a webhook to events.

mod attachment;
mod handover;
mod item;
mod message;
mod other;
mod scope;
mod wire;

use langnghe_connector::{Received, Rejection, WebhookRequest};
use langnghe_graph::{Hub, Opened};
use langnghe_model::Event;
use serde_json::value::RawValue;

use self::{
    scope::{Place, Scope},
    wire::{Entry, Envelope, LooseEnvelope},
};
use crate::Config;

/// What Messenger's webhooks speak of.
const PAGE_OBJECT: &str = "page";

/// Verifies a webhook and normalises every item of every entry.
pub(crate) fn receive(
    config: &Config,
    hub: &Hub,
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    match hub.open(request)? {
        Opened::Verification(received) => Ok(received),
        Opened::Signed => Ok(Received {
            events: normalise(config, request)?,
            ..Received::default()
        }),
    }
}

fn normalise(config: &Config, request: &WebhookRequest<'_>) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    let scope = Scope::new(config, request.received_at);
    if let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(request.body)
        && envelope.object.as_str() == PAGE_OBJECT
    {
        for entry in envelope.entry.iter().flatten() {
            entry_events(&scope, entry, &mut events);
        }
        return Ok(events);
    }
    let whole: &RawValue = serde_json::from_slice(request.body)
        .map_err(|_| Rejection::Malformed("the body is not JSON"))?;
    // Something in the envelope is not as documented: take apart what can be.
    match serde_json::from_str::<LooseEnvelope<'_>>(whole.get()) {
        Ok(envelope) if envelope.object.as_str() == PAGE_OBJECT => {
            for raw in envelope.entry {
                match serde_json::from_str::<Entry<'_>>(raw.get()) {
                    Ok(entry) => entry_events(&scope, &entry, &mut events),
                    Err(_) => events.push(scope.unknown("entry", raw.get())),
                }
            }
        }
        Ok(envelope) => {
            let name = format!("object.{}", envelope.object.name());
            events.push(scope.unknown(&name, whole.get()));
        }
        Err(_) => events.push(scope.unknown("envelope", whole.get())),
    }
    Ok(events)
}

fn entry_events(scope: &Scope<'_>, entry: &Entry<'_>, events: &mut Vec<Event>) {
    let scope = scope.of_entry(entry);
    for raw in entry.messaging.iter().flatten() {
        item::events(&scope, Place::Messaging, raw.get(), events);
    }
    for raw in entry.standby.iter().flatten() {
        item::events(&scope, Place::Standby, raw.get(), events);
    }
    for raw in entry.changes.iter().flatten() {
        events.push(scope.change(raw.get()));
    }
}

#[cfg(test)]
mod tests;
