//! Who is there: the live connections of every visitor, and the replies that wait to be
//! acknowledged. Held in memory; a replica knows its own visitors only.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use langnghe_model::CitizenId;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// How many frames may wait for one connection; a connection that is slower than that is ended.
const FRAMES_A_CONNECTION: usize = 32;

/// Who is there.
#[derive(Debug)]
pub(crate) struct Hub {
    visitors: Mutex<HashMap<CitizenId, Visitor>>,
    next: AtomicU64,
    connections_a_visitor: usize,
    grace: Duration,
}

#[derive(Debug)]
struct Visitor {
    connections: Vec<Line>,
    pending: Vec<Pending>,
    language: Option<String>,
    seen: Instant,
}

/// Our end of a connection; dropping it ends the connection.
#[derive(Debug)]
struct Line {
    number: u64,
    since: Instant,
    frames: mpsc::Sender<Arc<str>>,
}

/// A reply that was handed out and is not acknowledged.
#[derive(Debug)]
struct Pending {
    number: u64,
    id: Arc<str>,
    frame: Arc<str>,
    acknowledged: oneshot::Sender<()>,
}

/// A connection's place in the hub; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Connection {
    hub: Arc<Hub>,
    citizen: CitizenId,
    number: u64,
    frames: mpsc::Receiver<Arc<str>>,
}

/// A reply on its way; dropping it takes the reply back.
#[derive(Debug)]
pub(crate) struct Offer {
    hub: Arc<Hub>,
    citizen: CitizenId,
    number: u64,
    since: Instant,
    acknowledged: oneshot::Receiver<()>,
}

/// Why a reply was not acknowledged in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody is there any more.
    Away,
    /// Somebody came while we waited, and may yet answer.
    Slow,
}

impl Hub {
    pub(crate) fn new(connections_a_visitor: usize, grace: Duration) -> Self {
        Self {
            visitors: Mutex::default(),
            next: AtomicU64::new(0),
            connections_a_visitor: connections_a_visitor.max(1),
            grace,
        }
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<CitizenId, Visitor>> {
        // Each critical section leaves the map whole, so a panic elsewhere does not spoil it.
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a connection in: whatever waits to be acknowledged comes over it first. The oldest
    /// connection of a visitor who has too many ends.
    pub(crate) fn connect(
        self: &Arc<Self>,
        citizen: &CitizenId,
        language: Option<&str>,
    ) -> Connection {
        let (sender, frames) = mpsc::channel(FRAMES_A_CONNECTION);
        let number = self.number();
        let mut visitors = self.visitors();
        let visitor = visitors.entry(citizen.clone()).or_insert_with(|| Visitor {
            connections: Vec::new(),
            pending: Vec::new(),
            language: None,
            seen: Instant::now(),
        });
        visitor.seen = Instant::now();
        if let Some(language) = language {
            visitor.language = Some(language.to_owned());
        }
        if visitor.connections.len() >= self.connections_a_visitor {
            visitor.connections.remove(0);
        }
        let line = Line {
            number,
            since: visitor.seen,
            frames: sender,
        };
        if visitor
            .pending
            .iter()
            .all(|pending| line.frames.try_send(pending.frame.clone()).is_ok())
        {
            visitor.connections.push(line);
        }
        Connection {
            hub: self.clone(),
            citizen: citizen.clone(),
            number,
            frames,
        }
    }

    /// Hands a reply to a visitor; `None` when nobody is there.
    pub(crate) fn offer(
        self: &Arc<Self>,
        citizen: &CitizenId,
        id: &str,
        frame: &str,
    ) -> Option<Offer> {
        let number = self.number();
        let since = Instant::now();
        let frame: Arc<str> = frame.into();
        let mut visitors = self.visitors();
        let visitor = visitors.get_mut(citizen)?;
        if visitor.connections.is_empty() && since.duration_since(visitor.seen) > self.grace {
            return None;
        }
        visitor
            .connections
            .retain(|line| line.frames.try_send(frame.clone()).is_ok());
        let (sender, acknowledged) = oneshot::channel();
        visitor.pending.push(Pending {
            number,
            id: id.into(),
            frame,
            acknowledged: sender,
        });
        Some(Offer {
            hub: self.clone(),
            citizen: citizen.clone(),
            number,
            since,
            acknowledged,
        })
    }

    /// Hands over something that is worth nothing when late, to whoever is there.
    pub(crate) fn whisper(&self, citizen: &CitizenId, frame: &str) {
        if let Some(visitor) = self.visitors().get(citizen) {
            let frame: Arc<str> = frame.into();
            for line in &visitor.connections {
                // A full line is ended by the next reply; this frame is not worth it.
                drop(line.frames.try_send(frame.clone()));
            }
        }
    }

    /// The page has shown and kept a reply.
    pub(crate) fn acknowledge(&self, citizen: &CitizenId, id: &str) {
        if let Some(visitor) = self.visitors().get_mut(citizen) {
            visitor.seen = Instant::now();
            for pending in visitor.pending.extract_if(.., |pending| &*pending.id == id) {
                // The sender may have given up at this moment; the page drops the repetition.
                let _given_up: Result<(), ()> = pending.acknowledged.send(());
            }
        }
    }

    /// The language of a visitor's interface, if they are there.
    pub(crate) fn language(&self, citizen: &CitizenId) -> Option<String> {
        self.visitors().get(citizen)?.language.clone()
    }

    /// Forgets a visitor once their grace is over.
    fn forget_later(self: &Arc<Self>, citizen: CitizenId) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let hub = Arc::downgrade(self);
        let grace = self.grace + Duration::from_millis(1);
        runtime.spawn(async move {
            tokio::time::sleep(grace).await;
            let Some(hub) = hub.upgrade() else { return };
            let mut visitors = hub.visitors();
            let gone = visitors.get(&citizen).is_some_and(|visitor| {
                visitor.connections.is_empty()
                    && visitor.pending.is_empty()
                    && visitor.seen.elapsed() > hub.grace
            });
            if gone {
                visitors.remove(&citizen);
            }
        });
    }
}

impl Connection {
    /// The next frame to send; `None` when the connection is to end.
    pub(crate) async fn next(&mut self) -> Option<Arc<str>> {
        self.frames.recv().await
    }

