//! A host for the web chat without the rest of the program: it keeps what comes in memory.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use langnghe_connector::{Acceptance, Connector, Host, MediaRefusal, Unavailable, Upload, sniff};
use langnghe_model::{CitizenId, ConversationId, Event, EventId, Timestamp, event::Media};
use langnghe_webchat::WebChat;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
};

/// Keeps what comes in memory, and can be told to refuse.
#[derive(Debug, Default)]
pub(crate) struct FakeHost {
    ids: Mutex<HashSet<EventId>>,
    events: Mutex<Vec<Event>>,
    /// Who came, each time that they did.
    pub(crate) present: Mutex<Vec<CitizenId>>,
    /// Something changed.
    pub(crate) changed: Notify,
    /// Nothing can be stored.
    pub(crate) unavailable: AtomicBool,
    /// Every citizen sends too much.
    pub(crate) flooded: AtomicBool,
    /// The line to other replicas, if there are any.
    pub(crate) line: Option<Arc<Line>>,
}

/// A line between replicas, which can be cut.
#[derive(Debug, Default)]
pub(crate) struct Line {
    ends: Mutex<Vec<mpsc::Sender<Vec<u8>>>>,
    /// Everything that is said is lost.
    pub(crate) cut: AtomicBool,
    /// How much was said.
    pub(crate) said: AtomicUsize,
}

impl FakeHost {
    /// Everything that was stored, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().expect("no holder panics").clone()
    }
}

#[async_trait]
impl Host for FakeHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000)
    }

    async fn accept(&self, events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        if self.unavailable.load(Ordering::Relaxed) {
            return Err(Unavailable {
                retry_after: Duration::from_secs(1),
            });
        }
        if self.flooded.load(Ordering::Relaxed) {
            return Ok(vec![Acceptance::Flooded; events.len()]);
        }
        let store = |event: Event| {
            if self
                .ids
                .lock()
                .expect("no holder panics")
                .insert(event.id.clone())
            {
                self.events.lock().expect("no holder panics").push(event);
                Acceptance::Stored
            } else {
                Acceptance::Duplicate
            }
        };
        let acceptances = events.into_iter().map(store).collect();
        self.changed.notify_waiters();
        Ok(acceptances)
    }

    async fn present(&self, citizen: &CitizenId) {
        self.present
            .lock()
            .expect("no holder panics")
            .push(citizen.clone());
        self.changed.notify_waiters();
    }

    async fn keep_media(
        &self,
        _conversation: &ConversationId,
        upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        let sniffed = sniff(&upload.bytes).ok_or(MediaRefusal::Kind)?;
        Ok(Media {
            kind: sniffed.kind,
            url: format!("http://127.0.0.1/media/kept.{}", sniffed.extension),
            content_type: Some(sniffed.content_type.to_owned()),
            bytes: Some(upload.bytes.len() as u64),
            name: upload.name,
        })
    }

    fn hear_replicas(&self) -> Option<mpsc::Receiver<Vec<u8>>> {
        let (end, heard) = mpsc::channel(1024);
        let mut ends = self.line.as_ref()?.ends.lock().expect("no holder panics");
        ends.push(end);
        Some(heard)
    }

    async fn tell_replicas(&self, message: Vec<u8>) {
        let Some(line) = &self.line else { return };
        line.said.fetch_add(1, Ordering::Relaxed);
        if !line.cut.load(Ordering::Relaxed) {
            for end in line.ends.lock().expect("no holder panics").iter() {
                drop(end.try_send(message.clone()));
            }
        }
    }
}

/// Serves a web chat on a free port of the loopback.
pub(crate) async fn serve(chat: &WebChat, host: Arc<dyn Host>, port: u16) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("the port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let routes = chat.routes(host).expect("a web chat has routes");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}
