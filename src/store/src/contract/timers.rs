//! Timers.

use std::time::{Duration, Instant};

use langnghe_model::Timestamp;

use super::{Fixture, support::*};
use crate::{Accepted, Limits, Store, TimerChange};

fn set(name: &str, moment: Timestamp) -> TimerChange {
    TimerChange::Set {
        name: name.to_owned(),
        at: moment,
        event: name.as_bytes().to_vec(),
    }
}

async fn change(store: &dyn Store, number: u128, timers: Vec<TimerChange>) {
    turn(store, &citizen("an"), number, |commit| {
        commit.timers = timers;
    })
    .await;
}

async fn fire(store: &dyn Store, max: usize, now: Timestamp) -> usize {
    store
        .fire_timers(max, now, Duration::ZERO)
        .await
        .expect("fire_timers")
}

/// A reminder comes, once.
pub async fn a_timer_fires_once_when_due(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    change(&*store, 1, vec![set("reminder", at(60))]).await;
    assert_eq!(fire(&*store, 9, at(59)).await, 0);
    assert_eq!(fire(&*store, 9, at(60)).await, 1);
    assert_eq!(fire(&*store, 9, at(600)).await, 0);
    let claim = claim_one(&*store, at(600)).await;
    assert_eq!(claim.conversation, citizen("an"));
    assert_eq!(texts(&claim), ["reminder"]);
}

/// Each answer of a citizen puts the reminder off.
pub async fn a_timer_of_the_same_name_is_replaced(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    change(
        &*store,
        1,
        vec![set("reminder", at(60)), set("expiry", at(70))],
    )
    .await;
    change(&*store, 2, vec![set("reminder", at(160))]).await;
    assert_eq!(store.depths().await.expect("depths").timers, 2);
    assert_eq!(fire(&*store, 9, at(100)).await, 1);
    assert_eq!(texts(&claim_one(&*store, at(100)).await), ["expiry"]);
    assert_eq!(fire(&*store, 9, at(160)).await, 1);
}

/// A finished flow needs no reminder.
pub async fn a_cancelled_timer_does_not_come(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    change(
        &*store,
        1,
        vec![set("reminder", at(60)), set("expiry", at(70))],
    )
    .await;
    let cancel = |name: &str| TimerChange::Cancel {
        name: name.to_owned(),
    };
    change(&*store, 2, vec![cancel("reminder"), cancel("never set")]).await;
    assert_eq!(store.depths().await.expect("depths").timers, 1);
    assert_eq!(fire(&*store, 9, at(999)).await, 1);
    assert_eq!(texts(&claim_one(&*store, at(999)).await), ["expiry"]);
}

/// A flood of messages does not stop a session from expiring.
pub async fn a_timer_passes_the_bound_of_its_inbox(fixture: &dyn Fixture) {
    let store = fixture
        .open(Limits {
            inbox_a_conversation: 1,
            ..Limits::default()
        })
        .await;
    change(&*store, 1, vec![set("expiry", at(1))]).await;
    take_in(&*store, &citizen("an"), 2).await;
    assert_eq!(fire(&*store, 9, at(1)).await, 1);
    let refused = store
        .accept(vec![event(&citizen("an"), 3)], at(1))
        .await
        .expect("accept");
    assert_eq!(refused, [Accepted::InboxFull]);
    assert_eq!(
        texts(&claim_one(&*store, at(1)).await),
        ["event 2", "expiry"]
    );
}

/// Timers are durable, and so is that one fired.
pub async fn timers_survive_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    change(&*store, 1, vec![set("one", at(10)), set("two", at(20))]).await;
    assert_eq!(fire(&*store, 9, at(10)).await, 1);
    drop(store);
    let store = open(fixture).await;
    assert_eq!(fire(&*store, 9, at(100)).await, 1);
    assert_eq!(texts(&claim_one(&*store, at(100)).await), ["one", "two"]);
}

/// Steps stay bounded.
pub async fn no_more_timers_fire_than_asked_for(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let timers = (1..=5).map(|number| set(&format!("timer {number}"), at(number)));
    change(&*store, 1, timers.collect()).await;
    assert_eq!(fire(&*store, 2, at(100)).await, 2);
    let claim = claim_one(&*store, at(100)).await;
    assert_eq!(texts(&claim), ["timer 1", "timer 2"], "earliest first");
    assert_eq!(fire(&*store, 9, at(100)).await, 3);
}

/// However often they were moved, the last moment counts.
pub async fn timers_that_were_put_off_fire_in_order_of_their_last_moment(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let name = |number: u64| format!("timer {number:03}");
    let all = |moment: fn(u64) -> u64| {
        (0..100)
            .map(|number| set(&name(number), at(moment(number))))
            .collect::<Vec<_>>()
    };
    change(&*store, 1, all(|number| number + 1)).await;
    change(&*store, 2, all(|number| 500 - number)).await;
    change(&*store, 3, vec![set(&name(50), at(10))]).await;
    assert_eq!(fire(&*store, 9, at(9)).await, 0);
    assert_eq!(fire(&*store, 9, at(400)).await, 1);
    assert_eq!(texts(&claim_one(&*store, at(400)).await), [name(50)]);
    assert_eq!(fire(&*store, 3, at(600)).await, 3);
    let claims = claim(&*store, 9, at(600)).await;
    assert_eq!(texts(&claims[0]), [name(50), name(99), name(98), name(97)]);
    assert_eq!(fire(&*store, 200, at(600)).await, 96);
    assert_eq!(store.depths().await.expect("depths").timers, 0);
}

/// The timers' loop need not poll.
pub async fn waiting_for_timers_ends_when_one_comes_due(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.fire_timers(9, start(), SOON * 6).await })
    };
    tokio::task::yield_now().await;
    let began = Instant::now();
    change(
        &*store,
        1,
        vec![set("soon", start() + Duration::from_millis(150))],
    )
    .await;
    assert_eq!(waiting.await.expect("no panic").expect("fire"), 1);
    assert!(began.elapsed() < SOON);
}
