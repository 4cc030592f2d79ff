//! What goes out on a line: submitted messages within their window, answers, questions.
//!
//! A submitted message is written within the future of whoever sends it, or of another one that sends
//! on the same line at the same moment: whoever holds the writer writes what all of them have queued,
//! in one go. A future that is dropped takes what it queued back, so nothing of it is written after
//! that. What the line's keeper writes (answers, `enquire_link`, `unbind`) never takes queued messages
//! with it, as the keeper has no right to send.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::smpp::wire::{Command, Frame};

/// The longest that a write may take: then nobody reads at the other side.
const WRITE: Duration = Duration::from_secs(10);
/// Sequence numbers are 1 to this (5.1.4).
const LAST_SEQUENCE: u32 = 0x7fff_ffff;

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineError {
    /// Nothing was written: the window stayed full.
    Full,
    /// Nothing was written: the line is gone.
    Gone,
    /// Written, and not answered in time.
    Timeout,
    /// Written, and the line was lost before an answer.
    Lost,
}

/// A request that waits for its answer.
struct Pending {
    answer: oneshot::Sender<Frame>,
    /// Until when its place in the window is kept.
    until: Instant,
    /// Its place in the window, if it takes one.
    _place: Option<OwnedSemaphorePermit>,
}

struct Output {
    half: Box<dyn AsyncWrite + Send + Unpin>,
    buffer: BytesMut,
}

/// One connection, as those see it who write to it.
pub(crate) struct Line {
    /// Tells lines of one account apart.
    pub(crate) number: u64,
    window: Arc<Semaphore>,
    pending: Mutex<HashMap<u32, Pending>>,
    queue: Mutex<Vec<(u32, Frame)>>,
    output: tokio::sync::Mutex<Output>,
    sequence: AtomicU32,
    ended: CancellationToken,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Line({})", self.number)
    }
}

