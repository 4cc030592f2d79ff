//! What is fetched, kept, told, served and removed, with a provider that does as it is told.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Connector, FetchError, MediaRefusal, Outgoing, Received, Rejection, SendError, Sent, Upload,
    WebhookRequest,
};
use langnghe_desk::MediaState;
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Timestamp,
    event::{Media, MediaKind},
};
use langnghe_store::{Epoch, Limits, OpenMode, SqliteStore, Store};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    about::Reason,
    fetcher::{FetchChannel, Fetcher},
    job::FetchJob,
    keeper::Erasure,
    *,
};
use crate::{
    MediaSettings, RetrySchedule,
    clock::{self, Moment},
    metrics::Metrics,
    ownership::Guard,
};

mod removal;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";
const SOON: Duration = Duration::from_secs(20);

/// Answers fetches in turn; when there is nothing left to say, with a picture.
#[derive(Debug, Default)]
struct Provider {
    answers: Mutex<VecDeque<Result<Bytes, FetchError>>>,
    asked: Mutex<Vec<String>>,
    capabilities: Option<Capabilities>,
}

#[async_trait]
impl Connector for Provider {
    fn kind(&self) -> &'static str {
        "provider"
    }

    fn capabilities(&self) -> &Capabilities {
        self.capabilities.as_ref().expect("not asked here")
    }

    fn receive(&self, _request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        Err(Rejection::Method)
    }

    async fn send(&self, _outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        Err(SendError::Away)
    }

    async fn fetch(&self, media: &Media, _most: u64) -> Result<Bytes, FetchError> {
        let mut asked = self.asked.lock().expect("not poisoned");
        asked.push(media.url.clone());
        let answer = self.answers.lock().expect("not poisoned").pop_front();
        answer.unwrap_or(Ok(Bytes::from_static(PNG)))
    }
}

/// A store, a folder of media, and a provider.
struct World {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    provider: Arc<Provider>,
    settings: MediaSettings,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("store.db");
        let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
        let settings = MediaSettings {
            place: MediaPlace::Folder(folder.path().join("media")),
            public_url: "https://gop-y.example.vn/".to_owned(),
            file_bytes: 20,
            total_bytes: 1000,
            files_a_citizen: 3,
            ticket_wait: Duration::ZERO,
            retries: RetrySchedule {
                waits: vec![Duration::from_millis(10)],
                jitter_percent: 20,
            },
            ..MediaSettings::default()
        };
        Self {
            folder,
            store: Arc::new(store.expect("a new store")),
            provider: Arc::default(),
            settings,
        }
    }

    /// What one replica has.
    async fn keeper(&self) -> Arc<MediaKeeper> {
        let metrics = Metrics::new();
        let store = Arc::clone(&self.store);
        let keeper = MediaKeeper::open(self.settings.clone(), store, metrics.media.clone());
        Arc::new(keeper.await.expect("a folder"))
    }

    fn says(&self, answers: impl IntoIterator<Item = Result<&'static [u8], FetchError>>) {
        let answers = answers.into_iter();
        let mut all = self.provider.answers.lock().expect("not poisoned");
        all.extend(answers.map(|answer| answer.map(Bytes::from_static)));
    }

    fn asked(&self) -> usize {
        self.provider.asked.lock().expect("not poisoned").len()
    }

    /// Fetches on the channel `page`, as its owner.
    fn fetch(&self, keeper: &Arc<MediaKeeper>) -> Running {
        let metrics = Arc::new(Metrics::new());
        let guard = Guard::new(channel(), metrics.channel(&channel()), Moment::now);
        let hour = Duration::from_hours(1);
        assert!(guard.grant(Epoch(1), Moment::now(), hour).is_ok());
        let page = FetchChannel {
            connector: self.provider.clone(),
            guard,
        };
        let fetcher = Fetcher {
            media: Arc::clone(keeper),
            channels: HashMap::from([(channel(), page)]),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::new(fetcher).run(stop.clone()));
        Running { stop, task }
    }

    async fn jobs(&self) -> usize {
        self.store
            .documents("media/job/")
            .await
            .expect("jobs")
            .len()
    }

    /// How many files there are in a folder of media.
    fn files(&self, folder: &str) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| {
                    if entry.path().is_dir() {
                        count(&entry.path())
                    } else {
                        1
                    }
                })
                .sum()
        }
        count(&self.folder.path().join("media").join(folder))
    }
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("it ends");
    }
}

fn channel() -> ChannelId {
    ChannelId::new("page").expect("a good id")
}

