//! What another replica, or this one after a restart, knows of our own messages.

use std::sync::atomic::Ordering;

use crate::stage::{
    Stage,
    smsc::{Deliver, Manner, Receipts},
    until,
};

const NUMBER: &str = "84912345678";

fn long_text() -> String {
    "Phản ánh PA-000123 của anh/chị đã được chuyển đến Ủy ban nhân dân phường. ".repeat(3)
}

/// The receipt of a part, as the message centre writes it.
fn receipt(id: &str, state: &str) -> Deliver {
    Deliver::receipt(
        NUMBER,
        "8088",
        &format!(
            "id:{id} sub:001 dlvrd:000 submit date:2611221200 done date:2611221201 stat:{state} err:045 text:"
        ),
    )
}

async fn told(stage: &Stage, id: &str, word: &str) {
    assert_eq!(stage.smsc.deliver(&receipt(id, word)).await, Some(0));
}

/// Waits until the part that was given this id is written down, or no longer is.
async fn noted(stage: &Stage, id: &str, there: bool) {
    until("written down", || stage.store.has_written(id) == there).await;
}

#[tokio::test]
async fn receipts_are_matched_after_a_crash() {
    let mut stage = Stage::begin().await;
    let long = stage.send("1", &long_text()).await.expect("taken");
    let other = stage.send("2", &long_text()).await.expect("taken");
    let short = stage.send("3", "xin chao").await.expect("taken");
    let ids: Vec<String> = stage
        .smsc
        .submitted()
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(ids.len(), 9);
    noted(&stage, &ids[7], true).await;
    told(&stage, &ids[1], "DELIVRD").await;
    stage.crash().await;
    // The rest of the first arrives, the last part of the second does not, nor does the short one.
    for (id, state) in [
        (&ids[3], "DELIVRD"),
        (&ids[0], "DELIVRD"),
        (&ids[2], "DELIVRD"),
        (&ids[7], "UNDELIV"),
        (&ids[8], "EXPIRED"),
    ] {
        told(&stage, id, state).await;
    }
    let name = |sent: langnghe_connector::Sent| sent.message.expect("an id").as_str().to_owned();
    let expected = [
        format!("{} delivered", name(long)),
        format!("{} UNDELIV 045", name(other)),
        format!("{} EXPIRED 045", name(short)),
    ];
    assert_eq!(stage.store.receipts(), expected);
    // Said again, also to the next one, it changes nothing.
    told(&stage, &ids[7], "UNDELIV").await;
    stage.crash().await;
    told(&stage, &ids[8], "EXPIRED").await;
    assert_eq!(stage.store.receipts(), expected);
}

#[tokio::test]
async fn a_message_that_was_taken_in_part_goes_on_after_a_crash() {
    let mut stage = Stage::begin().await;
    for manner in [
        Manner::Take,
        Manner::Refuse(0x58),
        Manner::Take,
        Manner::Take,
    ] {
        stage.smsc.next(manner);
    }
    let refused = stage.send("1", &long_text()).await;
    assert_eq!(refused.expect_err("a part is missing").class(), "throttled");
    noted(&stage, "m-1", true).await;
    stage.crash().await;
    stage.send("1", &long_text()).await.expect("the rest");
    assert_eq!(stage.smsc.texts_to(NUMBER), [long_text()]);
    assert_eq!(stage.smsc.count(), 4, "no part went twice");
    // All receipts come: nothing of it is left behind.
    for one in stage.smsc.submitted() {
        told(&stage, &one.id, "DELIVRD").await;
    }
    noted(&stage, "m-1", false).await;
}

/// Nothing is written before an answer, so a kill in the middle makes parts go twice: the phone knows
/// them again by their reference.
#[tokio::test]
async fn parts_that_go_twice_belong_to_the_same_message() {
    let mut stage = Stage::begin().await;
    stage.send("1", &long_text()).await.expect("taken");
    stage.crash().await;
    stage.send("1", &long_text()).await.expect("taken again");
    let submitted = stage.smsc.submitted();
    let joins: Vec<_> = submitted
        .iter()
        .map(|one| one.join().expect("a part"))
        .collect();
    assert_eq!(joins[..4], joins[4..]);
    // The next one to the same phone does not share its reference.
    for id in ["2", "3", "4", "5"] {
        stage.send(id, &long_text()).await.expect("taken");
    }
    let submitted = stage.smsc.submitted();
    let references: Vec<u16> = submitted[4..]
        .chunks(4)
        .map(|parts| parts[0].join().expect("a part").0)
        .collect();
    assert!(references.windows(2).all(|two| two[0] != two[1]));
}

#[tokio::test]
async fn a_receipt_that_came_before_its_answer_survives_a_crash() {
    let mut stage = Stage::begin().await;
    stage.smsc.hold_answers(true);
    let mut send = Box::pin(stage.send("1", "xin chao"));
    let soon = std::time::Duration::from_millis(50);
    until("written", || stage.smsc.count() == 0).await;
    drop(tokio::time::timeout(soon, &mut send).await);
    until("written", || stage.smsc.count() == 1).await;
    let id = stage.smsc.submitted()[0].id.clone();
    told(&stage, &id, "UNDELIV").await;
    assert_eq!(stage.store.receipts(), [""; 0]);
    drop(send);
    stage.smsc.hold_answers(false);
    stage.crash().await;
    until("told", || !stage.store.receipts().is_empty()).await;
    assert_eq!(stage.store.receipts(), [format!("{id} UNDELIV 045")]);
}

#[tokio::test]
async fn sending_costs_no_write_of_its_own() {
    let stage = Stage::begin().await;
    stage.smsc.receipts(Receipts::default());
    let began = std::time::Instant::now();
    let before = stage.store.writes.load(Ordering::Relaxed);
    for number in 0..50 {
        stage
            .send(&number.to_string(), &long_text())
            .await
            .expect("taken");
        stage
            .send(&format!("s{number}"), "xin chao")
            .await
            .expect("taken");
    }
    let writes = stage.store.writes.load(Ordering::Relaxed) - before;
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("short") + 1;
    assert!(writes <= 2 * seconds, "{writes} writes in {seconds} s");
}
