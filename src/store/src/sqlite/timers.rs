//! Timers: events that come by themselves.
//!
//! Every answer of a citizen puts their timers off. So that this does not move an index entry each
//! time, a timer has a second moment, `look_at`, at or before the real one: putting it off leaves
//! that as it is, and when it comes it is moved to the real moment.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{inbox::Event, state::State, writer::Failure};
use crate::TimerChange;

/// How often one operation moves timers that were put off, so that it does not hold others up.
const PASSES: usize = 8;

/// Conversation, name and event.
type DueTimer = (String, String, Vec<u8>);

/// When the next timer may be due.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let at: Option<i64> = connection
        .prepare_cached("SELECT look_at FROM timers ORDER BY look_at LIMIT 1")?
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
                self.set_timer(&key, name, at.as_milliseconds(), event)?;
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

    fn set_timer(&mut self, key: &str, name: &str, at: i64, event: &[u8]) -> rusqlite::Result<()> {
        let put_off = "UPDATE timers SET at = ?3, event = ?4
                       WHERE conversation = ?1 AND name = ?2 AND look_at <= ?3";
        let bring_forward = "UPDATE timers SET at = ?3, event = ?4, look_at = ?3
                             WHERE conversation = ?1 AND name = ?2";
        for change in [put_off, bring_forward] {
            let mut statement = self.connection.prepare_cached(change)?;
            if statement.execute(params![key, name, at, event])? > 0 {
                return Ok(());
            }
        }
        self.connection
            .prepare_cached(
                "INSERT INTO timers (conversation, name, at, look_at, event)
                 VALUES (?1, ?2, ?3, ?3, ?4)",
            )?
            .execute(params![key, name, at, event])?;
        self.counters.timers += 1;
        Ok(())
    }

    /// Moves up to `max` due timers into their inboxes. `None` when so many were put off that this
    /// is to be called again first.
    pub(super) fn fire_timers(
        &mut self,
        max: usize,
        now: Timestamp,
    ) -> Result<Option<usize>, Failure> {
        let Some(due) = self.due_timers(max, now)? else {
            return Ok(None);
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
        Ok(Some(due.len()))
    }

    /// The first `max` timers that are due, after those that were put off are at their real moment.
    fn due_timers(&self, max: usize, now: Timestamp) -> rusqlite::Result<Option<Vec<DueTimer>>> {
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        for _ in 0..PASSES {
            let found: Vec<(DueTimer, bool)> = {
                let mut statement = self.connection.prepare_cached(
                    "SELECT conversation, name, event, at > look_at FROM timers
                     WHERE look_at <= ?1 ORDER BY look_at, conversation, name LIMIT ?2",
                )?;
                let rows = statement.query_map([now.as_milliseconds(), limit], |row| {
                    Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
                })?;
                rows.collect::<Result<_, _>>()?
            };
            if !found.iter().any(|(_, put_off)| *put_off) {
                return Ok(Some(found.into_iter().map(|(due, _)| due).collect()));
            }
            for ((key, name, _), _) in found.iter().filter(|(_, put_off)| *put_off) {
                self.connection
                    .prepare_cached(
                        "UPDATE timers SET look_at = at WHERE conversation = ?1 AND name = ?2",
                    )?
                    .execute([key, name])?;
            }
        }
        Ok(None)
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
