//! Erasure and retention.

use std::time::Duration;

use super::{Fixture, dead::one_of_each, support::*};
use crate::{
    Accepted, Committed, DeadKind, Erased, Heard, Purged, Retention, SessionChange, TicketFilter,
    TimerChange,
};

const DAY: Duration = Duration::from_hours(24);

fn keep_for(days: u32) -> Retention {
    let kept = DAY * days;
    Retention {
        dedup: kept,
        idle_sessions: kept,
        dead_letters: kept,
        personal: kept,
    }
}

/// Guarantee 9: a citizen can have it erased.
pub async fn erasure_leaves_nothing_of_a_conversation(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    one_of_each(&*store).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.session = SessionChange::Put(b"session".to_vec());
        commit.replies = vec![reply("one"), reply("two")];
        commit.tickets = vec![ticket("AB12", None)];
        let name = "reminder".to_owned();
        commit.timers = vec![TimerChange::Set {
            name,
            at: at(60),
            event: b"timer".to_vec(),
        }];
    })
    .await;
    take_in(&*store, &citizen("an"), 2).await;
    queue(&*store, &citizen("binh"), 3, &["to binh"]).await;
    let erased = store.erase(&citizen("an"), at(5)).await.expect("erase");
    // One event, two replies, two dead letters; the third belongs to a ticket.
    assert_eq!(
        erased,
        Erased {
            session: true,
            waiting: 5,
            tickets: 2
        }
    );
    drop(store);
    let store = open(fixture).await;
    assert_eq!(send_all(&*store, at(40)).await, ["to binh"]);
    assert_eq!(
        store
            .fire_timers(9, at(999), Duration::ZERO)
            .await
            .expect("fire"),
        0
    );
    assert!(claim(&*store, 9, at(999)).await.is_empty());
    let letters = store.dead_letters(None, None, 9).await.expect("list");
    assert!(
        letters
            .iter()
            .all(|letter| letter.kind == DeadKind::Delivery)
    );
    assert!(letters.iter().all(|letter| letter.conversation.is_none()));
    let of_an = TicketFilter {
        conversation: Some(citizen("an")),
        limit: 9,
        ..Default::default()
    };
    assert!(store.tickets(of_an).await.expect("tickets").is_empty());
    let kept = store
        .ticket("AB12")
        .await
        .expect("ticket")
        .expect("the ticket stays");
    assert_eq!((kept.personal, kept.conversation), (None, None));
    assert_eq!(kept.body, b"body of AB12");
    assert_eq!(kept.history.last().expect("a history").what, "erased");
    let nothing = store.erase(&citizen("an"), at(6)).await.expect("erase");
    assert_eq!(nothing, Erased::default());
    take_in(&*store, &citizen("an"), 4).await;
    assert_eq!(claim_one(&*store, at(7)).await.session, None);
}

/// A worker that is at it cannot bring the session back.
pub async fn erasure_takes_the_lease_away(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["one"]).await;
    let sending = claim_replies(&*store, 1, start()).await;
    take_in(&*store, &citizen("an"), 2).await;
    let mut late = claim_one(&*store, start()).await.done();
    late.session = SessionChange::Put(b"late".to_vec());
    store.erase(&citizen("an"), at(1)).await.expect("erase");
    assert_eq!(commit(&*store, late, at(1)).await, Committed::LeaseLost);
    let again = crate::SettleResult::Retry {
        at: at(2),
        counts: true,
    };
    settle(&*store, &sending[0], again, at(1)).await;
    assert_eq!(send_all(&*store, at(99)).await, [""; 0]);
    assert_eq!(store.depths().await.expect("depths").sessions, 0);
}

/// The agency still gets the report, without the person.
pub async fn an_erased_ticket_is_delivered_without_its_personal_part(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.tickets = vec![ticket("AB12", Some("ioc"))];
    })
    .await;
    store.erase(&citizen("an"), at(1)).await.expect("erase");
    let ioc = backend("ioc");
    let due = store
        .claim_deliveries(&ioc, 9, LEASE, at(2), Duration::ZERO)
        .await
        .expect("claim");
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].body.as_slice(), &due[0].personal),
        (&b"body of AB12"[..], &None)
    );
}

