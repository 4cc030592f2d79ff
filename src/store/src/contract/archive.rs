//! Moving everything to another store: random content, copied, gives the same answers there.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use langnghe_model::{ConversationId, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::support::*;
use crate::{
    Accepted, Claim, Committed, DeliveryResult, DeliverySettlement, Disabled, Heard, NewDeadLetter,
    NewReply, OutboxReply, SessionChange, SettleResult, Store, StoreError, TicketFilter,
    TimerChange,
    archive::{
        Archive, Batch, COPY_LIMIT, Census, CopyError, CopyMark, Cursor, Page, Progress,
        RecordKind, Side, copy,
    },
};

/// One store's data, which can be served and read out in turns.
#[async_trait]
pub trait ArchiveFixture: Send + Sync {
    /// Opens it to serve; all clones are dropped after a close before anything else is opened.
    async fn serve(&self) -> Result<Arc<dyn Store>, StoreError>;
    /// Opens it to read it out or to fill it.
    async fn archive(&self) -> Arc<dyn Archive>;
}

const CITIZENS: u32 = 40;
const CHANNELS: [&str; 3] = ["page", "web", "sms"];
const BACKENDS: [&str; 3] = ["ioc", "dvc", "gone"];
const TURNS: u32 = 120;

/// Whose an event of this number is; a redelivery names the same.
fn whose(number: u128) -> ConversationId {
    person(u32::try_from(number % u128::from(CITIZENS)).unwrap_or(0))
}

fn person(number: u32) -> ConversationId {
    let name = CHANNELS[number as usize % CHANNELS.len()];
    ConversationId::new(
        channel(name),
        langnghe_model::CitizenId::new(&format!("người {number}")),
    )
}

async fn close(store: Arc<dyn Store>) {
    store.close().await.expect("closed");
}

/// What was put into a store.
struct Filled {
    /// The numbers of its events.
    numbers: BTreeSet<u128>,
    /// The moment at which it ended.
    end: Timestamp,
}

/// Fills a store with a little of everything.
async fn fill(store: &dyn Store, seed: u64) -> Filled {
    let mut random = StdRng::seed_from_u64(seed);
    let mut seconds = 0;
    let mut numbers = BTreeSet::new();
    for turn in 0..TURNS {
        seconds += random.random_range(0..20);
        let now = at(seconds);
        for _ in 0..random.random_range(1..6) {
            let number = u128::from(random.random_range(0..1000_u32));
            let event = event(&whose(number), number);
            let answers = store.accept(vec![event], now).await.expect("accept");
            let stored = answers == [Accepted::Stored];
            assert!(!stored || numbers.insert(number));
        }
        take_turns(store, &mut random, turn, now).await;
        send_some(store, &mut random, now).await;
        deliver_some(store, &mut random, now).await;
        if random.random_bool(0.2) {
            store.fire_timers(2, now, WAIT).await.expect("fired");
        }
        if random.random_bool(0.05) {
            let person = person(random.random_range(0..CITIZENS));
            store.erase(&person, now).await.expect("erased");
        }
    }
    let off = Disabled {
        at: at(seconds),
        reason: "410 Gone".to_owned(),
    };
    let gone = backend("gone");
    store.set_disabled(&gone, Some(off)).await.expect("set");
    for name in ["flow/a/1", "flow/a/2", "flow/đ/1"] {
        store
            .keep_document(name, format!("text of {name}").as_bytes())
            .await
            .expect("kept");
    }
    for number in 1000..1003_u16 {
        let number = u128::from(number);
        let events = vec![event(&whose(number), number)];
        let answers = store.accept(events, at(seconds)).await.expect("accept");
        assert_eq!(answers, [Accepted::Stored]);
        numbers.insert(number);
    }
    Filled {
        numbers,
        end: at(seconds),
    }
}

const WAIT: Duration = Duration::ZERO;
/// How long a store may need to hear of what it did itself a moment ago: a cluster's partitions tell it
/// by messages.
const SIGN: Duration = Duration::from_millis(60);

