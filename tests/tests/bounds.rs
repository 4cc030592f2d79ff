//! Bounds: floods, full queues, full disks, and stops. What is refused is refused aloud, and what was
//! acknowledged stays.

use std::time::Duration;

use langnghe_tests::{
    Installation, Replica,
    citizen::Citizen,
    meta,
    road::{FLOW, Road},
    wait,
};
use reqwest::StatusCode;

#[tokio::test]
async fn a_flood_is_cut_told_once_and_costs_others_nothing() {
    let mut road = Road::new().await;
    road.installation
        .set("limits.flood.messages", 5)
        .set("limits.flood.per", "600s");
    let replica = road.installation.start().await;
    let (loud, quiet) = (road.citizen(), road.citizen());
    for number in 0..40 {
        let webhook = loud.text(&meta::message_id(), &format!("ồn ào {number}"));
        let answer = loud.post(&webhook).await.expect("an answer");
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "a provider must not be made to repeat a flood"
        );
    }
    road.report(&quiet, ["cầu hỏng", "rạch Bà Bộ", "tuần trước"])
        .await;
    road.ticket(["cầu hỏng", "rạch Bà Bộ", "tuần trước"]).await;
    let told = |texts: &[String]| texts.iter().any(|text| text.contains("gửi nhanh quá"));
    wait::until("the loud one is told", wait::SOON, async || {
        told(&road.graph.texts_for(&loud.id))
    })
    .await;
    let texts = road.graph.texts_for(&loud.id);
    let notices = texts
        .iter()
        .filter(|text| text.contains("gửi nhanh quá"))
        .count();
    assert_eq!(notices, 1, "{texts:?}");
    assert!(
        texts.len() <= 8,
        "five messages were answered {} times",
        texts.len()
    );
    let metrics = replica.metrics().await;
    assert!(metrics.sum("langnghe_rejected_total", &[("reason", "flood")]) > 34.0);
}

#[tokio::test]
async fn a_full_queue_refuses_with_503_and_loses_nothing() {
    let mut road = Road::new().await;
    road.installation
        .set("limits.inbox", 3)
        .set("server.workers", 0);
    let replica = road.installation.start().await;
    let citizens: Vec<Citizen> = (0..5).map(|_| road.citizen()).collect();
    let mut refused = Vec::new();
    for citizen in &citizens {
        let webhook = citizen.text(&meta::message_id(), "báo sự cố");
        let answer = citizen.post(&webhook).await.expect("an answer");
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            let after = answer.headers()["retry-after"]
                .to_str()
                .expect("a number")
                .to_owned();
            assert!(
                after.parse::<u64>().is_ok_and(|seconds| seconds > 0),
                "{after}"
            );
            refused.push((citizen.clone(), webhook));
        } else {
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }
    assert_eq!(refused.len(), 2);
    drop(replica);

    road.installation.set("server.workers", 2);
    let _replica = road.installation.start().await;
    for (citizen, webhook) in &refused {
        citizen.deliver(webhook).await;
    }
    for citizen in &citizens {
        let texts = road.graph.wait_for_texts(&citizen.id, 1).await;
        assert!(texts.len() == 1 && texts[0].contains("Một?"), "{texts:?}");
    }
}

/// Fills the disk as far as the program is concerned: no file of it may grow further than this. The
/// signal that the system sends is ignored, so that a write fails as it does on a full disk.
const NO_ROOM: &str = "trap '' XFSZ; ulimit -f 600";

