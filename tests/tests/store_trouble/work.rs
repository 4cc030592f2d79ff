//! A load whose outcome can be checked: in each conversation numbered events, one after the other, and
//! a session that writes down which were processed.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use langnghe_model::{ChannelId, CitizenId, ConversationId, DedupKey, Timestamp};
use langnghe_store::{
    Accepted, Claim, Commit, NewEvent, RedisOptions, RedisStore, SessionChange, Store, StoreError,
};
use langnghe_tests::{clock, stores, wait};

/// How long a worker holds a conversation.
const LEASE: Duration = Duration::from_secs(2);
/// The most that may pass until all is processed, once the trouble is over.
const RECOVERY: Duration = Duration::from_mins(1);

/// Now, as the program would tell the store.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_milliseconds(i64::try_from(clock::milliseconds()).expect("this century"))
}

/// A store that waits a second for its server.
pub(crate) async fn open(url: &str) -> Arc<RedisStore> {
    Arc::new(stores::open_redis(url, options()).await)
}

/// What [`open`] opens with.
pub(crate) fn options() -> RedisOptions {
    RedisOptions {
        timeout: Duration::from_secs(1),
        ..RedisOptions::default()
    }
}

pub(crate) fn conversation(number: u64) -> ConversationId {
    let page = ChannelId::new("page").expect("a good id");
    ConversationId::new(page, CitizenId::new(&format!("citizen {number}")))
}

/// One event of a conversation.
pub(crate) fn event(of: u64, number: u64) -> NewEvent {
    NewEvent {
        conversation: conversation(of),
        // Spread as real keys are, which are hashes.
        dedup: DedupKey(
            (u128::from(of) << 64 | u128::from(number))
                .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
        ),
        body: number.to_string().into_bytes(),
    }
}

/// The commit of a claim that adds its events to the session.
pub(crate) fn turn(claim: &Claim) -> Commit {
    let mut session = claim.session.clone().unwrap_or_default();
    for (_, body) in &claim.events {
        session.extend_from_slice(body);
        session.push(b' ');
    }
    Commit {
        session: SessionChange::Put(session),
        ..claim.done()
    }
}

/// What happened to the callers.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    stop: AtomicBool,
    pub(crate) accepted: AtomicU64,
    /// Why calls failed, each reason once.
    pub(crate) reasons: Mutex<Vec<String>>,
    /// The longest that any call took.
    longest: Mutex<Duration>,
}

impl Calls {
    fn note<T>(&self, began: Instant, result: Result<T, StoreError>) -> Option<T> {
        let mut longest = self.longest.lock().expect("not poisoned");
        *longest = (*longest).max(began.elapsed());
        match result {
            Ok(value) => Some(value),
            Err(StoreError::Unavailable(reason)) => {
                let mut reasons = self.reasons.lock().expect("not poisoned");
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn longest(&self) -> Duration {
        *self.longest.lock().expect("not poisoned")
    }

    pub(crate) fn failed(&self, with: &str) -> bool {
        let reasons = self.reasons.lock().expect("not poisoned");
        reasons.iter().any(|reason| reason.contains(with))
    }
}

/// Feeds `conversations` conversations and works them off while `trouble` goes on, and then checks
/// that each event that was accepted was processed once and in order.
pub(crate) async fn under_load(
    store: &Arc<RedisStore>,
    conversations: u64,
    trouble: impl AsyncFnOnce(&Calls),
) -> Arc<Calls> {
    let calls = Arc::new(Calls::default());
    let feeders: Vec<_> = (0..conversations)
        .map(|of| tokio::spawn(feed(Arc::clone(store), of, Arc::clone(&calls))))
        .collect();
    let worker = tokio::spawn(work(Arc::clone(store), Arc::clone(&calls)));
    trouble(&calls).await;
    // It goes on by itself.
    let before = calls.accepted.load(Ordering::SeqCst);
    let more = before + 4 * conversations;
    wait::until("work goes on", RECOVERY, async || {
        calls.accepted.load(Ordering::SeqCst) >= more
    })
    .await;
    calls.stop.store(true, Ordering::SeqCst);
    let mut counts = Vec::new();
    for feeder in feeders {
        counts.push(feeder.await.expect("no panic"));
    }
    wait::until("all is processed", RECOVERY, async || {
        let depths = store.depths().await;
        depths.is_ok_and(|depths| depths.inbox == 0)
    })
    .await;
    worker.abort();
    // A claim that was cut short is given back.
    drop(worker.await);
    for (of, count) in (0..).zip(counts) {
        assert!(deliver(&**store, event(of, u64::MAX), &calls).await);
        let claim = claim_of(store, of).await;
        let session = claim.session.as_deref().map(String::from_utf8_lossy);
        let mut expected = String::new();
        for number in 0..count {
            write!(expected, "{number} ").expect("a string takes everything");
        }
        assert_eq!(
            session.as_deref(),
            Some(&*expected),
            "each event once and in order"
        );
        let answers = store.commit(vec![turn(&claim)], now()).await;
        answers.expect("commit");
    }
    calls
}

async fn claim_of(store: &RedisStore, of: u64) -> Claim {
    let wanted = conversation(of);
    wait::for_some("the conversation is ready", wait::SOON, async || {
        let claims = store.claim(100, LEASE, now(), Duration::ZERO).await;
        let claims = claims.ok()?;
        claims
            .into_iter()
            .find(|claim| claim.conversation == wanted)
    })
    .await
}

/// One event after the other until it is told to stop; what is not accepted is sent again, as a
/// provider does. How many were accepted.
async fn feed(store: Arc<RedisStore>, of: u64, calls: Arc<Calls>) -> u64 {
    let mut number = 0;
    while !calls.stop.load(Ordering::SeqCst) {
        if deliver(&*store, event(of, number), &calls).await {
            calls.accepted.fetch_add(1, Ordering::SeqCst);
            number += 1;
        }
    }
    number
}

async fn deliver(store: &dyn Store, event: NewEvent, calls: &Calls) -> bool {
    let deadline = wait::Deadline::new("an event is accepted", RECOVERY);
    loop {
        let began = Instant::now();
        let answers = store.accept(vec![event.clone()], now()).await;
        match calls.note(began, answers).as_deref() {
            // A duplicate is one whose acknowledgement was lost.
            Some([Accepted::Stored | Accepted::Duplicate]) => return true,
            _ => deadline.pause().await,
        }
    }
}

async fn work(store: Arc<RedisStore>, calls: Arc<Calls>) {
    loop {
        // A claim may wait, and the wait is not the server's fault.
        let claims = store
            .claim(16, LEASE, now(), Duration::from_millis(200))
            .await;
        let Some(claims) = calls.note(Instant::now(), claims) else {
            wait::pause().await;
            continue;
        };
        if !claims.is_empty() {
            let commits = claims.iter().map(turn).collect();
            let began = Instant::now();
            calls.note(began, store.commit(commits, now()).await);
        }
    }
}
