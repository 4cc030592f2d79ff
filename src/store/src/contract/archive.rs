//! Moving everything to another store: random content, copied, gives the same answers there.

mod answers;
mod fill;

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

use self::{answers::*, fill::*};
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
