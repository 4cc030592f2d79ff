//! Replicas that do not run the same flows or the same version of the program, over one store.

use async_trait::async_trait;
use langnghe_connector::{
    Connector, Outgoing, Received, Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_flow::{Agency, Settings};
use langnghe_model::{
    Capabilities, CitizenId, Event, EventId, EventKind, Reply, event::Message, problem::Source,
};
use langnghe_store::{
    Epoch, Limits, NewEvent, OpenMode, Position, SessionChange, SettleResult, Settlement,
    SqliteStore,
};

use super::*;
use crate::{MediaPlace, MediaSettings, keep_versions, metrics::Metrics};

const FLOW: &str = r#"
id = "t"
version = 1
title = "T"
[[question]]
id = "loai"
kind = "choice"
ask = "Loại?"
choices = [{ id = "duong", label = "Đường" }, { id = "rac", label = "Rác" }]
[[question]]
id = "mo_ta"
kind = "text"
ask = "Câu cũ?"
[[question]]
id = "them"
kind = "text"
ask = "Thêm?"
[ticket]
"#;
const SOON: Duration = Duration::from_secs(10);

fn newer() -> String {
    FLOW.replace("version = 1", "version = 2")
        .replace("id = \"mo_ta\"", "id = \"moi\"")
        .replace("Câu cũ?", "Câu mới?")
}

fn library(flow: &str) -> Library {
    let settings = Settings {
        start: "t".to_owned(),
        language: "vi".to_owned(),
        backends: None,
        agency: Agency::default(),
    };
    Library::load(&[Source::new("t.toml", flow)], &[], settings)
        .library
        .expect("it checks")
}

/// A channel that takes nothing in and sends nothing: the tests do that themselves.
#[derive(Debug)]
struct Mute(Capabilities);

#[async_trait]
impl Connector for Mute {
    fn kind(&self) -> &'static str {
        "mute"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn receive(&self, _request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        Err(Rejection::Method)
    }

    async fn send(&self, _outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        Err(SendError::Away)
    }
}

fn channel() -> ChannelId {
    ChannelId::new("page").expect("a good id")
}

fn conversation() -> ConversationId {
    ConversationId::new(channel(), CitizenId::new("1"))
}

/// A store that two replicas share.
struct Shared {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    said: u32,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("store.db");
        let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
        Self {
            folder,
            store: Arc::new(store.expect("a new store")),
            said: 0,
        }
    }

    /// The workers of a replica that runs this library.
    async fn replica(&self, library: Library) -> Workers {
        let store: Arc<dyn Store> = self.store.clone();
        keep_versions(&*store, &library).await.expect("kept");
        let library = Arc::new(ArcSwap::from_pointee(library));
        let metrics = Arc::new(Metrics::new());
        let worker_channel = WorkerChannel {
            parts: ChannelParts {
                id: channel(),
                connector: Arc::new(Mute(Capabilities::text_only(2000))),
                quotas: Vec::new(),
                profile: false,
                notices: crate::NoticePolicy::default(),
            },
            metrics: metrics.channel(&channel()),
            fallback: None,
        };
        let place = MediaPlace::Folder(self.folder.path().join("media"));
        let media = MediaSettings {
            place,
            ..MediaSettings::default()
        };
        let media = MediaKeeper::open(media, Arc::clone(&store), metrics.media.clone());
        Workers {
            versions: Versions::new(Arc::clone(&store), Arc::clone(&library)),
            store,
            library,
            channels: HashMap::from([(channel(), worker_channel)]),
            media: Arc::new(media.await.expect("a folder")),
            claim: 1,
            lease: SOON,
            reply_retries: RetrySchedule::replies(),
        }
    }

    async fn claims(&self) -> Vec<Claim> {
        let claimed = self.store.claim(1, SOON, clock::now(), SOON).await;
        claimed.expect("the store is there")
    }

    async fn arrives(&mut self, text: &str) {
        self.said += 1;
        let event = Event {
            id: EventId::new(format!("m{}", self.said)),
            conversation: conversation(),
            sent_at: clock::now(),
            received_at: clock::now(),
            kind: EventKind::Message(Message {
                text: Some(text.to_owned()),
                ..Message::default()
            }),
        };
        let event = NewEvent {
            conversation: conversation(),
            dedup: event.dedup_key(),
            body: serde_json::to_vec(&event).expect("it can be written"),
        };
        let accepted = self.store.accept(vec![event], clock::now()).await;
        accepted.expect("the store is there");
    }

    /// The citizen writes, a replica takes the turn; gives the texts of the replies.
    async fn turn(&mut self, replica: &Workers, text: &str) -> String {
        self.arrives(text).await;
        let claims = self.claims().await;
        assert!(!claims.is_empty(), "the conversation is ready");
        replica.process(claims).await.expect("the store is there");
        let mut texts = Vec::new();
        loop {
            let now = clock::now();
            let wait = Duration::ZERO;
            let claimed = self
                .store
                .claim_outbox(&channel(), Epoch(1), 1, SOON, now, wait)
                .await
                .expect("the store is there");
            let Some(reply) = claimed.into_iter().next() else {
                return texts.join(" | ");
            };
            if let Ok(Reply::Text { text } | Reply::Choices { text, .. }) =
                serde_json::from_slice(&reply.body)
            {
                texts.push(text);
            }
            let settlement = Settlement {
                id: reply.id,
                conversation: reply.conversation,
                token: reply.token,
                result: SettleResult::Sent,
            };
            let settled = self.store.settle(vec![settlement], now).await;
            settled.expect("the store is there");
        }
    }
}

