//! Our messages on their way out: in parts, over the line that is up, with what the answers mean.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use langnghe_connector::{SendError, ThrottleScope};
use sha2::{Digest, Sha256};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    config::SmppConfig,
    line::{Line, LineError, LineState},
    outgoing,
    slow_down::SlowDown,
    started::Started,
    wire::{Class, Frame, message_id},
};
use crate::provider::OutgoingText;

/// How long a message waits for a line that is being opened.
const LINE: Duration = Duration::from_secs(5);
/// For how many citizens references are remembered.
const REFERENCES: usize = 10_000;
/// How many long messages to one citizen have references of their own: far fewer than 256, so that the
/// one made of an id is mostly free.
const APART: usize = 16;

/// Submits messages.
#[derive(Debug)]
pub(crate) struct Submitter {
    config: Arc<SmppConfig>,
    state: watch::Receiver<LineState>,
    started: Arc<Mutex<Started>>,
    /// How many messages wait for their answers.
    unanswered: Arc<AtomicUsize>,
    /// The last ones that went to each citizen.
    references: Mutex<HashMap<String, VecDeque<u16>>>,
    slow_down: Mutex<SlowDown>,
}

impl Submitter {
    pub(crate) fn new(config: Arc<SmppConfig>, state: watch::Receiver<LineState>) -> Self {
        Self {
            config,
            state,
            started: Arc::default(),
            unanswered: Arc::default(),
            references: Mutex::default(),
            slow_down: Mutex::default(),
        }
    }

    /// Messages of which some parts were taken.
    pub(crate) fn started(&self) -> Arc<Mutex<Started>> {
        Arc::clone(&self.started)
    }

