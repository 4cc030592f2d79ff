//! Replies that a provider took and may yet fail to bring.

use langnghe_model::{ConversationId, EventId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::state::State;
use crate::SentRecord;

/// What is kept of one.
pub(super) fn get(
    connection: &Connection,
    conversation: &ConversationId,
    message: &EventId,
) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT body FROM sent WHERE conversation = ?1 AND message = ?2")?
        .query_row([&conversation.key(), message.as_str()], |row| row.get(0))
        .optional()
}

impl State {
    /// Keeps one.
    pub(super) fn keep_sent(
        &mut self,
        conversation: &ConversationId,
        record: &SentRecord,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO sent (conversation, message, until, body)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                conversation.key(),
                record.message.as_str(),
                record.until.as_milliseconds(),
                record.body
            ])?;
        Ok(())
    }

    /// Removes those of a conversation.
    pub(super) fn erase_sent(&mut self, key: &str) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("DELETE FROM sent WHERE conversation = ?1")?
            .execute([key])?;
        Ok(())
    }

    /// Removes up to `limit` whose time is over; how many.
    pub(super) fn purge_sent(&mut self, now: Timestamp, limit: i64) -> rusqlite::Result<u64> {
        let gone = self
            .connection
            .prepare_cached(
                "DELETE FROM sent WHERE (conversation, message) IN
                 (SELECT conversation, message FROM sent WHERE until < ?1 ORDER BY until LIMIT ?2)",
            )?
            .execute([now.as_milliseconds(), limit])?;
        Ok(gone as u64)
    }
}
