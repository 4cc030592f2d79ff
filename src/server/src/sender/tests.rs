//! What a sender does when the right to send comes and goes.

mod limits;
mod recorded;

use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use langnghe_connector::{
    Acceptance, Connector, Hint, MediaRefusal, Outgoing, QuotaRule, QuotaScope, QuotaUnit,
    Received, Rejection, SendError, Sent, ThrottleScope, Unavailable, Upload, WebhookRequest,
};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, DedupKey, Event, Reply, Timestamp,
    event::Media,
};
use langnghe_store::{
    Commit, Heard, Lane, Limits, NewEvent, NewReply, OpenMode, OwnerId, Ownership, SessionChange,
    SqliteStore,
};
use tokio::sync::mpsc;

use super::*;
use crate::{clock::Moment, metrics::Metrics};

const LEASE: Duration = Duration::from_mins(10);
const SOON: Duration = Duration::from_secs(10);

/// Tells of every send, and answers when it is told to.
#[derive(Debug)]
struct Provider {
    capabilities: Capabilities,
    asked: mpsc::Sender<String>,
    /// When it was asked, each time.
    asked_at: Mutex<Vec<Instant>>,
    answers: Semaphore,
    /// How the next sends are refused.
    refusals: Mutex<VecDeque<SendError>>,
    hints: Mutex<Vec<Hint>>,
}

#[async_trait]
impl Connector for Provider {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, _request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        Err(Rejection::Method)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let Reply::Text { text, .. } = outgoing.reply else {
            panic!("only texts are queued");
        };
        self.asked_at
            .lock()
            .expect("not poisoned")
            .push(Instant::now());
        self.asked
            .send(text.clone())
            .await
            .expect("the test listens");
        self.answers.acquire().await.expect("open").forget();
        let refusal = self.refusals.lock().expect("not poisoned").pop_front();
        refusal.map_or_else(|| Ok(Sent::default()), Err)
    }

    fn hints(&self) -> Vec<Hint> {
        std::mem::take(&mut *self.hints.lock().expect("not poisoned"))
    }
}

/// The connector of these tests asks nothing of the program.
#[derive(Debug)]
struct NoProgram;

#[async_trait]
impl Host for NoProgram {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    async fn accept(&self, _events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable> {
        Ok(Vec::new())
    }

    async fn present(&self, _citizen: &CitizenId) {}

    async fn keep_media(
        &self,
        _conversation: &ConversationId,
        _upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        Err(MediaRefusal::Unavailable)
    }
}

/// A sender on a store of its own, and the provider that it asks.
struct Stage {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    channel: ChannelId,
    guard: Arc<Guard>,
    keeper: Arc<Keeper>,
    provider: Arc<Provider>,
    asked: mpsc::Receiver<String>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Stage {
    fn new(replies_a_second: Option<u32>) -> Self {
        let rule = |limit| QuotaRule {
            name: "replies",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Messages,
            limit,
            per: Duration::from_secs(1),
            burst: 1,
        };
        Self::with(replies_a_second.into_iter().map(rule).collect())
    }

    fn with(quotas: Vec<QuotaRule>) -> Self {
        Self::on(tempfile::tempdir().expect("a folder"), quotas)
    }

    fn on(folder: tempfile::TempDir, quotas: Vec<QuotaRule>) -> Self {
        let path = folder.path().join("langnghe.db");
        let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
        let store: Arc<dyn Store> = Arc::new(store.expect("the store opens"));
        let channel = ChannelId::new("page").expect("a good id");
        let metrics = Arc::new(Metrics::new()).channel(&channel);
        let guard = Guard::new(channel.clone(), metrics.clone(), Moment::now);
        let (sender, asked) = mpsc::channel(99);
        let provider = Arc::new(Provider {
            capabilities: Capabilities::text_only(100),
            asked: sender,
            asked_at: Mutex::default(),
            answers: Semaphore::new(0),
            refusals: Mutex::default(),
            hints: Mutex::default(),
        });
        let parts = ChannelParts {
            id: channel.clone(),
            connector: provider.clone(),
            quotas: quotas.clone(),
            profile: false,
            notices: crate::NoticePolicy::default(),
        };
        let keeper = Arc::new(Keeper::new(
            channel.clone(),
            "here:1".to_owned(),
            quotas,
            metrics.clone(),
            None,
        ));
        let sender = Sender::new(
            store.clone(),
            parts,
            Arc::new(NoProgram),
            guard.clone(),
            keeper.clone(),
            metrics,
            &Settings {
                sends_at_once: 4,
                ..Settings::default()
            },
        );
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::new(sender).run(stop.clone()));
        Self {
            folder,
            store,
            channel,
            guard,
            keeper,
            provider,
            asked,
            stop,
            task,
        }
    }

    /// Queues replies to a citizen, by a turn.
    async fn queue(&self, citizen: &str, texts: &[&str]) {
        let conversation = ConversationId::new(self.channel.clone(), CitizenId::new(citizen));
        let event = NewEvent {
            conversation: conversation.clone(),
            dedup: DedupKey(rand::random()),
            body: b"hi".to_vec(),
        };
        let now = clock::now();
        self.store.accept(vec![event], now).await.expect("accept");
        let claims = self.store.claim(1, LEASE, now, Duration::ZERO).await;
        let claim = claims.expect("claim").remove(0);
        let reply = |text: &&str| NewReply {
            body: serde_json::to_vec(&Reply::Text {
                text: (*text).to_owned(),
            })
            .expect("JSON"),
            window_until: None,
            lane: Lane::Answer,
        };
        let commit = Commit {
            session: SessionChange::Put(b"{}".to_vec()),
            replies: texts.iter().map(reply).collect(),
            heard: Some(Heard {
                at: now,
                window_until: None,
            }),
            ..claim.done()
        };
        self.store.commit(vec![commit], now).await.expect("commit");
    }

