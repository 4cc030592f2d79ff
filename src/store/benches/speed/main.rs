//! How fast the stores are, as ratios to a hand-off that stores nothing, measured in the same run.
//! `cargo bench -p langnghe-store -- [accept] [turns] [sessions]` for SQLite, all of them without a
//! name; `redis`, `redis-memory` and `redis=URL` for a server that is started or named.

mod measure;
mod redis;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use langnghe_model::{ChannelId, CitizenId, ConversationId, DedupKey, EventId, Timestamp};
use langnghe_store::{
    Commit, Committed, Epoch, Heard, Lane, Limits, NewEvent, NewReply, OpenMode, SessionChange,
    SettleResult, Settlement, SqliteStore, Store, TimerChange,
};
use tokio::sync::oneshot;

use self::measure::{cpu_time, resident, writer_time};

const CALLERS: u64 = 64;
const WINDOW: Duration = Duration::from_secs(3);
const LEASE: Duration = Duration::from_secs(10);
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        if runs("accept") {
            for round in 0..3 {
                let nothing = hand_off().await;
                let folder = tempfile::tempdir().expect("a folder");
                let store =
                    SqliteStore::open(&folder.path().join("langnghe.db"), roomy(), OpenMode::Serve);
                let durable = accept(Arc::new(store.expect("the store opens"))).await;
                let ratio = durable / nothing;
                println!("accept {round}: {durable:.0}/s, hand-off {nothing:.0}/s, {ratio:.2}");
            }
        }
        if runs("turns") {
            for timers in [false, true] {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("langnghe.db");
                turns(open(&path), timers).await;
                let wal = std::fs::metadata(path.with_extension("db-wal"));
                println!(
                    "  log {} MiB",
                    wal.map_or(0, |file| file.len()) / 1024 / 1024
                );
            }
        }
        if runs("sessions") {
            sessions().await;
        }
        redis::run(&wanted).await;
    });
}

fn conversation(number: u64) -> ConversationId {
    let page = ChannelId::new("page").expect("a good id");
    ConversationId::new(page, CitizenId::new(&format!("24{number:014}")))
}

fn event(number: u64, of: u64) -> NewEvent {
    let conversation = conversation(of);
    let id = EventId::new(format!("m_{number:080}"));
    let dedup = id.dedup_key(&conversation.channel);
    NewEvent {
        conversation,
        dedup,
        body: vec![b'x'; 550],
    }
}

/// Room for all that is accepted while nobody takes it out.
fn roomy() -> Limits {
    Limits {
        inbox: 10_000_000,
        inbox_a_conversation: 1_000_000,
        ..Limits::default()
    }
}

fn open(path: &Path) -> Arc<SqliteStore> {
    let store = SqliteStore::open(path, Limits::default(), OpenMode::Serve);
    Arc::new(store.expect("the store opens"))
}

/// Accepts a second of as many callers at once, each waiting for its answer.
async fn callers<F, O>(call: F) -> f64
where
    F: Fn(u64) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = ()> + Send,
{
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (stop, call) = (Arc::clone(&stop), call.clone());
            tokio::spawn(async move {
                let mut number = caller;
                while !stop.load(Ordering::Relaxed) {
                    call(number).await;
                    number += CALLERS;
                }
                (number - caller) / CALLERS
            })
        })
        .collect();
    tokio::time::sleep(WINDOW).await;
    stop.store(true, Ordering::Relaxed);
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("no panic");
    }
    rate(done, began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The baseline: events go to a thread that drops them and answers.
async fn hand_off() -> f64 {
    type Work = (NewEvent, oneshot::Sender<DedupKey>);
    let (sender, receiver): (SyncSender<Work>, _) = sync_channel(10_000);
    let thread = std::thread::spawn(move || {
        while let Ok(first) = receiver.recv() {
            let batch: Vec<_> = std::iter::once(first)
                .chain(receiver.try_iter().take(511))
                .collect();
            for (event, answer) in batch {
                assert!(answer.send(event.dedup).is_ok(), "the caller waits");
            }
        }
    });
    let result = callers(move |number| {
        let sender = sender.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            sender
                .try_send((event(number, number % 10_000), answer))
                .expect("room");
            answered.await.expect("an answer");
        }
    })
    .await;
    thread.join().expect("no panic");
    result
}

/// Durable accepts; a worker empties the inbox now and then, as it is bounded.
async fn accept(store: Arc<dyn Store>) -> f64 {
    let accepting = Arc::clone(&store);
    let result = callers(move |number| {
        let store = Arc::clone(&accepting);
        async move {
            store
                .accept(vec![event(number, number % 10_000)], NOW)
                .await
                .expect("accept");
        }
    })
    .await;
    store.close().await.expect("close");
    result
}

const MESSAGES: u64 = 120_000;

