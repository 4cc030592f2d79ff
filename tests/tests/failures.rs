//! What happens when Meta or the agency fails: nothing is lost, nothing overtakes, and an operator
//! sees what could not go on by itself.

use std::time::Duration;

use langnghe_tests::{
    Installation,
    agency::Conduct,
    graph::{Failure, Manner},
    metrics::Metrics,
    road::Road,
    wait,
};

/// The dead letters, as `langnghe dead list --json` shows them.
fn dead(installation: &Installation) -> Vec<serde_json::Value> {
    let output = installation.run(&["dead", "list", "--json"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let leaks = installation.leaks(&text);
    assert!(
        leaks.is_empty(),
        "the list of dead letters shows private words: {leaks:?}"
    );
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

fn count(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> u64 {
    let sum = metrics.sum(name, labels);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a counter"
    )]
    let whole = sum.round() as u64;
    whole
}

#[tokio::test]
async fn replies_survive_a_provider_that_fails_in_every_way_and_stay_in_order() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let citizen = road.citizen();
    for manner in [
        Manner::Proxy(502),
        Manner::CutBefore,
        Manner::Fail(Failure::new(2, None)),
        // Taken, and the answer lost: this reply goes out twice.
        Manner::CutAfter,
    ] {
        road.graph.next_to(&citizen.id, manner);
    }
    let answers = ["cống tắc", "trước nhà văn hóa", "từ hôm qua"];
    citizen.says("báo sự cố").await;
    for answer in answers {
        road.installation.private(answer);
        citizen.says(answer).await;
    }
    road.ticket(answers).await;
    let expected = 5;
    let texts = wait::for_some("all replies", Duration::from_mins(1), async || {
        Some(road.graph.texts_for(&citizen.id)).filter(|texts| texts.len() >= expected)
    })
    .await;
    assert!(
        texts[0].contains("Một?") && texts[1] == texts[0],
        "{texts:?}"
    );
    assert!(
        texts[2].contains("Hai?") && texts[3].contains("Ba?"),
        "{texts:?}"
    );
    assert!(texts[4].contains("Xong"), "{texts:?}");
    assert_eq!(
        road.graph.repeated().len(),
        1,
        "only the reply whose answer was lost"
    );
    let metrics = replica.metrics().await;
    assert!(
        count(
            &metrics,
            "langnghe_send_failures_total",
            &[("class", "transport")]
        ) >= 3
    );
    assert!(dead(&road.installation).is_empty());
}

#[tokio::test]
async fn a_refused_token_stops_the_channel_and_loses_nothing() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    let (one, other) = (road.citizen(), road.citizen());
    road.graph.always(Manner::Fail(Failure::TOKEN));
    one.says("báo sự cố").await;
    wait::until(
        "the provider has refused the token",
        wait::SOON,
        async || {
            let metrics = replica.metrics().await;
            count(
                &metrics,
                "langnghe_send_failures_total",
                &[("class", "credentials")],
            ) >= 1
        },
    )
    .await;
    let asked = road.graph.requests();
    other.says("báo sự cố").await;
    wait::until("both replies wait", wait::SOON, async || {
        let metrics = replica.metrics().await;
        count(
            &metrics,
            "langnghe_queue_depth",
            &[("queue", "outbox"), ("name", "page")],
        ) == 2
    })
    .await;
    assert_eq!(
        road.graph.requests(),
        asked,
        "the queue is not burned on a token that is refused"
    );
    assert!(dead(&road.installation).is_empty());
    let log = road.installation.log();
    assert!(log.contains("credentials"), "the operator is told");
}

#[tokio::test]
async fn a_rejected_reply_is_a_dead_letter_that_an_operator_sends_again() {
    let road = Road::new().await;
    let _replica = road.installation.start().await;
    let citizen = road.citizen();
    road.graph
        .next_to(&citizen.id, Manner::Fail(Failure::new(100, None)));
    citizen.says("báo sự cố").await;
    let letters = wait::for_some("a dead letter", wait::SOON, async || {
        Some(dead(&road.installation)).filter(|letters| !letters.is_empty())
    })
    .await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["kind"], "reply");

    // What comes after it goes on.
    citizen.says("cây đổ").await;
    let texts = road.graph.wait_for_texts(&citizen.id, 1).await;
    assert!(texts[0].contains("Hai?"), "{texts:?}");

    let number = letters[0]["number"].to_string();
    let output = road.installation.run(&["dead", "retry", &number]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let texts = road.graph.wait_for_texts(&citizen.id, 2).await;
    assert!(texts[1].contains("Một?"), "{texts:?}");
    assert!(dead(&road.installation).is_empty());
}

