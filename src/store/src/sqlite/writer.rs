//! The one thread that writes: what waits for it goes into one transaction, then all are answered.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{checkpoint::Checkpoints, marks::Job, state::State};
use crate::StoreError;

/// The most operations in one transaction.
const BATCH: usize = 512;
/// How often visitors' requests are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Why an operation did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database failed; the whole transaction is taken back.
    Sql(rusqlite::Error),
    /// The operation was refused before it wrote anything.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Something that the writer is to do.
pub(super) trait Operation: Send {
    /// Whether it needs the transaction. Others run after the commit, and see what it wrote.
    fn writes(&self) -> bool;
    /// Does it. May be called again after a transaction was taken back.
    fn apply(&mut self, state: &mut State) -> rusqlite::Result<()>;
    /// Tells the caller: what `apply` found, or why it did not happen.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Call<F, T> {
    run: F,
    writes: bool,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Operation for Call<F, T>
where
    F: FnMut(&mut State) -> Result<T, Failure> + Send,
    T: Send,
{
    fn writes(&self) -> bool {
        self.writes
    }

    fn apply(&mut self, state: &mut State) -> rusqlite::Result<()> {
        self.result = Some(match (self.run)(state) {
            Ok(result) => Ok(result),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Sql(error)) => return Err(error),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let unavailable = |reason: &str| Err(StoreError::Unavailable(reason.to_owned()));
        let result = match failure {
            Some(reason) => unavailable(reason),
            None => self.result.unwrap_or_else(|| unavailable("not done")),
        };
        // A caller that went away does not need its answer; a claim in it gives itself back.
        drop(self.reply.send(result));
    }
}

/// The callers' side of the writer.
#[derive(Clone)]
pub(super) struct Handle {
    sender: SyncSender<Box<dyn Operation>>,
    closed: Arc<Closed>,
}

#[derive(Debug, Default)]
struct Closed {
    /// New operations are refused.
    refused: AtomicBool,
    /// The writer ends without doing what still waits.
    abandoned: AtomicBool,
    sign: std::sync::Condvar,
    lock: Mutex<()>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Handle")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Handle {
    pub(super) fn new(sender: SyncSender<Box<dyn Operation>>) -> Self {
        Self {
            sender,
            closed: Arc::default(),
        }
    }

    fn send<T: Send + 'static>(
        &self,
        writes: bool,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        if self.is_closed() {
            return Err(closed());
        }
        let (reply, answer) = oneshot::channel();
        match self.sender.try_send(Box::new(Call {
            run,
            writes,
            result: None,
            reply,
        })) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(StoreError::Full),
            Err(TrySendError::Disconnected(_)) => Err(closed()),
        }
    }

    /// Runs `run` in a transaction; returns when that is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.send(true, run)?.await.map_err(|_| closed())?
    }

    /// Runs `run` outside a transaction, after what was sent before is durable.
    pub(super) async fn after<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.send(false, run)?.await.map_err(|_| closed())?
    }

    /// [`Self::write`] from a thread of our own; waits while the queue is full.
    pub(super) fn write_blocking<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + Clone + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(true, run)
    }

    /// [`Self::after`] from a thread of our own; waits while the queue is full.
    pub(super) fn after_blocking<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + Clone + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(false, run)
    }

    fn blocking<T: Send + 'static>(
        &self,
        writes: bool,
        run: impl FnMut(&mut State) -> Result<T, Failure> + Send + Clone + 'static,
    ) -> Result<T, StoreError> {
        loop {
            match self.send(writes, run.clone()) {
                Err(StoreError::Full) => self.pause(Duration::from_millis(5)),
                Err(error) => return Err(error),
                Ok(answer) => return answer.blocking_recv().map_err(|_| closed())?,
            }
        }
    }

    /// Sends without waiting for an answer; lost when the queue is full.
    pub(super) fn post(&self, run: impl FnMut(&mut State) -> Result<(), Failure> + Send + 'static) {
        drop(self.send(false, run));
    }

    /// Waits so long, or until the store closes.
    pub(super) fn pause(&self, time: Duration) {
        let guard = self
            .closed
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.is_closed() {
            drop(self.closed.sign.wait_timeout(guard, time));
        }
    }

    /// Whether new operations are refused.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.refused.load(Ordering::Acquire)
    }

    /// Refuses new operations. The writer finishes what waits, unless `abandon` is set, and ends.
    pub(super) fn close(&self, abandon: bool) {
        self.closed.abandoned.fetch_or(abandon, Ordering::AcqRel);
        let guard = self
            .closed
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.closed.refused.store(true, Ordering::Release);
        drop(guard);
        self.closed.sign.notify_all();
        // Wakes the writer; when the queue is full it is awake.
        let (reply, _) = oneshot::channel();
        let wake = |_: &mut State| Ok(());
        drop(self.sender.try_send(Box::new(Call {
            run: wake,
            writes: false,
            result: None,
            reply,
        })));
    }
}

/// Every operation after the close is answered so.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

/// The writer's side.
pub(super) struct Writer {
    pub(super) state: State,
    pub(super) receiver: Receiver<Box<dyn Operation>>,
    pub(super) handle: Handle,
    pub(super) checkpoints: Checkpoints,
    pub(super) jobs: SyncSender<Job>,
}

impl Writer {
    /// The thread's life.
    pub(super) fn run(mut self) {
        let mut swept = Instant::now();
        loop {
            let wait = SWEEP.saturating_sub(swept.elapsed());
            let batch = match self.receiver.recv_timeout(wait) {
                Ok(first) => {
                    let mut batch = Vec::with_capacity(32);
                    batch.push(first);
                    batch.extend(self.receiver.try_iter().take(BATCH - 1));
                    batch
                }
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if self.handle.closed.abandoned.load(Ordering::Acquire) {
                return;
            }
            let idle = batch.is_empty();
            self.state.perform(batch);
            self.checkpoints.after_commit(&self.state.connection);
            if let Some(job) = self.state.marks.job() {
                // The thread does one job at a time and marks hand out one at a time.
                drop(self.jobs.try_send(job));
            }
            if idle && self.handle.is_closed() {
                break;
            }
            if self.handle.is_closed() {
                swept = Instant::now().checked_sub(SWEEP).unwrap_or(swept);
            } else if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                super::visit::serve(&mut self.state);
            }
        }
        self.checkpoints.finish(&self.state.connection);
    }
}
