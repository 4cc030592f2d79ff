//! What is used of long rules outlives its owner.

use super::{super::Later, *};

/// What a stage could send to one recipient now.
fn all_at_once(stage: &mut Stage) -> usize {
    let mut sent = 0;
    while stage.send(0, STEP, 1.0) {
        sent += 1;
        stage.pass(STEP);
    }
    sent
}

const DAY: Duration = Duration::from_hours(24);

#[test]
fn a_daily_limit_survives_deaths_and_a_death_wastes_a_hundredth_of_it() {
    let mut stage = Stage::new(rule(QuotaScope::Channel, 1000, DAY, 1000), 1);
    let mut sent = 0;
    for death in 1..=20 {
        for _ in 0..33 {
            assert!(stage.send(0, STEP, 1.0));
            stage.pass(STEP);
            sent += 1;
        }
        stage.kill();
        stage.pass(Duration::from_mins(1));
        let used = stage.book.states()[0].used as usize;
        assert!(
            (sent..=sent + death * 10).contains(&used),
            "{used} of {sent}"
        );
    }
    assert!(stage.writes <= 20 * 4, "{} writes", stage.writes);
    let rest = all_at_once(&mut stage);
    assert!((800..=1000).contains(&(sent + rest)), "{rest}");
    // A day after the last of them all of it is there again.
    stage.change_owner();
    stage.pass(DAY + Duration::from_mins(10));
    stage.kill();
    assert_eq!(all_at_once(&mut stage), 1000);
    assert!(stage.fullest() <= 1000);
}

#[test]
fn an_owner_that_stops_in_order_wastes_nothing() {
    let mut stage = Stage::new(rule(QuotaScope::Channel, 1000, DAY, 1000), 1);
    for _ in 0..50 {
        for _ in 0..7 {
            assert!(stage.send(0, STEP, 1.0));
            stage.pass(STEP);
        }
        stage.change_owner();
    }
    assert_eq!(stage.book.states()[0].used, 350);
    assert_eq!(all_at_once(&mut stage), 650);
}

#[test]
fn each_recipients_own_use_survives_a_death() {
    let pair = rule(QuotaScope::Recipient, 1, Duration::from_secs(6), 45);
    let mut stage = Stage::new(pair, 40);
    for recipient in 0..40 {
        for _ in 0..recipient {
            assert!(stage.send(recipient, STEP, 1.0));
        }
        stage.pass(STEP);
    }
    stage.pass(Duration::from_secs(7));
    stage.kill();
    stage.pass(Duration::from_secs(8));
    for recipient in 0..40 {
        let mut more = 0;
        while stage.send(recipient, STEP, 1.0) {
            more += 1;
        }
        // Three are there again for the time that passed, and what was reserved may be gone.
        let whole = 46_usize.saturating_sub(recipient) + 3;
        let least = whole.saturating_sub(5).min(45);
        assert!((least..=whole).contains(&more), "{recipient}: {more}");
    }
    for document in stage.documents.values() {
        let text = String::from_utf8_lossy(document);
        assert!(!text.contains("citizen"), "{text}");
    }
}

#[test]
fn what_the_store_does_not_count_is_not_sent() {
    let mut stage = Stage::new(rule(QuotaScope::Channel, 10, DAY, 10), 1);
    stage.writing = Writing::Fails(false);
    assert!(!stage.send(0, STEP, 1.0));
    assert_eq!(
        stage.book.states()[0].used,
        0,
        "what never left does not count"
    );
    stage.writing = Writing::Works;
    assert_eq!(all_at_once(&mut stage), 10);
}

#[test]
fn of_a_record_that_cannot_be_read_all_counts_as_used() {
    for (scope, name) in [
        (QuotaScope::Channel, "rule"),
        (QuotaScope::Recipient, "rule/7"),
    ] {
        let mut stage = Stage::new(rule(scope, 10, DAY, 10), 1);
        let documents = vec![(name.to_owned(), b"rubbish".to_vec())];
        let (pages, unreadable) = stage.book.restore(documents, stage.wall());
        assert_eq!((pages.len(), unreadable.len()), (1, 1));
        assert_eq!(all_at_once(&mut stage), 0);
    }
}

#[test]
fn one_recipient_too_many_waits_and_no_other_is_forgotten() {
    let stage = Stage::new(rule(QuotaScope::Recipient, 1, DAY, 1), 1);
    let send = |number: usize| {
        let mut ticket = stage.book.offer(&to(&format!("citizen-{number}")), 1)?;
        while let Err(Uncovered::Page(page)) = stage.book.reserve(&mut ticket) {
            let draft = stage.book.draft(page, Covers::More, stage.wall());
            stage.book.written(&draft);
        }
        Ok::<_, Later>(())
    };
    send(0).expect("it may go");
    // Their sends stay under way.
    let most = super::super::kept::MOST_RECIPIENTS;
    let others: Vec<_> = (1..most)
        .map(|number| stage.book.offer(&to(&format!("citizen-{number}")), 1))
        .collect();
    assert!(others.iter().all(Result::is_ok));
    assert!(send(most).is_err(), "there is no room");
    assert!(send(0).is_err(), "it is not forgotten");
    drop(others);
    stage.clock.advance(DAY + DAY);
    send(most).expect("there is room again");
}
