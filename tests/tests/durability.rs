//! What the program says of its server's settings when it starts, and what it refuses.

use std::{collections::HashSet, time::Duration};

use langnghe_store::{RedisOptions, RedisStore, Severity, StoreAddress};
use langnghe_tests::{
    installation::Installation,
    redis::{Cluster, Fsync, Server, Setup},
};

const SOON: Duration = Duration::from_secs(20);

fn installation(url: &str, required: bool) -> Installation {
    let mut installation = Installation::new();
    installation.webchat("web");
    installation.backend("ioc", "http://127.0.0.1:9/");
    installation.set("store.url", url);
    installation.set("store.require_durable", required);
    installation
}

/// Everything that a start that is refused says.
async fn refusal(installation: &Installation) -> String {
    let mut replica = langnghe_tests::replica::Replica::spawn(installation);
    let status = replica.end("a refused start", SOON).await;
    assert!(!status.success());
    installation.log()
}

#[tokio::test]
async fn a_server_that_forgets_is_warned_of_or_refused() {
    let forgetful = Server::start(&Setup::redis()).await;
    let refused = refusal(&installation(&forgetful.url(), true)).await;
    assert!(refused.contains("appendonly is off"), "{refused}");
    assert!(
        refused.contains("appendfsync always"),
        "what to do: {refused}"
    );

    let tolerant = installation(&forgetful.url(), false);
    let replica = tolerant.start().await;
    assert!(replica.ready().await);
    assert!(tolerant.log().contains("appendonly is off"));
}

#[tokio::test]
async fn a_server_that_throws_data_away_is_refused() {
    let setup = Setup::redis()
        .durable(Fsync::Always)
        .set("maxmemory", "100mb")
        .set("maxmemory-policy", "allkeys-lru");
    let evicting = Server::start(&setup).await;
    let refused = refusal(&installation(&evicting.url(), true)).await;
    assert!(refused.contains("allkeys-lru"), "{refused}");
}

#[tokio::test]
async fn a_durable_server_is_served_without_a_word() {
    let durable = Server::start(&Setup::redis().durable(Fsync::Always)).await;
    let strict = installation(&durable.url(), true);
    let replica = strict.start().await;
    assert!(replica.ready().await);
    assert!(!strict.log().contains("lost"), "{}", strict.log());
}

/// Waiting for a command that the server does not know would refuse every message.
#[tokio::test]
async fn waiting_for_the_disk_needs_a_server_that_can() {
    let server = Server::start(&Setup::redis().durable(Fsync::Always)).await;
    let version = server.info("server", "redis_version").await;
    let mut installation = installation(&server.url(), false);
    installation.set("store.wait_aof", true);
    if version.starts_with("7.0.") {
        let refused = refusal(&installation).await;
        assert!(refused.contains("WAITAOF"), "{refused}");
    } else {
        let replica = installation.start().await;
        assert!(replica.ready().await);
    }
}

#[tokio::test]
async fn waiting_for_replicas_that_are_not_there_is_refused() {
    let server = Server::start(&Setup::redis().durable(Fsync::Always)).await;
    let mut installation = installation(&server.url(), false);
    installation.set("store.wait_replicas", 1);
    let refused = refusal(&installation).await;
    assert!(refused.contains("wait_replicas"), "{refused}");
}

#[tokio::test]
async fn every_primary_of_a_cluster_is_asked() {
    let cluster = Cluster::start(&Setup::redis()).await;
    let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(&cluster.url()) else {
        panic!("{} is an address", cluster.url());
    };
    let store = RedisStore::open(&address, RedisOptions::default()).await;
    let findings = store
        .expect("it opens")
        .durability()
        .await
        .expect("settings");
    let forgetful = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Loss);
    let nodes: HashSet<_> = forgetful.map(|finding| &finding.node).collect();
    assert_eq!(nodes.len(), 3, "{findings:?}");
}