    /// A frame that is there already.
    pub(crate) fn next_now(&mut self) -> Option<Arc<str>> {
        self.frames.try_recv().ok()
    }

    /// Whose it is.
    pub(crate) fn citizen(&self) -> &CitizenId {
        &self.citizen
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut visitors = self.hub.visitors();
        let Some(visitor) = visitors.get_mut(&self.citizen) else {
            return;
        };
        visitor
            .connections
            .retain(|line| line.number != self.number);
        visitor.seen = Instant::now();
        if visitor.connections.is_empty() {
            drop(visitors);
            self.hub.forget_later(self.citizen.clone());
        }
    }
}

impl Offer {
    /// Waits until the page acknowledges the reply, at most `time`. Connections that had all that
    /// time and stayed silent (a phone asleep, a cable pulled) are ended: whoever is behind them
    /// comes back by themselves.
    pub(crate) async fn acknowledged(mut self, time: Duration) -> Result<(), Silence> {
        if let Ok(Ok(())) = tokio::time::timeout(time, &mut self.acknowledged).await {
            return Ok(());
        }
        let mut visitors = self.hub.visitors();
        let Some(visitor) = visitors.get_mut(&self.citizen) else {
            return Err(Silence::Away);
        };
        visitor.connections.retain(|line| line.since > self.since);
        let silence = if visitor.connections.is_empty() {
            Silence::Away
        } else {
            Silence::Slow
        };
        drop(visitors);
        Err(silence)
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        let mut visitors = self.hub.visitors();
        let Some(visitor) = visitors.get_mut(&self.citizen) else {
            return;
        };
        visitor
            .pending
            .retain(|pending| pending.number != self.number);
        if visitor.connections.is_empty() {
            drop(visitors);
            self.hub.forget_later(self.citizen.clone());
        }
    }
}
