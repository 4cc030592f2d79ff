//! From a webhook to events: one event a request.

mod attachment;
mod feedback;
mod message;
mod news;
mod other;
mod scope;
mod signature;

use http::Method;
use langnghe_connector::{Received, Rejection, WebhookRequest};
use langnghe_model::Event;
use serde_json::Value;

use self::scope::Scope;
pub(crate) use self::signature::Keys;
use crate::Config;

/// The `msg_id` of the sample that the console's *Check* button sends.
const CONSOLE_CHECK: &str = "This is message id";

/// Verifies a webhook and normalises what is in it.
pub(crate) fn receive(
    config: &Config,
    keys: &Keys,
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    if *request.method != Method::POST {
        return Err(Rejection::Method);
    }
    match keys.verify(request.headers, request.body) {
        Ok(()) => {}
        Err(_) if config.setup => {
            tracing::warn!(channel = %config.channel,
                "a webhook was dropped: its signature is wrong, and `setup` answers it as if it were right");
            return Ok(Received::default());
        }
        Err(rejection) => return Err(rejection),
    }
    let events = normalise(config, request).into_iter().collect();
    Ok(Received {
        events,
        ..Received::default()
    })
}

fn normalise(config: &Config, request: &WebhookRequest<'_>) -> Option<Event> {
    let Ok(body) = serde_json::from_slice::<Value>(request.body) else {
        // Signed, so it is Zalo's; half a surrogate pair, for example, is no text to serde_json.
        return Some(scope::unreadable(config, request));
    };
    let scope = Scope::new(config, &body, request.received_at);
    if scope.text("/message/msg_id").as_deref() == Some(CONSOLE_CHECK) {
        tracing::info!(channel = %config.channel, "the console checked the webhook");
        return None;
    }
    if scope.is_foreign() {
        // The app serves other accounts too; each has a channel of its own, or none here.
        tracing::debug!(channel = %config.channel, "an event of another account was set aside");
        return None;
    }
    Some(scope.event())
}

#[cfg(test)]
mod tests;
