//! Retention, in steps that hold the writer for a moment each.

use langnghe_model::Timestamp;

use super::{SqliteStore, erase, marks, state::State, writer::Handle};
use crate::{Purged, Retention, StoreError};

/// Rows changed in one step of a purge.
const PURGE_STEP: i64 = 200;
/// Sessions looked at in one step of a purge.
const LOOK_STEP: i64 = 2000;

impl SqliteStore {
    /// Removes what is older than `retention` allows.
    pub(super) async fn purge_in_steps(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Purged, StoreError> {
        let handle = self.writer()?;
        let marks = self.purge_marks(handle, now - retention.dedup).await?;
        let sessions = self
            .purge_idle(handle, now - retention.idle_sessions)
            .await?;
        let before = now - retention.dead_letters;
        let mut dead_letters = 0;
        loop {
            let gone = handle
                .write(move |state| Ok(state.purge_dead(before, PURGE_STEP)?))
                .await?;
            dead_letters += gone;
            if gone < PURGE_STEP.unsigned_abs() {
                break;
            }
        }
        let before = now - retention.personal;
        let mut tickets = 0;
        loop {
            let gone = handle
                .write(move |state| Ok(state.purge_personal(before, now, PURGE_STEP)?))
                .await?;
            tickets += gone;
            if gone < PURGE_STEP.unsigned_abs() {
                break;
            }
        }
        let mut contacts = 0;
        loop {
            let gone = handle
                .write(move |state| Ok(state.purge_contacts(before, PURGE_STEP)?))
                .await?;
            contacts += gone;
            if gone < PURGE_STEP.unsigned_abs() {
                break;
            }
        }
        while handle
            .write(move |state| Ok(state.purge_sent(now, PURGE_STEP)?))
            .await?
            >= PURGE_STEP.unsigned_abs()
        {}
        Ok(Purged {
            marks,
            sessions,
            dead_letters,
            tickets,
            contacts,
        })
    }

    async fn purge_marks(&self, handle: &Handle, before: Timestamp) -> Result<u64, StoreError> {
        let before = before.as_milliseconds();
        let mut purged = 0;
        loop {
            let (gone, more) = handle
                .write(move |state| Ok(state.marks.expire_rows(&state.connection, before)?))
                .await?;
            purged += gone;
            if !more {
                break;
            }
        }
        loop {
            let expired = handle
                .after(move |state| Ok(state.marks.expired_run(before)))
                .await?;
            let Some((run, marks)) = expired else {
                return Ok(purged);
            };
            handle
                .write(move |state| Ok(marks::retire(&state.connection, run)?))
                .await?;
            handle
                .after(move |state| {
                    state.marks.retired(run);
                    Ok(())
                })
                .await?;
            purged += marks;
            let step = move |state: &mut State| Ok(marks::remove_run_step(&state.connection, run)?);
            while handle.write(step).await? > 0 {}
        }
    }

    async fn purge_idle(&self, handle: &Handle, since: Timestamp) -> Result<u64, StoreError> {
        let mut purged = 0;
        let mut after = -1;
        loop {
            let (last, idle) = self
                .readers()?
                .read(move |connection| erase::idle_sessions(connection, after, since, LOOK_STEP))
                .await?;
            let step = usize::try_from(PURGE_STEP).unwrap_or(usize::MAX);
            for part in idle.chunks(step) {
                let part = part.to_vec();
                purged += handle
                    .write(move |state| Ok(state.purge_sessions(&part, since)?))
                    .await?;
            }
            match last {
                Some(last) => after = last,
                None => return Ok(purged),
            }
        }
    }
}
