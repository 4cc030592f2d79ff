//! The harness's own servers do what the tests of the store rely on.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use langnghe_tests::{
    redis::{Cluster, Fsync, Product, Server, Setup, Watched, shared},
    wait,
    wire::{Toward, Wire},
};

async fn ping_through(port: u16, limit: Duration) -> Result<String, redis::RedisError> {
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        .set_response_timeout(Some(limit));
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    redis::cmd("PING").query_async(&mut connection).await
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let mut server = Server::start(&Setup::redis().durable(Fsync::Always)).await;
    let _: () = server.command(&["SET", "key", "value"]).await;
    server.kill();
    assert!(server.ask::<String>(&["PING"]).await.is_err());
    server.start_again().await;
    assert_eq!(server.command::<String>(&["GET", "key"]).await, "value");
    server.stop();
    server.start_again().await;
    assert_eq!(server.command::<String>(&["GET", "key"]).await, "value");
}

#[tokio::test]
async fn a_server_lets_in_who_knows_the_password() {
    let server = Server::start(&Setup::redis().user("teller", "secret")).await;
    let name: String = server.command(&["ACL", "WHOAMI"]).await;
    assert_eq!(name, "teller");
    assert!(ping_through(server.port(), wait::SOON).await.is_err());
}

#[tokio::test]
async fn a_frozen_server_answers_when_it_goes_on() {
    let mut server = Server::start(&Setup::redis()).await;
    server.freeze();
    let limit = Duration::from_millis(200);
    wait::until("it is frozen", wait::SOON, async || {
        ping_through(server.port(), limit).await.is_err()
    })
    .await;
    server.thaw();
    server.answers().await;
}

/// Tells the process that [`no_server_outlives_the_process_that_started_it`] starts what it is for.
const HOLD: &str = "LANGNGHE_TEST_HOLDS_A_SERVER";

#[tokio::test]
async fn no_server_outlives_the_process_that_started_it() {
    if std::env::var_os(HOLD).is_some() {
        let server = Server::start(&Setup::redis()).await;
        println!("\nserver {} {}", server.port(), server.folder().display());
        return std::future::pending().await;
    }
    let mut other = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "no_server_outlives_the_process_that_started_it"])
        .arg("--nocapture")
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(other.stdout.take().expect("its output")).lines();
    let found = lines.map_while(Result::ok).find_map(|line| {
        let (port, folder) = line.strip_prefix("server ")?.split_once(' ')?;
        Some((port.parse().ok()?, PathBuf::from(folder)))
    });
    let (port, folder) = found.expect("it tells its server");
    assert!(ping_through(port, wait::SOON).await.is_ok());
    other.kill().expect("it is ours");
    other.wait().expect("it ends");
    wait::until(
        "the server and its folder are gone",
        wait::SOON,
        async || !folder.exists() && ping_through(port, wait::SOON).await.is_err(),
    )
    .await;
}

#[tokio::test]
async fn three_nodes_share_the_slots_and_move_one() {
    let cluster = Cluster::start(&Setup::redis()).await;
    let slot = cluster.slot("{7}x").await;
    let from = cluster.owner(slot).await;
    let _: () = cluster.nodes[from].command(&["SET", "{7}x", "1"]).await;
    let to = (from + 1) % 3;
    let part = cluster.begin_move(slot, to).await;
    let refused = cluster.nodes[from].ask::<String>(&["GET", "{7}y"]).await;
    assert_eq!(refused.expect_err("it is moving").code(), Some("ASK"));
    assert!(cluster.move_keys(part, 10).await);
    assert!(!cluster.move_keys(part, 10).await);
    cluster.end_move(part).await;
    assert_eq!(cluster.owner(slot).await, to);
    let value: String = cluster.nodes[to].command(&["GET", "{7}x"]).await;
    assert_eq!(value, "1");
}

#[tokio::test]
async fn a_sentinel_promotes_the_replica() {
    let mut watched = Watched::start(&Setup::redis()).await;
    let _: () = watched.primary.command(&["SET", "key", "value"]).await;
    let _: u32 = watched.primary.command(&["WAIT", "1", "5000"]).await;
    watched.primary.kill();
    watched.promoted().await;
    let value: String = watched.replica.command(&["GET", "key"]).await;
    assert_eq!(value, "value");
}

#[tokio::test]
async fn a_wire_is_cut_stalls_and_delays_as_told() {
    let server = shared(Product::Redis).await;
    let wire = Wire::to(server.port()).await;
    let short = Duration::from_millis(300);
    assert!(ping_through(wire.port(), wait::SOON).await.is_ok());

    wire.tear_down();
    assert!(ping_through(wire.port(), wait::SOON).await.is_err());
    wire.mend();
    assert!(ping_through(wire.port(), wait::SOON).await.is_ok());

    wire.stall();
    let began = Instant::now();
    let error = ping_through(wire.port(), short).await.expect_err("stalled");
    assert!(error.is_timeout() && began.elapsed() >= short, "{error}");
    wire.mend();
    assert!(ping_through(wire.port(), wait::SOON).await.is_ok());

    wire.delay(short);
    let began = Instant::now();
    assert!(ping_through(wire.port(), wait::SOON).await.is_ok());
    assert!(began.elapsed() >= short);
    wire.delay(Duration::ZERO);

    // Ten bytes of a command do nothing; an answer that is cut off hides what was done.
    for (toward, key, done) in [
        (Toward::Server, "half", false),
        (Toward::Client, "whole", true),
    ] {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", wire.port()));
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(wait::SOON));
        let mut connection = client
            .expect("an address")
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .expect("a connection");
        let bytes = if done { 0 } else { 10 };
        wire.cut_after(toward, bytes);
        let mut command = redis::cmd("SET");
        let answer = command.arg(key).arg(1).query_async::<()>(&mut connection);
        assert!(answer.await.is_err());
        let exists: bool = server.command(&["EXISTS", key]).await;
        assert_eq!(exists, done, "{key}");
        assert!(ping_through(wire.port(), wait::SOON).await.is_ok());
    }
}
