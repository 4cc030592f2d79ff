//! Taking in and claiming.

use std::time::{Duration, Instant};

use super::{Fixture, support::*};
use crate::{Accepted, Claim, Committed, Limits, StoreError};

/// Guarantee 1: durable before acknowledged.
pub async fn an_accepted_event_survives_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    drop(store);
    let store = open(fixture).await;
    let claim = claim_one(&*store, start()).await;
    assert_eq!(claim.conversation, citizen("an"));
    assert_eq!(texts(&claim), ["event 1"]);
    assert_eq!(claim.session, None);
}

/// Guarantee 2: once in.
pub async fn a_redelivery_changes_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let batch = vec![event(&citizen("an"), 1), event(&citizen("an"), 2)];
    let answers = store.accept(batch, at(5)).await.expect("accept");
    assert_eq!(answers, [Accepted::Duplicate, Accepted::Stored]);
    assert_eq!(
        texts(&claim_one(&*store, at(5)).await),
        ["event 1", "event 2"]
    );
}

/// A provider may put one event into a request twice.
pub async fn two_equal_events_in_one_batch_are_one(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let batch = [1, 1, 2]
        .map(|number| event(&citizen("an"), number))
        .to_vec();
    let answers = store.accept(batch, start()).await.expect("accept");
    assert_eq!(
        answers,
        [Accepted::Stored, Accepted::Duplicate, Accepted::Stored]
    );
    assert_eq!(
        texts(&claim_one(&*store, start()).await),
        ["event 1", "event 2"]
    );
}

/// The mark outlives the event and the process.
pub async fn a_redelivery_is_known_after_reopening_and_after_processing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let claim_of_an = claim_one(&*store, start()).await;
    assert_eq!(
        commit(&*store, claim_of_an.done(), start()).await,
        Committed::Done
    );
    drop(store);
    let store = open(fixture).await;
    let answers = store
        .accept(vec![event(&citizen("an"), 1)], at(9))
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::Duplicate]);
    assert!(claim(&*store, 1, at(9)).await.is_empty());
}

/// Guarantee 3: in order.
pub async fn events_of_a_conversation_come_in_order_of_acceptance(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, seconds) in (1..=5).zip([0, 2, 4, 6, 8]) {
        take_in_at(&*store, &citizen("an"), number, at(seconds)).await;
        take_in_at(&*store, &citizen("binh"), 100 + number, at(seconds + 1)).await;
    }
    drop(store);
    let store = open(fixture).await;
    let claims = claim(&*store, 2, at(9)).await;
    let expected: Vec<_> = (1..=5).map(|number| format!("event {number}")).collect();
    assert_eq!(texts(&claims[0]), expected);
    assert!(
        claims[0].events.is_sorted_by(|one, other| one.0 < other.0),
        "greater positions"
    );
    assert_eq!(texts(&claims[1])[0], "event 101");
}

/// Guarantee 3: one at a time.
pub async fn a_conversation_has_one_holder(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let first = claim_one(&*store, start()).await;
    take_in(&*store, &citizen("an"), 2).await;
    assert!(
        claim(&*store, 10, start()).await.is_empty(),
        "held, though more came"
    );
    assert_eq!(
        commit(&*store, first.done(), start()).await,
        Committed::Done
    );
    assert_eq!(texts(&claim_one(&*store, start()).await), ["event 2"]);
}

/// Nobody starves.
pub async fn conversations_that_wait_longest_come_first(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        take_in_at(&*store, &citizen(name), number.into(), at(number)).await;
    }
    take_in_at(&*store, &citizen("an"), 9, at(9)).await;
    let names = |claims: Vec<Claim>| -> Vec<_> {
        let names = claims.into_iter().map(|claim| claim.conversation);
        names.collect()
    };
    let all = ["an", "binh", "chi"].map(citizen);
    if fixture.takes_turns() {
        let mut found = names(claim(&*store, 1, at(9)).await);
        found.extend(names(claim(&*store, 1, at(9)).await));
        found.extend(names(claim(&*store, 10, at(9)).await));
        found.sort_by_key(langnghe_model::ConversationId::key);
        assert_eq!(found, all);
    } else {
        let first = names(claim(&*store, 1, at(9)).await);
        assert_eq!(first, all[..1]);
        let rest = names(claim(&*store, 10, at(9)).await);
        assert_eq!(rest, all[1..]);
    }
}

