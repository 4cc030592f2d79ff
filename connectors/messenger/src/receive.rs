//! From a webhook to events.

mod attachment;
mod handover;
mod item;
mod message;
mod other;
mod scope;
mod surrogate;
mod verification;
mod wire;

use http::Method;
use langnghe_connector::{Received, Rejection, WebhookRequest, signature::HmacSha256Key};
use langnghe_model::Event;
use serde_json::value::RawValue;

use self::{
    scope::{Place, Scope},
    wire::{Entry, Envelope, LooseEnvelope},
};
use crate::Config;

/// Verifies a webhook and normalises every item of every entry.
pub(crate) fn receive(
    config: &Config,
    keys: &[HmacSha256Key],
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    match *request.method {
        Method::GET => verification::answer(&config.verify_token, request.query),
        Method::POST => {
            verify(keys, request)?;
            let events = normalise(config, request)?;
            Ok(Received {
                events,
                ..Received::default()
            })
        }
        _ => Err(Rejection::Method),
    }
}

/// `X-Hub-Signature-256: sha256=…` over the bytes as they came: Meta escapes non-ASCII characters,
/// so a body that was decoded and encoded again has another signature.
fn verify(keys: &[HmacSha256Key], request: &WebhookRequest<'_>) -> Result<(), Rejection> {
    let signature = request
        .headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("sha256="))
        .ok_or(Rejection::Signature)?;
    let good = keys
        .iter()
        .any(|key| key.verify_hex(request.body, signature));
    if good {
        Ok(())
    } else {
        Err(Rejection::Signature)
    }
}

fn normalise(config: &Config, request: &WebhookRequest<'_>) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    let scope = Scope::new(config, request.received_at);
    if let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(request.body)
        && envelope.object.is_page()
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
        Ok(envelope) if envelope.object.is_page() => {
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