async fn take_turns(store: &dyn Store, random: &mut StdRng, turn: u32, now: Timestamp) {
    for (index, claim) in claim(store, 3, now).await.into_iter().enumerate() {
        if random.random_bool(0.15) {
            // Not every one is processed: some wait when the copy is made.
            store
                .release(&claim.conversation, claim.token, now)
                .await
                .expect("released");
            continue;
        }
        let mut done = done(&claim);
        done.session = match random.random_range(0..5) {
            0 => SessionChange::Keep,
            1 => SessionChange::Delete,
            _ => SessionChange::Put(vec![random.random(); random.random_range(1..2000)]),
        };
        let window = random.random_bool(0.5).then(|| now + LEASE * 20);
        done.heard = random.random_bool(0.7).then_some(Heard {
            window_until: window,
        });
        for number in 0..random.random_range(0..4) {
            done.replies.push(NewReply {
                body: format!("reply {turn} {index} {number}").into_bytes(),
                window_until: window,
            });
        }
        if random.random_bool(0.3) {
            let to = [None, Some("ioc"), Some("dvc"), Some("gone")];
            let code = format!("C{turn:04}-{index}");
            let mut made = ticket(&code, to[random.random_range(0..to.len())]);
            made.created_at = now;
            made.personal = made.personal.filter(|_| random.random_bool(0.8));
            done.tickets.push(made);
        }
        if random.random_bool(0.3) {
            let name = format!("timer {}", random.random_range(0..2));
            done.timers.push(TimerChange::Set {
                name,
                at: now + LEASE * random.random_range(0..40),
                event: format!("timer of turn {turn} {index}").into_bytes(),
            });
        }
        if random.random_bool(0.1) {
            done.set_aside.push(NewDeadLetter {
                reason: "odd".to_owned(),
                body: vec![0, 255, 7],
            });
        }
        let committed = commit(store, done, now).await;
        assert_eq!(committed, Committed::Done);
    }
}

async fn claim_on(
    store: &dyn Store,
    name: &str,
    now: Timestamp,
    wait: Duration,
) -> Vec<OutboxReply> {
    let channel = channel(name);
    let claimed = store.claim_outbox(&channel, EPOCH, 3, LEASE, now, wait);
    claimed.await.expect("claim_outbox")
}

async fn send_some(store: &dyn Store, random: &mut StdRng, now: Timestamp) {
    let name = CHANNELS[random.random_range(0..CHANNELS.len())];
    for reply in claim_on(store, name, now, WAIT).await {
        let result = match random.random_range(0..8) {
            0..4 => SettleResult::Sent,
            4 => SettleResult::Drop,
            5 => SettleResult::Park,
            6 => SettleResult::Bury {
                reason: "gone".to_owned(),
            },
            _ => SettleResult::Retry {
                at: now + LEASE * random.random_range(0..30),
                counts: random.random(),
            },
        };
        settle(store, &reply, result, now).await;
    }
}

async fn deliver_some(store: &dyn Store, random: &mut StdRng, now: Timestamp) {
    let name = BACKENDS[random.random_range(0..2)];
    let backend = backend(name);
    let claimed = store.claim_deliveries(&backend, 2, LEASE, now, WAIT);
    for delivery in claimed.await.expect("claim_deliveries") {
        let reason = "503".to_owned();
        let result = match random.random_range(0..4) {
            0 => DeliveryResult::Delivered { reference: None },
            1 => DeliveryResult::Delivered {
                reference: Some(format!("no. {}", delivery.code)),
            },
            2 => DeliveryResult::Bury { reason },
            _ => DeliveryResult::Retry {
                at: now + LEASE * random.random_range(0..30),
                reason,
            },
        };
        let settlement = DeliverySettlement {
            ticket: delivery.ticket,
            token: delivery.token,
            at: now,
            result,
        };
        let settled = store.settle_deliveries(vec![settlement]);
        settled.await.expect("settle_deliveries");
    }
}

