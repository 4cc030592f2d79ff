//! Redis or Valkey: many replicas share one store.
//!
//! Every operation that must be atomic is one script (`scripts/*.lua`); this side builds its
//! arguments and reads its answer. [`layout`] says which keys there are, `scripts/prelude.lua` what
//! is in them. Replicas are woken by messages ([`listener`]); who waits for what is in [`topics`].

mod archive;
mod call;
mod dead;
mod deliveries;
mod durability;
mod gather;
mod inbox;
mod layout;
mod link;
mod listener;
mod moved_marks;
mod outbox;
mod rest;
mod script;
mod store;
mod tickets;
mod topics;
mod waiting;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

pub use durability::{DurabilityFinding, ServerSettings, Severity, judge};
use redis::Cmd;
use tokio::task::JoinHandle;

use self::{gather::Gather, layout::Layout, link::Link, listener::Listeners, topics::Topics};
pub use archive::RedisArchive;

use crate::{Accepted, Limits, NewEvent, RedisAddress, Settlement, StoreError};
use langnghe_model::Timestamp;

/// The form of the data; a newer one is refused.
const FORMAT: i64 = 1;

/// Whose clock decides when leases run out and what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreClock {
    /// The server's: replicas' clocks may differ.
    #[default]
    Server,
    /// The `now` of each call, for tests that lead time themselves.
    Caller,
}

/// How a store on Redis is used.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Bounds; `dedup_memory` means nothing here, as marks expire by themselves.
    pub limits: Limits,
    /// Over how many partitions conversations are spread; cannot be changed over data.
    pub partitions: u16,
    /// What all keys begin with.
    pub prefix: String,
    /// For how long a redelivery is recognised.
    pub dedup: Duration,
    /// For how long a session without a word from the citizen is kept.
    pub idle_sessions: Duration,
    /// Whether what was accepted, and what is about to be sent, is first synced to the server's disk
    /// (WAITAOF, from Redis 7.2 on).
    pub wait_aof: bool,
    /// How many of the server's replicas must have it first (WAIT).
    pub wait_replicas: u8,
    /// The longest that a call may take.
    pub timeout: Duration,
    /// Whose clock counts.
    pub clock: StoreClock,
    /// The certificate (PEM) of the authority that signed the server's; `None` means those that the
    /// system trusts.
    pub certificate: Option<Vec<u8>>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Self {
            limits: Limits::default(),
            partitions: 64,
            prefix: "ln".to_owned(),
            dedup: days(7),
            idle_sessions: days(30),
            wait_aof: false,
            wait_replicas: 0,
            timeout: Duration::from_secs(2),
            clock: StoreClock::default(),
            certificate: None,
        }
    }
}

impl RedisOptions {
    fn waits_at_all(&self) -> bool {
        self.wait_aof || self.wait_replicas > 0
    }

    /// The commands that wait, and what each has to reach.
    fn waits(&self) -> Vec<(Cmd, Vec<i64>)> {
        let replicas = i64::from(self.wait_replicas);
        let time = self.timeout.as_millis().saturating_mul(9) / 10;
        let time = u64::try_from(time).unwrap_or(u64::MAX).max(1);
        let mut waits = Vec::new();
        if self.wait_aof {
            let mut command = redis::cmd("WAITAOF");
            command.arg(1).arg(0).arg(time);
            waits.push((command, vec![1, 0]));
        }
        if replicas > 0 {
            let mut command = redis::cmd("WAIT");
            command.arg(replicas).arg(time);
            waits.push((command, vec![replicas]));
        }
        waits
    }
}

/// What all tasks of a store share.
#[derive(Debug)]
struct Shared {
    link: Link,
    /// A line of its own for calls that wait for durability, as the wait holds the line up.
    durable: Option<Link>,
    layout: Layout,
    /// The two keys of every call, by index.
    fixed_keys: Vec<[String; 2]>,
    options: RedisOptions,
    topics: Topics,
    listeners: Listeners,
    /// Events that wait in each index, as far as is known here.
    waiting: Vec<AtomicU64>,
    /// Until when marks that came with a copy may count.
    moved_marks_until: Option<Timestamp>,
    closed: AtomicBool,
}