#[tokio::test]
async fn a_full_disk_refuses_with_503_and_loses_nothing() {
    let mut road = Road::new().await;
    road.installation
        .set("server.workers", 0)
        .set("limits.flood.messages", 1_000_000);
    road.installation.before(Some(NO_ROOM));
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    let filler = "x".repeat(1500);
    let mut kept: Vec<String> = Vec::new();
    let mut refused = None;
    for number in 0..2000 {
        let words = format!("{number:04} {filler}");
        let other = if number % 40 == 0 {
            road.citizen()
        } else {
            citizen.clone()
        };
        let writer = if kept.len() < 40 { &citizen } else { &other };
        let webhook = writer.text(&meta::message_id(), &words);
        let answer = writer.post(&webhook).await.expect("an answer");
        match answer.status() {
            StatusCode::OK => kept.push(words),
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(answer.headers().contains_key("retry-after"));
                refused = Some((writer.clone(), webhook));
                break;
            }
            other => panic!("a full disk was answered {other}"),
        }
    }
    let (writer, webhook) = refused.expect("the disk was full at last");
    let metrics = replica.metrics().await;
    assert!(metrics.sum("langnghe_rejected_total", &[("reason", "store")]) >= 1.0);
    let accepted = metrics.sum("langnghe_events_accepted_total", &[]);
    drop(replica);

    // There is room again.
    road.installation.before(None).set("server.workers", 2);
    let replica = road.installation.start().await;
    writer.deliver(&webhook).await;
    wait::until(
        "everything acknowledged was processed",
        Duration::from_mins(1),
        async || {
            let metrics = replica.metrics().await;
            metrics.sum("langnghe_events_processed_total", &[]) >= accepted + 1.0
        },
    )
    .await;
    assert!(!kept.is_empty());
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_the_next_start_goes_on() {
    let mut road = Road::new().await;
    road.installation.set("limits.flood.messages", 1_000_000);
    let mut replica = road.installation.start().await;
    let citizens: Vec<Citizen> = (0..6).map(|_| road.citizen()).collect();
    let mut writers = Vec::new();
    for (number, citizen) in citizens.iter().enumerate() {
        let citizen = citizen.clone();
        writers.push(tokio::spawn(async move {
            citizen.says("báo sự cố").await;
            for round in 0..8 {
                for answer in ["a", "b", "c"] {
                    citizen.says(&format!("{answer} {number} {round}")).await;
                }
                if round < 7 {
                    citizen.says("báo sự cố").await;
                }
            }
        }));
    }
    wait::until("the load is on", wait::SOON, async || {
        road.graph.count() > 10
    })
    .await;
    let status = replica.terminate(Duration::from_secs(25)).await;
    assert!(status.success(), "a stop is no failure: {status}");
    drop(replica);
    let _replica = road.installation.start().await;
    for writer in writers {
        writer.await.expect("all was taken");
    }
    let tickets = road.agency.wait_for(48, Duration::from_mins(1)).await;
    assert_eq!(tickets.len(), 48);
    road.agency.assert_no_violations();
    assert!(
        road.graph.repeated().is_empty(),
        "a stop in order repeats nothing"
    );
}

#[tokio::test]
async fn what_hinders_a_start_is_said_plainly() {
    let road = Road::new().await;
    let _first = road.installation.start().await;
    let refused = |installation: &Installation| {
        let output = installation.run(&["serve"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "it started");
        assert!(!told.contains("panicked"), "{told}");
        told
    };

    let mut second = Installation::new();
    second
        .flows(&[("su-co.toml", FLOW)])
        .set("flows.start", "su-co");
    second.backend("ioc", road.agency.url());
    let listen = format!("127.0.0.1:{}", road.installation.port());
    let free = format!("127.0.0.1:{}", second.port());
    let told = refused(second.set("server.listen", listen.clone()));
    assert!(told.contains(&listen), "the port is taken: {told}");

    let database = format!("sqlite:{}", road.installation.database().display());
    let told = refused(second.set("server.listen", free).set("store.url", database));
    assert!(told.contains("in use"), "the data are another's: {told}");

    std::fs::write(second.path("blocked"), "").expect("a file");
    let told = refused(second.set("store.url", "sqlite:blocked/langnghe.db"));
    assert!(
        told.contains("blocked"),
        "there is a file where the folder should be: {told}"
    );
}

#[tokio::test]
async fn every_series_that_operators_watch_is_there() {
    let road = Road::new().await;
    let replica: Replica<'_> = road.installation.start().await;
    let citizen = road.citizen();
    let answers = ["vỡ ống nước", "đường Ba Tháng Hai", "mười giờ sáng"];
    road.report(&citizen, answers).await;
    road.ticket(answers).await;
    let repeated = citizen.text("m_repeated_once", "lặp lại");
    citizen.deliver(&repeated).await;
    citizen.deliver(&repeated).await;
    wait::until("the delivery was settled", wait::SOON, async || {
        replica
            .metrics()
            .await
            .sum("langnghe_tickets_delivered_total", &[("backend", "ioc")])
            >= 1.0
    })
    .await;
    let metrics = replica.metrics().await;
    for series in [
        "langnghe_events_accepted_total",
        "langnghe_events_duplicate_total",
        "langnghe_events_received_total",
        "langnghe_events_processed_total",
        "langnghe_replies_sent_total",
        "langnghe_tickets_delivered_total",
        "langnghe_queue_depth",
        "langnghe_queue_oldest_age_seconds",
        "langnghe_accept_seconds_bucket",
        "langnghe_step_seconds_bucket",
        "langnghe_store_up",
    ] {
        assert!(metrics.has(series), "there is no {series}");
    }
    assert!(metrics.sum("langnghe_events_duplicate_total", &[("channel", "page")]) >= 1.0);
    let alive = replica
        .client()
        .get(replica.url("/healthz"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(alive.status(), StatusCode::OK);
}
