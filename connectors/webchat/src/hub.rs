//! Who is there: the live connections of every visitor, and the replies that wait to be
//! acknowledged. Held in memory; a replica knows its own visitors only, and asks the others through
//! the relay.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use langnghe_model::{CitizenId, Profile};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    offer::{Offer, Progress},
    presence::{Acknowledged, Line, Pending, Reach, Visitor},
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

/// A connection's place in the hub; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Connection {
    hub: Arc<Hub>,
    citizen: CitizenId,
    number: u64,
    frames: mpsc::Receiver<Arc<str>>,
    is_news: bool,
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
        let visitor = visitors.entry(citizen.clone()).or_default();
        let is_news = visitor.reach(self.grace) == Reach::NotHere;
        let since = Instant::now();
        visitor.seen = Some(since);
        if let Some(language) = language {
            visitor.language = Some(language.to_owned());
        }
        if visitor.connections.len() >= self.connections_a_visitor {
            visitor.connections.remove(0);
        }
        let line = Line {
            number,
            since,
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
            is_news,
        }
    }

    /// Hands a reply of this replica's own to a visitor; `None` when they are not here.
    pub(crate) fn offer(
        self: &Arc<Self>,
        citizen: &CitizenId,
        id: &str,
        frame: &str,
    ) -> Option<Offer> {
        let mut visitors = self.visitors();
        let visitor = visitors.get_mut(citizen)?;
        let is_here = visitor.reach(self.grace) != Reach::NotHere;
        is_here.then(|| self.wait(visitor, citizen, id, frame, true))
    }

    /// The same for a visitor who may come, or be at another replica.
    pub(crate) fn expect(self: &Arc<Self>, citizen: &CitizenId, id: &str, frame: &str) -> Offer {
        let mut visitors = self.visitors();
        let visitor = visitors.entry(citizen.clone()).or_default();
        self.wait(visitor, citizen, id, frame, true)
    }

    /// Hands another replica's reply to a visitor, if they are here.
    pub(crate) fn help(self: &Arc<Self>, citizen: &CitizenId, id: &str, frame: &str) -> Help {
        let mut visitors = self.visitors();
        let Some(visitor) = visitors.get_mut(citizen) else {
            return Help::NotHere;
        };
        let known = visitor.pending.iter().find(|pending| *pending.id == *id);
        match known {
            Some(pending) if pending.ours => Help::NotHere,
            Some(_) => Help::UnderWay,
            None if visitor.reach(self.grace) == Reach::NotHere => Help::NotHere,
            None => Help::Begun(self.wait(visitor, citizen, id, frame, false)),
        }
    }

    fn wait(
        self: &Arc<Self>,
        visitor: &mut Visitor,
        citizen: &CitizenId,
        id: &str,
        frame: &str,
        ours: bool,
    ) -> Offer {
        let number = self.number();
        let frame: Arc<str> = frame.into();
        visitor
            .connections
            .retain(|line| line.frames.try_send(frame.clone()).is_ok());
        let (sender, progress) = watch::channel(Progress::Waiting);
        visitor.pending.push(Pending {
            number,
            id: id.into(),
            frame,
            ours,
            told: !ours,
            progress: sender,
        });
        Offer::new(self.clone(), citizen.clone(), number, progress)
    }

    /// This replica's own replies that wait for a visitor: other replicas are about to be told.
    pub(crate) fn tell_of(&self, citizen: &CitizenId) -> Vec<(Arc<str>, Arc<str>)> {
        let mut visitors = self.visitors();
        let Some(visitor) = visitors.get_mut(citizen) else {
            return Vec::new();
        };
        let ours = visitor.pending.iter_mut().filter(|pending| pending.ours);
        ours.map(|pending| {
            pending.told = true;
            (pending.id.clone(), pending.frame.clone())
        })
        .collect()
    }

    /// Hands over something that is worth nothing when late, to whoever is there; whether anybody is.
    pub(crate) fn whisper(&self, citizen: &CitizenId, frame: &str) -> bool {
        let visitors = self.visitors();
        let Some(visitor) = visitors.get(citizen) else {
            return false;
        };
        let frame: Arc<str> = frame.into();
        for line in &visitor.connections {
            // A full line is ended by the next reply; this frame is not worth it.
            drop(line.frames.try_send(frame.clone()));
        }
        !visitor.connections.is_empty()
    }

    /// The page has shown and kept a reply.
    pub(crate) fn acknowledge(&self, citizen: &CitizenId, id: &str) -> Acknowledged {
        let mut visitors = self.visitors();
        let Some(visitor) = visitors.get_mut(citizen) else {
            return Acknowledged::Unknown;
        };
        visitor.seen = Some(Instant::now());
        visitor.settle(id)
    }

    /// The page has said so at another replica.
    pub(crate) fn acknowledged_elsewhere(&self, citizen: &CitizenId, id: &str) {
        if let Some(visitor) = self.visitors().get_mut(citizen)
            && visitor.settle(id) != Acknowledged::Unknown
        {
            visitor.elsewhere = !visitor.connections.is_empty();
        }
    }

    /// Another replica has the visitor and hands them this reply of ours.
    pub(crate) fn under_way(&self, citizen: &CitizenId, id: &str) {
        if let Some(visitor) = self.visitors().get(citizen) {
            let ours = |pending: &&Pending| pending.ours && *pending.id == *id;
            for pending in visitor.pending.iter().filter(ours) {
                pending.progress.send_replace(Progress::Elsewhere);
            }
        }
    }

    /// What is known of a visitor, if they are here: the language of their interface.
    pub(crate) fn profile(&self, citizen: &CitizenId) -> Option<Profile> {
        let visitors = self.visitors();
        let visitor = visitors.get(citizen)?;
        (visitor.reach(self.grace) != Reach::NotHere).then(|| Profile {
            name: None,
            language: visitor.language.clone(),
        })
    }

    /// Where a visitor can be reached.
    pub(crate) fn reach(&self, citizen: &CitizenId) -> Reach {
        let visitors = self.visitors();
        let visitor = visitors.get(citizen);
        visitor.map_or(Reach::NotHere, |visitor| visitor.reach(self.grace))
    }

    /// Ends connections that had all the time since `since` and stayed silent (a phone asleep, a
    /// cable pulled): whoever is behind them comes back by themselves. Whether any other is left.
    pub(crate) fn end_older(&self, citizen: &CitizenId, since: Instant) -> bool {
        let mut visitors = self.visitors();
        let Some(visitor) = visitors.get_mut(citizen) else {
            return false;
        };
        visitor.connections.retain(|line| line.since > since);
        !visitor.connections.is_empty()
    }

    /// A reply is no longer offered.
    pub(crate) fn withdraw(self: &Arc<Self>, citizen: &CitizenId, number: u64) {
        let mut visitors = self.visitors();
        let Some(visitor) = visitors.get_mut(citizen) else {
            return;
        };
        visitor.pending.retain(|pending| pending.number != number);
        if visitor.is_forgotten(self.grace) {
            visitors.remove(citizen);
        } else if visitor.connections.is_empty() {
            drop(visitors);
            self.forget_later(citizen.clone());
        }
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
            let gone = visitors
                .get(&citizen)
                .is_some_and(|visitor| visitor.is_forgotten(hub.grace));
            if gone {
                visitors.remove(&citizen);
            }
        });
    }
}

/// What came of another replica's request.
#[derive(Debug)]
pub(crate) enum Help {
    /// The visitor is not here, or the reply is our own.
    NotHere,
    /// They have it already, and have not answered.
    UnderWay,
    /// They are handed it.
    Begun(Offer),
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

    /// Whether the visitor was not here before it.
    pub(crate) fn is_news(&self) -> bool {
        self.is_news
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
        visitor.seen = Some(Instant::now());
        if visitor.connections.is_empty() {
            visitor.elsewhere = false;
            drop(visitors);
            self.hub.forget_later(self.citizen.clone());
        }
    }
}