impl Shared {
    fn open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Ok(())
    }

    /// Wakes those who wait here, where the messages that would do so do not come.
    fn wake_here(&self, topic: &str, index: layout::Index) {
        if !self.listeners.connected() {
            self.topics.wake(topic, index);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

type AcceptGather = Gather<(Vec<NewEvent>, Timestamp), Vec<Accepted>>;
type SettleGather = Gather<(Vec<Settlement>, Timestamp), ()>;

/// A store on Redis or Valkey.
#[derive(Debug)]
pub struct RedisStore {
    shared: Arc<Shared>,
    accepts: Mutex<Option<Arc<AcceptGather>>>,
    settles: Mutex<Option<Arc<SettleGather>>>,
    gatherers: Mutex<Vec<JoinHandle<()>>>,
    listening: JoinHandle<()>,
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl RedisStore {
    /// Opens the store, and lays it out when it is new.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the address, the partitions or the kind of server do not fit,
    /// [`StoreError::Newer`], [`StoreError::Unavailable`].
    pub async fn open(address: &RedisAddress, options: RedisOptions) -> Result<Self, StoreError> {
        let shared = connect(address, options).await?;
        if meta_field(&shared.link, &shared.layout, "copy")
            .await?
            .is_some()
        {
            return Err(StoreError::Open {
                path: shared.link.shown(),
                reason: crate::archive::UNFINISHED.to_owned(),
            });
        }
        let bound = shared.options.limits.operations;
        let (accepts, accepting) = Gather::start(&shared, bound, inbox::accept_all);
        let (settles, settling) = Gather::start(&shared, bound, outbox::settle_all);
        Ok(Self {
            accepts: Mutex::new(Some(Arc::new(accepts))),
            settles: Mutex::new(Some(Arc::new(settles))),
            gatherers: Mutex::new(vec![accepting, settling]),
            listening: tokio::spawn(listener::run(Arc::clone(&shared))),
            shared,
        })
    }

    /// Where the store is, without user and password.
    pub fn address(&self) -> String {
        self.shared.link.shown()
    }

    async fn finish(&self) {
        // What waits to be accepted or settled is finished; nothing new comes.
        let held = self
            .accepts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(held);
        let held = self
            .settles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(held);
        let gatherers = std::mem::take(
            &mut *self
                .gatherers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for gatherer in gatherers {
            // It ends when the last caller has its answer, each of which comes within the time-out.
            drop(tokio::time::timeout(self.shared.options.timeout * 2, gatherer).await);
        }
        self.shared.closed.store(true, Ordering::Release);
        self.listening.abort();
    }
}

/// Connects to a store, and lays it out when it is new.
async fn connect(address: &RedisAddress, options: RedisOptions) -> Result<Arc<Shared>, StoreError> {
    let new_link = || {
        Link::new(
            address.clone(),
            options.certificate.clone(),
            options.timeout,
        )
    };
    let link = new_link();
    let layout = Layout {
        prefix: options.prefix.clone(),
        partitions: options.partitions.max(1),
        cluster: link.is_cluster(),
    };
    check_layout(&link, &layout).await?;
    let fixed_keys: Vec<_> = layout
        .indexes()
        .map(|index| ["seq", "never"].map(|name| layout.index_key(index, name)))
        .collect();
    for [counter, _] in &fixed_keys {
        let mut command = redis::cmd("SET");
        command.arg(counter).arg(0).arg("NX");
        link.command("open", &command).await?;
    }
    let until = meta_field(&link, &layout, moved_marks::UNTIL).await?;
    let until = until.and_then(|until| until.parse().ok());
    Ok(Arc::new(Shared {
        durable: options.waits_at_all().then(new_link),
        link,
        fixed_keys,
        topics: Topics::new(layout.count()),
        listeners: Listeners::default(),
        waiting: layout.indexes().map(|_| AtomicU64::new(0)).collect(),
        layout,
        moved_marks_until: until.map(Timestamp::from_milliseconds),
        closed: AtomicBool::new(false),
        options,
    }))
}

/// Over how many partitions a store was laid out; `None` where there is none.
async fn laid_out(
    address: &RedisAddress,
    options: &RedisOptions,
) -> Result<Option<u16>, StoreError> {
    let certificate = options.certificate.clone();
    let link = Link::new(address.clone(), certificate, options.timeout);
    let layout = Layout {
        prefix: options.prefix.clone(),
        partitions: 1,
        cluster: link.is_cluster(),
    };
    let found = meta_field(&link, &layout, "partitions").await?;
    Ok(found.and_then(|found| found.parse().ok()))
}

/// A field of what is known of the store as a whole.
async fn meta_field(
    link: &Link,
    layout: &Layout,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut command = redis::cmd("HGET");
    command.arg(format!("{}:meta", layout.prefix)).arg(name);
    let held = call::optional(link.command("open", &command).await?)?;
    Ok(held.and_then(|held| String::from_utf8(held).ok()))
}

/// Compares what was laid out with what is wanted, or lays it out.
async fn check_layout(link: &Link, layout: &Layout) -> Result<(), StoreError> {
    let key = format!("{}:meta", layout.prefix);
    let kind = if layout.cluster { "cluster" } else { "server" };
    let wanted = [
        ("format", FORMAT.to_string()),
        ("partitions", layout.partitions.to_string()),
        ("kind", kind.to_owned()),
    ];
    let mut found = Vec::new();
    for (name, value) in &wanted {
        let mut command = redis::cmd("HSETNX");
        command.arg(&key).arg(name).arg(value);
        link.command("open", &command).await?;
        let mut command = redis::cmd("HGET");
        command.arg(&key).arg(name);
        found.push(call::text(link.command("open", &command).await?)?);
    }
    let format: i64 = found[0].parse().unwrap_or(i64::MAX);
    if format > FORMAT {
        return Err(StoreError::Newer {
            path: link.shown(),
            found: format,
            known: FORMAT,
        });
    }
    let reason = if found[1] != wanted[1].1 {
        format!(
            "its data were laid out with store.partitions = {}, and {} is configured: set it back, or move the data with `langnghe store copy`",
            found[1], wanted[1].1
        )
    } else if found[2] != kind {
        format!(
            "its data were laid out for a {}, and this is a {kind}: move them with `langnghe store copy`",
            found[2]
        )
    } else {
        return Ok(());
    };
    Err(StoreError::Open {
        path: link.shown(),
        reason,
    })
}
