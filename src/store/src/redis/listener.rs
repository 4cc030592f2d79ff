//! The line on which replicas hear of each other: what came up, and messages of the bus.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{Shared, link::explain};
use crate::{BUS_BOUND, Bus, StoreError};

/// How soon a lost line is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a quiet line is asked whether it still stands.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Who listens to which topics of the bus, and whether the line stands.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    topics: Mutex<HashMap<String, Vec<mpsc::Sender<Vec<u8>>>>>,
    connected: AtomicBool,
}

impl Listeners {
    /// Whether others' signs reach us.
    pub(super) fn connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<mpsc::Sender<Vec<u8>>>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self, topic: &str, message: &[u8]) {
        let mut topics = self.lock();
        if let Some(listeners) = topics.get_mut(topic) {
            // One that is full loses the message, as the bus promises; one that is gone leaves.
            listeners.retain(|listener| {
                !matches!(
                    listener.try_send(message.to_vec()),
                    Err(mpsc::error::TrySendError::Closed(_))
                )
            });
            if listeners.is_empty() {
                topics.remove(topic);
            }
        }
    }
}

/// Listens until the task is ended.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut failures = 0_u32;
    loop {
        let ended = listen(&shared, &mut failures).await;
        if let Err(error) = ended
            && failures == 0
        {
            tracing::warn!(
                reason = explain(&error),
                "replicas do not hear of each other now"
            );
        }
        shared.listeners.connected.store(false, Ordering::Relaxed);
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(failures.min(10));
        failures = failures.saturating_add(1);
        tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
    }
}

async fn listen(shared: &Shared, failures: &mut u32) -> redis::RedisResult<()> {
    let mut line = shared.link.messages().await?;
    let wake = format!("{}:wake", shared.layout.prefix);
    let bus = format!("{}:bus:", shared.layout.prefix);
    line.subscribe(&wake).await?;
    line.psubscribe(format!("{bus}*")).await?;
    shared.listeners.connected.store(true, Ordering::Relaxed);
    *failures = 0;
    // What came up while nobody listened.
    shared.topics.wake_all();
    let (mut sink, mut messages) = line.split();
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.reset();
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                let channel = message.get_channel_name();
                if channel == wake {
                    wake_topics(shared, message.get_payload_bytes());
                } else if let Some(topic) = channel.strip_prefix(&bus) {
                    shared.listeners.hand_out(topic, message.get_payload_bytes());
                }
            }
            _ = ping.tick() => {
                let answer = tokio::time::timeout(shared.options.timeout, sink.ping::<redis::Value>());
                if answer.await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// A message is the tag of an index and the topics, a line each.
fn wake_topics(shared: &Shared, message: &[u8]) {
    let Ok(text) = std::str::from_utf8(message) else {
        return;
    };
    let mut lines = text.lines();
    let index = lines.next().and_then(|tag| shared.layout.index_of_tag(tag));
    if let Some(index) = index {
        lines.for_each(|topic| shared.topics.wake(topic, index));
    }
}

/// The bus of a store on Redis.
#[derive(Debug)]
pub(super) struct RedisBus {
    pub(super) shared: Arc<Shared>,
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, topic: &str, message: Vec<u8>) -> Result<(), StoreError> {
        self.shared.open()?;
        let mut command = redis::cmd("PUBLISH");
        command.arg(format!("{}:bus:{topic}", self.shared.layout.prefix));
        command.arg(message);
        self.shared.link.command("publish", &command).await?;
        Ok(())
    }

    fn subscribe(&self, topic: &str) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(BUS_BOUND);
        let mut topics = self.shared.listeners.lock();
        topics.entry(topic.to_owned()).or_default().push(sender);
        receiver
    }
}
