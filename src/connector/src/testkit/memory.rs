//! What the program keeps for a channel, in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use langnghe_model::{CitizenId, ConversationId, Event, Timestamp, event::Media};

use crate::{Acceptance, Host, MediaRefusal, Unavailable, Upload};

/// Says what time it is.
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// A host that keeps everything, each event once.
pub struct MemoryHost {
    clock: Clock,
    events: Mutex<Vec<Event>>,
    state: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Set while nothing can be stored.
    pub takes_nothing: AtomicBool,
    /// How often events were handed over.
    pub accepts: AtomicUsize,
    /// How many documents were written.
    pub writes: AtomicUsize,
}

impl fmt::Debug for MemoryHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemoryHost").finish_non_exhaustive()
    }
}

impl MemoryHost {
    /// One whose time is what `clock` says.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            events: Mutex::default(),
            state: Mutex::default(),
            takes_nothing: AtomicBool::new(false),
            accepts: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
        }
    }

    /// All events, in the order in which they came.
    pub fn events(&self) -> Vec<Event> {
        lock(&self.events).clone()
    }

    /// Whether some words lie in what the channel keeps.
    pub fn has_written(&self, words: &str) -> bool {
        let holds = |body: &Vec<u8>| {
            let mut places = body.windows(words.len().max(1));
            places.any(|place| place == words.as_bytes())
        };
        lock(&self.state).values().any(holds)
    }

    fn storing(&self) -> Result<(), Unavailable> {
        if self.takes_nothing.load(Ordering::Relaxed) {
            return Err(Unavailable {
                retry_after: Duration::from_secs(1),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Host for MemoryHost {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    async fn accept(&self, events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        self.accepts.fetch_add(1, Ordering::Relaxed);
        self.storing()?;
        let mut stored = lock(&self.events);
        let mut accepted = Vec::new();
        for event in events {
            if stored.iter().any(|other| other.id == event.id) {
                accepted.push(Acceptance::Duplicate);
            } else {
                accepted.push(Acceptance::Stored);
                stored.push(event);
            }
        }
        Ok(accepted)
    }

    async fn present(&self, _citizen: &CitizenId) {}

    async fn keep_media(
        &self,
        _conversation: &ConversationId,
        _upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        Err(MediaRefusal::Kind)
    }

    async fn state(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(lock(&self.state).get(name).cloned())
    }

    async fn exchange_state(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, Unavailable> {
        self.storing()?;
        let mut state = lock(&self.state);
        let same = state.get(name).map(Vec::as_slice) == expected;
        if same {
            state.insert(name.to_owned(), body.to_vec());
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(same)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