/// The whole road of a message through the store, all parts at once.
async fn turns(store: Arc<dyn Store>, timers: bool) {
    const CONVERSATIONS: u64 = 10_000;
    let next = Arc::new(AtomicU64::new(0));
    let processed = Arc::new(AtomicU64::new(0));
    let sent = Arc::new(AtomicU64::new(0));
    let cpu = cpu_time();
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= MESSAGES {
                    return;
                }
                let event = event(number, number * 7919 % CONVERSATIONS);
                store.accept(vec![event], NOW).await.expect("accept");
            }
        }));
    }
    for _ in 0..2 {
        let (store, processed) = (Arc::clone(&store), Arc::clone(&processed));
        tasks.push(tokio::spawn(async move {
            while processed.load(Ordering::Relaxed) < MESSAGES {
                let wait = Duration::from_millis(100);
                let claims = store.claim(64, LEASE, NOW, wait).await.expect("claim");
                let mut events = 0;
                let commits = claims.into_iter().map(|claim| {
                    events += claim.events.len() as u64;
                    turn(&claim, timers)
                });
                let commits: Vec<_> = commits.collect();
                if !commits.is_empty() {
                    let answers = store.commit(commits, NOW).await.expect("commit");
                    assert!(answers.iter().all(|answer| *answer == Committed::Done));
                    processed.fetch_add(events, Ordering::Relaxed);
                }
            }
        }));
    }
    let sender = {
        let (store, processed, sent) = (
            Arc::clone(&store),
            Arc::clone(&processed),
            Arc::clone(&sent),
        );
        tokio::spawn(async move {
            let page = ChannelId::new("page").expect("a good id");
            loop {
                let wait = Duration::from_millis(100);
                let replies = store
                    .claim_outbox(&page, Epoch(1), 256, LEASE, NOW, wait)
                    .await
                    .expect("claim");
                if replies.is_empty() && processed.load(Ordering::Relaxed) >= MESSAGES {
                    return;
                }
                sent.fetch_add(replies.len() as u64, Ordering::Relaxed);
                let settlements = replies.iter().map(|reply| Settlement {
                    conversation: reply.conversation.clone(),
                    id: reply.id,
                    token: reply.token,
                    result: SettleResult::Sent,
                });
                store
                    .settle(settlements.collect(), NOW)
                    .await
                    .expect("settle");
            }
        })
    };
    for task in tasks {
        task.await.expect("no panic");
    }
    let time = began.elapsed();
    sender.await.expect("no panic");
    let all = began.elapsed();
    let name = if timers { "turns with timers" } else { "turns" };
    let writer = writer_time().as_secs_f64() * 1e6 / rate(MESSAGES, Duration::from_secs(1));
    let cpu =
        cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6 / rate(MESSAGES, Duration::from_secs(1));
    println!(
        "{name}: {:.0} messages/s processed, {:.0}/s sent, {cpu:.1} us CPU a message, \
         {writer:.1} of it the writer, \
         resident {} MiB",
        rate(MESSAGES, time),
        rate(sent.load(Ordering::Relaxed), all),
        resident() / 1024,
    );
    store.close().await.expect("close");
}

fn turn(claim: &langnghe_store::Claim, timers: bool) -> Commit {
    let mut session = claim.session.clone().unwrap_or_else(|| vec![0; 1024]);
    session[0] = session[0].wrapping_add(1);
    let timer = |name: &str, after: u64| TimerChange::Set {
        name: name.to_owned(),
        at: NOW + Duration::from_secs(after),
        event: vec![b't'; 60],
    };
    let timers = if timers {
        vec![timer("reminder", 600), timer("expiry", 86_400)]
    } else {
        Vec::new()
    };
    Commit {
        session: SessionChange::Put(session),
        replies: vec![NewReply {
            body: vec![b'r'; 200],
            window_until: Some(NOW),
            lane: Lane::Answer,
        }],
        timers,
        heard: Some(Heard {
            at: NOW,
            window_until: Some(NOW),
        }),
        ..claim.done()
    }
}

/// A million stored sessions: memory, and how long a claim of one takes.
async fn sessions() {
    const SESSIONS: u64 = 1_000_000;
    const STEP: u64 = 2000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("langnghe.db");
    let store = open(&path);
    let began = Instant::now();
    for start in (0..SESSIONS).step_by(2000) {
        let events = (start..start + STEP)
            .map(|number| event(number, number))
            .collect();
        store.accept(events, NOW).await.expect("accept");
        let claims = store.claim(2000, LEASE, NOW, LEASE).await.expect("claim");
        let commits = claims.iter().map(|claim| {
            let mut commit = turn(claim, false);
            commit.replies.clear();
            commit
        });
        let answers = store.commit(commits.collect(), NOW).await.expect("commit");
        assert_eq!(answers.len() as u64, STEP);
    }
    println!(
        "sessions: {SESSIONS} stored in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    store.close().await.expect("close");
    drop(store);
    let began = Instant::now();
    let store = open(&path);
    println!("sessions: opened in {:?}", began.elapsed());
    let mut times = Vec::new();
    for number in 0..20_000 {
        let of = number * 7919 * 104_729 % SESSIONS;
        store
            .accept(vec![event(SESSIONS + number, of)], NOW)
            .await
            .expect("accept");
        let began = Instant::now();
        let claims = store.claim(1, LEASE, NOW, LEASE).await.expect("claim");
        times.push(began.elapsed());
        assert!(claims[0].session.is_some());
        let mut commit = turn(&claims[0], false);
        commit.session = SessionChange::Keep;
        commit.heard = None;
        commit.replies.clear();
        store.commit(vec![commit], NOW).await.expect("commit");
    }
    // The first of them find a cold cache.
    let mut warm = times.split_off(times.len() / 2);
    warm.sort();
    println!(
        "sessions: a claim of one conversation p50 {:?}, p99 {:?}; resident {} MiB",
        warm[warm.len() / 2],
        warm[warm.len() * 99 / 100],
        resident() / 1024,
    );
    store.close().await.expect("close");
}
