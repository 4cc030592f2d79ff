//! How much waits.

use std::collections::BTreeMap;

use langnghe_model::{ChannelId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{counters::kind_of, outbox::id_range, state::State};
use crate::{Depth, Depths};

impl State {
    /// From counters and first rows; nothing is scanned.
    pub(super) fn depths(&self) -> rusqlite::Result<Depths> {
        let mut depths = Depths {
            inbox: self.inbox.waiting() as u64,
            inbox_oldest: self.inbox.oldest(),
            timers: self.counters.timers.unsigned_abs(),
            sessions: self.counters.sessions.unsigned_abs(),
            ..Depths::default()
        };
        let mut channels: BTreeMap<&ChannelId, Depth> = BTreeMap::new();
        for (channel, _, counted) in self.counters.lanes() {
            let (from, to) = id_range(counted.number);
            let oldest: Option<i64> = self
                .connection
                .prepare_cached(
                    "SELECT queued_at FROM outbox WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1",
                )?
                .query_row([from, to], |row| row.get(0))
                .optional()?;
            let depth = channels.entry(channel).or_default();
            depth.waiting += counted.waiting.unsigned_abs();
            depth.parked += counted.parked.unsigned_abs();
            let oldest = oldest.map(Timestamp::from_milliseconds);
            depth.oldest = [depth.oldest, oldest].into_iter().flatten().min();
        }
        depths.outbox = channels
            .into_iter()
            .map(|(channel, depth)| (channel.clone(), depth))
            .collect();
        for (backend, waiting) in &self.counters.deliveries {
            let oldest: Option<i64> = self
                .connection
                .prepare_cached(
                    "SELECT queued_at FROM deliveries WHERE backend = ?1 ORDER BY queued_at LIMIT 1",
                )?
                .query_row(params![backend.as_str()], |row| row.get(0))
                .optional()?;
            let depth = Depth {
                waiting: waiting.unsigned_abs(),
                parked: 0,
                oldest: oldest.map(Timestamp::from_milliseconds),
            };
            depths.deliveries.push((backend.clone(), depth));
        }
        for (kind, count) in (0..).zip(self.counters.dead) {
            depths
                .dead
                .extend(kind_of(kind).map(|kind| (kind, count.unsigned_abs())));
        }
        Ok(depths)
    }
}
