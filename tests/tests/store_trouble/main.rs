//! The store on Redis while its server, its cluster or the line to it fails: nothing that was accepted
//! is lost or processed twice, nothing hangs, and work goes on by itself.
//!
//! The servers leave the moment of writing to the system: what dies here are processes, and Redis has handed
//! over what it did before it answers.

mod work;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use langnghe_store::{Accepted, Limits, RedisStore, Store, StoreAddress, StoreError};
use langnghe_tests::{
    redis::{Cluster, Fsync, Product, Server, Setup, Watched, shared},
    stores, wait,
    wire::{Toward, Wire},
};

use crate::work::{event, now, open, options, turn, under_load};

/// Waits until so many more events were accepted.
async fn until_more(calls: &work::Calls, more: u64) {
    let goal = calls.accepted.load(Ordering::SeqCst) + more;
    wait::until("events are accepted", wait::SOON, async || {
        calls.accepted.load(Ordering::SeqCst) >= goal
    })
    .await;
}

/// Waits until a call failed for this reason.
async fn until_failed(calls: &work::Calls, reason: &str) {
    let deadline = Instant::now() + wait::SOON;
    while !calls.failed(reason) {
        assert!(Instant::now() < deadline, "never {reason:?}: {calls:?}");
        wait::pause().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_loses_nothing() {
    let mut server = Server::start(&Setup::redis().durable(Fsync::No)).await;
    let store = open(&server.url()).await;
    let calls = under_load(&store, 6, async |calls| {
        for _ in 0..3 {
            until_more(calls, 30).await;
            server.kill();
            until_failed(calls, "nothing listens").await;
            calls.reasons.lock().expect("not poisoned").clear();
            server.start_again().await;
        }
    })
    .await;
    assert!(calls.longest() < Duration::from_secs(3), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let server = Server::start(&Setup::redis()).await;
    let store = open(&server.url()).await;
    let calls = under_load(&store, 4, async |calls| {
        for _ in 0..10 {
            until_more(calls, 5).await;
            let _: () = server.command(&["SCRIPT", "FLUSH"]).await;
        }
    })
    .await;
    assert!(!calls.failed("NOSCRIPT"), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_in_the_middle_of_calls_and_answers_loses_and_repeats_nothing() {
    let server = Server::start(&Setup::redis()).await;
    let wire = Wire::to(server.port()).await;
    let store = open(&server.url_through(wire.port())).await;
    under_load(&store, 6, async |calls| {
        for round in 0..30 {
            until_more(calls, 3).await;
            let toward = [Toward::Server, Toward::Client][round % 2];
            wire.cut_after(toward, round * 37);
        }
        until_more(calls, 10).await;
    })
    .await;
    assert!(wire.carried() > 20, "{}", wire.carried());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_holds_nothing_up_beyond_the_time_out() {
    let server = Server::start(&Setup::redis()).await;
    let wire = Wire::to(server.port()).await;
    let store = open(&server.url_through(wire.port())).await;
    let calls = under_load(&store, 4, async |calls| {
        for _ in 0..2 {
            until_more(calls, 20).await;
            wire.stall();
            until_failed(calls, "in time").await;
            let began = Instant::now();
            // It may reach the server late, and then leaves a lease.
            let lease = Duration::from_secs(1);
            assert!(store.claim(1, lease, now(), Duration::ZERO).await.is_err());
            assert!(store.ping().await.is_err());
            assert!(store.depths().await.is_err());
            assert!(store.ticket("none").await.is_err());
            assert!(
                began.elapsed() < Duration::from_secs(9),
                "{:?}",
                began.elapsed()
            );
            calls.reasons.lock().expect("not poisoned").clear();
            wire.mend();
        }
    })
    .await;
    // The time-out is a second: one for a connection, one for a call behind it.
    assert!(calls.longest() < Duration::from_secs(4), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_still_loading_is_waited_for() {
    let setup = Setup::redis()
        .durable(Fsync::No)
        .set("key-load-delay", "1000")
        .set("loading-process-events-interval-bytes", "1024");
    let mut server = Server::start(&setup).await;
    let store = open(&server.url()).await;
    let calls = under_load(&store, 4, async |calls| {
        until_more(calls, 20).await;
        // Three seconds of loading.
        let _: () = server.command(&["DEBUG", "POPULATE", "3000"]).await;
        let _: () = server.command(&["BGREWRITEAOF"]).await;
        wait::until("the file is written anew", wait::SOON, async || {
            server.info("persistence", "aof_rewrite_in_progress").await == "0"
                && server.info("persistence", "aof_rewrite_scheduled").await == "0"
        })
        .await;
        server.kill();
        server.spawn_again();
        until_failed(calls, "still reading its data").await;
        server.answers().await;
    })
    .await;
    assert!(calls.longest() < Duration::from_secs(4), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_memory_refuses_whole_calls_and_goes_on_when_there_is_room() {
    let server = Server::start(&Setup::redis().set("maxmemory-policy", "noeviction")).await;
    let store = open(&server.url()).await;
    let calls = under_load(&store, 4, async |calls| {
        until_more(calls, 20).await;
        let _: () = server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
        until_failed(calls, "memory is full").await;
        let before = store.depths().await.expect("reading goes on");
        let batch = (0..5).map(|number| event(100 + number, 0)).collect();
        let refused = store.accept(batch, now()).await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
        let after = store.depths().await.expect("reading goes on");
        assert!(after.inbox <= before.inbox, "nothing of it was taken");
        assert!(store.ping().await.is_err(), "readiness says so");
        let _: () = server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    })
    .await;
    assert!(calls.longest() < Duration::from_secs(3), "{calls:?}");
    // Its redelivery is welcome.
    let again = store.accept(vec![event(100, 0)], now()).await;
    assert_eq!(again.expect("accept"), [Accepted::Stored]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_at_the_replica_that_a_sentinel_promoted() {
    let mut watched = Watched::start(&Setup::redis()).await;
    let store = open(&watched.url()).await;
    // What is accepted at the moment of death may be lost with the primary: nothing is sent then.
    let taken = store
        .accept(vec![event(7, 0)], now())
        .await
        .expect("accept");
    assert_eq!(taken, [Accepted::Stored]);
    let _: u32 = watched.primary.command(&["WAIT", "1", "5000"]).await;
    watched.primary.kill();
    assert!(store.ping().await.is_err());
    watched.promoted().await;
    under_load(&store, 7, async |calls| until_more(calls, 30).await).await;
    let claims = store
        .claim(9, Duration::from_secs(9), now(), wait::SOON)
        .await;
    let claims = claims.expect("claim");
    assert_eq!(claims.len(), 0, "the worker had what was accepted before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_became_a_replica_is_left() {
    let watched = Watched::start(&Setup::redis()).await;
    let store = open(&watched.url()).await;
    let taken = store.accept(vec![event(9, 0)], now()).await;
    assert_eq!(taken.expect("accept"), [Accepted::Stored]);
    let _: u32 = watched.primary.command(&["WAIT", "1", "5000"]).await;
    watched.fail_over().await;
    // The sentinel does this by itself ten seconds later. What is accepted until then is lost, so nothing is
    // sent before.
    let port = watched.replica.port().to_string();
    let _: () = watched
        .primary
        .command(&["REPLICAOF", "127.0.0.1", &port])
        .await;
    let refused = store.accept(vec![event(9, 1)], now()).await;
    let refused = refused.expect_err("it takes no writes");
    assert!(
        refused.to_string().contains("is a replica now"),
        "{refused}"
    );
    let calls = under_load(&store, 4, async |calls| {
        until_more(calls, 30).await;
    })
    .await;
    assert!(calls.longest() < Duration::from_secs(5), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_moves_partitions_under_load() {
    let cluster = Cluster::start(&Setup::redis()).await;
    let mut options = options();
    options.partitions = 8;
    let store = Arc::new(stores::open_redis(&cluster.url(), options).await);
    under_load(&store, 16, async |calls| {
        for partition in 0..8 {
            let slot = cluster.slot(&format!("{{{partition}}}")).await;
            let to = (cluster.owner(slot).await + 1) % 3;
            let moving = cluster.begin_move(slot, to).await;
            until_more(calls, 2).await;
            // Half of it is here, half of it there: such a call is tried again until it is whole.
            cluster.move_keys(moving, 3).await;
            until_more(calls, 1).await;
            while cluster.move_keys(moving, 1000).await {}
            cluster.end_move(moving).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_node_comes_back_goes_on() {
    let mut cluster = Cluster::start(&Setup::redis().durable(Fsync::No)).await;
    let store = open(&cluster.url()).await;
    let calls = under_load(&store, 12, async |calls| {
        until_more(calls, 60).await;
        cluster.nodes[1].kill();
        wait::until("calls fail", wait::SOON, async || {
            !calls.reasons.lock().expect("not poisoned").is_empty()
        })
        .await;
        cluster.nodes[1].start_again().await;
        cluster.agrees().await;
    })
    .await;
    assert!(calls.longest() < Duration::from_secs(5), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_outlives_its_server() {
    let mut server = Server::start(&Setup::redis().durable(Fsync::No)).await;
    let store = open(&server.url()).await;
    let waiting = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let lease = Duration::from_secs(5);
            loop {
                let claims = store.claim(1, lease, now(), Duration::from_mins(1)).await;
                match claims {
                    Ok(claims) => return claims,
                    Err(_) => wait::pause().await,
                }
            }
        })
    };
    server.kill();
    server.start_again().await;
    // Another replica takes it in.
    let other = open(&server.url()).await;
    other
        .accept(vec![event(0, 0)], now())
        .await
        .expect("accept");
    let claims = tokio::time::timeout(wait::SOON, waiting).await;
    let claims = claims.expect("it is told").expect("no panic");
    assert_eq!(claims.len(), 1);
    let done = store.commit(vec![turn(&claims[0])], now()).await;
    done.expect("commit");
}

#[tokio::test]
async fn a_wrong_password_is_said_at_once_and_not_repeated() {
    let server = Server::start(&Setup::redis().user("teller", "right")).await;
    let through = |secret: &str| format!("redis://teller:{secret}@127.0.0.1:{}", server.port());
    let store = open(&through("right")).await;
    store.ping().await.expect("ping");
    let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(&through("s3cr3t")) else {
        panic!("an address");
    };
    let began = Instant::now();
    let error = RedisStore::open(&address, options())
        .await
        .expect_err("refused");
    let text = format!("{error} {error:?}");
    assert!(text.contains("refuses user or password"), "{text}");
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn other_partitions_over_data_are_refused() {
    let server = shared(Product::Redis).await;
    let mut options = options();
    options.prefix = "partitions".to_owned();
    drop(stores::open_redis(&server.url(), options.clone()).await);
    options.partitions = 16;
    options.limits = Limits::default();
    let Ok(StoreAddress::Redis(address)) = StoreAddress::parse(&server.url()) else {
        panic!("an address");
    };
    let error = RedisStore::open(&address, options)
        .await
        .expect_err("refused");
    assert!(
        error.to_string().contains("store.partitions = 64"),
        "{error}"
    );
}
