//! Every form of address reaches its server.

use std::time::Duration;

use langnghe_store::{RedisOptions, RedisStore, Store as _, StoreAddress, StoreError};
use langnghe_tests::{
    port,
    redis::{Certificate, Server, Setup},
};

async fn open(url: &str, certificate: Option<Vec<u8>>) -> Result<RedisStore, StoreError> {
    let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(url) else {
        panic!("{url} is an address");
    };
    let options = RedisOptions {
        timeout: Duration::from_secs(5),
        certificate,
        ..RedisOptions::default()
    };
    RedisStore::open(&address, options).await
}

#[tokio::test]
async fn a_user_a_database_and_a_socket() {
    let server = Server::start(&Setup::redis().user("teller", "secret")).await;
    let [port, socket] = [server.url(), server.unix_url()];
    for url in [format!("{port}/3"), port] {
        let store = open(&url, None).await.expect("it opens");
        store.ping().await.expect("ping");
    }
    let keys: String = server.command(&["INFO", "keyspace"]).await;
    assert!(keys.contains("db0:") && keys.contains("db3:"), "{keys}");

    let refused = open(&socket, None).await.expect_err("without a user");
    assert!(refused.to_string().contains("refuses user"), "{refused}");
    let open_to_all = Server::start(&Setup::redis()).await;
    let url = format!("{}?db=2", open_to_all.unix_url());
    open(&url, None).await.expect("it opens");
    let keys: String = open_to_all.command(&["INFO", "keyspace"]).await;
    assert!(keys.contains("db2:"), "{keys}");
}

#[tokio::test]
async fn an_encrypted_server_whose_authority_is_known() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (port, certificate) = (port::free(), Certificate::make());
    let server = Server::start(&Setup::redis().encrypted(port, &certificate)).await;
    let url = format!("rediss://127.0.0.1:{port}");
    let store = open(&url, Some(certificate.authority())).await;
    store.expect("it opens").ping().await.expect("ping");

    let unknown = open(&url, None)
        .await
        .expect_err("nobody knows the authority");
    assert!(matches!(unknown, StoreError::Unavailable(_)), "{unknown}");
    let other = Certificate::make().authority();
    open(&url, Some(other))
        .await
        .expect_err("another authority");
    let plain = format!("redis://127.0.0.1:{port}");
    open(&plain, None).await.expect_err("not encrypted");
    drop(server);
}
