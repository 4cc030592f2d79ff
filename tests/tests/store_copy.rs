//! Moving everything between SQLite and real Redis servers.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use langnghe_store::{
    Limits, OpenMode, RedisAddress, RedisArchive, RedisOptions, RedisStore, SqliteStore, Store,
    StoreAddress, StoreClock, StoreError,
    archive::{Archive, CopyError, Side, copy},
    contract::archive::{self, ArchiveFixture},
};
use langnghe_tests::redis::{Cluster, Product, Server, Setup, shared};
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn open(&self, mode: OpenMode) -> Result<Arc<SqliteStore>, StoreError> {
        let path: PathBuf = self.0.path().join("langnghe.db");
        SqliteStore::open(&path, Limits::default(), mode).map(Arc::new)
    }
}

#[async_trait]
impl ArchiveFixture for Sqlite {
    async fn serve(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(self.open(OpenMode::Serve)?)
    }

    async fn archive(&self) -> Arc<dyn Archive> {
        self.open(OpenMode::Copy).expect("opened")
    }
}

/// A store under a prefix of its own.
struct Redis {
    address: RedisAddress,
    prefix: String,
    partitions: u16,
}

impl Redis {
    fn new(url: &str, partitions: u16) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(url) else {
            panic!("{url} is an address");
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            address,
            prefix: format!("copy{number}"),
            partitions,
        }
    }

    async fn on_shared_server(partitions: u16) -> Self {
        Self::new(&shared(Product::Redis).await.url(), partitions)
    }

    fn options(&self) -> RedisOptions {
        RedisOptions {
            partitions: self.partitions,
            prefix: self.prefix.clone(),
            clock: StoreClock::Caller,
            ..RedisOptions::default()
        }
    }
}

#[async_trait]
impl ArchiveFixture for Redis {
    async fn serve(&self) -> Result<Arc<dyn Store>, StoreError> {
        let store = RedisStore::open(&self.address, self.options()).await?;
        Ok(Arc::new(store))
    }

    async fn archive(&self) -> Arc<dyn Archive> {
        let archive = RedisArchive::open(&self.address, self.options()).await;
        Arc::new(archive.expect("opened"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_redis() {
    let target = Redis::on_shared_server(64).await;
    archive::a_copy_gives_the_same_answers(&Sqlite::new(), &target, 0).await;
    let target = Redis::on_shared_server(64).await;
    archive::a_copy_goes_on_where_it_died(&Sqlite::new(), &target, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_redis_to_sqlite() {
    let source = Redis::on_shared_server(64).await;
    archive::a_copy_gives_the_same_answers(&source, &Sqlite::new(), 0).await;
    let source = Redis::on_shared_server(64).await;
    archive::a_copy_goes_on_where_it_died(&source, &Sqlite::new(), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_redis_to_redis_with_other_partitions() {
    let (source, target) = (
        Redis::on_shared_server(64).await,
        Redis::on_shared_server(7).await,
    );
    archive::a_copy_gives_the_same_answers(&source, &target, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_cluster_and_back() {
    let cluster = Cluster::start(&Setup::redis()).await;
    let url = cluster.url();
    archive::a_copy_goes_on_where_it_died(&Sqlite::new(), &Redis::new(&url, 16), 5).await;
    archive::a_copy_gives_the_same_answers(&Redis::new(&url, 16), &Sqlite::new(), 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_page_goes_both_ways() {
    let target = Redis::on_shared_server(64).await;
    archive::a_copy_of_many_pages_is_whole(&Sqlite::new(), &target).await;
    let source = Redis::on_shared_server(64).await;
    archive::a_copy_of_many_pages_is_whole(&source, &Sqlite::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_target_or_source_is_refused() {
    let target = Redis::on_shared_server(64).await;
    archive::a_target_that_holds_something_is_refused(&Sqlite::new(), &target).await;
    let (source, target) = (
        Redis::on_shared_server(64).await,
        Redis::on_shared_server(64).await,
    );
    archive::an_unfinished_copy_takes_nothing_else(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_somebody_uses_is_refused() {
    let server = Server::start(&Setup::redis()).await;
    let used = Redis::new(&server.url(), 64);
    let store = used.serve().await.expect("served");
    let page = langnghe_store::OwnerId("a".to_owned());
    let channel = langnghe_model::ChannelId::new("page").expect("a good id");
    let now = langnghe_model::Timestamp::from_seconds(4_000_000_000);
    let lease = std::time::Duration::from_secs(10);
    store
        .own(&page, &[channel], lease, now)
        .await
        .expect("owned");
    let (used, other) = (used.archive().await, Sqlite::new().archive().await);
    for (from, to, wanted) in [(&used, &other, Side::Source), (&other, &used, Side::Target)] {
        let refused = copy(from.as_ref(), to.as_ref(), "it", &mut |_| {}).await;
        match refused {
            Err(CopyError::InUse { side, user }) => {
                assert_eq!(side, wanted);
                assert!(user.contains("page"), "{user}");
            }
            refused => panic!("{refused:?}"),
        }
    }
}

#[tokio::test]
async fn there_has_to_be_a_source() {
    let nowhere = Redis::on_shared_server(64).await;
    let opened = RedisArchive::open_existing(&nowhere.address, nowhere.options()).await;
    assert!(matches!(opened, Err(StoreError::Open { .. })), "{opened:?}");
    drop(nowhere.serve().await.expect("laid out"));
    let other = RedisOptions {
        partitions: 3,
        ..nowhere.options()
    };
    RedisArchive::open_existing(&nowhere.address, other)
        .await
        .expect("its own partitions count");
}