/// Everything that a store answers about what it holds, in the order in which it comes. Empties it.
async fn answers(fixture: &dyn ArchiveFixture, filled: &Filled) -> Vec<String> {
    let opened = fixture.serve().await.expect("a whole store is served");
    let store = opened.as_ref();
    let end = filled.end;
    let mut told = Vec::new();
    let mut depths = store.depths().await.expect("depths");
    depths.outbox.retain(|(_, depth)| depth.waiting > 0);
    depths.deliveries.retain(|(_, depth)| depth.waiting > 0);
    depths.dead.sort_by_key(|(kind, _)| kind.name());
    depths.outbox.sort_by(|(one, _), (other, _)| one.cmp(other));
    depths
        .deliveries
        .sort_by(|(one, _), (other, _)| one.cmp(other));
    told.push(format!("{depths:?}"));
    told.push(format!(
        "{:?}",
        store.documents("").await.expect("documents")
    ));
    for name in BACKENDS {
        told.push(format!(
            "{:?}",
            store.disabled(&backend(name)).await.expect("asked")
        ));
    }
    let all = TicketFilter {
        limit: usize::from(u16::MAX),
        ..TicketFilter::default()
    };
    for ticket in store.tickets(all).await.expect("tickets") {
        told.push(format!(
            "{:?}",
            store.ticket(&ticket.code).await.expect("found")
        ));
    }
    let letters = store.dead_letters(None, None, usize::from(u16::MAX)).await;
    for (place, mut letter) in letters.expect("dead letters").into_iter().enumerate() {
        if place % 2 == 0 {
            let retried = store.retry_dead(letter.id, end).await;
            assert!(retried.expect("retried"));
        }
        letter.id = 0;
        told.push(format!("{letter:?}"));
    }
    redeliver(store, filled).await;
    close(opened).await;
    for step in 0..20 {
        // Opened anew each time: a store would wait for a time that only jumps here.
        let opened = fixture.serve().await.expect("served again");
        told.extend(empty(opened.as_ref(), step, end + LEASE * 3 * step).await);
        close(opened).await;
    }
    told
}

/// Every event that came before is known, and no other.
async fn redeliver(store: &dyn Store, filled: &Filled) {
    let numbers: Vec<u128> = filled.numbers.iter().copied().collect();
    for numbers in numbers.chunks(100) {
        let events = numbers.iter().map(|number| event(&whose(*number), *number));
        let answers = store.accept(events.collect(), filled.end).await;
        let answers = answers.expect("accept");
        assert!(answers.iter().all(|answer| *answer == Accepted::Duplicate));
    }
    let new = store
        .accept(vec![event(&whose(1 << 40), 1 << 40)], filled.end)
        .await;
    assert_eq!(new.expect("accept"), [Accepted::Stored]);
}

/// Takes everything out that can be taken out now.
async fn empty(store: &dyn Store, step: u32, now: Timestamp) -> Vec<String> {
    let mut told = Vec::new();
    let mut fired = 0;
    loop {
        let more = store.fire_timers(1000, now, WAIT).await.expect("fired");
        if more == 0 {
            break;
        }
        fired += more;
    }
    told.push(format!("{step}: {fired} timers"));
    let mut turns = Vec::new();
    loop {
        let claims = store.claim(100, LEASE, now, SIGN).await.expect("claim");
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            let (key, session, events) = (claim.conversation.key(), &claim.session, shown(&claim));
            turns.push((key, format!("{session:?} {events:?}")));
            let committed = commit(store, done(&claim), now).await;
            assert_eq!(committed, Committed::Done);
        }
    }
    told.extend(by_name(step, turns));
    for name in CHANNELS {
        let mut sent = Vec::new();
        loop {
            let replies = claim_on(store, name, now, SIGN).await;
            if replies.is_empty() {
                break;
            }
            for reply in replies {
                let (words, window, queued_at) = (
                    reply.body.escape_ascii(),
                    reply.window_until,
                    reply.queued_at,
                );
                let what = format!("{words} {} {window:?} {queued_at:?}", reply.attempts);
                sent.push((reply.conversation.key(), what));
                settle(store, &reply, SettleResult::Sent, now).await;
            }
        }
        told.extend(by_name(step, sent));
    }
    for name in BACKENDS {
        let mut delivered = Vec::new();
        let backend = backend(name);
        let claimed = store.claim_deliveries(&backend, 1000, LEASE, now, WAIT);
        for delivery in claimed.await.expect("claim_deliveries") {
            let (body, personal) = (
                delivery.body.escape_ascii(),
                delivery.personal.as_deref().map(<[u8]>::to_vec),
            );
            let what = format!("{body} {personal:?} {}", delivery.attempts);
            delivered.push((delivery.code.clone(), what));
            let settlement = DeliverySettlement {
                ticket: delivery.ticket,
                token: delivery.token,
                at: now,
                result: DeliveryResult::Delivered { reference: None },
            };
            store
                .settle_deliveries(vec![settlement])
                .await
                .expect("settled");
        }
        told.extend(by_name(step, delivered));
    }
    if step == 10 {
        for number in 0..CITIZENS {
            store.wake(&person(number)).await.expect("woken");
        }
    }
    if step == 15 {
        store
            .set_disabled(&backend("gone"), None)
            .await
            .expect("set");
    }
    told
}

