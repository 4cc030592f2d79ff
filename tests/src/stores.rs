//! Every kind of store, for the suites that judge them all.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use langnghe_store::{
    Limits, OpenMode, RedisOptions, RedisStore, SqliteStore, Store, StoreAddress, StoreClock,
    contract::Fixture,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::redis::{Cluster, Product, Setup, shared};

/// A store in a file of its own.
#[derive(Debug)]
pub struct Sqlite {
    folder: TempDir,
}

/// A store in a temporary folder.
///
/// # Panics
/// When there is no such folder.
pub fn sqlite() -> Sqlite {
    Sqlite {
        folder: TempDir::with_prefix("langnghe-store-").expect("a temporary folder"),
    }
}

#[async_trait]
impl Fixture for Sqlite {
    async fn open(&self, limits: Limits) -> Arc<dyn Store> {
        let path = self.folder.path().join("langnghe.db");
        Arc::new(SqliteStore::open(&path, limits, OpenMode::Serve).expect("the store opens"))
    }
}

/// A store on servers that it shares with others; its keys begin with a prefix of its own.
#[derive(Debug)]
pub struct Shared {
    servers: Servers,
    prefix: String,
}

#[derive(Clone, Copy, Debug)]
enum Servers {
    One(Product),
    Cluster,
}

/// A store on one server of this kind.
pub fn server(product: Product) -> Shared {
    Shared::new(Servers::One(product))
}

/// A store on three servers.
pub fn cluster() -> Shared {
    Shared::new(Servers::Cluster)
}

impl Shared {
    fn new(servers: Servers) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            servers,
            prefix: format!("test{number}"),
        }
    }

    async fn url(&self) -> String {
        static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
        match self.servers {
            Servers::One(product) => shared(product).await.unix_url(),
            Servers::Cluster => CLUSTER.get_or_init(start_cluster).await.url(),
        }
    }
}

async fn start_cluster() -> Cluster {
    Cluster::start(&Setup::redis()).await
}

#[async_trait]
impl Fixture for Shared {
    async fn open(&self, limits: Limits) -> Arc<dyn Store> {
        let options = RedisOptions {
            limits,
            prefix: self.prefix.clone(),
            clock: StoreClock::Caller,
            ..RedisOptions::default()
        };
        Arc::new(open_redis(&self.url().await, options).await)
    }

    fn takes_turns(&self) -> bool {
        matches!(self.servers, Servers::Cluster)
    }
}

/// Opens a store on Redis.
///
/// # Panics
/// When that is not possible.
pub async fn open_redis(url: &str, options: RedisOptions) -> RedisStore {
    match StoreAddress::parse(url) {
        Ok(StoreAddress::Redis(address)) => {
            let store = RedisStore::open(&address, options).await;
            store.unwrap_or_else(|error| panic!("{error}"))
        }
        other => panic!("no Redis: {other:?}"),
    }
}
