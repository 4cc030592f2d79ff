//! Chaos, in a length that every build can bear; `cargo xtask chaos` is the long one.

use langnghe_tests::{
    backing::Kind,
    chaos::{self, Options},
    seed,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_bear_chaos_on_redis() {
    let options = Options::short(Kind::Redis, seed::draw());
    eprintln!("{}", chaos::run(&options).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_replica_bears_chaos_on_sqlite() {
    let options = Options::short(Kind::Sqlite, seed::draw());
    eprintln!("{}", chaos::run(&options).await);
}
