//! Who waits for what: a topic is something that can come up (an event, a reply of a channel, a
//! delivery to a backend, a timer), on each index.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use langnghe_model::Timestamp;
use tokio::{sync::Notify, time::Instant};

use super::layout::Index;

/// How often everything is looked at on a cluster though no sign came.
const SWEEP: Duration = Duration::from_secs(5);

/// One topic.
#[derive(Debug)]
pub(super) struct Topic {
    sign: Notify,
    indexes: Mutex<Vec<Look>>,
    /// Counts looks.
    turn: AtomicUsize,
    /// When everything is to be looked at, should a sign have been lost.
    sweep: Mutex<Option<Instant>>,
}

/// When an index is to be looked at.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Something came up.
    now: bool,
    /// Something comes due then.
    at: Option<Instant>,
}

impl Topic {
    fn new(indexes: usize) -> Self {
        let look = Look {
            now: true,
            at: None,
        };
        Self {
            sign: Notify::new(),
            indexes: Mutex::new(vec![look; indexes]),
            turn: AtomicUsize::new(0),
            sweep: Mutex::default(),
        }
    }

    /// The indexes that one who begins to wait looks at: on one server the one there is, on a cluster
    /// those where something came up, and from time to time, or when that is wanted, everything.
    pub(super) fn begin(&self, everything: bool) -> Vec<Index> {
        let now = Instant::now();
        let mut sweep = self.sweep.lock().unwrap_or_else(PoisonError::into_inner);
        let one = self.lock().len() == 1;
        if one || everything || sweep.is_none_or(|at| at <= now) {
            *sweep = Some(now + SWEEP);
            for look in self.lock().iter_mut() {
                look.now = true;
            }
        }
        drop(sweep);
        self.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Look>> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came up on an index: one who waits looks there.
    pub(super) fn wake(&self, index: Index) {
        if let Some(look) = self.lock().get_mut(usize::from(index)) {
            look.now = true;
        }
        self.sign.notify_one();
    }

    /// Signs may have been missed: everything is to be looked at.
    pub(super) fn wake_all(&self) {
        for look in self.lock().iter_mut() {
            look.now = true;
        }
        self.sign.notify_one();
    }

    /// The indexes that are to be looked at now, beginning with another each time, so that none is
    /// always the last; they count as looked at.
    pub(super) fn take(&self) -> Vec<Index> {
        let now = Instant::now();
        let mut taken: Vec<Index> = Vec::new();
        for (index, look) in (0..).zip(self.lock().iter_mut()) {
            if look.now || look.at.is_some_and(|at| at <= now) {
                *look = Look {
                    now: false,
                    at: None,
                };
                taken.push(index);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(taken.len()).unwrap_or(0);
        taken.rotate_left(first);
        taken
    }

    /// What was found out about an index: whether more is there, and when something comes due.
    pub(super) fn looked(&self, index: Index, more: bool, at: Option<Instant>) {
        if let Some(look) = self.lock().get_mut(usize::from(index)) {
            look.now |= more;
            look.at = match (look.at, at) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        if more {
            self.sign.notify_one();
        }
    }

    /// When the next index comes due.
    fn next(&self) -> Option<Instant> {
        self.lock().iter().filter_map(|look| look.at).min()
    }

    /// Waits until there may be something, at most until `end`.
    pub(super) async fn wait(&self, end: Instant) {
        let until = self.next().map_or(end, |next| next.min(end));
        // Either outcome means: look again.
        drop(tokio::time::timeout_at(until, self.sign.notified()).await);
    }
}

/// All topics that somebody here waits for.
#[derive(Debug)]
pub(super) struct Topics {
    indexes: usize,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

impl Topics {
    pub(super) fn new(indexes: usize) -> Self {
        Self {
            indexes,
            topics: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Topic>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The topic of this name, for one who waits.
    pub(super) fn get(&self, name: &str) -> Arc<Topic> {
        let mut topics = self.lock();
        if let Some(topic) = topics.get(name) {
            return Arc::clone(topic);
        }
        let topic = Arc::new(Topic::new(self.indexes));
        topics.insert(name.to_owned(), Arc::clone(&topic));
        topic
    }

    /// Wakes one who waits for this, if anybody here ever did.
    pub(super) fn wake(&self, name: &str, index: Index) {
        let topic = self.lock().get(name).cloned();
        if let Some(topic) = topic {
            topic.wake(index);
        }
    }

    /// Wakes those who wait for any topic whose name begins so.
    pub(super) fn wake_named(&self, beginning: &str, index: Index) {
        for (name, topic) in self.lock().iter() {
            if name.starts_with(beginning) {
                topic.wake(index);
            }
        }
    }

    /// Everybody looks at everything.
    pub(super) fn wake_all(&self) {
        for topic in self.lock().values() {
            topic.wake_all();
        }
    }
}

/// When something of the store's time comes, in ours; a moment later, as both are rounded.
pub(super) fn instant(now: Timestamp, at: Option<Timestamp>) -> Option<Instant> {
    at.map(|at| Instant::now() + at.since(now) + Duration::from_millis(1))
}
