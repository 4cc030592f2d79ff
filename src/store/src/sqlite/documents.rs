//! Documents that change hands: put in the place of an expected one.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// See [`Store::exchange_document`](crate::Store::exchange_document).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DocumentExchange {
    pub(super) name: String,
    pub(super) expected: Option<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

impl DocumentExchange {
    /// Does it, within the transaction that is open; says whether it did.
    pub(super) fn apply(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let found: Option<Vec<u8>> = connection
            .prepare_cached("SELECT body FROM documents WHERE name = ?1")?
            .query_row([&self.name], |row| row.get(0))
            .optional()?;
        if found != self.expected {
            return Ok(false);
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO documents (name, body) VALUES (?1, ?2)")?
            .execute(params![self.name, self.body])?;
        Ok(true)
    }
}
