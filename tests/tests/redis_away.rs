//! The program while its Redis is away, full, stalled or replaced: providers are told to come again, in
//! time; readiness says so; nothing that was acknowledged is lost; and it goes on by itself.

use std::time::{Duration, Instant};

use langnghe_tests::{
    Replica,
    citizen::Citizen,
    graph::Manner,
    redis::{Fsync, Server, Setup, Watched},
    road::Road,
    wait,
    wire::Wire,
};

/// The longest that a webhook may wait for a store that is away: one time-out for the connection and
/// one for the call, of a second each, and what a busy machine adds.
const BOUND: Duration = Duration::from_secs(4);

async fn road(url: &str) -> Road {
    let mut road = Road::new().await;
    road.installation
        .set("store.url", url)
        .set("store.timeout", "1s");
    road
}

/// A provider is told to come again, within the bound.
async fn is_told_to_come_again(citizen: &Citizen) {
    let webhook = citizen.text(&langnghe_tests::meta::message_id(), "cây đổ");
    let began = Instant::now();
    let answer = citizen.post(&webhook).await.expect("an answer");
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert_eq!(answer.status(), 503);
    let again = answer.headers().get("retry-after");
    let again = again.and_then(|seconds| seconds.to_str().ok()?.parse::<u32>().ok());
    assert!(again.is_some_and(|seconds| seconds >= 1), "{again:?}");
}

/// It does not say that it is ready, but it lives.
async fn is_alive_and_not_ready(replica: &Replica<'_>) {
    let began = Instant::now();
    assert!(!replica.ready().await);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let alive = replica.client().get(replica.url("/healthz")).send().await;
    assert_eq!(alive.expect("an answer").status(), 200);
}

async fn becomes_ready(replica: &Replica<'_>) {
    wait::until("the replica is ready", wait::SOON, async || {
        replica.ready().await
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_dies_and_comes_back_costs_no_message_reply_or_ticket() {
    let mut server = Server::start(&Setup::redis().durable(Fsync::No)).await;
    let road = road(&server.url()).await;
    let replica = road.installation.start().await;
    let (one, other) = (road.citizen(), road.citizen());
    let answers = ["cống tắc", "trước nhà văn hóa", "từ hôm qua"];
    one.says("báo sự cố").await;
    road.graph.wait_for_texts(&one.id, 1).await;
    // Its reply waits at the time of death.
    road.graph.always(Manner::Proxy(502));
    one.says(answers[0]).await;

    server.kill();
    is_told_to_come_again(&other).await;
    is_alive_and_not_ready(&replica).await;
    road.graph.always(Manner::Take);
    let told_again = other.says("báo sự cố");
    let comes_back = async {
        is_told_to_come_again(&road.citizen()).await;
        server.start_again().await;
    };
    tokio::join!(told_again, comes_back);

    becomes_ready(&replica).await;
    road.graph.wait_for_texts(&other.id, 1).await;
    let texts = road.graph.wait_for_texts(&one.id, 2).await;
    assert!(texts[1].contains("Hai?"), "{texts:?}");
    for (answer, texts) in answers[1..].iter().zip(3..) {
        road.installation.private(answer);
        one.says(answer).await;
        road.graph.wait_for_texts(&one.id, texts).await;
    }
    assert_eq!(road.ticket(answers).await.deliveries, 1);
    assert!(!road.installation.log().contains("panicked"));
}

#[tokio::test]
async fn a_redis_that_stalls_holds_nobody_up() {
    let server = Server::start(&Setup::redis()).await;
    let wire = Wire::to(server.port()).await;
    let road = road(&server.url_through(wire.port())).await;
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    citizen.says("báo sự cố").await;
    road.graph.wait_for_texts(&citizen.id, 1).await;
    wire.stall();
    for _ in 0..2 {
        is_told_to_come_again(&road.citizen()).await;
        is_alive_and_not_ready(&replica).await;
    }
    wire.mend();
    citizen.says("cây đổ").await;
    let texts = road.graph.wait_for_texts(&citizen.id, 2).await;
    assert!(texts[1].contains("Hai?"), "{texts:?}");
    becomes_ready(&replica).await;
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_refuses_and_goes_on_when_there_is_room() {
    let server = Server::start(&Setup::redis().set("maxmemory-policy", "noeviction")).await;
    let road = road(&server.url()).await;
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    citizen.says("báo sự cố").await;
    road.graph.wait_for_texts(&citizen.id, 1).await;
    let _: () = server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    is_told_to_come_again(&road.citizen()).await;
    is_alive_and_not_ready(&replica).await;
    let _: () = server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    citizen.says("cây đổ").await;
    let texts = road.graph.wait_for_texts(&citizen.id, 2).await;
    assert!(texts[1].contains("Hai?"), "{texts:?}");
    becomes_ready(&replica).await;
    let log = road.installation.log();
    assert!(log.contains("memory is full"), "the operator is told");
}

#[tokio::test]
async fn the_program_follows_a_sentinel_to_the_new_primary() {
    let mut watched = Watched::start(&Setup::redis()).await;
    let road = road(&watched.url()).await;
    let replica = road.installation.start().await;
    let answers = ["đèn đường hỏng", "ngõ mười hai", "tối qua"];
    let citizen = road.citizen();
    road.report(&citizen, answers).await;
    road.ticket(answers).await;
    let _: u32 = watched.primary.command(&["WAIT", "1", "5000"]).await;
    watched.primary.kill();
    is_told_to_come_again(&road.citizen()).await;
    watched.promoted().await;
    let answers = ["rác thải", "bãi đất trống", "cả tuần"];
    road.report(&citizen, answers).await;
    road.ticket(answers).await;
    becomes_ready(&replica).await;
    assert_eq!(road.agency.tickets().len(), 2);
}

#[tokio::test]
async fn a_wrong_password_ends_the_start_with_a_word_for_it() {
    let server = Server::start(&Setup::redis().user("teller", "right")).await;
    let mut road = road("env:STORE_URL").await;
    let url = format!("redis://teller:s3cr3t@127.0.0.1:{}", server.port());
    road.installation.environment("STORE_URL", &url);
    road.installation.private("s3cr3t");
    let mut replica = Replica::spawn(&road.installation);
    let status = replica.end("the start is refused", wait::SOON).await;
    assert!(!status.success());
    let log = road.installation.log();
    assert!(log.contains("refuses user or password"), "{log}");
}
