//! Erasure and retention.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{Connection, params};

use super::{counters::kind_of, sessions, state::State};
use crate::{DeadKind, Erased};

impl State {
    /// Removes everything held of a conversation.
    pub(super) fn erase(
        &mut self,
        conversation: &ConversationId,
        now: Timestamp,
    ) -> rusqlite::Result<Erased> {
        let key = conversation.key();
        let mut erased = Erased {
            session: sessions::delete(&self.connection, conversation, None)?,
            ..Erased::default()
        };
        self.counters.sessions -= i64::from(erased.session);
        self.erase_contact(&key)?;
        self.erase_sent(&key)?;
        if let Some(entry) = self.inbox.get(conversation) {
            for event in &entry.events {
                self.connection
                    .prepare_cached("DELETE FROM inbox WHERE position = ?1")?
                    .execute([event.position])?;
                erased.waiting += 1;
            }
            self.inbox.put(conversation, None);
        }
        erased.waiting += self.erase_outbox(conversation)?.unsigned_abs();
        let timers = self
            .connection
            .prepare_cached("DELETE FROM timers WHERE conversation = ?1")?
            .execute([&key])?;
        self.counters.timers -= i64::try_from(timers).unwrap_or(0);
        erased.waiting += self.erase_dead(&key)?;
        let tickets: Vec<i64> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT seq FROM tickets WHERE conversation = ?1")?;
            statement
                .query_map([&key], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        for seq in tickets {
            self.forget_person(seq, now)?;
            erased.tickets += 1;
        }
        Ok(erased)
    }

    /// Removes a conversation's dead letters. One of a delivery stays, without the conversation:
    /// its ticket stays too, and would be lost in silence otherwise.
    fn erase_dead(&mut self, key: &str) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached(
                "UPDATE dead SET conversation = NULL WHERE conversation = ?1 AND kind = 1",
            )?
            .execute([key])?;
        let kinds: Vec<i64> = {
            let mut statement = self
                .connection
                .prepare_cached("DELETE FROM dead WHERE conversation = ?1 RETURNING kind")?;
            statement
                .query_map([key], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        for kind in &kinds {
            *self
                .counters
                .dead(kind_of(*kind).unwrap_or(DeadKind::Event)) -= 1;
        }
        Ok(kinds.len() as u64)
    }

    fn forget_person(&mut self, seq: i64, now: Timestamp) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE tickets SET personal = NULL, conversation = NULL WHERE seq = ?1",
            )?
            .execute([seq])?;
        self.connection
            .prepare_cached("UPDATE dead SET conversation = NULL WHERE ticket = ?1 AND kind = 1")?
            .execute([seq])?;
        self.note(seq, now, "erased", None)
    }

    /// Removes up to `limit` sessions among `candidates` that are still idle since `idle_since`.
    pub(super) fn purge_sessions(
        &mut self,
        candidates: &[ConversationId],
        idle_since: Timestamp,
    ) -> rusqlite::Result<u64> {
        let mut gone = 0;
        for conversation in candidates {
            // One with a waiting event is about to be heard from.
            if self.inbox.get(conversation).is_none()
                && sessions::delete(&self.connection, conversation, Some(idle_since))?
            {
                gone += 1;
                self.counters.sessions -= 1;
            }
        }
        Ok(gone)
    }

    /// Removes up to `limit` dead letters from before `before`.
    pub(super) fn purge_dead(&mut self, before: Timestamp, limit: i64) -> rusqlite::Result<u64> {
        let kinds: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(
                "DELETE FROM dead WHERE id IN
                 (SELECT id FROM dead WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING kind",
            )?;
            let rows = statement.query_map([before.as_milliseconds(), limit], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for kind in &kinds {
            *self
                .counters
                .dead(kind_of(*kind).unwrap_or(DeadKind::Event)) -= 1;
        }
        Ok(kinds.len() as u64)
    }

    /// Removes the personal part of up to `limit` tickets from before `before`.
    pub(super) fn purge_personal(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let tickets: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT seq FROM tickets
                 WHERE (personal IS NOT NULL OR conversation IS NOT NULL) AND created_at < ?1
                 ORDER BY created_at LIMIT ?2",
            )?;
            let rows = statement.query_map([before.as_milliseconds(), limit], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for seq in &tickets {
            self.forget_person(*seq, now)?;
        }
        Ok(tickets.len() as u64)
    }
}

/// Up to `limit` sessions with row ids above `after` that were looked at, and those among them that
/// are idle: for a reader, as all sessions have to be looked at.
pub(super) fn idle_sessions(
    connection: &Connection,
    after: i64,
    idle_since: Timestamp,
    limit: i64,
) -> rusqlite::Result<(Option<i64>, Vec<ConversationId>)> {
    let mut statement = connection.prepare_cached(
        "SELECT id, iif(max(heard_at, taken_at) < ?2, conversation, NULL) FROM sessions
         WHERE id > ?1 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![after, idle_since.as_milliseconds(), limit])?;
    let mut last = None;
    let mut idle = Vec::new();
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        let key: Option<String> = row.get(1)?;
        idle.extend(key.and_then(|key| ConversationId::from_key(&key)));
    }
    Ok((last, idle))
}
