//! What became of claimed replies.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{
    dead::lane_number,
    outbox::{HELD_BACK, PARKED, TO_RETRY, id_range, take_up_held},
    outbox_index::Queue,
    state::State,
};
use crate::{DeadKind, Lane, SettleResult, Settlement};

impl State {
    /// Applies one settlement; passes over one whose lease was lost.
    pub(super) fn settle(&mut self, settled: &Settlement, now: Timestamp) -> rusqlite::Result<()> {
        let id = settled.id.cast_signed();
        let Some((channel, lane)) = self.lane_of(id) else {
            return Ok(());
        };
        let (_, index, _) = self.lane(&channel, lane);
        let Some(conversation) = index.by_head(id).cloned() else {
            return Ok(());
        };
        let Some(queue) = index.get(&conversation).cloned() else {
            return Ok(());
        };
        if queue
            .lease
            .is_none_or(|lease| lease.token != settled.token.0)
        {
            return Ok(());
        }
        match &settled.result {
            SettleResult::Sent | SettleResult::Drop => self.leave(&conversation, lane, queue, id),
            SettleResult::SentFor(record) => {
                self.keep_sent(&conversation, record)?;
                self.leave(&conversation, lane, queue, id)
            }
            SettleResult::Bury { reason } => {
                self.connection
                    .prepare_cached(
                        "INSERT INTO dead (kind, place, conversation, reason, at, attempts, body,
                         window_until, lane)
                         SELECT 0, ?2, conversation, ?3, ?4, attempts + 1, body, window_until, ?5
                         FROM outbox WHERE id = ?1",
                    )?
                    .execute(params![
                        id,
                        channel.as_str(),
                        reason,
                        now.as_milliseconds(),
                        lane_number(lane)
                    ])?;
                *self.counters.dead(DeadKind::Reply) += 1;
                self.leave(&conversation, lane, queue, id)
            }
            SettleResult::Retry { at, counts } => {
                self.hold(&conversation, lane, &queue, (TO_RETRY, *at), *counts)
            }
            SettleResult::Park => {
                let (counted, _, _) = self.lane(&channel, lane);
                counted.parked += 1;
                self.hold(&conversation, lane, &queue, (PARKED, now), false)
            }
        }
    }

    /// The first reply leaves; the next one's turn comes.
    fn leave(
        &mut self,
        conversation: &ConversationId,
        lane: Lane,
        mut queue: Queue,
        id: i64,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(&conversation.channel, lane);
        connection
            .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
            .execute([id])?;
        counted.waiting -= 1;
        queue.lease = None;
        queue.ids.pop_front();
        if queue.held {
            counted.held -= 1;
            let (from, to) = id_range(counted.number);
            let next: Option<i64> = connection
                .prepare_cached(
                    "SELECT id FROM outbox
                     WHERE conversation = ?1 AND state <> 0 AND id > ?2 AND id < ?3
                     ORDER BY id LIMIT 1",
                )?
                .query_row(params![conversation.key(), from, to], |row| row.get(0))
                .optional()?;
            if let Some(next) = next {
                connection
                    .prepare_cached("UPDATE outbox SET state = 2, due_at = 0 WHERE id = ?1")?
                    .execute([next])?;
                take_up_held(index, conversation, next);
            } else {
                index.put(conversation, None);
            }
        } else {
            index.put(conversation, Some(queue));
        }
        self.signal_channel(&conversation.channel);
        Ok(())
    }

    /// The first reply waits, and those behind it with it.
    fn hold(
        &mut self,
        conversation: &ConversationId,
        lane: Lane,
        queue: &Queue,
        (state, at): (i64, Timestamp),
        counts: bool,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(&conversation.channel, lane);
        for (place, id) in queue.ids.iter().enumerate() {
            let state = if place == 0 { state } else { HELD_BACK };
            connection
                .prepare_cached(
                    "UPDATE outbox SET state = ?2, due_at = ?3, attempts = attempts + ?4
                     WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    state,
                    at.as_milliseconds(),
                    i64::from(counts && place == 0)
                ])?;
        }
        if !queue.held {
            counted.held += i64::try_from(queue.ids.len()).unwrap_or(0);
        }
        index.put(conversation, None);
        if state == TO_RETRY {
            let next = &mut index.position.next_due;
            *next = Some(next.map_or(at, |next| next.min(at)));
        }
        self.signal_channel(&conversation.channel);
        Ok(())
    }
}