/// A flood is worked off in turns.
pub async fn a_claim_carries_no_more_than_the_limit_and_the_rest_follows(fixture: &dyn Fixture) {
    let store = fixture
        .open(Limits {
            events_a_claim: 2,
            ..Limits::default()
        })
        .await;
    for number in 1..=3 {
        take_in(&*store, &citizen("an"), number).await;
    }
    let first = claim_one(&*store, start()).await;
    assert_eq!(texts(&first), ["event 1", "event 2"]);
    assert_eq!(
        commit(&*store, first.done(), start()).await,
        Committed::Done
    );
    assert_eq!(texts(&claim_one(&*store, start()).await), ["event 3"]);
}

/// Guarantee 4: fenced by the lease.
pub async fn a_lease_that_ran_out_lets_another_claim_and_fences_the_first(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let slow = claim_one(&*store, start()).await;
    assert!(claim(&*store, 1, at(29)).await.is_empty());
    let quick = claim_one(&*store, at(31)).await;
    assert_ne!(slow.token, quick.token);
    assert_eq!(texts(&quick), ["event 1"]);
    assert_eq!(
        commit(&*store, slow.done(), at(31)).await,
        Committed::LeaseLost
    );
    assert_eq!(commit(&*store, quick.done(), at(32)).await, Committed::Done);
    assert!(claim(&*store, 1, at(100)).await.is_empty());
}

/// Guarantee 8: one citizen's flood is cut at a bound.
pub async fn a_full_conversation_is_refused_and_costs_others_nothing(fixture: &dyn Fixture) {
    let store = fixture
        .open(Limits {
            inbox_a_conversation: 2,
            ..Limits::default()
        })
        .await;
    let flood = (1..=3).map(|number| event(&citizen("an"), number));
    let batch = flood.chain([event(&citizen("binh"), 9)]).collect();
    let answers = store.accept(batch, start()).await.expect("accept");
    let stored = Accepted::Stored;
    assert_eq!(answers, [stored, stored, Accepted::InboxFull, stored]);
    let answers = store
        .accept(vec![event(&citizen("an"), 4)], start())
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::InboxFull]);
}

/// What cannot be stored is refused as a whole, so that the provider sends it again.
pub async fn a_full_store_takes_none_of_a_batch(fixture: &dyn Fixture) {
    let store = fixture
        .open(Limits {
            inbox: 3,
            ..Limits::default()
        })
        .await;
    take_in(&*store, &citizen("an"), 1).await;
    take_in(&*store, &citizen("an"), 2).await;
    let batch = vec![event(&citizen("binh"), 3), event(&citizen("binh"), 4)];
    let refused = store.accept(batch, start()).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let names: Vec<_> = claim(&*store, 9, start()).await;
    assert_eq!(names.len(), 1, "nothing of the batch was taken");
    take_in(&*store, &citizen("binh"), 3).await;
}

/// A refused event leaves no mark: its redelivery is welcome.
pub async fn an_event_refused_for_room_is_no_duplicate_later(fixture: &dyn Fixture) {
    let store = fixture
        .open(Limits {
            inbox_a_conversation: 1,
            ..Limits::default()
        })
        .await;
    let batch = vec![event(&citizen("an"), 1), event(&citizen("an"), 2)];
    let answers = store.accept(batch, start()).await.expect("accept");
    assert_eq!(answers, [Accepted::Stored, Accepted::InboxFull]);
    let first = claim_one(&*store, start()).await;
    assert_eq!(
        commit(&*store, first.done(), start()).await,
        Committed::Done
    );
    take_in(&*store, &citizen("an"), 2).await;
}

