//! From a webhook to events.

mod content;
mod kinds;
mod message;
mod scope;
mod status;

use langnghe_connector::{Received, Rejection, WebhookRequest};
use langnghe_graph::{
    Hub, Opened,
    wire::{Word, repair},
};
use langnghe_model::Event;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::scope::Scope;
use crate::{Config, recent::Recent};

/// What WhatsApp's webhooks speak of.
const OBJECT: &str = "whatsapp_business_account";

/// The field under which messages and statuses come.
const FIELD: &str = "messages";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    object: Word<'a>,
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    changes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    field: Word<'a>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Messages and statuses of one number.
#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    contacts: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    statuses: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    errors: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    phone_number_id: Option<Word<'a>>,
}

/// Verifies a webhook and normalises every item of every entry.
pub(crate) fn receive(
    config: &Config,
    hub: &Hub,
    recent: &Recent,
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    match hub.open(request)? {
        Opened::Verification(received) => Ok(received),
        Opened::Signed => {
            let scope = Scope::new(config, recent, request.received_at);
            Ok(Received {
                events: normalise(&scope, request.body)?,
                ..Received::default()
            })
        }
    }
}

fn normalise(scope: &Scope<'_>, body: &[u8]) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    let whole: &RawValue =
        serde_json::from_slice(body).map_err(|_| Rejection::Malformed("the body is not JSON"))?;
    match serde_json::from_str::<Envelope<'_>>(whole.get()) {
        Ok(envelope) if envelope.object.as_str() == OBJECT => {
            for raw in envelope.entry {
                match serde_json::from_str::<Entry<'_>>(raw.get()) {
                    Ok(entry) => {
                        for raw in entry.changes {
                            change(scope, raw.get(), &mut events);
                        }
                    }
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

fn change(scope: &Scope<'_>, raw: &str, events: &mut Vec<Event>) {
    let change = match serde_json::from_str::<Change<'_>>(raw) {
        Ok(change) if change.field.as_str() == FIELD => change,
        Ok(change) => {
            // Templates, quality, the account: of other shapes, and for operators.
            let name = format!("changes.{}", change.field.name());
            return events.push(scope.unknown(&name, raw));
        }
        Err(_) => return events.push(scope.unknown("changes", raw)),
    };
    let Ok(value) = serde_json::from_str::<Value<'_>>(change.value.get()) else {
        return events.push(scope.unknown("malformed", raw));
    };
    let number = value
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.phone_number_id.as_ref())
        .map_or("", Word::as_str);
    if !number.is_empty() && number != scope.config.phone_number_id {
        return events.push(scope.unknown("other_number", raw));
    }
    let before = events.len();
    let scope = scope.with_contacts(value.contacts.as_deref().unwrap_or_default());
    let items = |read: Read, raws: Option<Vec<&RawValue>>, events: &mut Vec<Event>| {
        for raw in raws.into_iter().flatten() {
            item(&scope, read, raw.get(), events);
        }
    };
    items(message::event, value.messages, events);
    items(status::event, value.statuses, events);
    for raw in value.errors.into_iter().flatten() {
        events.push(scope.unknown("errors", raw.get()));
    }
    if events.len() == before {
        events.push(scope.unknown("empty", raw));
    }
}

type Read = fn(&Scope<'_>, &str) -> Result<Event, serde_json::Error>;

/// Adds the event of one message or status. Never fails: what cannot be read is kept raw.
fn item(scope: &Scope<'_>, read: Read, raw: &str, events: &mut Vec<Event>) {
    let event = read(scope, raw)
        .or_else(|_| read(scope, &repair(raw)))
        .unwrap_or_else(|_| scope.unknown("malformed", raw));
    events.push(event);
}

#[cfg(test)]
mod tests;