    /// A message begins to wait; it does until this is dropped.
    pub(crate) fn wait(&self) -> Unanswered<'_> {
        Unanswered::new(&self.unanswered)
    }

    /// How many messages wait for their answers, or are not noted yet.
    pub(crate) fn unanswered(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.unanswered)
    }

    /// Submits all parts of a message that were not taken in an earlier attempt; gives the ids of all, as
    /// the message centre wrote them, empty where it gave none.
    pub(crate) async fn submit(&self, text: &OutgoingText<'_>) -> Result<Vec<String>, SendError> {
        let line = self.line().await?;
        let started = lock(&self.started).reference(text.id);
        let reference = started.unwrap_or_else(|| self.next_reference(text.id, text.to));
        let bodies = outgoing::bodies(&self.config, text, reference);
        let mut bodies = bodies.map_err(|malformed| SendError::Rejected {
            code: malformed.to_string(),
        })?;
        if bodies.len() == 1 {
            return Ok(vec![self.part(&line, bodies.swap_remove(0)).await?]);
        }
        self.parts(&line, text.id, reference, bodies).await
    }

    /// Submits the parts that were not taken yet. Each one that is taken is remembered at once, as this
    /// future may be dropped at any moment.
    async fn parts(
        &self,
        line: &Line,
        id: &str,
        reference: u16,
        bodies: Vec<Bytes>,
    ) -> Result<Vec<String>, SendError> {
        let taken = lock(&self.started).begin(id, reference, bodies.len());
        let _unless_finished = Unfinished {
            id,
            among: &self.started,
        };
        let missing = taken.iter().enumerate().zip(bodies);
        let missing = missing.filter(|((_, taken), _)| taken.is_none());
        let submitted = join_all(missing.map(async |((place, _), body)| {
            let part = self.part(line, body).await?;
            lock(&self.started).took(id, place, part);
            Ok(())
        }));
        let failures = submitted.await.into_iter().filter_map(Result::err);
        match failures.max_by_key(gravity) {
            None => Ok(lock(&self.started).finish(id)),
            Some(error) => {
                if matches!(error, SendError::Rejected { .. }) {
                    lock(&self.started).finish(id);
                }
                Err(error)
            }
        }
    }

    /// The line, if there is one soon.
    async fn line(&self) -> Result<Arc<Line>, SendError> {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| !matches!(state, LineState::Down { .. }));
        let found = match timeout(LINE, up).await {
            Ok(Ok(state)) => state.clone(),
            _ => self.state.borrow().clone(),
        };
        match found {
            LineState::Up(line) => Ok(line),
            LineState::Refused { code } => Err(SendError::Credentials { code }),
            // Nothing was written, so it is no attempt; the channel rests until the next one to bind.
            LineState::Down { again } => {
                let until = again.map(|again| again.saturating_duration_since(Instant::now()));
                Err(no_line(until.unwrap_or_default()))
            }
        }
    }

    async fn part(&self, line: &Line, body: Bytes) -> Result<String, SendError> {
        let answer = line.submit(body, self.config.response_timeout).await;
        let transport = |reason: &str| SendError::Transport {
            reason: reason.to_owned(),
        };
        match answer {
            Ok(answer) => self.judge(line, answer),
            // Nothing was written: as if the provider had asked us to wait.
            Err(LineError::Full) => Err(throttled(Duration::from_secs(1), "window full")),
            Err(LineError::Gone) => Err(no_line(Duration::ZERO)),
            // It may have been taken or not. It goes again: a notice that comes twice names its case
            // twice, one that never comes is lost.
            Err(LineError::Timeout) => Err(transport("no answer")),
            Err(LineError::Lost) => Err(transport("the line was lost")),
        }
    }

    fn judge(&self, line: &Line, answer: Frame) -> Result<String, SendError> {
        let Frame { status, .. } = answer;
        let code = || status.to_string();
        match status.class() {
            Class::Done => {
                lock(&self.slow_down).taken(Instant::now());
                Ok(message_id(answer.body).unwrap_or_default())
            }
            Class::SlowDown => {
                let wait = lock(&self.slow_down).refused(Instant::now());
                Err(throttled(wait, &code()))
            }
            Class::Later => Err(SendError::Transport {
                reason: format!("status {status}"),
            }),
            Class::Session => {
                // The two sides do not agree on what the link is: a new one.
                line.end();
                Err(SendError::Transport {
                    reason: format!("status {status}"),
                })
            }
            Class::Credentials => Err(SendError::Credentials { code: code() }),
            Class::Permanent => Err(SendError::Rejected { code: code() }),
        }
    }

    /// The reference by which the parts of a new message are joined: made of its id, so that one that is
    /// sent again after a crash meets its own parts in the phone; but none of those that the messages
    /// before it had, which may still be on their way to the same phone.
    fn next_reference(&self, id: &str, to: &str) -> u16 {
        let digest = Sha256::digest(id);
        let mut reference = u16::from_be_bytes([digest[0], digest[1]]);
        let mut references = lock(&self.references);
        if references.len() >= REFERENCES {
            references.clear();
        }
        let last = references.entry(to.to_owned()).or_default();
        // A reference of eight bits is the lower half.
        while last.iter().any(|last| *last & 0xff == reference & 0xff) {
            reference = reference.wrapping_add(1);
        }
        if last.len() >= APART {
            last.pop_front();
        }
        last.push_back(reference);
        reference
    }
}

/// An attempt on a message in parts. However it ends, what was taken of it is kept unless it was all.
struct Unfinished<'a> {
    id: &'a str,
    among: &'a Mutex<Started>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        lock(self.among).stopped(self.id);
    }
}

/// A message that waits for its answers.
pub(crate) struct Unanswered<'a>(&'a AtomicUsize);

impl<'a> Unanswered<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn throttled(after: Duration, code: &str) -> SendError {
    SendError::Throttled {
        after: Some(after),
        scope: ThrottleScope::Channel,
        code: code.to_owned(),
    }
}

/// There is no line; perhaps there is one after this time, and not within a second.
fn no_line(after: Duration) -> SendError {
    SendError::NotReady {
        after: after.max(Duration::from_secs(1)),
        reason: "no line".to_owned(),
    }
}

/// Which of several failures of one message decides.
fn gravity(error: &SendError) -> u8 {
    match error {
        SendError::Rejected { .. } => 3,
        SendError::Credentials { .. } => 2,
        SendError::Throttled { .. } | SendError::NotReady { .. } => 1,
        _ => 0,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
