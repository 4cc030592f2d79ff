//! By what a redelivery is recognised: recent marks in memory, older ones in sorted runs on disk.
//!
//! Every transaction that takes events in appends the hashes of their keys as one row of `marks`.
//! When the set in memory is full it is frozen, and `seal.rs` writes it out as a run; many runs
//! become one. A run is found by a filter and by fences, both in memory; where the filters pass
//! their share of [`crate::Limits::dedup_memory`], the oldest are dropped and their runs are looked
//! up by fences alone. Expiry drops whole runs, so a mark is honoured for its time or longer.

mod page_run;
mod seal;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use rusqlite::{Connection, OptionalExtension, params};

use self::page_run::Run;
pub(super) use self::{
    page_run::{hashes, read_page},
    seal::{Job, remove_run_step, retire, run},
};

/// So many runs of level 0 become one of level 1.
const RUNS_A_MERGE: usize = 16;
/// What one slot of a hash set takes: the hash and a control byte.
const SLOT_BYTES: usize = 17;
/// Rows or pages removed in one step.
const STEP: i64 = 200;

/// The first registered run from `id` on, and when its newest mark was made.
pub(super) fn registered_run(
    connection: &Connection,
    id: i64,
) -> rusqlite::Result<Option<(i64, i64)>> {
    connection
        .prepare_cached(
            "SELECT id, newest FROM mark_runs WHERE id >= ?1 AND marks > 0 ORDER BY id LIMIT 1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The hashes are uniform already.
#[derive(Debug, Default)]
pub(super) struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = page_run::upper(hash);
    }
}

pub(super) type Hashes = HashSet<u128, BuildHasherDefault<Uniform>>;

/// The marks.
#[derive(Debug)]
pub(super) struct Marks {
    recent: Hashes,
    /// The most marks in `recent`.
    capacity: usize,
    /// What runs may take in memory.
    runs_bytes: usize,
    frozen: Option<Frozen>,
    /// Oldest first.
    runs: Vec<Run>,
    merging: bool,
    next_run: i64,
    /// Hashes added in this transaction.
    added: Vec<u128>,
    added_at: i64,
    /// Hashes removed in this transaction.
    expired: Vec<u128>,
    last_row: i64,
    newest: i64,
}

/// Marks on their way to a run.
#[derive(Clone, Debug)]
struct Frozen {
    hashes: Arc<Hashes>,
    newest: i64,
    /// The last row of `marks` that holds some of them.
    last_row: i64,
}

impl Marks {
    /// Reads what is there, within `memory` bytes.
    pub(super) fn load(connection: &Connection, memory: usize) -> rusqlite::Result<Self> {
        let mut slots = 1024;
        // Two sets (one being sealed) and the sorted copy from which a run is written.
        let need = |slots: usize| slots * SLOT_BYTES * 2 + slots * 14;
        while need(slots * 2) <= memory * 2 / 5 {
            slots *= 2;
        }
        let mut marks = Self {
            recent: Hashes::default(),
            capacity: slots / 8 * 7,
            runs_bytes: memory.saturating_sub(need(slots)),
            frozen: None,
            runs: Vec::new(),
            merging: false,
            next_run: 1,
            added: Vec::new(),
            added_at: 0,
            expired: Vec::new(),
            last_row: 0,
            newest: 0,
        };
        marks.load_runs(connection)?;
        let mut statement = connection.prepare("SELECT id, at, hashes FROM marks ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            marks.last_row = row.get(0)?;
            marks.newest = marks.newest.max(row.get(1)?);
            marks.recent.extend(hashes(row.get_ref(2)?.as_blob()?));
        }
        Ok(marks)
    }

    fn load_runs(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection
            .prepare("SELECT id, level, newest, marks FROM mark_runs ORDER BY newest, id")?;
        let found = statement.query_map([], |row| {
            let [id, level, newest, marks] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok(Run {
                id,
                level,
                newest,
                marks,
                fences: Vec::new(),
                filter: None,
            })
        })?;
        for run in found {
            let mut run = run?;
            self.next_run = self.next_run.max(run.id + 1);
            // Without marks it was being written or removed when the program ended.
            if run.marks > 0 {
                run.load_index(connection)?;
                self.runs.push(run);
            }
        }
        self.shed_filters();
        Ok(())
    }

    /// Whether this hash was seen.
    pub(super) fn contains(&self, connection: &Connection, hash: u128) -> rusqlite::Result<bool> {
        let frozen = self.frozen.as_ref();
        if self.recent.contains(&hash) || frozen.is_some_and(|old| old.hashes.contains(&hash)) {
            return Ok(true);
        }
        // Providers redeliver soon: newest first.
        for run in self.runs.iter().rev() {
            if run.contains(connection, hash)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Marks a hash; durable with [`Self::flush`] and the transaction's commit.
    pub(super) fn insert(&mut self, hash: u128, now: i64) {
        self.recent.insert(hash);
        self.added.push(hash);
        self.added_at = self.added_at.max(now);
    }

    /// Writes the marks of this transaction as one row.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.added.is_empty() {
            return Ok(());
        }
        let blob: Vec<u8> = self
            .added
            .iter()
            .flat_map(|hash| hash.to_be_bytes())
            .collect();
        connection
            .prepare_cached("INSERT INTO marks (id, at, hashes) VALUES (?1, ?2, ?3)")?
            .execute(params![self.last_row + 1, self.added_at, blob])?;
        Ok(())
    }

