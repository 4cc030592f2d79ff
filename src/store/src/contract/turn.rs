//! What a worker commits.

use super::{Fixture, support::*};
use crate::{
    Committed, DeadKind, Heard, NewDeadLetter, NewTicket, Position, SessionChange, TicketFilter,
    TimerChange,
};

/// Guarantee 4: session, replies, tickets, timers and the removal from the inbox are one.
pub async fn a_commit_is_whole_and_survives_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.session = SessionChange::Put(b"session".to_vec());
        commit.replies = vec![reply("one"), reply("two")];
        commit.tickets = vec![ticket("AB12", Some("ioc"))];
        let name = "reminder".to_owned();
        commit.timers = vec![TimerChange::Set {
            name,
            at: at(60),
            event: b"timer".to_vec(),
        }];
    })
    .await;
    drop(store);
    let store = open(fixture).await;
    assert!(
        claim(&*store, 9, at(31)).await.is_empty(),
        "the event left the inbox"
    );
    assert_eq!(send_all(&*store, at(31)).await, ["one", "two"]);
    let kept = store
        .ticket("AB12")
        .await
        .expect("ticket")
        .expect("it is kept");
    assert_eq!(kept.conversation, Some(citizen("an")));
    let fired = store
        .fire_timers(9, at(60), std::time::Duration::ZERO)
        .await
        .expect("timers");
    assert_eq!(fired, 1);
    let claim = claim_one(&*store, at(60)).await;
    assert_eq!(texts(&claim), ["timer"]);
    assert_eq!(claim.session.as_deref(), Some(&b"session"[..]));
}

/// Guarantee 4: a worker that lost its lease cannot commit.
pub async fn a_commit_without_the_lease_changes_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let slow = claim_one(&*store, start()).await;
    let quick = claim_one(&*store, at(31)).await;
    let mut late = slow.done();
    late.session = SessionChange::Put(b"late".to_vec());
    late.replies = vec![reply("late")];
    late.tickets = vec![ticket("LATE", Some("ioc"))];
    assert_eq!(commit(&*store, late, at(32)).await, Committed::LeaseLost);
    assert_eq!(send_all(&*store, at(32)).await, [""; 0]);
    assert_eq!(store.ticket("LATE").await.expect("ticket"), None);
    assert_eq!(commit(&*store, quick.done(), at(32)).await, Committed::Done);
    take_in(&*store, &citizen("an"), 2).await;
    assert_eq!(claim_one(&*store, at(33)).await.session, None);
}

/// The same commit sent twice happens once.
pub async fn a_commit_counts_once(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let mut twice = claim_one(&*store, start()).await.done();
    twice.replies = vec![reply("once")];
    let answers = store
        .commit(vec![twice.clone(), twice.clone()], start())
        .await
        .expect("commit");
    assert_eq!(answers, [Committed::Done, Committed::LeaseLost]);
    assert_eq!(commit(&*store, twice, start()).await, Committed::LeaseLost);
    assert_eq!(send_all(&*store, start()).await, ["once"]);
}

/// The worker chooses another code and commits again.
pub async fn a_taken_code_changes_nothing_and_keeps_the_lease(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.tickets = vec![ticket("AB12", None)];
    })
    .await;
    take_in(&*store, &citizen("binh"), 2).await;
    let mut second = claim_one(&*store, start()).await.done();
    second.session = SessionChange::Put(b"session".to_vec());
    second.replies = vec![reply("your code")];
    let taken = NewTicket {
        id: langnghe_model::TicketId::new("other"),
        ..ticket("AB12", None)
    };
    second.tickets = vec![taken];
    assert_eq!(
        commit(&*store, second.clone(), start()).await,
        Committed::CodeTaken
    );
    assert_eq!(send_all(&*store, start()).await, [""; 0]);
    second.tickets = vec![ticket("CD34", None)];
    assert_eq!(commit(&*store, second, start()).await, Committed::Done);
    assert_eq!(send_all(&*store, start()).await, ["your code"]);
    let tickets = store
        .tickets(TicketFilter {
            limit: 9,
            ..TicketFilter::default()
        })
        .await;
    assert_eq!(tickets.expect("tickets").len(), 2);
}

