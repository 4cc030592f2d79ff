//! Keeps the write-ahead log short without stopping the writer.
//!
//! A thread with a connection of its own copies the log into the database (`PASSIVE`, so it waits
//! for nobody). Only when all is copied can the log begin anew, and under load something always
//! comes after; so the writer copies that small rest itself.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
    mpsc::{Receiver, SyncSender},
};

use rusqlite::Connection;

/// Pages in the log from which on it is copied: 16 MiB.
const COPY_FROM: i64 = 4096;
/// The writer copies a rest of so many pages itself.
const REST: i64 = 1024;
/// Beyond this the writer waits for the copying, so that the log stays bounded: 128 MiB.
const AT_MOST: i64 = 32_768;

#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Pages in the log after the last commit.
    pub(super) pages: AtomicI64,
    copied: AtomicI64,
    busy: AtomicBool,
}

/// The writer's side.
pub(super) struct Checkpoints {
    pub(super) progress: Arc<Progress>,
    pub(super) start: SyncSender<()>,
}

impl Checkpoints {
    /// Starts the copying where it is due, or finishes it.
    pub(super) fn after_commit(&self, connection: &Connection) {
        let pages = self.progress.pages.load(Ordering::Acquire);
        if pages < COPY_FROM {
            return;
        }
        let busy = self.progress.busy.load(Ordering::Acquire);
        let rest = pages - self.progress.copied.load(Ordering::Acquire);
        if pages >= AT_MOST || (!busy && rest <= REST) {
            if let Some((log, copied)) = copy(connection, "PASSIVE") {
                self.progress.copied.store(copied, Ordering::Release);
                if copied >= log {
                    // The next commit begins the log anew and sets the true figure.
                    self.progress.pages.store(0, Ordering::Release);
                    self.progress.copied.store(0, Ordering::Release);
                }
            }
        } else if !busy {
            self.progress.busy.store(true, Ordering::Release);
            if self.start.try_send(()).is_err() {
                self.progress.busy.store(false, Ordering::Release);
            }
        }
    }

    /// Copies everything at the end.
    #[expect(
        clippy::unused_self,
        reason = "belongs to the writer's end of the checkpoints"
    )]
    pub(super) fn finish(&self, connection: &Connection) {
        copy(connection, "TRUNCATE");
    }
}

/// The thread's life: until the writer is gone.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the thread owns what it is given"
)]
pub(super) fn run(start: Receiver<()>, connection: Connection, progress: Arc<Progress>) {
    while start.recv().is_ok() {
        if let Some((_, copied)) = copy(&connection, "PASSIVE") {
            progress.copied.store(copied, Ordering::Release);
        }
        progress.busy.store(false, Ordering::Release);
    }
}

/// Pages in the log and pages copied; nothing when it failed, which is tried again later.
fn copy(connection: &Connection, mode: &str) -> Option<(i64, i64)> {
    let result = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok((row.get(1)?, row.get(2)?))
    });
    result
        .inspect_err(|error| tracing::warn!(%error, "the write-ahead log could not be copied"))
        .ok()
}
