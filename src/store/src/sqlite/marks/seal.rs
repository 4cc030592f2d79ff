//! Writes full sets of marks as runs and merges small runs, on a thread of its own.
//!
//! Each step is an ordinary operation of the writer, small enough that accepts hardly notice. A run
//! is registered last: what a crash leaves half written is removed at the next start.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, sync::mpsc::Receiver, time::Duration};

use rusqlite::{Connection, params};

use super::{
    Hashes, STEP,
    page_run::{self, HASHES_A_PAGE, Run},
};
use crate::{
    StoreError,
    sqlite::{filter::Filter, state::explain, writer::Handle},
};

/// Pages written in one step.
const PAGES_A_STEP: usize = 64;
/// How long to wait after a failure (disk full) before the same again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A run to be made.
#[derive(Debug)]
pub(in crate::sqlite) struct Job {
    id: i64,
    newest: i64,
    marks: u64,
    sources: Sources,
}

#[derive(Debug)]
enum Sources {
    Set(Arc<Hashes>),
    /// Ids and page counts.
    Runs(Vec<(i64, usize)>),
}

impl Job {
    pub(super) fn seal(id: i64, hashes: Arc<Hashes>, newest: i64) -> Self {
        Self {
            id,
            newest,
            marks: hashes.len() as u64,
            sources: Sources::Set(hashes),
        }
    }

    pub(super) fn merge(id: i64, runs: &[Run]) -> Self {
        Self {
            id,
            newest: runs.iter().map(|run| run.newest).max().unwrap_or(0),
            marks: runs.iter().map(|run| run.marks.unsigned_abs()).sum(),
            sources: Sources::Runs(runs.iter().map(|run| (run.id, run.fences.len())).collect()),
        }
    }

    fn level(&self) -> i64 {
        i64::from(matches!(self.sources, Sources::Runs(_)))
    }

    fn empty_run(&self) -> Run {
        Run {
            id: self.id,
            level: self.level(),
            newest: self.newest,
            marks: 0,
            fences: Vec::new(),
            filter: None,
        }
    }

    fn source_ids(&self) -> Vec<i64> {
        match &self.sources {
            Sources::Set(_) => Vec::new(),
            Sources::Runs(runs) => runs.iter().map(|(id, _)| *id).collect(),
        }
    }
}

/// The thread's life: until the writer is gone.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the thread owns what it is given"
)]
pub(in crate::sqlite) fn run(jobs: Receiver<Job>, connection: Connection, writer: Handle) {
    clean(&writer);
    while let Ok(job) = jobs.recv() {
        let run = loop {
            match perform(&job, &connection, &writer) {
                Ok(run) => break run,
                Err(_) if writer.is_closed() => return,
                Err(error) => {
                    tracing::warn!(%error, "dedup marks cannot be written to disk; trying again");
                    writer.pause(AGAIN_AFTER);
                }
            }
        };
        // The run counts from here on: to make it again from sources that are being removed would
        // lose marks. What is left of them is removed at the next start.
        if let Err(error) = put_in_place(run, &job.source_ids(), &writer)
            && !writer.is_closed()
        {
            tracing::warn!(%error, "dedup pages that are not needed stay until the next start");
        }
    }
}

/// Makes one run and registers it on disk.
fn perform(job: &Job, connection: &Connection, writer: &Handle) -> Result<Run, StoreError> {
    let id = job.id;
    writer.write_blocking(move |state| {
        state.connection.execute(
            "INSERT OR REPLACE INTO mark_runs (id, level, newest, marks, pages)
             VALUES (?1, 0, 0, 0, 0)",
            [id],
        )?;
        Ok(())
    })?;
    let mut building = Building {
        writer,
        run: job.empty_run(),
        filter: Filter::new(job.marks),
        page: Vec::with_capacity(HASHES_A_PAGE * 16),
        last: None,
        step: Vec::new(),
    };
    match &job.sources {
        Sources::Set(set) => {
            let mut sorted: Vec<u128> = set.iter().copied().collect();
            sorted.sort_unstable();
            sorted.into_iter().try_for_each(|hash| building.add(hash))?;
        }
        Sources::Runs(runs) => merge(connection, runs, &mut building)?,
    }
    let run = building.finish()?;
    let (row, sources) = (run.clone(), job.source_ids());
    writer.write_blocking(move |state| Ok(register(&state.connection, &row, &sources)?))?;
    Ok(run)
}

/// Uses a registered run, and removes what it was made of.
fn put_in_place(run: Run, sources: &[i64], writer: &Handle) -> Result<(), StoreError> {
    let old = sources.to_vec();
    let sealed =
        writer.after_blocking(move |state| Ok(state.marks.registered(run.clone(), &old)))?;
    if let Some(last_row) = sealed {
        remove_rows(writer, last_row)?;
    }
    sources
        .iter()
        .try_for_each(|source| remove_run(writer, *source))
}

