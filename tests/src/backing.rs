//! What an installation keeps its data in: a file, or a server that is started for it.

use std::{path::Path, sync::Arc};

use clap::ValueEnum;
use langnghe_store::{
    Limits, OpenMode, RedisOptions, RedisStore, SqliteStore, Store, StoreAddress, StoreClock,
    StoreError,
};

use crate::redis::{Fsync, Product, Server, Setup};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A file, for one replica.
    Sqlite,
    /// A `redis-server` that is started for it.
    Redis,
    /// A `valkey-server` that is started for it.
    Valkey,
}

impl Kind {
    /// Whether replicas can share it.
    pub fn is_shared(self) -> bool {
        self != Self::Sqlite
    }

    /// Starts its server, with an append-only file; a file needs none.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self, fsync: Fsync) -> Option<Server> {
        let product = match self {
            Self::Sqlite => return None,
            Self::Redis => Product::Redis,
            Self::Valkey => Product::Valkey,
        };
        Some(Server::start(&Setup::of(product).durable(fsync)).await)
    }
}

/// Opens what replicas have left: on the server, or else in the file. Its time is the caller's, so that
/// what waits for its time can be had at once.
///
/// # Errors
/// When it cannot be opened.
///
/// # Panics
/// When the server's address is none.
pub async fn open(server: Option<&Server>, database: &Path) -> Result<Arc<dyn Store>, StoreError> {
    let Some(server) = server else {
        let store = SqliteStore::open(database, Limits::default(), OpenMode::Serve)?;
        return Ok(Arc::new(store));
    };
    let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(&server.url()) else {
        panic!("a server has an address of Redis");
    };
    let options = RedisOptions {
        clock: StoreClock::Caller,
        ..RedisOptions::default()
    };
    Ok(Arc::new(RedisStore::open(&address, options).await?))
}