/// A redelivery after an erasure does not bring the words back.
pub async fn erasure_keeps_the_marks(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    store.erase(&citizen("an"), at(1)).await.expect("erase");
    let answers = store
        .accept(vec![event(&citizen("an"), 1)], at(2))
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::Duplicate]);
}

/// "Erase my data" said in the conversation itself, with an answer.
pub async fn erasure_within_a_commit_comes_first(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.session = SessionChange::Put(b"session".to_vec());
        commit.replies = vec![reply("old")];
        commit.tickets = vec![ticket("AB12", None)];
    })
    .await;
    turn(&*store, &citizen("an"), 2, |commit| {
        commit.erase = true;
        commit.replies = vec![reply("erased")];
        commit.heard = Some(Heard {
            at: start(),
            window_until: Some(at(9)),
        });
    })
    .await;
    assert_eq!(send_all(&*store, at(1)).await, ["erased"]);
    let kept = store.ticket("AB12").await.expect("ticket").expect("kept");
    assert_eq!((kept.personal, kept.conversation), (None, None));
    take_in(&*store, &citizen("an"), 3).await;
    let claim = claim_one(&*store, at(2)).await;
    assert_eq!(
        (texts(&claim), claim.session),
        (vec!["event 3".to_owned()], None)
    );
}

/// Marks are honoured for their window, and not kept for ever.
pub async fn a_purge_removes_marks_past_their_window(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let purged = store
        .purge(keep_for(7), start() + DAY * 6)
        .await
        .expect("purge");
    assert_eq!(purged, Purged::default());
    let again = vec![event(&citizen("an"), 1)];
    let answers = store
        .accept(again.clone(), start() + DAY * 6)
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::Duplicate]);
    let purged = store
        .purge(keep_for(7), start() + DAY * 8)
        .await
        .expect("purge");
    // They may also have expired by themselves.
    let expected = Purged {
        marks: purged.marks.min(1),
        ..Purged::default()
    };
    assert_eq!(purged, expected);
    let answers = store
        .accept(again, start() + DAY * 8)
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::Stored]);
}

/// Only who was not heard from for long loses the thread.
pub async fn a_purge_removes_idle_sessions_only(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        turn(&*store, &citizen(name), number, |commit| {
            commit.session = SessionChange::Put(b"session".to_vec());
            commit.heard = Some(Heard {
                at: start(),
                window_until: None,
            });
        })
        .await;
    }
    let later = start() + DAY * 5;
    store
        .accept(vec![event(&citizen("binh"), 9)], later)
        .await
        .expect("accept");
    let mut heard = claim_one(&*store, later).await.done();
    heard.heard = Some(Heard {
        at: later,
        window_until: None,
    });
    assert_eq!(commit(&*store, heard, later).await, Committed::Done);
    // A turn without a word from the citizen (a reminder) does not count.
    store
        .accept(vec![event(&citizen("chi"), 10)], later)
        .await
        .expect("accept");
    let mut reminded = claim_one(&*store, later).await.done();
    reminded.session = SessionChange::Put(b"reminded".to_vec());
    assert_eq!(commit(&*store, reminded, later).await, Committed::Done);
    let retention = Retention {
        dedup: DAY * 99,
        ..keep_for(7)
    };
    let purged = store
        .purge(retention, start() + DAY * 8)
        .await
        .expect("purge");
    assert_eq!(
        purged,
        Purged {
            sessions: 2,
            ..Purged::default()
        }
    );
    assert_eq!(store.depths().await.expect("depths").sessions, 1);
    take_in(&*store, &citizen("binh"), 20).await;
    assert!(claim_one(&*store, later).await.session.is_some());
}