/// A code is unique whatever the way two tickets got it.
pub async fn a_code_may_not_repeat_within_a_commit_or_a_batch(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    take_in(&*store, &citizen("binh"), 2).await;
    let claims = claim(&*store, 2, start()).await;
    let mut commits: Vec<_> = claims.iter().map(crate::Claim::done).collect();
    let other = NewTicket {
        id: langnghe_model::TicketId::new("other"),
        ..ticket("AB12", None)
    };
    commits[0].tickets = vec![ticket("AB12", None), other.clone()];
    assert_eq!(
        commit(&*store, commits[0].clone(), start()).await,
        Committed::CodeTaken
    );
    commits[0].tickets = vec![ticket("AB12", None)];
    commits[1].tickets = vec![other];
    let answers = store.commit(commits, start()).await.expect("commit");
    assert_eq!(answers, [Committed::Done, Committed::CodeTaken]);
}

/// What comes while a worker is busy is not lost and not processed unseen.
pub async fn events_that_come_during_a_turn_wait_for_the_next(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let first = claim_one(&*store, start()).await;
    take_in(&*store, &citizen("an"), 2).await;
    take_in(&*store, &citizen("an"), 3).await;
    assert_eq!(
        commit(&*store, first.done(), start()).await,
        Committed::Done
    );
    let second = claim_one(&*store, start()).await;
    assert_eq!(texts(&second), ["event 2", "event 3"]);
    // A worker may also stop in the middle.
    let mut half = second.done();
    half.processed = second.events[0].0;
    assert_eq!(commit(&*store, half, start()).await, Committed::Done);
    assert_eq!(texts(&claim_one(&*store, start()).await), ["event 3"]);
}

/// A session that ended is gone for the next event.
pub async fn a_session_ends(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let put = |text: &str| SessionChange::Put(text.as_bytes().to_vec());
    for (number, text) in [(1, "first"), (2, "second")] {
        turn(&*store, &citizen("an"), number, |commit| {
            commit.session = put(text);
        })
        .await;
    }
    take_in(&*store, &citizen("an"), 3).await;
    let third = claim_one(&*store, start()).await;
    assert_eq!(third.session.as_deref(), Some(&b"second"[..]));
    let mut end = third.done();
    end.session = SessionChange::Delete;
    assert_eq!(commit(&*store, end, start()).await, Committed::Done);
    take_in(&*store, &citizen("an"), 4).await;
    assert_eq!(claim_one(&*store, start()).await.session, None);
    assert_eq!(store.depths().await.expect("depths").sessions, 0);
}

/// Each item of a batch stands alone.
pub async fn one_lost_lease_does_not_spoil_the_batch(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        take_in(&*store, &citizen(name), number).await;
    }
    let claims = claim(&*store, 3, start()).await;
    let mut commits: Vec<_> = claims.iter().map(crate::Claim::done).collect();
    commits[1].token = crate::LeaseToken(1);
    for (commit, text) in commits.iter_mut().zip(["an", "binh", "chi"]) {
        commit.replies = vec![reply(text)];
        commit.heard = Some(Heard {
            at: start(),
            window_until: None,
        });
    }
    let answers = store.commit(commits, start()).await.expect("commit");
    assert_eq!(
        answers,
        [Committed::Done, Committed::LeaseLost, Committed::Done]
    );
    let mut sent = send_all(&*store, start()).await;
    sent.sort();
    assert_eq!(sent, ["an", "chi"]);
}

/// What no flow can process is kept for an operator.
pub async fn an_event_set_aside_is_a_dead_letter(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        let reason = "unknown kind".to_owned();
        commit.set_aside = vec![NewDeadLetter {
            reason,
            body: b"event 1".to_vec(),
            reply: None,
        }];
        assert!(commit.processed > Position(0));
    })
    .await;
    let letters = store
        .dead_letters(Some(DeadKind::Event), None, 9)
        .await
        .expect("list");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].place, "page");
    assert_eq!(letters[0].reason, "unknown kind");
    assert_eq!(letters[0].conversation, Some(citizen("an")));
    assert_eq!(letters[0].body, b"event 1");
}
