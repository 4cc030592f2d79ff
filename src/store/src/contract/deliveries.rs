//! Tickets and their delivery.

use std::time::{Duration, Instant};

use langnghe_model::TicketId;

use super::{Fixture, support::*};
use crate::{
    DeadKind, Delivery, DeliveryResult, DeliverySettlement, DeliveryState, Disabled, Store,
    TicketFilter,
};

async fn file(store: &dyn Store, code: &str, number: u128) {
    turn(store, &citizen("an"), number, |commit| {
        commit.tickets = vec![ticket(code, Some("ioc"))];
    })
    .await;
}

async fn claim_due(store: &dyn Store, seconds: u64) -> Vec<Delivery> {
    let ioc = backend("ioc");
    store
        .claim_deliveries(&ioc, 9, LEASE, at(seconds), Duration::ZERO)
        .await
        .expect("claim")
}

async fn settle_one(store: &dyn Store, delivery: &Delivery, seconds: u64, result: DeliveryResult) {
    let (ticket, token) = (delivery.ticket.clone(), delivery.token);
    let settlement = DeliverySettlement {
        ticket,
        token,
        at: at(seconds),
        result,
    };
    store
        .settle_deliveries(vec![settlement])
        .await
        .expect("settle");
}

fn codes(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries
        .iter()
        .map(|delivery| delivery.code.as_str())
        .collect()
}

fn retry(seconds: u64) -> DeliveryResult {
    DeliveryResult::Retry {
        at: at(seconds),
        reason: "503".to_owned(),
    }
}

/// What a backend needs to know.
pub async fn a_ticket_is_delivered_with_its_personal_part(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let due = claim_due(&*store, 0).await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].ticket, TicketId::new("id-AB12"));
    assert_eq!(due[0].code, "AB12");
    assert_eq!(due[0].body, b"body of AB12");
    assert_eq!(due[0].personal.as_deref(), Some(&b"person of AB12"[..]));
    assert_eq!((due[0].attempts, due[0].created_at), (0, start()));
}

/// Two forwarders do not deliver the same.
pub async fn a_delivery_is_claimed_once_while_its_lease_holds(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    file(&*store, "CD34", 2).await;
    assert_eq!(
        codes(&claim_due(&*store, 0).await),
        ["AB12", "CD34"],
        "oldest first"
    );
    assert!(claim_due(&*store, 29).await.is_empty());
    assert_eq!(claim_due(&*store, 31).await.len(), 2);
    let other = store
        .claim_deliveries(&backend("x"), 9, LEASE, start(), Duration::ZERO)
        .await;
    assert!(other.expect("claim").is_empty());
}

/// Guarantee 6: retried.
pub async fn a_retried_delivery_comes_again_when_due(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let due = claim_due(&*store, 0).await;
    settle_one(&*store, &due[0], 1, retry(100)).await;
    assert!(claim_due(&*store, 99).await.is_empty());
    let again = claim_due(&*store, 100).await;
    assert_eq!(again[0].attempts, 1);
    let kept = store.ticket("AB12").await.expect("ticket").expect("kept");
    assert_eq!(kept.delivery, DeliveryState::Pending);
    let whats: Vec<_> = kept.history.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(whats, ["created", "retry"]);
    assert_eq!(kept.history[1].detail.as_deref(), Some("503"));
}

/// An operator can see what became of it.
pub async fn a_delivered_ticket_keeps_reference_and_history(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let due = claim_due(&*store, 0).await;
    let reference = Some("REF-9".to_owned());
    settle_one(&*store, &due[0], 5, DeliveryResult::Delivered { reference }).await;
    assert!(claim_due(&*store, 9999).await.is_empty());
    let kept = store.ticket("AB12").await.expect("ticket").expect("kept");
    assert_eq!(kept.delivery, DeliveryState::Delivered);
    assert_eq!(kept.reference.as_deref(), Some("REF-9"));
    let last = kept.history.last().expect("a history");
    assert_eq!((last.what.as_str(), last.at), ("delivered", at(5)));
}

/// Guarantee 6: then a dead letter.
pub async fn a_buried_delivery_is_a_dead_letter(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let due = claim_due(&*store, 0).await;
    let reason = "410".to_owned();
    settle_one(&*store, &due[0], 7, DeliveryResult::Bury { reason }).await;
    assert!(claim_due(&*store, 9999).await.is_empty());
    let letters = store
        .dead_letters(Some(DeadKind::Delivery), None, 9)
        .await
        .expect("list");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].place, "ioc");
    assert_eq!(letters[0].ticket, Some(TicketId::new("id-AB12")));
    assert_eq!((letters[0].attempts, letters[0].at), (1, at(7)));
    assert_eq!(
        letters[0].body, b"body of AB12",
        "without the personal part"
    );
    let kept = store.ticket("AB12").await.expect("ticket").expect("kept");
    assert_eq!(kept.delivery, DeliveryState::Dead);
}

