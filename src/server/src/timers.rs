//! Timers: what came due is put into its conversation's inbox, where order and leases hold.

use std::{sync::Arc, time::Duration};

use langnghe_model::{ConversationId, Event, EventId, EventKind, Timestamp};
use langnghe_store::Store;
use tokio_util::sync::CancellationToken;

use crate::{clock, pause::Backoff};

const WAIT: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 256;

/// Fires timers until `stop`.
pub(crate) async fn run(store: Arc<dyn Store>, stop: CancellationToken) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    while !stop.is_cancelled() {
        let fired = tokio::select! {
            fired = store.fire_timers(AT_ONCE, clock::now(), WAIT) => fired,
            () = stop.cancelled() => return,
        };
        match fired {
            Ok(_) => backoff.reset(),
            Err(error) => {
                tracing::warn!(%error, "timers wait for the store");
                backoff.wait(&stop).await;
            }
        }
    }
}

/// The event that a timer of a conversation becomes when it is due.
pub(crate) fn timer_event(conversation: &ConversationId, name: &str, at: Timestamp) -> Vec<u8> {
    let event = Event {
        id: EventId::new(format!("timer:{name}:{}", at.as_milliseconds())),
        conversation: conversation.clone(),
        sent_at: at,
        received_at: at,
        kind: EventKind::Timer {
            name: name.to_owned(),
        },
    };
    serde_json::to_vec(&event).expect("an event has only string keys")
}
