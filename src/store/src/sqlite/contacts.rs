//! What citizens agreed to and refused, one row for each of the few who did, and when one was last heard
//! from.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{sessions, state::State};
use crate::Contact;

/// What is known of a citizen.
pub(super) fn get(
    connection: &Connection,
    conversation: &ConversationId,
) -> rusqlite::Result<Contact> {
    let record = connection
        .prepare_cached("SELECT body FROM contacts WHERE conversation = ?1")?
        .query_row([conversation.key()], |row| row.get(0))
        .optional()?;
    Ok(Contact {
        heard_at: sessions::heard_at(connection, conversation)?,
        record,
    })
}

impl State {
    /// Keeps a record; an empty one is removed.
    pub(super) fn put_contact(
        &mut self,
        conversation: &ConversationId,
        record: &[u8],
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if record.is_empty() {
            return self.erase_contact(&conversation.key()).map(drop);
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO contacts (conversation, at, body) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![conversation.key(), now.as_milliseconds(), record])?;
        Ok(())
    }

    /// Removes a record.
    pub(super) fn erase_contact(&mut self, key: &str) -> rusqlite::Result<bool> {
        let gone = self
            .connection
            .prepare_cached("DELETE FROM contacts WHERE conversation = ?1")?
            .execute([key])?;
        Ok(gone > 0)
    }

    /// Removes up to `limit` records from before `before`.
    pub(super) fn purge_contacts(
        &mut self,
        before: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let gone = self
            .connection
            .prepare_cached(
                "DELETE FROM contacts WHERE conversation IN
                 (SELECT conversation FROM contacts WHERE at < ?1 ORDER BY at LIMIT ?2)",
            )?
            .execute([before.as_milliseconds(), limit])?;
        Ok(gone as u64)
    }
}
