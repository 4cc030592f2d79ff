//! What happens to waiting replies when the citizen is there, and when they are to be forgotten.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{
    outbox::{PARKED, id_range, take_up_held},
    state::State,
};
use crate::Lane;

impl State {
    /// Makes what waits for the citizen due.
    pub(super) fn wake(&mut self, conversation: &ConversationId) -> rusqlite::Result<()> {
        for lane in self.lanes_of(&conversation.channel) {
            self.wake_lane(conversation, lane)?;
        }
        Ok(())
    }

    fn wake_lane(&mut self, conversation: &ConversationId, lane: Lane) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(&conversation.channel, lane);
        let waiting = match lane {
            Lane::Answer => counted.parked,
            // These also wait for a moment, and are looked at anew when the citizen is there.
            Lane::Notice | Lane::Broadcast => counted.held,
        };
        if waiting == 0 {
            return Ok(());
        }
        let key = conversation.key();
        let (from, to) = id_range(counted.number);
        let mut woken: Option<i64> = connection
            .prepare_cached(
                "UPDATE outbox SET state = 2, due_at = 0
                 WHERE conversation = ?1 AND state <> 0 AND state = 3 AND id > ?2 AND id < ?3
                 RETURNING id",
            )?
            .query_row(params![key, from, to], |row| row.get(0))
            .optional()?;
        counted.parked -= i64::from(woken.is_some());
        // What is in memory is due already, and perhaps on its way.
        if woken.is_none() && lane != Lane::Answer && index.get(conversation).is_none() {
            woken = connection
                .prepare_cached(
                    "UPDATE outbox SET due_at = 0
                     WHERE conversation = ?1 AND state <> 0 AND state = 2 AND id > ?2 AND id < ?3
                     RETURNING id",
                )?
                .query_row(params![key, from, to], |row| row.get(0))
                .optional()?;
        }
        if let Some(id) = woken {
            take_up_held(index, conversation, id);
            self.signal_channel(&conversation.channel);
        }
        Ok(())
    }

    /// The citizen was heard from: what waits for that becomes due, and answers get this window.
    pub(super) fn heard(
        &mut self,
        conversation: &ConversationId,
        window_until: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        self.wake(conversation)?;
        let (counted, index, connection) = self.lane(&conversation.channel, Lane::Answer);
        if counted.waiting == 0 {
            return Ok(());
        }
        let until = window_until.map(Timestamp::as_milliseconds);
        if let Some(queue) = index.get(conversation) {
            for id in &queue.ids {
                connection
                    .prepare_cached("UPDATE outbox SET window_until = ?2 WHERE id = ?1")?
                    .execute(params![id, until])?;
            }
        }
        let (from, to) = id_range(counted.number);
        if counted.held > 0 {
            connection
                .prepare_cached(
                    "UPDATE outbox SET window_until = ?2
                     WHERE conversation = ?1 AND state <> 0 AND id > ?3 AND id < ?4",
                )?
                .execute(params![conversation.key(), until, from, to])?;
        }
        if index.may_be_on_disk(conversation) {
            // Rows that are on disk only get it when they are taken up.
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO windows (conversation, channel, window_until, before)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    conversation.key(),
                    counted.number,
                    until,
                    counted.id + 1
                ])?;
            index.position.windows = true;
        }
        Ok(())
    }

    /// Removes what waits for a conversation; says how many.
    pub(super) fn erase_outbox(&mut self, conversation: &ConversationId) -> rusqlite::Result<i64> {
        let mut gone = 0;
        for lane in self.lanes_of(&conversation.channel) {
            gone += self.erase_lane(conversation, lane)?;
        }
        Ok(gone)
    }

    fn erase_lane(&mut self, conversation: &ConversationId, lane: Lane) -> rusqlite::Result<i64> {
        let (counted, index, connection) = self.lane(&conversation.channel, lane);
        if counted.waiting == 0 {
            return Ok(0);
        }
        let key = conversation.key();
        let (from, to) = id_range(counted.number);
        let mut gone = 0;
        if let Some(queue) = index.get(conversation).filter(|queue| !queue.held) {
            for id in &queue.ids {
                gone += connection
                    .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
                    .execute([id])?;
            }
        }
        index.put(conversation, None);
        if counted.held > 0 {
            let states: Vec<i64> = {
                let mut statement = connection.prepare_cached(
                    "DELETE FROM outbox
                     WHERE conversation = ?1 AND state <> 0 AND id > ?2 AND id < ?3 RETURNING state",
                )?;
                statement
                    .query_map(params![key, from, to], |row| row.get(0))?
                    .collect::<Result<_, _>>()?
            };
            gone += states.len();
            counted.held -= i64::try_from(states.len()).unwrap_or(0);
            let parked = states.iter().filter(|state| **state == PARKED).count();
            counted.parked -= i64::try_from(parked).unwrap_or(0);
        }
        if index.may_be_on_disk(conversation) {
            // Seldom: more waits than the window holds, so these rows are found by looking at all.
            gone += connection
                .prepare_cached(
                    "DELETE FROM outbox WHERE id > ?1 AND id < ?2 AND conversation = ?3",
                )?
                .execute(params![index.position.loaded_to, to, key])?;
        }
        let gone = i64::try_from(gone).unwrap_or(0);
        counted.waiting -= gone;
        Ok(gone)
    }
}