/// A backend that said 410 is left alone until an operator says otherwise.
pub async fn a_disabled_backend_gets_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let off = Disabled {
        at: at(1),
        reason: "410".to_owned(),
    };
    store
        .set_disabled(&backend("ioc"), Some(off.clone()))
        .await
        .expect("disable");
    drop(store);
    let store = open(fixture).await;
    assert_eq!(
        store.disabled(&backend("ioc")).await.expect("disabled"),
        Some(off)
    );
    assert_eq!(
        store.disabled(&backend("other")).await.expect("disabled"),
        None
    );
    assert!(claim_due(&*store, 100).await.is_empty());
    let began = Instant::now();
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .claim_deliveries(&backend("ioc"), 9, LEASE, at(100), SOON * 6)
                .await
        })
    };
    tokio::task::yield_now().await;
    store
        .set_disabled(&backend("ioc"), None)
        .await
        .expect("enable");
    assert_eq!(waiting.await.expect("no panic").expect("claim").len(), 1);
    assert!(began.elapsed() < SOON, "enabling wakes the forwarder");
}

/// A forwarder that was too slow changes nothing.
pub async fn a_lost_lease_on_a_delivery_is_passed_over(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    let slow = claim_due(&*store, 0).await;
    let quick = claim_due(&*store, 31).await;
    settle_one(
        &*store,
        &slow[0],
        31,
        DeliveryResult::Bury {
            reason: "slow".to_owned(),
        },
    )
    .await;
    assert!(
        store
            .dead_letters(None, None, 9)
            .await
            .expect("list")
            .is_empty()
    );
    let reference = None;
    settle_one(
        &*store,
        &quick[0],
        32,
        DeliveryResult::Delivered { reference },
    )
    .await;
    let kept = store
        .ticket("id-AB12")
        .await
        .expect("ticket")
        .expect("kept");
    assert_eq!(kept.delivery, DeliveryState::Delivered);
}

/// Guarantee 6: no ticket lost.
pub async fn deliveries_survive_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    file(&*store, "AB12", 1).await;
    file(&*store, "CD34", 2).await;
    let due = claim_due(&*store, 0).await;
    settle_one(&*store, &due[0], 1, retry(50)).await;
    drop(store);
    let store = open(fixture).await;
    assert_eq!(codes(&claim_due(&*store, 31).await), ["CD34"]);
    assert_eq!(codes(&claim_due(&*store, 50).await), ["AB12"]);
}

/// Forwarders need not poll.
pub async fn a_claim_of_deliveries_wakes_for_a_new_ticket(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .claim_deliveries(&backend("ioc"), 9, LEASE, start(), SOON * 6)
                .await
        })
    };
    tokio::task::yield_now().await;
    let began = Instant::now();
    file(&*store, "AB12", 1).await;
    assert_eq!(waiting.await.expect("no panic").expect("claim").len(), 1);
    assert!(began.elapsed() < SOON);
}

/// The citizen has the code, backends have the id.
pub async fn a_ticket_is_found_by_id_and_by_code(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.tickets = vec![ticket("AB12", None)];
    })
    .await;
    let by_code = store.ticket("AB12").await.expect("ticket").expect("kept");
    assert_eq!(
        store.ticket("id-AB12").await.expect("ticket"),
        Some(by_code.clone())
    );
    assert_eq!(store.ticket("nothing").await.expect("ticket"), None);
    assert_eq!(by_code.delivery, DeliveryState::None);
    assert_eq!(by_code.title, "Phản ánh");
    assert_eq!(by_code.personal.as_deref(), Some(&b"person of AB12"[..]));
}

/// Lists for operators.
pub async fn tickets_are_listed_newest_first_and_by_page(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for number in 1..=5_u64 {
        let to = if number == 3 { None } else { Some("ioc") };
        let name = if number == 5 { "binh" } else { "an" };
        turn(&*store, &citizen(name), number.into(), |commit| {
            let mut ticket = ticket(&format!("T{number}"), to);
            ticket.created_at = at(number);
            commit.tickets = vec![ticket];
        })
        .await;
    }
    let list = |filter: TicketFilter| {
        let store = store.clone();
        async move {
            let tickets = store.tickets(filter).await.expect("tickets");
            tickets
                .into_iter()
                .map(|ticket| ticket.code)
                .collect::<Vec<_>>()
        }
    };
    let all = TicketFilter {
        limit: 2,
        ..TicketFilter::default()
    };
    assert_eq!(list(all.clone()).await, ["T5", "T4"]);
    let next = TicketFilter {
        before: Some(TicketId::new("id-T4")),
        limit: 9,
        ..all.clone()
    };
    assert_eq!(list(next).await, ["T3", "T2", "T1"]);
    let none = TicketFilter {
        delivery: Some(DeliveryState::None),
        limit: 9,
        ..all.clone()
    };
    assert_eq!(list(none).await, ["T3"]);
    let of = TicketFilter {
        conversation: Some(citizen("binh")),
        limit: 9,
        ..all
    };
    assert_eq!(list(of).await, ["T5"]);
}
