//! A channel at a message centre's stand-in, without the rest of the program.

#[path = "../../../../tests/src/smsc/mod.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "each test uses a part of the stand-in"
)]
pub(crate) mod smsc;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use langnghe_connector::{Connector, Manner, Outgoing, SendError, Sent, testkit::MemoryHost};
use langnghe_model::{ChannelId, CitizenId, Event, EventKind, Reply, Timestamp, event::Receipt};
use langnghe_sms::{
    Config, Sms,
    smpp::{Reconnect, Smpp, SmppConfig},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::smsc::{PASSWORD, SYSTEM_ID, Smsc};

/// The longest wait for something that should be there at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// A citizen.
pub(crate) const AN: &str = "+84912345678";

/// What the program keeps for the channel.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<MemoryHost>);

impl std::ops::Deref for Store {
    type Target = MemoryHost;

    fn deref(&self) -> &MemoryHost {
        &self.0
    }
}

impl Default for Store {
    fn default() -> Self {
        Self(Arc::new(MemoryHost::new(|| {
            #[expect(clippy::disallowed_methods, reason = "stands for the program's clock")]
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let milliseconds = now.expect("after 1970").as_millis();
            Timestamp::from_milliseconds(i64::try_from(milliseconds).expect("soon"))
        })))
    }
}

impl Store {
    /// The words that citizens said, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |event: Event| match event.kind {
            EventKind::Message(message) => message.text,
            _ => None,
        };
        self.events().into_iter().filter_map(text).collect()
    }

    /// News of our messages: `m-1 delivered`, `m-2 UNDELIV 045`.
    pub(crate) fn receipts(&self) -> Vec<String> {
        let words = |event: Event| match event.kind {
            EventKind::Receipt(Receipt::Delivered { messages, .. }) => {
                Some(format!("{} delivered", messages[0].as_str()))
            }
            EventKind::Receipt(Receipt::Failed { message, code, .. }) => {
                Some(format!("{} {}", message.as_str(), code.unwrap_or_default()))
            }
            _ => None,
        };
        self.events().into_iter().filter_map(words).collect()
    }
}

/// A channel, its message centre, and what it keeps.
pub(crate) struct Stage {
    pub(crate) smsc: Smsc,
    pub(crate) store: Store,
    pub(crate) channel: Arc<Sms>,
    over: CancellationToken,
    pub(crate) tending: Option<JoinHandle<()>>,
}

impl Stage {
    /// Begins with an account as it is usual, and waits until it is bound.
    pub(crate) async fn begin() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with something unusual.
    pub(crate) async fn with(change: impl FnOnce(&mut SmppConfig)) -> Self {
        let mut stage = Self::before(Smsc::start(10).await, change);
        stage.tend();
        stage.bound(1).await;
        stage
    }

    /// A channel that does not call yet.
    pub(crate) fn before(smsc: Smsc, change: impl FnOnce(&mut SmppConfig)) -> Self {
        let mut config =
            SmppConfig::new("127.0.0.1", smsc.port(), SYSTEM_ID, PASSWORD.into(), "8088");
        config.reconnect = Reconnect {
            first: Duration::from_millis(50),
            longest: Duration::from_millis(200),
            refused: Duration::from_millis(300),
            ..Reconnect::default()
        };
        config.response_timeout = Duration::from_secs(2);
        change(&mut config);
        let provider = Smpp::new(config).expect("a good configuration");
        let channel = ChannelId::new("sms").expect("a good id");
        Self {
            smsc,
            store: Store::default(),
            channel: Arc::new(Sms::new(Config::new(channel), provider)),
            over: CancellationToken::new(),
            tending: None,
        }
    }

    /// Begins to tend the channel.
    pub(crate) fn tend(&mut self) {
        let (channel, host) = (Arc::clone(&self.channel), Arc::clone(&self.store.0));
        self.over = CancellationToken::new();
        let over = self.over.clone();
        self.tending = Some(tokio::spawn(async move { channel.tend(host, over).await }));
    }

    /// Waits until so many links are bound.
    pub(crate) async fn bound(&self, links: usize) {
        until("bound", || self.smsc.links() == links).await;
    }

    /// All of its memory is lost, what is stored stays; then it begins again.
    pub(crate) async fn crash(&mut self) {
        if let Some(tending) = self.tending.take() {
            tending.abort();
            drop(tending.await);
        }
        let smsc = std::mem::replace(&mut self.smsc, Smsc::start(1).await);
        let store = self.store.clone();
        *self = Self::before(smsc, |_| {});
        self.store = store;
        self.bound(0).await;
        self.tend();
        self.bound(1).await;
    }

    /// Ends the channel's time, in order.
    pub(crate) async fn end(&mut self) {
        self.over.cancel();
        let tending = self.tending.take().expect("it was begun");
        let ended = tokio::time::timeout(Duration::from_secs(5), tending).await;
        ended.expect("it ends soon").expect("no panic");
    }

    /// Sends a text under a name.
    pub(crate) async fn send(&self, id: &str, text: &str) -> Result<Sent, SendError> {
        let reply = Reply::Text {
            text: text.to_owned(),
        };
        let outgoing = Outgoing {
            id,
            citizen: &CitizenId::new(AN),
            reply: &reply,
            manner: Manner::Free,
        };
        self.channel.send(&outgoing).await
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