/// Feeds the hashes of several runs, in order, into one.
fn merge(
    connection: &Connection,
    runs: &[(i64, usize)],
    building: &mut Building<'_>,
) -> Result<(), StoreError> {
    struct Source {
        run: i64,
        next_page: usize,
        hashes: std::vec::IntoIter<u128>,
    }
    let mut sources: Vec<Source> = runs
        .iter()
        .map(|(run, _)| Source {
            run: *run,
            next_page: 0,
            hashes: Vec::new().into_iter(),
        })
        .collect();
    let next = |source: &mut Source| -> Result<Option<u128>, StoreError> {
        if let Some(hash) = source.hashes.next() {
            return Ok(Some(hash));
        }
        let page = page_run::read_page(connection, source.run, source.next_page)
            .map_err(|error| unavailable(&error))?;
        source.next_page += 1;
        let hashes: Vec<u128> = page
            .iter()
            .flat_map(|blob| page_run::hashes(blob))
            .collect();
        source.hashes = hashes.into_iter();
        Ok(source.hashes.next())
    };
    let mut heap = BinaryHeap::new();
    for (index, source) in sources.iter_mut().enumerate() {
        heap.extend(next(source)?.map(|hash| Reverse((hash, index))));
    }
    while let Some(Reverse((hash, index))) = heap.pop() {
        building.add(hash)?;
        heap.extend(next(&mut sources[index])?.map(|hash| Reverse((hash, index))));
    }
    Ok(())
}

struct Building<'a> {
    writer: &'a Handle,
    run: Run,
    filter: Filter,
    page: Vec<u8>,
    last: Option<u128>,
    step: Vec<(i64, Vec<u8>)>,
}

impl Building<'_> {
    fn add(&mut self, hash: u128) -> Result<(), StoreError> {
        if self.last == Some(hash) {
            return Ok(());
        }
        self.last = Some(hash);
        if self.page.is_empty() {
            self.run.fences.push(page_run::upper(hash));
        }
        self.filter.insert(hash);
        self.run.marks += 1;
        self.page.extend_from_slice(&hash.to_be_bytes());
        if self.page.len() == HASHES_A_PAGE * 16 {
            self.end_page()
        } else {
            Ok(())
        }
    }

    fn end_page(&mut self) -> Result<(), StoreError> {
        if !self.page.is_empty() {
            let id = page_run::page_id(self.run.id, self.run.fences.len() - 1);
            self.step.push((id, std::mem::take(&mut self.page)));
        }
        if self.step.len() >= PAGES_A_STEP {
            self.end_step()
        } else {
            Ok(())
        }
    }

    fn end_step(&mut self) -> Result<(), StoreError> {
        write_pages(self.writer, std::mem::take(&mut self.step))
    }

    fn finish(mut self) -> Result<Run, StoreError> {
        self.end_page()?;
        self.end_step()?;
        self.run.filter = Some(self.filter);
        for pieces in self.run.index_pieces().chunks(4) {
            write_pages(self.writer, pieces.to_vec())?;
        }
        Ok(self.run)
    }
}

fn write_pages(writer: &Handle, pages: Vec<(i64, Vec<u8>)>) -> Result<(), StoreError> {
    writer.write_blocking(move |state| {
        for (id, blob) in &pages {
            page_run::write_page(&state.connection, *id, blob)?;
        }
        Ok(())
    })
}

/// Removes the rows of marks that a run now holds, in steps.
fn remove_rows(writer: &Handle, last_row: i64) -> Result<(), StoreError> {
    in_steps(|| {
        writer.write_blocking(move |state| {
            Ok(state.connection.execute(
                "DELETE FROM marks WHERE id IN
                 (SELECT id FROM marks WHERE id <= ?1 ORDER BY id LIMIT ?2)",
                [last_row, STEP * 5],
            )?)
        })
    })
}

/// Registers a finished run in place of what it was made of.
fn register(connection: &Connection, run: &Run, sources: &[i64]) -> rusqlite::Result<()> {
    let pages = i64::try_from(run.fences.len()).unwrap_or(0);
    connection.execute(
        "UPDATE mark_runs SET level = ?2, newest = ?3, marks = ?4, pages = ?5 WHERE id = ?1",
        params![run.id, run.level, run.newest, run.marks, pages],
    )?;
    sources
        .iter()
        .try_for_each(|source| retire(connection, *source))
}

/// Says on disk that a run's marks count no more.
pub(in crate::sqlite) fn retire(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE mark_runs SET marks = 0 WHERE id = ?1")?
        .execute([run])?;
    Ok(())
}

/// Removes the pages of a run that is not registered any more, in steps.
fn remove_run(writer: &Handle, run: i64) -> Result<(), StoreError> {
    in_steps(|| writer.write_blocking(move |state| Ok(remove_run_step(&state.connection, run)?)))
}

/// One step of removing a run that does not count any more; 0 when nothing is left of it.
pub(in crate::sqlite) fn remove_run_step(
    connection: &Connection,
    run: i64,
) -> rusqlite::Result<usize> {
    let (from, to) = page_run::page_ids(run);
    let pages = connection
        .prepare_cached(
            "DELETE FROM mark_pages WHERE id IN
             (SELECT id FROM mark_pages WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)",
        )?
        .execute([from, to, STEP])?;
    if pages == 0 {
        connection
            .prepare_cached("DELETE FROM mark_runs WHERE id = ?1 AND marks = 0")?
            .execute([run])?;
    }
    Ok(pages)
}

fn in_steps(mut step: impl FnMut() -> Result<usize, StoreError>) -> Result<(), StoreError> {
    while step()? > 0 {}
    Ok(())
}

/// Removes what an earlier process left half written or half removed.
fn clean(writer: &Handle) {
    let left = writer.after_blocking(|state| {
        let mut statement = state
            .connection
            .prepare("SELECT id FROM mark_runs WHERE marks = 0")?;
        let ids: Vec<i64> = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(ids)
    });
    let cleaned =
        left.and_then(|left| left.into_iter().try_for_each(|run| remove_run(writer, run)));
    if let Err(error) = cleaned
        && !writer.is_closed()
    {
        tracing::warn!(%error, "left-over dedup pages stay until the next start");
    }
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(explain(error))
}
