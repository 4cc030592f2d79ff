//! The store in one SQLite file: no server to install, one process that serves.
//!
//! One thread writes (`writer.rs`): whatever waits for it goes into one transaction with
//! `synchronous=FULL`, then all callers are answered. What decides who is next is in memory
//! (`inbox.rs`, `outbox_index.rs`, `marks/`), bounded, and rebuilt from the rows at start. Leases are
//! in memory only: a process that dies has none. Readers and the copying of the write-ahead log have
//! threads and connections of their own.

mod archive;
mod checkpoint;
mod contacts;
mod counters;
mod dead;
mod deliveries;
mod depths;
mod documents;
mod erase;
mod fetch;
mod filter;
mod held;
mod inbox;
mod marks;
mod open;
mod outbox;
mod outbox_index;
mod ownership;
mod presence;
mod purge;
mod readers;
mod schema;
mod sent;
mod sessions;
mod settle;
mod state;
mod store;
mod tickets;
mod timers;
mod turn;
mod visit;
mod waiting;
mod wakers;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc::sync_channel},
    thread::JoinHandle,
};

use rusqlite::Connection;

use self::{
    checkpoint::{Checkpoints, Progress},
    open::{Purpose, cannot, check_version, connect},
    readers::Readers,
    state::{State, explain},
    wakers::Wakers,
    writer::{Handle, Writer},
};
use crate::{Limits, StoreError};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To serve: alone; another that serves is refused.
    Serve,
    /// To look and to act on dead letters and backends, also beside a process that serves. Where
    /// none serves, everything can be done. Beside one, the operations of the loops (accept, claim,
    /// commit, settle, purge, …) are refused.
    Visit,
    /// To read out and to fill, as [`crate::archive`] does: alone. Only so is a store opened that
    /// holds an unfinished copy.
    Copy,
}

