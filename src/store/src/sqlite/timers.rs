//! Timers: events that come by themselves.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{inbox::Event, state::State, writer::Failure};
use crate::TimerChange;

/// When the next timer is due.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let at: Option<i64> = connection
        .prepare_cached("SELECT at FROM timers ORDER BY at LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(at.map(Timestamp::from_milliseconds))
}

impl State {
    /// Sets or cancels a timer.
    pub(super) fn change_timer(
        &mut self,
        conversation: &ConversationId,
        change: &TimerChange,
    ) -> rusqlite::Result<()> {
        let key = conversation.key();
        match change {
            TimerChange::Set { name, at, event } => {
                let replaced = self
                    .connection
                    .prepare_cached(
                        "UPDATE timers SET at = ?3, event = ?4 WHERE conversation = ?1 AND name = ?2",
                    )?
                    .execute(params![key, name, at.as_milliseconds(), event])?;
                if replaced == 0 {
                    self.connection
                        .prepare_cached(
                            "INSERT INTO timers (conversation, name, at, event)
                             VALUES (?1, ?2, ?3, ?4)",
                        )?
                        .execute(params![key, name, at.as_milliseconds(), event])?;
                    self.counters.timers += 1;
                }
                if self.next_timer.is_none_or(|next| *at < next) {
                    self.next_timer = Some(*at);
                    self.signals.timers = true;
                }
            }
            TimerChange::Cancel { name } => {
                let cancelled = self
                    .connection
                    .prepare_cached("DELETE FROM timers WHERE conversation = ?1 AND name = ?2")?
                    .execute(params![key, name])?;
                self.counters.timers -= i64::try_from(cancelled).unwrap_or(0);
            }
        }
        Ok(())
    }

    /// Moves up to `max` due timers into their inboxes.
    pub(super) fn fire_timers(&mut self, max: usize, now: Timestamp) -> Result<usize, Failure> {
        let due: Vec<(String, String, Vec<u8>)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT conversation, name, event FROM timers WHERE at <= ?1
                 ORDER BY at, conversation, name LIMIT ?2",
            )?;
            let limit = i64::try_from(max).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![now.as_milliseconds(), limit], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        for (key, name, event) in &due {
            self.connection
                .prepare_cached("DELETE FROM timers WHERE conversation = ?1 AND name = ?2")?
                .execute(params![key, name])?;
            self.counters.timers -= 1;
            if let Some(conversation) = ConversationId::from_key(key) {
                self.append(&conversation, event, now)?;
            }
        }
        self.next_timer = next(&self.connection)?;
        Ok(due.len())
    }

    /// Appends an event to an inbox without asking for a mark or for room.
    pub(super) fn append(
        &mut self,
        conversation: &ConversationId,
        body: &[u8],
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        self.counters.position += 1;
        let position = self.counters.position;
        self.connection
            .prepare_cached(
                "INSERT INTO inbox (position, conversation, at, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                position,
                conversation.key(),
                now.as_milliseconds(),
                body
            ])?;
        let body = self.inbox.room_for(body);
        self.inbox.push(
            conversation,
            Event {
                position,
                at: now,
                body,
            },
        );
        self.signals.inbox = true;
        Ok(())
    }
}