/// A worker that cannot go on gives the conversation back for later.
pub async fn a_released_conversation_comes_back_when_its_time_has_come(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let first = claim_one(&*store, start()).await;
    store
        .release(&first.conversation, first.token, at(5))
        .await
        .expect("release");
    assert!(claim(&*store, 1, at(4)).await.is_empty());
    assert_eq!(
        commit(&*store, first.done(), at(4)).await,
        Committed::LeaseLost
    );
    assert_eq!(texts(&claim_one(&*store, at(5)).await), ["event 1"]);
    let stale = store.release(&first.conversation, first.token, at(5)).await;
    assert!(stale.is_ok(), "a lost lease is passed over");
    assert!(
        claim(&*store, 1, at(6)).await.is_empty(),
        "and changes nothing"
    );
}

/// Waits end with the first event.
pub async fn a_claim_returns_as_soon_as_an_event_comes(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.claim(1, LEASE, start(), SOON * 6).await })
    };
    tokio::task::yield_now().await;
    let began = Instant::now();
    take_in(&*store, &citizen("an"), 1).await;
    let claims = waiting.await.expect("no panic").expect("claim");
    assert_eq!(claims.len(), 1);
    assert!(began.elapsed() < SOON);
}

/// Waits end with their time.
pub async fn a_claim_returns_nothing_when_its_time_is_over(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let wait = Duration::from_millis(50);
    let began = Instant::now();
    let claims = store.claim(1, LEASE, start(), wait).await.expect("claim");
    assert!(claims.is_empty());
    assert!(began.elapsed() >= wait && began.elapsed() < SOON);
}

/// Cancelling the future loses nothing, and holds nothing up.
pub async fn a_claim_that_nobody_awaits_any_more_loses_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let limit = Duration::from_micros(1);
    for number in 0..50 {
        let name = citizen(&format!("citizen {number}"));
        let waiting = store.claim(5, LEASE, start(), SOON);
        let pause = limit * number * 20;
        let (cut, ()) = tokio::join!(
            tokio::time::timeout(pause, waiting),
            take_in(&*store, &name, u128::from(number))
        );
        if let Ok(claims) = cut {
            for claim in claims.expect("claim") {
                assert_eq!(
                    commit(&*store, claim.done(), start()).await,
                    Committed::Done
                );
            }
        }
    }
    // What the cut ones held is there again long before their leases run out.
    let deadline = Instant::now() + SOON;
    while store.depths().await.expect("depths").inbox > 0 {
        assert!(
            Instant::now() < deadline,
            "a cut claim still holds a conversation"
        );
        let wait = Duration::from_millis(100);
        for claim in store.claim(100, LEASE, start(), wait).await.expect("claim") {
            assert_eq!(
                commit(&*store, claim.done(), start()).await,
                Committed::Done
            );
        }
    }
}

/// A wait also ends when a lease of somebody who died runs out.
pub async fn a_claim_wakes_when_a_lease_runs_out(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let short = Duration::from_millis(150);
    let lost = store
        .claim(1, short, start(), Duration::ZERO)
        .await
        .expect("claim");
    assert_eq!(lost.len(), 1);
    let began = Instant::now();
    let found = store
        .claim(1, LEASE, start(), SOON * 6)
        .await
        .expect("claim");
    assert_eq!(found.len(), 1);
    assert!(began.elapsed() < SOON);
}

/// A new process starts with what was left, and tokens of the old one never fit.
pub async fn leases_of_a_dead_process_are_worth_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let old = claim_one(&*store, start()).await;
    drop(store);
    let store = open(fixture).await;
    // A store that many processes share lets the lease run out first.
    let new = claim_one(&*store, at(31)).await;
    assert_eq!(texts(&new), ["event 1"]);
    assert_eq!(
        commit(&*store, old.done(), at(31)).await,
        Committed::LeaseLost
    );
    assert_eq!(commit(&*store, new.done(), at(31)).await, Committed::Done);
}
