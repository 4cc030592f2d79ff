//! Documents, also those that change hands: put in the place of an expected one.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Keeps one under a name.
pub(super) fn keep(connection: &Connection, name: &str, body: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO documents (name, body) VALUES (?1, ?2)")?
        .execute(params![name, body])?;
    Ok(())
}

/// The one of this name.
pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT body FROM documents WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// All whose names begin so, by name.
pub(super) fn list(
    connection: &Connection,
    prefix: &str,
) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, body FROM documents
         WHERE name >= ?1 AND substr(name, 1, length(?1)) = ?1 ORDER BY name",
    )?;
    let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Removes the one of this name; false where there is none.
pub(super) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let removed = connection
        .prepare_cached("DELETE FROM documents WHERE name = ?1")?
        .execute([name])?;
    Ok(removed > 0)
}

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
        if find(connection, &self.name)? != self.expected {
            return Ok(false);
        }
        keep(connection, &self.name, &self.body)?;
        Ok(true)
    }
}