fn citizen(name: &str) -> ConversationId {
    ConversationId::new(channel(), CitizenId::new(name))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn job(whose: &str, since: Timestamp) -> FetchJob {
    FetchJob {
        name: Name::random(),
        channel: channel(),
        tag: citizen(whose).tag(),
        media: Media {
            kind: MediaKind::File,
            url: "https://cdn.example/1".to_owned(),
            content_type: None,
            bytes: None,
            name: Some("anh.png".to_owned()),
        },
        since,
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn known(keeper: &MediaKeeper, job: &FetchJob) -> About {
    let mut found = None;
    until("the medium is known", async || {
        let state = keeper.state(&job.name).await.expect("a state");
        found = match state {
            State::Known(about) => Some(about),
            State::Fetching => None,
        };
        found.is_some()
    })
    .await;
    found.expect("known")
}

fn named(job: &FetchJob) -> Media {
    Media {
        url: job.name.reference(),
        ..job.media.clone()
    }
}

fn transient() -> FetchError {
    FetchError::Transient {
        reason: "status 502".to_owned(),
        after: None,
    }
}

#[tokio::test]
async fn a_medium_is_fetched_again_until_it_comes_and_then_told_as_it_is() {
    let world = World::new();
    let keeper = world.keeper().await;
    let job = job("a", clock::now());
    keeper
        .queue(std::slice::from_ref(&job))
        .await
        .expect("queued");
    let told = async || {
        let medium = named(&job);
        let told = keeper.at_delivery(&[&medium], job.since).await;
        told.expect("told").remove(&medium.url).expect("the medium")
    };
    let fetching = told().await;
    assert_eq!(fetching.state, MediaState::Fetching);

    world.says([Err(transient()), Err(transient())]);
    let running = world.fetch(&keeper);
    known(&keeper, &job).await;
    assert_eq!(world.asked(), 3);
    let available = told().await;
    assert_eq!(available.state, MediaState::Available);
    assert_eq!(available.kind, MediaKind::Image, "by its content");
    assert_eq!(available.content_type.as_deref(), Some("image/png"));
    assert_eq!(available.bytes, Some(PNG.len() as u64));
    assert_eq!(available.name.as_deref(), Some("anh.png"));
    let (_, query) = available.url.split_once('?').expect("a signature");
    let keys = keeper.keys().await.expect("keys");
    assert_eq!(check_link(keys, &job.name, query, clock::now()), Ok(()));
    let bytes = keeper.bytes(&job.name).await.expect("there");
    let bytes = bytes.expect("there").bytes().await.expect("readable");
    assert_eq!(bytes, PNG);
    until("the job is done", async || world.jobs().await == 0).await;
    running.stop().await;

    // The turn is taken again, by a replica that was away: nothing is fetched twice.
    let other = world.keeper().await;
    other
        .queue(std::slice::from_ref(&job))
        .await
        .expect("queued");
    let running = world.fetch(&other);
    until("the job is done", async || world.jobs().await == 0).await;
    assert_eq!(world.asked(), 3);
    running.stop().await;
}

#[tokio::test]
async fn what_will_never_come_says_why() {
    let gone = FetchError::Gone {
        code: "status 404".to_owned(),
    };
    let refused = FetchError::Refused {
        reason: "elsewhere".to_owned(),
    };
    let world = World::new();
    let keeper = world.keeper().await;
    let running = world.fetch(&keeper);
    for (answer, reason) in [
        (Err(gone), Reason::Gone),
        (Err(refused), Reason::Refused),
        (Err(FetchError::TooLarge { limit: 20 }), Reason::TooLarge),
        (Ok(&b"\x89PNG\r\n\x1a\n0000000000000"[..]), Reason::TooLarge),
        (Ok(&b"<script>alert(1)</script>"[..20]), Reason::Kind),
    ] {
        world.says([answer]);
        let job = job("a", clock::now());
        keeper
            .queue(std::slice::from_ref(&job))
            .await
            .expect("queued");
        keeper.hint().await;
        let expected = About::Unavailable { reason };
        assert_eq!(known(&keeper, &job).await, expected);
        let told = keeper.at_delivery(&[&named(&job)], job.since).await;
        let told = told.expect("told").into_values().next().expect("one");
        assert_eq!(told.state, MediaState::Unavailable);
        assert_eq!(told.reason.as_deref(), Some(reason.word()));
        assert_eq!(world.files("files"), 0);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_provider_that_stays_away_is_given_up_at_last() {
    let world = World::new();
    let keeper = world.keeper().await;
    let old = job("a", clock::now() - world.settings.give_up - SOON);
    world.says([Err(transient())]);
    keeper
        .queue(std::slice::from_ref(&old))
        .await
        .expect("queued");
    let running = world.fetch(&keeper);
    let not_reached = About::Unavailable {
        reason: Reason::NotReached,
    };
    assert_eq!(known(&keeper, &old).await, not_reached);
    running.stop().await;
    // On a channel that nobody has any more, retention gives it up.
    let mut lost = job("a", clock::now() - 30 * Duration::from_hours(24));
    lost.channel = ChannelId::new("gone").expect("an id");
    keeper
        .queue(std::slice::from_ref(&lost))
        .await
        .expect("queued");
    let year = Duration::from_hours(365 * 24);
    keeper.purge(year, clock::now()).await.expect("purged");
    assert_eq!(known(&keeper, &lost).await, not_reached);
    assert_eq!(world.jobs().await, 0);
}

#[tokio::test]
async fn one_citizen_and_all_together_have_their_bounds() {
    let mut world = World::new();
    world.settings.total_bytes = 5 * PNG.len() as u64;
    world.settings.waiting = 2;
    let keeper = world.keeper().await;
    let jobs = [0, 1, 2].map(|_| job("a", clock::now()));
    keeper.queue(&jobs).await.expect("queued");
    assert_eq!(world.jobs().await, 2, "no more may wait");
    let running = world.fetch(&keeper);
    until("two came", async || world.jobs().await == 0).await;
    for expected in [Ok(()), Err(MediaRefusal::TooMany)] {
        let kept = keeper.keep_upload(&citizen("a"), upload(PNG)).await;
        assert_eq!(kept.map(|_| ()), expected);
    }
    let fourth = job("a", clock::now());
    keeper
        .queue(std::slice::from_ref(&fourth))
        .await
        .expect("queued");
    keeper.hint().await;
    let too_many = About::Unavailable {
        reason: Reason::TooMany,
    };
    assert_eq!(known(&keeper, &fourth).await, too_many);
    for expected in [Ok(()), Ok(()), Err(MediaRefusal::Unavailable)] {
        let kept = keeper.keep_upload(&citizen("b"), upload(PNG)).await;
        assert_eq!(kept.map(|_| ()), expected);
    }
    running.stop().await;
}

fn upload(bytes: &'static [u8]) -> Upload {
    Upload {
        bytes: Bytes::from_static(bytes),
        name: Some("../../etc/passwd".to_owned()),
    }
}

#[tokio::test]
async fn what_a_scanner_finds_is_not_kept_and_what_it_cannot_say_is_asked_again() {
    let mut world = World::new();
    let answers = world.folder.path().join("answers");
    std::fs::write(&answers, "2 1").expect("written");
    // Takes one answer a call.
    let script = format!(
        "cat > /dev/null; read first rest < {0}; echo $rest > {0}; exit ${{first:-0}}",
        answers.display()
    );
    world.settings.scan = Some(ScanSettings {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script],
        timeout: SOON,
    });
    let keeper = world.keeper().await;
    let running = world.fetch(&keeper);
    let first = job("a", clock::now());
    keeper
        .queue(std::slice::from_ref(&first))
        .await
        .expect("queued");
    keeper.hint().await;
    let infected = About::Unavailable {
        reason: Reason::Infected,
    };
    assert_eq!(known(&keeper, &first).await, infected);
    assert_eq!(
        world.asked(),
        2,
        "it was fetched again for the second answer"
    );
    running.stop().await;
    assert!(keeper.keep_upload(&citizen("b"), upload(PNG)).await.is_ok());
    std::fs::write(&answers, "1 2").expect("written");
    for refusal in [MediaRefusal::Kind, MediaRefusal::Unavailable] {
        let kept = keeper.keep_upload(&citizen("b"), upload(PNG)).await;
        assert_eq!(kept.expect_err("refused"), refusal);
    }
    assert_eq!(world.files("files"), 1);
}

#[tokio::test]
async fn a_ticket_waits_for_a_medium_that_comes_soon_and_not_for_one_that_does_not() {
    let mut world = World::new();
    world.settings.ticket_wait = SOON;
    let keeper = world.keeper().await;
    let job = job("a", clock::now());
    keeper
        .queue(std::slice::from_ref(&job))
        .await
        .expect("queued");
    let medium = named(&job);
    let media = [&medium];
    let told = keeper.at_delivery(&media, clock::now());
    let (told, running) = tokio::join!(told, async { world.fetch(&keeper) });
    let state = told.expect("told").into_values().next().expect("one").state;
    assert_eq!(state, MediaState::Available);
    running.stop().await;
    // One that is as old as it may become is not held up at all.
    let late = self::job("a", clock::now());
    keeper
        .queue(std::slice::from_ref(&late))
        .await
        .expect("queued");
    let medium = named(&late);
    let began = Instant::now();
    let told = keeper.at_delivery(&[&medium], clock::now() - SOON).await;
    let state = told.expect("told").into_values().next().expect("one").state;
    assert_eq!(state, MediaState::Fetching);
    assert!(began.elapsed() < SOON / 2);
}
