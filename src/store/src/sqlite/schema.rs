//! The tables, and how an older database becomes a current one.

use rusqlite::Connection;

/// Each entry brings the schema from the version of its index to the next. Entries are never
/// changed once released, only added.
const MIGRATIONS: &[&str] = &[FIRST, SECOND, THIRD, FOURTH];

/// The newest version that this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of the schema in `connection`; 0 for an empty database.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the schema to the newest version, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let from = usize::try_from(version(connection)?).unwrap_or(usize::MAX);
    for (index, step) in MIGRATIONS.iter().enumerate().skip(from) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Version 1. Rows of the busy tables are appended (`inbox`, `marks`, `outbox`); a session's row id
/// is derived from its conversation (see `sessions.rs`), so that one page is touched a turn.
const FIRST: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    position INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE marks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT;
CREATE TABLE mark_runs (
    id INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    marks INTEGER NOT NULL,
    pages INTEGER NOT NULL
) STRICT;
CREATE TABLE mark_pages (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    heard_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    channel INTEGER NOT NULL,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    window_until INTEGER,
    queued_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_held ON outbox (conversation, id) WHERE state <> 0;
CREATE INDEX outbox_due ON outbox (channel, due_at, id) WHERE state = 2;
CREATE TABLE windows (
    conversation TEXT PRIMARY KEY,
    channel INTEGER NOT NULL,
    window_until INTEGER,
    before INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    conversation TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    look_at INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (conversation, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_look_at ON timers (look_at);

CREATE TABLE tickets (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    conversation TEXT,
    backend TEXT,
    delivery INTEGER NOT NULL,
    reference TEXT,
    created_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    personal BLOB
) STRICT;
CREATE INDEX tickets_conversation ON tickets (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX tickets_delivery ON tickets (delivery);
CREATE INDEX tickets_personal ON tickets (created_at)
    WHERE personal IS NOT NULL OR conversation IS NOT NULL;
CREATE TABLE history (
    seq INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    detail TEXT
) STRICT;
CREATE INDEX history_ticket ON history (ticket);
CREATE TABLE deliveries (
    ticket INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    queued_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (backend, due_at);
CREATE INDEX deliveries_oldest ON deliveries (backend, queued_at);

CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    place TEXT NOT NULL,
    conversation TEXT,
    ticket INTEGER,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    body BLOB NOT NULL,
    window_until INTEGER
) STRICT;
CREATE INDEX dead_conversation ON dead (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX dead_at ON dead (at);
CREATE INDEX dead_ticket ON dead (ticket) WHERE ticket IS NOT NULL;
CREATE TABLE disabled (backend TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE documents (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE visits (id INTEGER PRIMARY KEY, request TEXT NOT NULL, answer INTEGER) STRICT;
";

/// Version 2: what is kept of citizens besides their sessions, and lanes. A lane is an outbox with a
/// number of its own, as channels had before (see `outbox.rs`), so that waiting rows stay as they are.
const SECOND: &str = "
CREATE TABLE contacts (
    conversation TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_at ON contacts (at);
ALTER TABLE dead ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
";

/// Version 3: replies that a provider took and may yet fail to bring.
const THIRD: &str = "
CREATE TABLE sent (
    conversation TEXT NOT NULL,
    message TEXT NOT NULL,
    until INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (conversation, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_until ON sent (until);
";

/// Version 4: when we took what a session was last heard with, as retention begins there. Sessions of
/// before were heard from when they say.
const FOURTH: &str = "
ALTER TABLE sessions ADD COLUMN taken_at INTEGER NOT NULL DEFAULT 0;
";
