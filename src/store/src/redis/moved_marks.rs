//! Dedup marks that came with a copy from another store.
//!
//! A mark made here lies in the partition of its conversation. Of one that was copied nobody knows the
//! conversation; it lies where its own hash says, and is looked for before events are taken in.
//! Nothing adds to these marks once the store is served, so that looking before is as good as looking
//! within the script; when the last has run out nobody looks any more.

use std::collections::HashSet;

use futures_util::future::join_all;
use langnghe_model::{DedupKey, Timestamp};

use super::{Shared, StoreClock, call, layout::Layout};
use crate::StoreError;

/// The name of their keys: `<prefix>:m:{partition}<16 bytes>`, which hold when the mark was made.
pub(super) const NAME: &str = "m";
/// The field of `<prefix>:meta` that says until when there may be any, in milliseconds.
pub(super) const UNTIL: &str = "marks_until";

/// Where a mark lies.
pub(super) fn key(layout: &Layout, mark: DedupKey) -> Vec<u8> {
    let hash = mark.0.to_be_bytes();
    let partition = layout.partition(&hash);
    let mut key = format!("{}:{NAME}:{{{partition}}}", layout.prefix).into_bytes();
    key.extend_from_slice(&hash);
    key
}

/// Which of these are known from before the copy.
pub(super) async fn known(
    shared: &Shared,
    marks: impl Iterator<Item = DedupKey>,
    now: Timestamp,
) -> Result<HashSet<DedupKey>, StoreError> {
    if shared.moved_marks_until.is_none_or(|until| until <= now) {
        return Ok(HashSet::new());
    }
    let marks: Vec<_> = marks.collect();
    let keys = marks.iter().map(|mark| key(&shared.layout, *mark));
    let held = if shared.layout.cluster {
        let each = keys.map(|key| async move {
            let mut command = redis::cmd("GET");
            command.arg(key);
            shared.link.command("accept", &command).await
        });
        join_all(each)
            .await
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
    } else if marks.is_empty() {
        Vec::new()
    } else {
        let mut command = redis::cmd("MGET");
        command.arg(keys.collect::<Vec<_>>());
        call::list(shared.link.command("accept", &command).await?)?
    };
    let mut known = HashSet::new();
    for (mark, held) in marks.into_iter().zip(held) {
        let Some(at) = call::optional(held)? else {
            continue;
        };
        let at = Timestamp::from_milliseconds(call::digits(&at)?);
        let counts = match shared.options.clock {
            // The server removes it when its time is over.
            StoreClock::Server => true,
            StoreClock::Caller => at + shared.options.dedup > now,
        };
        if counts {
            known.insert(mark);
        }
    }
    Ok(known)
}
