//! From an update to events.

mod callback;
mod command;
mod content;
mod message;
mod read;
#[cfg(test)]
mod tests;
mod update;

use http::Method;
use langnghe_connector::{Answer, Received, Rejection, WebhookRequest};
use secrecy::ExposeSecret;
use serde_json::value::RawValue;

pub(crate) use self::{
    callback::{Callback, answer_to},
    read::{id_of, message_event_id},
    update::normalise,
};
use crate::{Config, Mode, api::method_name, languages::Languages};

/// Verifies a webhook and normalises the one update in it. A pressed button is answered in the answer
/// to the webhook: that leaves after the press is stored, from whichever replica took it, and needs no
/// request of ours. What becomes of it is not told, and nothing depends on it.
pub(crate) fn receive(
    config: &Config,
    languages: &Languages,
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    if *request.method != Method::POST {
        return Err(Rejection::Method);
    }
    // A bot that polls has no secret, so whoever posts here is not Telegram.
    let Mode::Webhook { secret } = &config.mode else {
        return Err(Rejection::Signature);
    };
    if !request.shows("x-telegram-bot-api-secret-token", secret.expose_secret()) {
        return Err(Rejection::Signature);
    }
    let raw: &RawValue = serde_json::from_slice(request.body)
        .map_err(|_| Rejection::Malformed("the body is not JSON"))?;
    let normalised = normalise(&config.channel, languages, raw.get(), request.received_at);
    Ok(Received {
        answer: normalised.callback.map(answer).unwrap_or_default(),
        events: normalised.events,
    })
}

/// A webhook's answer may be a call of a method.
fn answer(callback: Callback) -> Answer {
    let call = answer_to(callback);
    let mut json = serde_json::to_value(&call).unwrap_or_default();
    json["method"] = method_name(&call).into();
    Answer {
        content_type: "application/json",
        body: json.to_string().into(),
        ..Answer::default()
    }
}
