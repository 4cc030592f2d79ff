//! What is kept of citizens besides their sessions.

use std::time::Duration;

use super::{Fixture, support::*};
use crate::{Contact, Heard, Retention, SessionChange, Store, TicketNote};

async fn keep(store: &dyn Store, name: &str, number: u128, record: &str) {
    turn_at(store, &citizen(name), number, at(1), |commit| {
        commit.contact = Some(record.as_bytes().to_vec());
    })
    .await;
}

async fn record(store: &dyn Store, name: &str) -> Option<String> {
    let contact = store.contact(&citizen(name)).await.expect("contact");
    contact.record.map(|record| text(&record))
}

/// Consent is kept as surely as anything else.
pub async fn a_record_survives_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    keep(&*store, "an", 1, "may be called").await;
    keep(&*store, "binh", 2, "no").await;
    drop(store);
    let store = open(fixture).await;
    assert_eq!(
        record(&*store, "an").await.as_deref(),
        Some("may be called")
    );
    keep(&*store, "an", 3, "may not be called").await;
    keep(&*store, "binh", 4, "").await;
    turn_at(&*store, &citizen("an"), 5, at(2), |_| {}).await;
    let kept = record(&*store, "an").await;
    assert_eq!(kept.as_deref(), Some("may not be called"));
    assert_eq!(
        record(&*store, "binh").await,
        None,
        "an empty one is removed"
    );
    let nobody = store.contact(&citizen("nobody")).await.expect("contact");
    assert_eq!(nobody, Contact::default());
}

/// Whether we may write freely is decided by this.
pub async fn a_contact_tells_when_the_citizen_was_heard_from(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, seconds) in [(1, 100), (2, 500), (3, 300)] {
        turn_at(&*store, &citizen("an"), number, at(1000), |commit| {
            commit.session = SessionChange::Put(Vec::new());
            commit.heard = Some(Heard {
                at: at(seconds),
                window_until: None,
            });
        })
        .await;
    }
    let contact = store.contact(&citizen("an")).await.expect("contact");
    let known = contact.heard_at.expect("heard");
    let late = at(500).since(known);
    assert!(
        known <= at(500) && late <= Duration::from_mins(1),
        "{late:?}"
    );
}

/// Erasure leaves no telephone number behind.
pub async fn erasure_removes_the_record(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    keep(&*store, "an", 1, "0912345678").await;
    keep(&*store, "binh", 2, "0987654321").await;
    store.erase(&citizen("an"), at(2)).await.expect("erased");
    assert_eq!(record(&*store, "an").await, None);
    turn_at(&*store, &citizen("binh"), 3, at(3), |commit| {
        commit.erase = true;
    })
    .await;
    assert_eq!(record(&*store, "binh").await, None);
}

/// Kept no longer than the personal part of tickets.
pub async fn retention_removes_old_records(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    keep(&*store, "an", 1, "old").await;
    turn_at(&*store, &citizen("binh"), 2, at(50), |commit| {
        commit.contact = Some(b"new".to_vec());
    })
    .await;
    let long = Duration::from_hours(9999);
    let retention = Retention {
        dedup: long,
        idle_sessions: long,
        dead_letters: long,
        personal: Duration::from_mins(1),
    };
    let purged = store.purge(retention, at(70)).await.expect("purge");
    assert_eq!(purged.contacts, 1);
    assert_eq!(record(&*store, "an").await, None);
    assert_eq!(record(&*store, "binh").await.as_deref(), Some("new"));
}

/// What became of a notice is told with its ticket.
pub async fn a_note_is_added_to_the_history_of_its_ticket(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.tickets = vec![ticket("A", None), ticket("B", None)];
    })
    .await;
    let note = |seconds: u64, detail: Option<&str>| TicketNote {
        at: at(seconds),
        what: "notice".to_owned(),
        detail: detail.map(str::to_owned),
    };
    for line in [note(1, Some("sent")), note(2, None)] {
        assert!(store.note("A", line).await.expect("note"));
    }
    assert!(!store.note("C", note(3, None)).await.expect("note"));
    let found = store.ticket("A").await.expect("ticket").expect("there");
    assert_eq!(found.history[1..], [note(1, Some("sent")), note(2, None)]);
    let other = store.ticket("B").await.expect("ticket").expect("there");
    assert_eq!(other.history.len(), 1);
}
