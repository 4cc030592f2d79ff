//! When a channel rests because its provider said so. All replicas are told, so that one that takes
//! the channel over meanwhile keeps the rest too.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use langnghe_http::MAX_RETRY_AFTER;
use langnghe_model::{ChannelId, Timestamp};
use langnghe_store::Bus;
use tokio::sync::mpsc;

use crate::clock;

/// Where replicas tell each other. A message is for how many milliseconds, a space, and which channel.
const TOPIC: &str = "rest";
/// The longest that telling the others may take.
const TELLING: Duration = Duration::from_secs(1);
/// Why a channel rests of which another replica said so.
const TOLD: &str = "the replica that sent before was told to";
/// A rest that ends so little later than the known one is not told.
const NEWS: Duration = Duration::from_millis(100);

/// One channel's rest.
#[derive(Debug)]
pub(crate) struct Rest {
    channel: ChannelId,
    known: Mutex<Known>,
    bus: Option<Arc<dyn Bus>>,
}

/// Until when, and why.
#[derive(Clone, Debug, Default)]
struct Known {
    until: Timestamp,
    why: String,
}

impl Rest {
    pub(super) fn new(channel: ChannelId, bus: Option<Arc<dyn Bus>>) -> Self {
        Self {
            channel,
            known: Mutex::default(),
            bus,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when the channel rests; long ago when it does not.
    pub(crate) fn until(&self) -> Timestamp {
        self.known().until
    }

    /// Until when the channel rests, and why, where it does at `now`.
    pub(super) fn shown(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        let known = self.known();
        (known.until > now).then(|| (known.until, known.why.clone()))
    }

    /// Rests for `time` from now at least; says whether that is longer than was known.
    pub(crate) fn prolong(&self, time: Duration, why: &str) -> bool {
        let until = clock::now() + time;
        let mut known = self.known();
        let longer = until.since(known.until) > NEWS;
        if until > known.until {
            known.until = until;
            why.clone_into(&mut known.why);
        }
        longer
    }

    /// The provider wants a rest of `time`, of every replica.
    pub(crate) async fn begin(&self, time: Duration, why: &str) {
        let news = self.prolong(time, why);
        let Some(bus) = self.bus.as_ref().filter(|_| news) else {
            return;
        };
        let message = format!("{} {}", time.as_millis(), self.channel);
        let told = tokio::time::timeout(TELLING, bus.publish(TOPIC, message.into_bytes()));
        if !matches!(told.await, Ok(Ok(()))) {
            // Should another take over meanwhile, the provider tells it once more.
            tracing::debug!(channel = %self.channel, "other replicas were not told of a rest");
        }
    }

    /// Keeps what other replicas tell, for ever.
    pub(super) async fn listen(&self) {
        let told = self.bus.as_ref().map(|bus| bus.subscribe(TOPIC));
        let mut told: mpsc::Receiver<Vec<u8>> = match told {
            Some(told) => told,
            None => return std::future::pending().await,
        };
        while let Some(message) = told.recv().await {
            if let Some(time) = self.read(&message) {
                self.prolong(time, TOLD);
            }
        }
        std::future::pending::<()>().await;
    }

    /// For how long a message lets this channel rest.
    fn read(&self, message: &[u8]) -> Option<Duration> {
        let (time, channel) = std::str::from_utf8(message).ok()?.split_once(' ')?;
        let time = Duration::from_millis(time.parse().ok()?);
        (channel == self.channel.as_str()).then_some(time.min(MAX_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use langnghe_store::StoreError;

    use super::*;

    /// Hands every message to all who listen.
    #[derive(Debug, Default)]
    struct Line(Mutex<Vec<mpsc::Sender<Vec<u8>>>>);

    #[async_trait]
    impl Bus for Line {
        async fn publish(&self, topic: &str, message: Vec<u8>) -> Result<(), StoreError> {
            assert_eq!(topic, TOPIC);
            for listener in &*self.0.lock().expect("not poisoned") {
                listener.try_send(message.clone()).expect("room");
            }
            Ok(())
        }

        fn subscribe(&self, _topic: &str) -> mpsc::Receiver<Vec<u8>> {
            let (sender, receiver) = mpsc::channel(9);
            self.0.lock().expect("not poisoned").push(sender);
            receiver
        }
    }

    #[tokio::test]
    async fn all_replicas_keep_a_rest_of_the_channel_and_of_no_other() {
        let line = Arc::new(Line::default());
        let rest = |channel: &str| {
            let channel = ChannelId::new(channel).expect("a good id");
            Rest::new(channel, Some(line.clone()))
        };
        let (here, there, other) = (rest("page"), rest("page"), rest("web"));
        let minute = Duration::from_mins(1);
        let told = async {
            tokio::task::yield_now().await;
            line.publish(TOPIC, b"rubbish".to_vec())
                .await
                .expect("told");
            here.begin(minute, "throttled (613)").await;
            while there.until() == Timestamp::default() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = there.listen() => {}
            () = other.listen() => {}
            told = tokio::time::timeout(minute, told) => told.expect("it is told"),
        }
        let apart = there.until().since(here.until());
        assert!(apart < Duration::from_secs(10), "{apart:?}");
        assert!(there.until() >= here.until());
        assert_eq!(other.until(), Timestamp::default());
    }
}
