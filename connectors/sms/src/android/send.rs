//! Messages to the phone, or to the server that it is signed in to.

use http::{Method, StatusCode};
use langnghe_connector::{SendError, Sent};
use langnghe_model::EventId;
use serde_json::json;

use super::Android;
use crate::{api::by_status, provider::OutgoingText};

pub(super) async fn send(android: &Android, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
    // It takes ids of up to 36 characters, and refuses one that it has seen.
    let id = text.short_id();
    let mut message = json!({
        "id": id,
        "textMessage": { "text": text.text },
        "phoneNumbers": [text.to],
        "withDeliveryReport": true,
        "ttl": android.config.keep.as_secs(),
    });
    if let Some(sim) = android.config.sim {
        message["simNumber"] = sim.into();
    }
    let request = android.request(Method::POST, "messages")?.json(&message);
    let answer = android.api.ask(request).await?;
    // A conflict: it took the message at an earlier attempt, whose answer was lost.
    if answer.status.is_success() || answer.status == StatusCode::CONFLICT {
        return Ok(Sent {
            message: Some(EventId::new(id)),
        });
    }
    Err(by_status(&answer))
}