/// The events of a claim.
fn shown(claim: &Claim) -> Vec<String> {
    let events = claim.events.iter();
    events
        .map(|(_, body)| body.escape_ascii().to_string())
        .collect()
}

/// What different conversations did within one step has no order among them.
fn by_name(step: u32, mut told: Vec<(String, String)>) -> Vec<String> {
    told.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines = told.into_iter();
    lines
        .map(|(name, what)| format!("{step}: {name} {what}"))
        .collect()
}

/// An archive whose exports are short, and which fails when so many imports were made.
#[derive(Debug)]
struct Fragile {
    inner: Arc<dyn Archive>,
    imports_left: AtomicU32,
    /// Whether the last import is made before it fails.
    after: bool,
}

impl Fragile {
    fn new(inner: Arc<dyn Archive>, imports: u32, after: bool) -> Self {
        Self {
            inner,
            imports_left: AtomicU32::new(imports),
            after,
        }
    }
}

#[async_trait]
impl Archive for Fragile {
    async fn used_by(&self) -> Result<Option<String>, StoreError> {
        self.inner.used_by().await
    }

    async fn activity(&self) -> Result<String, StoreError> {
        self.inner.activity().await
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.inner.census().await
    }

    async fn export(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.inner.export(kind, after, limit.min(7)).await
    }

    async fn import(&self, batch: Batch) -> Result<(), StoreError> {
        let died = || StoreError::Unavailable("died".to_owned());
        if self.imports_left.load(Ordering::Relaxed) == 0 {
            if self.after {
                self.inner.import(batch).await?;
            }
            return Err(died());
        }
        self.imports_left.fetch_sub(1, Ordering::Relaxed);
        self.inner.import(batch).await
    }

    async fn lacks(
        &self,
        marks: Vec<(langnghe_model::DedupKey, Timestamp)>,
    ) -> Result<u64, StoreError> {
        self.inner.lacks(marks).await
    }

    async fn copy_mark(&self) -> Result<Option<CopyMark>, StoreError> {
        self.inner.copy_mark().await
    }

    async fn set_copy_mark(&self, mark: Option<CopyMark>) -> Result<(), StoreError> {
        self.inner.set_copy_mark(mark).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.inner.finish().await
    }
}

/// Fills the source; what was put in.
async fn filled(source: &dyn ArchiveFixture, seed: u64) -> Filled {
    let store = source.serve().await.expect("an empty store is served");
    let filled = fill(store.as_ref(), seed).await;
    close(store).await;
    filled
}

/// Copies with an end after so many imports.
async fn copy_part(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
    imports: u32,
    after: bool,
) -> (Result<Census, CopyError>, Vec<Progress>) {
    let from = Fragile::new(source.archive().await, 0, false);
    let to = Fragile::new(target.archive().await, imports, after);
    let mut told = Vec::new();
    let copied = copy(&from, &to, "source", &mut |progress| told.push(progress)).await;
    from.finish().await.expect("closed");
    to.finish().await.expect("closed");
    (copied, told)
}

async fn copy_all(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
) -> Result<Census, CopyError> {
    copy_part(source, target, u32::MAX, false).await.0
}

async fn assert_same(source: &dyn ArchiveFixture, target: &dyn ArchiveFixture, filled: &Filled) {
    let mut both = Vec::new();
    for fixture in [source, target] {
        both.push(answers(fixture, filled).await);
    }
    for (there, here) in both[0].iter().zip(&both[1]) {
        assert_eq!(there, here);
    }
    assert_eq!(both[0].len(), both[1].len());
}

/// What is copied gives the same answers.
pub async fn a_copy_gives_the_same_answers(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
    seed: u64,
) {
    let filled = filled(source, seed).await;
    let census = copy_all(source, target).await.expect("copied");
    assert!(
        census.rows().iter().all(|(_, count)| *count > 0),
        "{census:?}"
    );
    assert_same(source, target, &filled).await;
}

