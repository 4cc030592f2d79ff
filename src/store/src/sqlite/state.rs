//! All that the writer's thread knows and does: the connection, the indexes, and transactions over
//! both. What is in memory follows the database: a transaction that fails takes both back.

use std::sync::Arc;

use langnghe_model::Timestamp;
use rusqlite::Connection;

use super::{
    counters::Counters,
    deliveries::Deliveries,
    inbox::Inbox,
    marks::Marks,
    outbox::Outbox,
    ownership::Owners,
    wakers::{Signals, Wakers},
    writer::Operation,
};
use crate::Limits;

/// Tokens of one run of the program: its number, then so many bits to count.
const TOKEN_BITS: u32 = 40;

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    pub(super) connection: Connection,
    pub(super) limits: Limits,
    pub(super) counters: Counters,
    counters_before: Counters,
    pub(super) inbox: Inbox,
    pub(super) marks: Marks,
    pub(super) outbox: Outbox,
    pub(super) deliveries: Deliveries,
    pub(super) owners: Owners,
    /// When the next timer is due.
    pub(super) next_timer: Option<Timestamp>,
    pub(super) signals: Signals,
    wakers: Arc<Wakers>,
    token: u64,
}

impl State {
    /// Reads the indexes.
    pub(super) fn load(
        connection: Connection,
        limits: Limits,
        wakers: Arc<Wakers>,
    ) -> rusqlite::Result<Self> {
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('epoch', 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1",
            [],
        )?;
        let epoch: i64 =
            connection.query_row("SELECT value FROM meta WHERE name = 'epoch'", [], |row| {
                row.get(0)
            })?;
        let counters = Counters::load(&connection)?;
        let next_timer = super::timers::next(&connection)?;
        Ok(Self {
            inbox: Inbox::load(&connection)?,
            marks: Marks::load(&connection, limits.dedup_memory)?,
            outbox: Outbox::load(&connection, &counters)?,
            deliveries: Deliveries::default(),
            owners: Owners::default(),
            connection,
            limits,
            counters_before: counters.clone(),
            counters,
            next_timer,
            signals: Signals::default(),
            wakers,
            token: epoch.unsigned_abs() << TOKEN_BITS,
        })
    }

    /// A lease token that was never given before.
    pub(super) fn new_token(&mut self) -> u64 {
        self.token += 1;
        self.token
    }

    /// Wakes those for whom something came up.
    pub(super) fn wake_waiters(&mut self) {
        self.wakers.wake(&mut self.signals);
    }

    /// Does what waits: what writes in one transaction, then the rest.
    pub(super) fn perform(&mut self, batch: Vec<Box<dyn Operation>>) {
        let (mut writes, reads): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|operation| operation.writes());
        if !writes.is_empty() {
            match self.transact(&mut writes) {
                Ok(()) => writes
                    .into_iter()
                    .for_each(|operation| operation.answer(None)),
                // One operation that the database refuses must not spoil the others.
                Err(error) if writes.len() > 1 && !is_storage_failure(&error) => {
                    for operation in writes {
                        self.transact_alone(operation);
                    }
                }
                Err(error) => {
                    let reason = explain(&error);
                    tracing::warn!(%reason, "a transaction failed");
                    for operation in writes {
                        operation.answer(Some(&reason));
                    }
                }
            }
        }
        for mut operation in reads {
            let failure = operation.apply(self).err().map(|error| explain(&error));
            operation.answer(failure.as_deref());
        }
        self.wake_waiters();
    }

    fn transact_alone(&mut self, operation: Box<dyn Operation>) {
        let mut alone = vec![operation];
        let failure = self.transact(&mut alone).err().map(|error| explain(&error));
        for operation in alone {
            operation.answer(failure.as_deref());
        }
    }

    fn transact(&mut self, operations: &mut [Box<dyn Operation>]) -> rusqlite::Result<()> {
        self.in_transaction(|state| {
            operations
                .iter_mut()
                .try_for_each(|operation| operation.apply(state))
        })
    }

    /// Runs `body` in a transaction: all of it happens, on disk and in memory, or nothing.
    pub(super) fn in_transaction<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.keep();
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let deliveries_before = self.deliveries.clone();
        let timer_before = self.next_timer;
        let done = body(self).and_then(|result| {
            self.marks.flush(&self.connection)?;
            if self.counters != self.counters_before {
                self.counters.save(&self.connection)?;
            }
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(result)
        });
        if done.is_ok() {
            self.keep();
            return done;
        }
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
        self.inbox.undo();
        self.marks.undo();
        self.outbox.undo();
        self.counters.clone_from(&self.counters_before);
        self.deliveries = deliveries_before;
        self.next_timer = timer_before;
        self.signals = Signals::default();
        done
    }

    fn keep(&mut self) {
        self.inbox.keep();
        self.marks.keep();
        self.outbox.keep();
        if self.counters != self.counters_before {
            self.counters_before.clone_from(&self.counters);
        }
    }
}

/// Whether trying the operations one by one is of no use.
fn is_storage_failure(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::OutOfMemory
        )
    )
}

/// What an operator reads: the kind of failure and what to do. Never a value that was to be stored.
pub(super) fn explain(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode;
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: make room",
        Some(ErrorCode::ReadOnly) => "the file or its folder is read-only: check permissions",
        Some(ErrorCode::DatabaseBusy) => "another program holds the database",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: restore a backup"
        }
        Some(ErrorCode::SystemIoFailure) => "reading or writing the disk failed: check the disk",
        _ => return error.to_string(),
    };
    format!("{advice} ({error})")
}
