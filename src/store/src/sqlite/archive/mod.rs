//! Reading a database out and filling it, record by record.

mod export;
mod import;

use async_trait::async_trait;
use langnghe_model::{DedupKey, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use crate::{
    Store as _, StoreError,
    archive::{Archive, Batch, Census, CopyMark, Cursor, Page, RecordKind},
};

/// The unfinished copy in this database, as it was written.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT value FROM meta WHERE name = 'copy'", [], |row| {
            row.get(0)
        })
        .optional()
}

#[async_trait]
impl Archive for SqliteStore {
    async fn used_by(&self) -> Result<Option<String>, StoreError> {
        // Its lock is ours.
        self.writer().map(|_| None)
    }

    async fn activity(&self) -> Result<String, StoreError> {
        self.writer()?
            .after(|state| Ok(state.counters.position.to_string()))
            .await
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.readers()?.read(census).await
    }

    async fn export(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let after = after.cloned();
        self.readers()?
            .read(move |connection| export::page(connection, kind, after.as_ref(), limit))
            .await
    }

    async fn import(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer()?
            .write(move |state| Ok(state.import(&batch)?))
            .await
    }

    async fn lacks(&self, marks: Vec<(DedupKey, Timestamp)>) -> Result<u64, StoreError> {
        self.writer()?
            .after(move |state| {
                let mut lacking = 0;
                for (mark, _) in &marks {
                    lacking += u64::from(!state.marks.contains(&state.connection, mark.0)?);
                }
                Ok(lacking)
            })
            .await
    }

    async fn copy_mark(&self) -> Result<Option<CopyMark>, StoreError> {
        let text = self.readers()?.read(unfinished).await?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StoreError::Damaged(format!("the mark of a copy: {error}")))
    }

    async fn set_copy_mark(&self, mark: Option<CopyMark>) -> Result<(), StoreError> {
        self.writer()?
            .write(move |state| Ok(state.set_copy_mark(mark.as_ref())?))
            .await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.close().await
    }
}

fn census(connection: &Connection) -> rusqlite::Result<Census> {
    let count = |sql: &str| {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        Ok::<_, rusqlite::Error>(count.unsigned_abs())
    };
    Ok(Census {
        documents: count("SELECT count(*) FROM documents")?,
        disabled: count("SELECT count(*) FROM disabled")?,
        tickets: count("SELECT count(*) FROM tickets")?,
        notes: count("SELECT count(*) FROM history")?,
        deliveries: count("SELECT count(*) FROM deliveries")?,
        dead_letters: count("SELECT count(*) FROM dead")?,
        sessions: count("SELECT count(*) FROM sessions")?,
        contacts: count("SELECT count(*) FROM contacts")?,
        timers: count("SELECT count(*) FROM timers")?,
        marks: count("SELECT coalesce(sum(length(hashes) / 16), 0) FROM marks")?
            + count("SELECT coalesce(sum(marks), 0) FROM mark_runs")?,
        events: count("SELECT count(*) FROM inbox")?,
        replies: count("SELECT count(*) FROM outbox")?,
    })
}
