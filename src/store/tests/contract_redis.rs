//! The contract suite on Redis.

use std::sync::{Arc, atomic::{AtomicU64, Ordering}};

use langnghe_store::{Limits, RedisAddress, RedisOptions, RedisStore, Store, StoreClock, contract::Fixture, contract_suite};

static NUMBER: AtomicU64 = AtomicU64::new(0);

struct Redis {
    prefix: String,
}

fn redis() -> Redis {
    let n = NUMBER.fetch_add(1, Ordering::Relaxed);
    Redis { prefix: format!("t{}-{n}", std::process::id()) }
}

#[async_trait::async_trait]
impl Fixture for Redis {
    async fn open(&self, limits: Limits) -> Arc<dyn Store> {
        let url = std::env::var("REDIS_URL").unwrap_or("redis://127.0.0.1:7801".to_owned());
        let address = RedisAddress::parse(&url).expect("address");
        let options = RedisOptions { limits, prefix: self.prefix.clone(), clock: StoreClock::Caller, ..RedisOptions::default() };
        Arc::new(RedisStore::open(&address, options).await.expect("opens"))
    }
}

contract_suite!(redis());