impl Line {
    pub(crate) fn new(
        number: u64,
        half: Box<dyn AsyncWrite + Send + Unpin>,
        window: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            window: Arc::new(Semaphore::new(window)),
            pending: Mutex::default(),
            queue: Mutex::default(),
            output: tokio::sync::Mutex::new(Output {
                half,
                buffer: BytesMut::with_capacity(16 * 1024),
            }),
            sequence: AtomicU32::new(1),
            ended: CancellationToken::new(),
        })
    }

    /// Submits a message and waits for its answer, for `wait` at the longest after a place in the
    /// window was free, which is waited for as long.
    pub(crate) async fn submit(&self, body: Bytes, wait: Duration) -> Result<Frame, LineError> {
        let place = tokio::select! {
            place = timeout(wait, Arc::clone(&self.window).acquire_owned()) => place,
            () = self.ended.cancelled() => return Err(LineError::Gone),
        };
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(LineError::Gone),
            Err(_) => return Err(LineError::Full),
        };
        let until = Instant::now() + wait;
        let (sequence, answer) = self.expect_answer(until, Some(place));
        let frame = Frame::request(Command::SUBMIT_SM, sequence, body);
        lock(&self.queue).push((sequence, frame));
        let queued = Queued {
            line: self,
            sequence,
        };
        // Others that are about to send queue theirs meanwhile: one write takes all of them.
        tokio::task::yield_now().await;
        self.flush().await;
        if queued.is_still_there() {
            // Only a line that is gone leaves it there; it is taken back.
            return Err(LineError::Gone);
        }
        self.answered(sequence, answer, until).await
    }

    /// Asks something that takes no place in the window, and waits for the answer.
    pub(crate) async fn ask(
        &self,
        command: Command,
        body: Bytes,
        wait: Duration,
    ) -> Result<Frame, LineError> {
        let until = Instant::now() + wait;
        let (sequence, answer) = self.expect_answer(until, None);
        let frame = Frame::request(command, sequence, body);
        if !self.write(&[frame]).await {
            lock(&self.pending).remove(&sequence);
            return Err(LineError::Gone);
        }
        self.answered(sequence, answer, until).await
    }

    fn expect_answer(
        &self,
        until: Instant,
        place: Option<OwnedSemaphorePermit>,
    ) -> (u32, oneshot::Receiver<Frame>) {
        let (answer, answered) = oneshot::channel();
        let mut pending = lock(&self.pending);
        let sequence = loop {
            let next = self.sequence.fetch_add(1, Ordering::Relaxed);
            if next >= LAST_SEQUENCE {
                self.sequence.store(1, Ordering::Relaxed);
            }
            if (1..=LAST_SEQUENCE).contains(&next) && !pending.contains_key(&next) {
                break next;
            }
        };
        let request = Pending {
            answer,
            until,
            _place: place,
        };
        pending.insert(sequence, request);
        (sequence, answered)
    }

    async fn answered(
        &self,
        sequence: u32,
        answer: oneshot::Receiver<Frame>,
        until: Instant,
    ) -> Result<Frame, LineError> {
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| LineError::Lost),
            // A request that was put down after the line's end finds nobody who gives it up.
            () = self.ended.cancelled() => Err(LineError::Lost),
            () = sleep_until(until) => Err(LineError::Timeout),
        };
        if answer.is_err() {
            lock(&self.pending).remove(&sequence);
        }
        answer
    }

    /// Writes what is queued, if nobody else has by now.
    async fn flush(&self) {
        if lock(&self.queue).is_empty() {
            return;
        }
        let mut output = self.output.lock().await;
        if self.ended.is_cancelled() {
            return;
        }
        for (_, frame) in lock(&self.queue).drain(..) {
            frame.write(&mut output.buffer);
        }
        self.write_out(&mut output).await;
    }

    /// Writes frames of the keeper's own; false when the line is gone.
    pub(crate) async fn write(&self, frames: &[Frame]) -> bool {
        let mut output = self.output.lock().await;
        for frame in frames {
            frame.write(&mut output.buffer);
        }
        self.write_out(&mut output).await
    }

    async fn write_out(&self, output: &mut Output) -> bool {
        let Output { half, buffer } = output;
        if self.ended.is_cancelled() {
            buffer.clear();
            return false;
        }
        if buffer.is_empty() {
            return true;
        }
        // Dropped or failed in the middle of a frame, nothing sensible can follow it.
        let unless_done = self.ended.clone().drop_guard();
        let written = timeout(WRITE, async {
            half.write_all(buffer).await?;
            half.flush().await
        });
        let done = matches!(written.await, Ok(Ok(())));
        buffer.clear();
        if done {
            unless_done.disarm();
        }
        done
    }

    /// An answer came in; says whether anybody waited for it.
    pub(crate) fn answer(&self, frame: Frame) -> bool {
        let pending = lock(&self.pending).remove(&frame.sequence);
        pending.is_some_and(|pending| pending.answer.send(frame).is_ok())
    }

    /// Gives up requests whose senders are gone and whose answers did not come.
    pub(crate) fn sweep(&self, now: Instant) {
        lock(&self.pending).retain(|_, pending| pending.until > now || !pending.answer.is_closed());
    }

    /// How many requests wait for answers.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.pending).len()
    }

    /// The line is gone: nothing is written any more, and what waits for an answer has none.
    pub(crate) fn end(&self) {
        self.ended.cancel();
        self.window.close();
        // What is queued is not written any more; whoever queued it takes it back.
        lock(&self.pending).clear();
    }

    /// Completes when the line is gone.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Closes our side of the connection.
    pub(crate) async fn shut_down(&self) {
        let closing = async {
            let mut output = self.output.lock().await;
            // It is closed anyway when it is dropped.
            drop(output.half.shutdown().await);
        };
        drop(timeout(Duration::from_secs(1), closing).await);
    }
}

/// A message in the queue: it is taken back when its sender is dropped before it is written.
struct Queued<'a> {
    line: &'a Line,
    sequence: u32,
}

impl Queued<'_> {
    fn is_still_there(&self) -> bool {
        let queue = lock(&self.line.queue);
        queue.iter().any(|(sequence, _)| *sequence == self.sequence)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.line.queue);
        let place = queue
            .iter()
            .position(|(sequence, _)| *sequence == self.sequence);
        if let Some(place) = place {
            queue.remove(place);
            drop(queue);
            lock(&self.line.pending).remove(&self.sequence);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