    /// Another replica, or this one, owns the channel anew in the store.
    async fn reign(&self, name: &str) -> langnghe_store::Epoch {
        let page = [self.channel.clone()];
        let owner = OwnerId(name.to_owned());
        let answers = self.store.own(&owner, &page, LEASE, clock::now());
        match answers.await.expect("own")[0] {
            Ownership::Held(epoch) => epoch,
            Ownership::Elsewhere { .. } => panic!("it is free"),
        }
    }

    async fn let_go(&self, name: &str) {
        let page = [self.channel.clone()];
        let owner = OwnerId(name.to_owned());
        self.store.disown(&owner, &page).await.expect("disown");
    }

    /// The sender's replica owns the channel.
    async fn granted(&self) {
        let epoch = self.reign("us").await;
        self.guard
            .grant(epoch, Moment::now(), LEASE)
            .expect("a reign");
    }

    async fn asked(&mut self) -> String {
        let asked = tokio::time::timeout(SOON, self.asked.recv()).await;
        asked.expect("the provider is asked").expect("it is there")
    }

    /// The time between two questions to the provider, counted from zero.
    fn between(&self, one: usize, other: usize) -> Duration {
        let asked_at = self.provider.asked_at.lock().expect("not poisoned");
        asked_at[other] - asked_at[one]
    }

    async fn end(self) {
        drop(self.stopped().await);
    }

    /// Stops in order; what was stored is still there.
    async fn stopped(mut self) -> tempfile::TempDir {
        self.stop.cancel();
        let ended = tokio::time::timeout(SOON, &mut self.task).await;
        ended.expect("it ends").expect("no panic");
        self.let_go("us").await;
        self.store.close().await.expect("closed");
        self.folder
    }

    /// Ends as if it had been killed.
    async fn killed(mut self) -> tempfile::TempDir {
        self.task.abort();
        drop((&mut self.task).await);
        self.let_go("us").await;
        self.store.close().await.expect("closed");
        self.folder
    }

    /// Nothing goes out for a while.
    async fn asked_nothing_more(&mut self) {
        let more = tokio::time::timeout(Duration::from_millis(300), self.asked.recv()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

/// A limit of each recipient.
fn chat_rule() -> QuotaRule {
    QuotaRule {
        name: "chat",
        scope: QuotaScope::Recipient,
        unit: QuotaUnit::Messages,
        limit: 1,
        per: Duration::from_millis(1500),
        burst: 1,
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_channel_is_ours() {
    let mut stage = Stage::new(None);
    stage.queue("an", &["an 1"]).await;
    let silent = tokio::time::timeout(Duration::from_millis(100), stage.asked.recv()).await;
    assert!(silent.is_err(), "{silent:?}");
    stage.granted().await;
    assert_eq!(stage.asked().await, "an 1");
    stage.provider.answers.add_permits(1);
    stage.end().await;
}

#[tokio::test]
async fn a_send_under_way_is_dropped_with_the_right_and_comes_first_under_the_next() {
    let mut stage = Stage::new(None);
    stage.queue("an", &["an 1", "an 2"]).await;
    stage.granted().await;
    assert_eq!(stage.asked().await, "an 1");
    stage.guard.lose();
    stage.let_go("us").await;
    // Whatever the provider answers now, nobody listens to it.
    stage.provider.answers.add_permits(1);
    stage.granted().await;
    assert_eq!(stage.asked().await, "an 1");
    assert_eq!(stage.asked().await, "an 2");
    stage.provider.answers.add_permits(1);
    stage.end().await;
}

#[tokio::test]
async fn what_another_claimed_is_left_to_it() {
    let mut stage = Stage::new(None);
    stage.queue("an", &["an 1", "an 2"]).await;
    let ours = stage.reign("us").await;
    stage.let_go("us").await;
    // We believe that we own it, as a replica does that was paused; the store knows better.
    let theirs = stage.reign("them").await;
    let now = clock::now();
    let claim = stage
        .store
        .claim_outbox(&stage.channel, theirs, 9, LEASE, now, Duration::ZERO);
    assert_eq!(claim.await.expect("claim").len(), 1);
    stage
        .guard
        .grant(ours, Moment::now(), LEASE)
        .expect("a reign");
    let lost = async {
        while stage.guard.tenure().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, lost)
        .await
        .expect("it learns of it");
    assert!(stage.asked.try_recv().is_err(), "nothing was sent");
    stage.end().await;
}

/// Where there is no window, the reply does not tell when the citizen was heard from.
#[tokio::test]
async fn an_answer_to_one_who_is_away_waits_until_they_come() {
    let mut stage = Stage::new(None);
    stage.provider.answers.add_permits(9);
    let away = std::iter::repeat_with(|| SendError::Away).take(2);
    let refusals = &stage.provider.refusals;
    refusals.lock().expect("not poisoned").extend(away);
    stage.granted().await;
    stage.queue("an", &["an 1"]).await;
    for _ in 0..2 {
        assert_eq!(stage.asked().await, "an 1");
        stage.asked_nothing_more().await;
        let an = ConversationId::new(stage.channel.clone(), CitizenId::new("an"));
        stage.store.wake(&an).await.expect("wake");
    }
    assert_eq!(stage.asked().await, "an 1");
    stage.asked_nothing_more().await;
    stage.end().await;
}