#[tokio::test]
async fn a_ticket_reaches_an_agency_that_fails_stalls_and_loses_answers_exactly_once() {
    let mut road = Road::new().await;
    road.installation.set_of("backend", "ioc", "timeout", "1s");
    let _replica = road.installation.start().await;
    road.agency.next([
        Conduct::Fail(500),
        Conduct::Throttle(503, "1".to_owned()),
        Conduct::Cut,
        Conduct::Stall,
        Conduct::TakeAndCut,
        Conduct::TakeAndStall,
    ]);
    let citizen = road.citizen();
    let answers = ["đèn đường hỏng", "ngõ mười hai", "tối qua"];
    road.report(&citizen, answers).await;
    let what = "the ticket was taken three times under one id";
    wait::until(what, Duration::from_mins(1), async || {
        road.agency
            .tickets()
            .values()
            .any(|kept| kept.deliveries >= 3)
    })
    .await;
    let kept = road.ticket(answers).await;
    assert_eq!(kept.deliveries, 3);
    assert_eq!(road.agency.tickets().len(), 1);
    assert!(road.agency.requests() >= 7);
    road.agency.assert_no_violations();
    assert!(dead(&road.installation).is_empty());
}

#[tokio::test]
async fn a_ticket_that_no_attempt_delivers_is_a_dead_letter_that_an_operator_sends_again() {
    let mut road = Road::new().await;
    road.installation.set("retries.deliveries", vec!["50ms"; 3]);
    let _replica = road.installation.start().await;
    road.agency.conduct(Conduct::Fail(500));
    let citizen = road.citizen();
    let answers = ["rác thải", "bãi đất trống", "cả tuần"];
    road.report(&citizen, answers).await;
    let letters = wait::for_some("a dead letter", wait::SOON, async || {
        Some(dead(&road.installation)).filter(|letters| !letters.is_empty())
    })
    .await;
    assert_eq!(
        (letters.len(), &letters[0]["kind"]),
        (1, &"delivery".into())
    );
    assert_eq!(road.agency.requests(), 4, "one attempt and three more");
    assert!(road.agency.tickets().is_empty());

    road.agency.conduct(Conduct::Take);
    let number = letters[0]["number"].to_string();
    let output = road.installation.run(&["dead", "retry", &number]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(road.ticket(answers).await.deliveries, 1);
    assert!(dead(&road.installation).is_empty());
}

#[tokio::test]
async fn an_agency_that_wants_no_more_is_left_alone_until_an_operator_says_so() {
    let road = Road::new().await;
    let replica = road.installation.start().await;
    road.agency.next([Conduct::Fail(410)]);
    let citizen = road.citizen();
    let first = ["nước đọng", "hẻm ba", "sáng nay"];
    road.report(&citizen, first).await;
    wait::until("the agency said 410", wait::SOON, async || {
        road.agency.requests() == 1
    })
    .await;
    let second = ["tiếng ồn", "quán đầu ngõ", "mỗi đêm"];
    road.report(&citizen, second).await;
    wait::until("both tickets wait", wait::SOON, async || {
        let metrics = replica.metrics().await;
        count(
            &metrics,
            "langnghe_queue_depth",
            &[("queue", "deliveries"), ("name", "ioc")],
        ) == 2
    })
    .await;
    assert_eq!(road.agency.requests(), 1, "it was called again");
    assert!(dead(&road.installation).is_empty(), "waiting is no death");

    let output = road.installation.run(&["dead", "enable", "ioc"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    road.ticket(first).await;
    road.ticket(second).await;
    assert_eq!(road.agency.requests(), 3);
}