#[tokio::test]
async fn a_session_goes_on_at_a_replica_that_has_not_loaded_its_version() {
    let mut shared = Shared::new();
    let behind = shared.replica(library(FLOW)).await;
    let ahead = shared.replica(library(&newer())).await;
    shared.turn(&ahead, "alo").await;
    let said = shared.turn(&behind, "rac").await;
    assert!(said.contains("Câu mới?"), "{said}");
    let said = shared.turn(&behind, "mới").await;
    assert!(said.contains("Thêm?"), "{said}");
    let said = shared.turn(&ahead, "hết").await;
    assert!(!said.contains("vẫn được giữ"), "no answer moved: {said}");
    // Whoever begins there begins on what it has loaded; the other way round works, too.
    let said = shared.turn(&behind, "alo").await;
    assert!(said.contains("Loại?"), "{said}");
    let said = shared.turn(&ahead, "rac").await;
    assert!(said.contains("Câu cũ?"), "{said}");
}

#[tokio::test]
async fn a_version_that_is_nowhere_moves_the_answers_and_is_not_asked_for_again() {
    let mut shared = Shared::new();
    let one = shared.replica(library(FLOW)).await;
    shared.turn(&one, "alo").await;
    shared.turn(&one, "rac").await;
    let name = library(FLOW).versions()[0].0.clone();
    // What the store holds under its name is no flow: as good as nothing.
    let spoilt = shared
        .store
        .keep_document(&format!("flow/{name}"), b"id =")
        .await;
    spoilt.expect("kept");
    let other = shared.replica(library(&newer())).await;
    assert!(
        other
            .versions
            .fetch(&name)
            .await
            .expect("the store is there")
            .is_none()
    );
    let said = shared.turn(&other, "câu trả lời cũ").await;
    assert!(
        said.contains("vẫn được giữ") && said.contains("Câu mới?"),
        "{said}"
    );
    shared.replica(library(FLOW)).await;
    let again = other
        .versions
        .fetch(&name)
        .await
        .expect("the store is there");
    assert!(again.is_none(), "it is asked for again only after a while");
}

#[tokio::test]
async fn a_session_of_a_newer_program_waits_for_it_untouched() {
    let mut shared = Shared::new();
    let replica = shared.replica(library(FLOW)).await;
    shared.turn(&replica, "alo").await;
    shared.arrives("rac").await;
    let [claim] = shared.claims().await.try_into().expect("one conversation");
    let ours = claim.session.clone().expect("a session");
    let later = [&[250], &ours[1..]].concat();
    let commit = Commit {
        processed: Position(0),
        session: SessionChange::Put(later.clone()),
        ..claim.done()
    };
    let committed = shared.store.commit(vec![commit], clock::now()).await;
    assert_eq!(committed.expect("the store is there"), [Committed::Done]);

    let claims = shared.claims().await;
    let events = claims[0].events.clone();
    replica.process(claims).await.expect("the store is there");
    let soon = shared
        .store
        .claim(1, SOON, clock::now(), Duration::ZERO)
        .await;
    assert_eq!(soon.expect("the store is there"), [], "it rests a while");
    let [claim] = shared.claims().await.try_into().expect("one conversation");
    assert_eq!(claim.session, Some(later));
    assert_eq!(claim.events, events);
}