/// A copy that died again and again ends as if it had not, and nobody serves it before.
pub async fn a_copy_goes_on_where_it_died(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
    seed: u64,
) {
    let filled = filled(source, seed).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut runs = 0;
    loop {
        let (imports, after) = (random.random_range(0..12), random.random());
        let (copied, told) = copy_part(source, target, imports, after).await;
        assert_eq!(told.contains(&Progress::Resumed), runs > 0);
        runs += 1;
        match copied {
            Ok(_) => break,
            Err(CopyError::Store {
                side: Side::Target, ..
            }) => {
                let served = target.serve().await.map(drop);
                let refused = served.expect_err("half a store is not served").to_string();
                assert!(refused.contains("unfinished"), "{refused}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(runs > 3, "it died {runs} times");
    assert_same(source, target, &filled).await;
}

/// What holds something is no target, and keeps what it holds.
pub async fn a_target_that_holds_something_is_refused(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
) {
    filled(source, 1).await;
    let store = target.serve().await.expect("served");
    store.keep_document("a", b"one").await.expect("kept");
    close(store).await;
    match copy_all(source, target).await {
        Err(CopyError::NotEmpty(census)) => assert_eq!(census.documents, 1),
        other => panic!("{other:?}"),
    }
    let store = target.serve().await.expect("served as before");
    let documents = store.documents("").await.expect("documents");
    assert_eq!(documents, [("a".to_owned(), b"one".to_vec())]);
    close(store).await;
}

/// A copy is gone on with from the same, unchanged source only.
pub async fn an_unfinished_copy_takes_nothing_else(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
) {
    filled(source, 1).await;
    let (copied, _) = copy_part(source, target, 3, true).await;
    copied.expect_err("it died");
    let (from, to) = (source.archive().await, target.archive().await);
    let other = copy(from.as_ref(), to.as_ref(), "another", &mut |_| {}).await;
    assert!(
        matches!(other, Err(CopyError::OtherCopy { .. })),
        "{other:?}"
    );
    // Nor is it a source.
    let back = copy(to.as_ref(), from.as_ref(), "target", &mut |_| {}).await;
    assert!(
        matches!(back, Err(CopyError::SourceUnfinished { .. })),
        "{back:?}"
    );
    from.finish().await.expect("closed");
    to.finish().await.expect("closed");
    drop((from, to));
    let store = source.serve().await.expect("served");
    take_in(store.as_ref(), &citizen("an"), 1 << 50).await;
    close(store).await;
    let changed = copy_all(source, target).await;
    assert!(
        matches!(changed, Err(CopyError::SourceChanged)),
        "{changed:?}"
    );
}

/// More marks (some of them in runs, where the store's memory for them is small), sessions, events and replies than one page of an export holds.
pub async fn a_copy_of_many_pages_is_whole(
    source: &dyn ArchiveFixture,
    target: &dyn ArchiveFixture,
) {
    let many = u128::try_from(COPY_LIMIT * 2 + 3).expect("a number");
    let store = source.serve().await.expect("served");
    for number in 0..many {
        let one = citizen(&format!("{}", number % 200));
        turn(store.as_ref(), &one, number, |commit| {
            commit.session = SessionChange::Put(vec![7; 10]);
            commit.replies = vec![reply(&format!("{number}"))];
        })
        .await;
    }
    close(store).await;
    let (from, to) = (source.archive().await, target.archive().await);
    let census = copy(from.as_ref(), to.as_ref(), "source", &mut |_| {}).await;
    let census = census.expect("copied");
    assert_eq!(
        (census.sessions, census.replies),
        (200, many.try_into().expect("a number"))
    );
    from.finish().await.expect("closed");
    to.finish().await.expect("closed");
    drop((from, to));
    let mut both = Vec::new();
    for fixture in [source, target] {
        let store = fixture.serve().await.expect("served");
        both.push(send_all(store.as_ref(), start()).await);
        let again = event(&citizen(&format!("{}", (many - 1) % 200)), many - 1);
        let answers = store.accept(vec![again], start()).await;
        assert_eq!(answers.expect("accept"), [Accepted::Duplicate]);
        close(store).await;
    }
    assert_eq!(both[0], both[1]);
}
