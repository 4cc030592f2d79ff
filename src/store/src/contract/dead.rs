//! Dead letters.

use std::time::Duration;

use super::{Fixture, support::*};
use crate::{
    DeadKind, DeliveryResult, DeliverySettlement, DeliveryState, NewDeadLetter, SettleResult, Store,
};

/// Makes one dead letter of each kind; returns their ids: event, reply, delivery.
pub(super) async fn one_of_each(store: &dyn Store) -> [u64; 3] {
    turn(store, &citizen("an"), 1001, |commit| {
        let reason = "unknown".to_owned();
        commit.set_aside = vec![NewDeadLetter {
            reason,
            body: b"odd event".to_vec(),
            reply: None,
        }];
        commit.replies = vec![reply("hopeless")];
        commit.tickets = vec![ticket("DEAD", Some("ioc"))];
    })
    .await;
    let reason = "refused".to_owned();
    let replies = claim_replies(store, 1, at(1)).await;
    settle(
        store,
        &replies[0],
        SettleResult::Bury {
            reason: reason.clone(),
        },
        at(1),
    )
    .await;
    let ioc = backend("ioc");
    let due = store
        .claim_deliveries(&ioc, 1, LEASE, at(2), Duration::ZERO)
        .await
        .expect("claim");
    let (ticket, token) = (due[0].ticket.clone(), due[0].token);
    let result = DeliveryResult::Bury { reason };
    let settlement = DeliverySettlement {
        ticket,
        token,
        at: at(2),
        result,
    };
    store
        .settle_deliveries(vec![settlement])
        .await
        .expect("settle");
    let mut ids = Vec::new();
    for kind in [DeadKind::Event, DeadKind::Reply, DeadKind::Delivery] {
        let letters = store.dead_letters(Some(kind), None, 9).await.expect("list");
        assert_eq!(letters.len(), 1, "one {}", kind.name());
        ids.push(letters[0].id);
    }
    [ids[0], ids[1], ids[2]]
}

/// Lists for operators.
pub async fn dead_letters_are_listed_newest_first_and_by_page(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let [event, reply, delivery] = one_of_each(&*store).await;
    drop(store);
    let store = open(fixture).await;
    let ids = |kind, before, limit| {
        let store = store.clone();
        async move {
            let letters = store.dead_letters(kind, before, limit).await.expect("list");
            letters
                .into_iter()
                .map(|letter| letter.id)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(None, None, 2).await, [delivery, reply]);
    assert_eq!(ids(None, Some(reply), 9).await, [event]);
    assert_eq!(ids(Some(DeadKind::Reply), None, 9).await, [reply]);
    let one = store
        .dead_letter(reply)
        .await
        .expect("find")
        .expect("it is there");
    assert_eq!(
        (one.kind, one.at, one.body),
        (DeadKind::Reply, at(1), b"hopeless".to_vec())
    );
    assert_eq!(store.dead_letter(9_999_999).await.expect("find"), None);
}

/// After a fix, the event is processed as if it had just come.
pub async fn a_retried_event_is_in_the_inbox_again(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let [event, ..] = one_of_each(&*store).await;
    assert!(store.retry_dead(event, at(9)).await.expect("retry"));
    drop(store);
    let store = open(fixture).await;
    assert_eq!(texts(&claim_one(&*store, at(40)).await), ["odd event"]);
    assert_eq!(store.dead_letter(event).await.expect("find"), None);
}

/// A later reply is not overtaken.
pub async fn a_retried_reply_goes_behind_what_waits(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let [_, letter, _] = one_of_each(&*store).await;
    queue(&*store, &citizen("an"), 1, &["waiting"]).await;
    assert!(store.retry_dead(letter, at(9)).await.expect("retry"));
    let first = claim_replies(&*store, 9, at(9)).await;
    assert_eq!(reply_texts(&first), ["waiting"]);
    settle(&*store, &first[0], SettleResult::Sent, at(9)).await;
    let second = claim_replies(&*store, 9, at(9)).await;
    assert_eq!(reply_texts(&second), ["hopeless"]);
    assert_eq!(second[0].attempts, 0, "it starts anew");
}

/// After the backend is mended.
pub async fn a_retried_delivery_is_due_at_once(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let [.., letter] = one_of_each(&*store).await;
    assert!(store.retry_dead(letter, at(9)).await.expect("retry"));
    assert!(
        !store.retry_dead(letter, at(9)).await.expect("retry"),
        "only once"
    );
    let ioc = backend("ioc");
    let due = store
        .claim_deliveries(&ioc, 9, LEASE, at(9), Duration::ZERO)
        .await
        .expect("claim");
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].code.as_str(), due[0].attempts), ("DEAD", 0));
    assert!(due[0].personal.is_some());
    let kept = store.ticket("DEAD").await.expect("ticket").expect("kept");
    assert_eq!(kept.delivery, DeliveryState::Pending);
    assert_eq!(kept.history.last().expect("a history").what, "requeued");
}

/// An operator decides that it is not worth it; the ticket itself stays.
pub async fn a_dropped_dead_letter_is_gone(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for id in one_of_each(&*store).await {
        assert!(store.drop_dead(id, at(9)).await.expect("drop"));
        assert!(!store.drop_dead(id, at(9)).await.expect("drop"));
    }
    assert!(
        store
            .dead_letters(None, None, 9)
            .await
            .expect("list")
            .is_empty()
    );
    let kept = store
        .ticket("DEAD")
        .await
        .expect("ticket")
        .expect("the ticket stays");
    assert_eq!(kept.delivery, DeliveryState::Dead);
    assert!(
        store
            .depths()
            .await
            .expect("depths")
            .dead
            .iter()
            .all(|(_, count)| *count == 0)
    );
}

/// A wrong number is told so.
pub async fn what_is_not_there_is_neither_retried_nor_dropped(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    assert!(!store.retry_dead(7, start()).await.expect("retry"));
    assert!(!store.drop_dead(7, start()).await.expect("drop"));
}