/// The store in one SQLite file. See [`Store`](crate::Store) for what it does.
///
/// Dropping it without [`close`](crate::Store::close) is like the death of the process: what was
/// not acknowledged may be lost, nothing else is.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// None beside a process that serves.
    handle: Option<Handle>,
    readers: Option<Readers>,
    wakers: Arc<Wakers>,
    /// The writer, the sealing and the copying.
    threads: Mutex<Vec<JoinHandle<()>>>,
    reader_threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the database at `path`, and makes it and its folder where they are missing.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process serves it, [`StoreError::Newer`] when a newer
    /// program wrote it, [`StoreError::Open`] when it cannot be read or written.
    pub fn open(path: &Path, limits: Limits, mode: OpenMode) -> Result<Self, StoreError> {
        if mode == OpenMode::Visit && !path.exists() {
            return Err(cannot(
                path,
                "there is no such file: has langnghe served from here yet?",
            ));
        }
        open::prepare(path)?;
        let lock = open::lock(path)?;
        match (lock, mode) {
            (Some(lock), mode) => Self::serve(path, limits, lock, mode),
            (None, OpenMode::Visit) => Self::visit(path),
            (None, OpenMode::Serve | OpenMode::Copy) => Err(StoreError::InUse {
                path: path.display().to_string(),
            }),
        }
    }

    fn visit(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path, Purpose::Read)?;
        let found = check_version(path, &connection)?;
        if found < schema::newest() {
            return Err(cannot(
                path,
                "an older langnghe serves it; use that one's commands",
            ));
        }
        let (readers, reader_threads) = start_readers(path, vec![connection])?;
        Ok(Self {
            path: path.to_owned(),
            handle: None,
            readers: Some(readers),
            wakers: Arc::default(),
            threads: Mutex::default(),
            reader_threads,
        })
    }

    fn serve(path: &Path, limits: Limits, lock: File, mode: OpenMode) -> Result<Self, StoreError> {
        let mut connection = connect(path, Purpose::Write)?;
        check_version(path, &connection)?;
        let failed = |error: rusqlite::Error| cannot(path, explain(&error));
        schema::migrate(&mut connection).map_err(failed)?;
        if mode != OpenMode::Copy && archive::unfinished(&connection).map_err(failed)?.is_some() {
            return Err(cannot(path, crate::archive::UNFINISHED));
        }
        let progress = Arc::new(Progress::default());
        let pages = Arc::clone(&progress);
        connection
            .wal_hook(Some(
                move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
                    pages.pages.store(i64::from(count), Ordering::Release);
                    Ok(())
                },
            ))
            .map_err(failed)?;
        let wakers = Arc::new(Wakers::default());
        let state = State::load(connection, limits, Arc::clone(&wakers)).map_err(failed)?;
        let connections = [(); 2]
            .map(|()| connect(path, Purpose::Read))
            .into_iter()
            .collect::<Result<_, _>>()?;
        let (readers, reader_threads) = start_readers(path, connections)?;
        let mut threads = Vec::new();
        let (sender, receiver) = sync_channel(limits.operations);
        let handle = Handle::new(sender);
        let (start, started) = sync_channel(1);
        let (jobs, job_receiver) = sync_channel(2);
        let writer = Writer {
            state,
            receiver,
            handle: handle.clone(),
            checkpoints: Checkpoints {
                progress: Arc::clone(&progress),
                start,
            },
            jobs,
        };
        let copying = connect(path, Purpose::Read)?;
        let sealing = connect(path, Purpose::Read)?;
        let sealer_handle = handle.clone();
        let mut start = |name: &str, body: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(body);
            let thread = thread.map_err(|error| cannot(path, format!("no thread: {error}")))?;
            threads.push(thread);
            Ok(())
        };
        start(
            "store-checkpoint",
            Box::new(|| checkpoint::run(started, copying, progress)),
        )?;
        start(
            "store-marks",
            Box::new(|| marks::run(job_receiver, sealing, sealer_handle)),
        )?;
        start(
            "store-writer",
            Box::new(|| {
                writer.run();
                drop(lock);
            }),
        )?;
        Ok(Self {
            path: path.to_owned(),
            handle: Some(handle),
            readers: Some(readers),
            wakers,
            threads: Mutex::new(threads),
            reader_threads,
        })
    }

    /// The writer; refused beside a process that serves.
    fn writer(&self) -> Result<&Handle, StoreError> {
        self.handle.as_ref().ok_or_else(|| {
            let path = self.path.display();
            StoreError::Unavailable(format!("{path} is served by another process"))
        })
    }

    /// Those who read; refused once closed.
    fn readers(&self) -> Result<&Readers, StoreError> {
        let open = self
            .handle
            .as_ref()
            .is_none_or(|handle| !handle.is_closed());
        self.readers
            .as_ref()
            .filter(|_| open)
            .ok_or_else(writer::closed)
    }

    /// Makes the database refuse to grow beyond so many pages, as a full disk does: for tests.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    #[cfg(feature = "contract")]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let limit =
            move |state: &mut State| Ok(state.connection.query_row(&sql, [], |_| Ok(()))?);
        self.writer()?.after(limit).await
    }

    /// Makes the database refuse rows above so many bytes: for tests.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    #[cfg(feature = "contract")]
    pub async fn limit_values(&self, bytes: u32) -> Result<(), StoreError> {
        let sql = format!(
            "CREATE TEMP TRIGGER too_large BEFORE INSERT ON main.inbox
             WHEN length(new.body) > {bytes} BEGIN SELECT raise(ABORT, 'too large'); END"
        );
        let limit = move |state: &mut State| Ok(state.connection.execute_batch(&sql)?);
        self.writer()?.after(limit).await
    }

    fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn start_readers(
    path: &Path,
    connections: Vec<Connection>,
) -> Result<(Readers, Vec<JoinHandle<()>>), StoreError> {
    Readers::start(connections).map_err(|error| cannot(path, format!("no thread: {error}")))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.close(true);
        }
        self.readers = None;
        join(self.take_threads());
        join(std::mem::take(&mut self.reader_threads));
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the store panicked");
        }
    }
}
