//! Where conversations stand, one row each.
//!
//! A session's row id is 61 bits of the SHA-256 of its conversation, then two bits that tell apart
//! conversations which share them: one page is touched to find a session, and no index is kept.
//! The rows of one hash lie at slots 0, 1, … without a gap.

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

const SLOTS: i64 = 4;

/// The first of the row ids that the session of this key may have.
fn first_slot(key: &str) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    // Two bits for the slot and none for the sign.
    (i64::from_be_bytes(bytes) & (i64::MAX >> 2)) * SLOTS
}

/// Reads a session.
pub(super) fn get(
    connection: &Connection,
    conversation: &ConversationId,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let key = conversation.key();
    let first = first_slot(&key);
    connection
        .prepare_cached(
            "SELECT body FROM sessions WHERE id BETWEEN ?1 AND ?1 + 3 AND conversation = ?2",
        )?
        .query_row(params![first, key], |row| row.get(0))
        .optional()
}

/// When the citizen was last heard from.
pub(super) fn heard_at(
    connection: &Connection,
    conversation: &ConversationId,
) -> rusqlite::Result<Option<Timestamp>> {
    let key = conversation.key();
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT heard_at FROM sessions WHERE id BETWEEN ?1 AND ?1 + 3 AND conversation = ?2",
        )?
        .query_row(params![first_slot(&key), key], |row| row.get(0))
        .optional()?;
    Ok(at.map(Timestamp::from_milliseconds))
}

/// Writes a session; true when it is new. `heard` says when the citizen was there, if they were: then
/// it was taken at `now`.
pub(super) fn put(
    connection: &Connection,
    conversation: &ConversationId,
    body: &[u8],
    heard: Option<Timestamp>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let key = conversation.key();
    let first = first_slot(&key);
    let at = heard.map(Timestamp::as_milliseconds);
    let changed = connection
        .prepare_cached(
            "UPDATE sessions SET body = ?3, heard_at = max(heard_at, coalesce(?4, heard_at)),
                 taken_at = iif(?4 IS NULL, taken_at, max(taken_at, ?5))
             WHERE id BETWEEN ?1 AND ?1 + 3 AND conversation = ?2",
        )?
        .execute(params![first, key, body, at, now.as_milliseconds()])?;
    if changed > 0 {
        return Ok(false);
    }
    // A free slot always exists in practice: four of 2⁶¹ equal hashes do not happen. Were they to,
    // the insert fails and the batch is refused, which loses nothing.
    connection
        .prepare_cached(
            "INSERT INTO sessions (id, conversation, heard_at, body, taken_at)
             SELECT coalesce(max(id) + 1, ?1), ?2, ?3, ?4, ?5 FROM sessions
             WHERE id BETWEEN ?1 AND ?1 + 3",
        )?
        .execute(params![
            first,
            key,
            at.unwrap_or(now.as_milliseconds()),
            body,
            now.as_milliseconds()
        ])?;
    Ok(true)
}

/// Notes when the citizen was there, and that it was taken at `now`.
pub(super) fn touch(
    connection: &Connection,
    conversation: &ConversationId,
    at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let key = conversation.key();
    connection
        .prepare_cached(
            "UPDATE sessions SET heard_at = max(heard_at, ?3), taken_at = max(taken_at, ?4)
             WHERE id BETWEEN ?1 AND ?1 + 3 AND conversation = ?2",
        )?
        .execute(params![
            first_slot(&key),
            key,
            at.as_milliseconds(),
            now.as_milliseconds()
        ])?;
    Ok(())
}

/// Removes a session, only if it was last heard from, and that taken, before `idle_since` where that
/// is given; true when it was there.
pub(super) fn delete(
    connection: &Connection,
    conversation: &ConversationId,
    idle_since: Option<Timestamp>,
) -> rusqlite::Result<bool> {
    let key = conversation.key();
    let first = first_slot(&key);
    let before = idle_since.map_or(i64::MAX, Timestamp::as_milliseconds);
    let id: Option<i64> = connection
        .prepare_cached(
            "DELETE FROM sessions
             WHERE id BETWEEN ?1 AND ?1 + 3 AND conversation = ?2
                 AND max(heard_at, taken_at) < ?3 RETURNING id",
        )?
        .query_row(params![first, key, before], |row| row.get(0))
        .optional()?;
    if let Some(id) = id {
        connection
            .prepare_cached("UPDATE sessions SET id = id - 1 WHERE id > ?1 AND id <= ?2 + 3")?
            .execute(params![id, first])?;
    }
    Ok(id.is_some())
}