/// Providers bring what lay with them through an outage long after it was written: that is when the
/// citizen was heard from, but retention begins when we took it.
pub async fn a_session_of_late_events_is_kept_from_when_we_took_them(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let written = start();
    let taken = start() + DAY * 10;
    let redelivered = |commit: &mut crate::Commit| {
        commit.session = SessionChange::Put(b"session".to_vec());
        commit.heard = Some(Heard {
            at: written,
            window_until: None,
        });
    };
    // One began with it, one was known for long, one is only touched by it.
    turn_at(&*store, &citizen("an"), 1, taken, redelivered).await;
    for (number, name) in [(2, "binh"), (3, "chi")] {
        turn_at(&*store, &citizen(name), number, written, redelivered).await;
    }
    turn_at(&*store, &citizen("binh"), 4, taken, redelivered).await;
    turn_at(&*store, &citizen("chi"), 5, taken, |commit| {
        commit.heard = Some(Heard {
            at: written,
            window_until: None,
        });
    })
    .await;
    let retention = Retention {
        dedup: DAY * 99,
        ..keep_for(7)
    };
    for days in [11, 16] {
        let purged = store.purge(retention, start() + DAY * days).await;
        assert_eq!(purged.expect("purge"), Purged::default(), "day {days}");
    }
    for name in ["an", "binh", "chi"] {
        let contact = store.contact(&citizen(name)).await.expect("contact");
        assert_eq!(contact.heard_at, Some(written), "{name}");
    }
    // What is written anew counts at once, also for the window.
    let answered = taken + Duration::from_secs(5);
    turn_at(&*store, &citizen("an"), 6, answered, |commit| {
        commit.heard = Some(Heard {
            at: answered,
            window_until: None,
        });
    })
    .await;
    let contact = store.contact(&citizen("an")).await.expect("contact");
    assert_eq!(contact.heard_at, Some(answered));
    let purged = store.purge(retention, start() + DAY * 18).await;
    assert_eq!(purged.expect("purge").sessions, 3);
    assert_eq!(store.depths().await.expect("depths").sessions, 0);
    let contact = store.contact(&citizen("binh")).await.expect("contact");
    assert_eq!(contact.heard_at, None);
}

/// Old dead letters go; their tickets stay.
pub async fn a_purge_removes_old_dead_letters(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    one_of_each(&*store).await;
    let retention = Retention {
        dead_letters: DAY,
        ..keep_for(99)
    };
    let purged = store
        .purge(retention, start() + DAY / 2)
        .await
        .expect("purge");
    assert_eq!(purged.dead_letters, 0);
    let purged = store
        .purge(retention, start() + DAY * 2)
        .await
        .expect("purge");
    assert_eq!(
        purged,
        Purged {
            dead_letters: 3,
            ..Purged::default()
        }
    );
    assert!(store.ticket("DEAD").await.expect("ticket").is_some());
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

/// The personal part of a ticket has a time of its own.
pub async fn a_purge_removes_personal_parts_past_their_time(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        let mut newer = ticket("NEWER", None);
        newer.created_at = start() + DAY * 5;
        commit.tickets = vec![ticket("OLDER", None), newer];
    })
    .await;
    let retention = Retention {
        personal: DAY * 3,
        ..keep_for(99)
    };
    let purged = store
        .purge(retention, start() + DAY * 6)
        .await
        .expect("purge");
    assert_eq!(
        purged,
        Purged {
            tickets: 1,
            ..Purged::default()
        }
    );
    let older = store.ticket("OLDER").await.expect("ticket").expect("kept");
    assert_eq!((older.personal, older.conversation), (None, None));
    let newer = store.ticket("NEWER").await.expect("ticket").expect("kept");
    assert!(newer.personal.is_some() && newer.conversation.is_some());
    let purged = store
        .purge(retention, start() + DAY * 6)
        .await
        .expect("purge");
    assert_eq!(
        purged,
        Purged::default(),
        "a second time there is nothing to do"
    );
}
