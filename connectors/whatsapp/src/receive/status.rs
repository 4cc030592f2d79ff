//! What became of our messages. Order is not guaranteed, and each comes more than once: every step of
//! every message is an event of its own.

use langnghe_graph::wire::{Moment, Word, digest_id};
use langnghe_model::{
    Event, EventId, EventKind,
    event::{LateFailure, Receipt},
};
use serde::Deserialize;

use super::scope::Scope;
use crate::send::failed_later;

#[derive(Deserialize)]
struct WireStatus<'a> {
    #[serde(borrow, default, deserialize_with = "langnghe_graph::wire::id")]
    id: Option<Word<'a>>,
    #[serde(borrow, default)]
    status: Word<'a>,
    timestamp: Option<Moment>,
    #[serde(borrow)]
    recipient_id: Option<Word<'a>>,
    #[serde(borrow)]
    recipient_user_id: Option<Word<'a>>,
    biz_opaque_callback_data: Option<String>,
    #[serde(borrow)]
    errors: Option<Vec<WireError<'a>>>,
}

#[derive(Deserialize)]
struct WireError<'a> {
    #[serde(borrow)]
    code: Option<Word<'a>>,
}

/// One item of `statuses`.
pub(super) fn event(scope: &Scope<'_>, raw: &str) -> Result<Event, serde_json::Error> {
    let wire: WireStatus<'_> = serde_json::from_str(raw)?;
    let conversation =
        scope.conversation([wire.recipient_id.as_ref(), wire.recipient_user_id.as_ref()]);
    let status = wire.status.as_str();
    let message = wire.id.as_ref().map(|id| EventId::new(id.as_str()));
    let kind = match (status, message) {
        // Our own message, seen from outside, with what we attached to it.
        ("sent", Some(_)) => EventKind::Echo {
            by_staff: false,
            metadata: wire.biz_opaque_callback_data,
        },
        ("delivered", Some(message)) => EventKind::Receipt(Receipt::Delivered {
            messages: vec![message],
            up_to: None,
        }),
        // A voice message that was played was read, too.
        ("read" | "played", Some(_)) => EventKind::Receipt(Receipt::Read {
            up_to: wire.timestamp.and_then(Moment::timestamp),
        }),
        ("failed", Some(message)) => {
            let code = wire
                .errors
                .and_then(|errors| errors.into_iter().find_map(|error| error.code))
                .map(Word::into_string);
            EventKind::Receipt(Receipt::Failed {
                message,
                means: code.as_deref().map_or(LateFailure::Never, failed_later),
                code,
            })
        }
        _ => {
            let name = format!("status.{}", wire.status.name());
            return Ok(scope.unknown_from(&name, raw, conversation, wire.timestamp, None));
        }
    };
    let id = wire.id.as_ref();
    let id = id.map_or_else(
        || digest_id(status, raw),
        |id| format!("{status}:{}", id.as_str()),
    );
    Ok(scope.event(id, conversation, wire.timestamp, kind))
}