    /// The transaction was committed.
    pub(super) fn keep(&mut self) {
        self.expired.clear();
        if !self.added.is_empty() {
            self.added.clear();
            self.last_row += 1;
            self.newest = self.newest.max(self.added_at);
            self.added_at = 0;
        }
    }

    /// The transaction was rolled back.
    pub(super) fn undo(&mut self) {
        for hash in self.added.drain(..) {
            self.recent.remove(&hash);
        }
        self.added_at = 0;
        self.recent.extend(self.expired.drain(..));
    }

    /// Work for the sealing thread, when there is some. Called between transactions.
    pub(super) fn job(&mut self) -> Option<Job> {
        if self.frozen.is_none() && self.recent.len() >= self.capacity {
            let hashes = Arc::new(std::mem::take(&mut self.recent));
            self.frozen = Some(Frozen {
                hashes,
                newest: self.newest,
                last_row: self.last_row,
            });
            self.newest = 0;
            return self.seal_job();
        }
        let small = || self.runs.iter().filter(|run| run.level == 0);
        if !self.merging && small().count() >= RUNS_A_MERGE {
            let sources: Vec<_> = small().take(RUNS_A_MERGE).cloned().collect();
            self.merging = true;
            return Some(Job::merge(self.new_id(), &sources));
        }
        None
    }

    fn seal_job(&mut self) -> Option<Job> {
        let frozen = self.frozen.clone()?;
        Some(Job::seal(self.new_id(), frozen.hashes, frozen.newest))
    }

    fn new_id(&mut self) -> i64 {
        self.next_run += 1;
        self.next_run - 1
    }

    /// After a finished run was registered on disk. Returns the last row of `marks` that is now in a run.
    fn registered(&mut self, run: Run, sources: &[i64]) -> Option<i64> {
        self.runs.retain(|old| !sources.contains(&old.id));
        self.runs.push(run);
        self.runs.sort_by_key(|run| (run.newest, run.id));
        self.shed_filters();
        if sources.is_empty() {
            self.frozen.take().map(|frozen| frozen.last_row)
        } else {
            self.merging = false;
            None
        }
    }

    /// Removes marks made before `before` that are not in a run, at most a step of rows, oldest
    /// first; says how many, and whether there may be more.
    pub(super) fn expire_rows(
        &mut self,
        connection: &Connection,
        before: i64,
    ) -> rusqlite::Result<(u64, bool)> {
        if self.frozen.is_some() {
            // They are on their way to a run, which expires as a whole.
            return Ok((0, false));
        }
        let rows: Vec<(i64, i64, Vec<u8>)> = {
            let mut statement = connection
                .prepare_cached("SELECT id, at, hashes FROM marks ORDER BY id LIMIT ?1")?;
            let rows =
                statement.query_map([STEP], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        let mut gone = 0;
        let full = rows.len() >= usize::try_from(STEP).unwrap_or(usize::MAX);
        for (id, at, blob) in rows {
            if at >= before {
                return Ok((gone, false));
            }
            connection
                .prepare_cached("DELETE FROM marks WHERE id = ?1")?
                .execute([id])?;
            for hash in hashes(&blob) {
                gone += u64::from(self.recent.remove(&hash));
                self.expired.push(hash);
            }
        }
        Ok((gone, full))
    }

    /// The oldest run whose every mark was made before `before`: its id and its marks.
    pub(super) fn expired_run(&self, before: i64) -> Option<(i64, u64)> {
        let old = self
            .runs
            .first()
            .filter(|run| run.newest < before && !self.merging)?;
        Some((old.id, old.marks.unsigned_abs()))
    }

    /// After the commit of [`retire`].
    pub(super) fn retired(&mut self, run: i64) {
        self.runs.retain(|old| old.id != run);
    }

    /// Whether there is more to seal or to merge.
    #[cfg(test)]
    fn is_behind(&self) -> bool {
        let small = self.runs.iter().filter(|run| run.level == 0).count();
        let full = self.recent.len() >= self.capacity || small >= RUNS_A_MERGE;
        full || self.frozen.is_some() || self.merging
    }

    /// What all of it takes, as counted against the bound.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        let frozen = self
            .frozen
            .as_ref()
            .map_or(0, |frozen| frozen.hashes.capacity());
        let slots = (self.recent.capacity() + frozen) * 8 / 7;
        slots * SLOT_BYTES + self.runs.iter().map(Run::bytes).sum::<usize>()
    }

    /// Drops the filters of the oldest runs until the rest fits.
    fn shed_filters(&mut self) {
        let mut total: usize = self.runs.iter().map(Run::bytes).sum();
        for run in &mut self.runs {
            if total <= self.runs_bytes {
                break;
            }
            if let Some(filter) = run.filter.take() {
                total -= filter.bytes();
            }
        }
    }
}
