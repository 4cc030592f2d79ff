//! Documents, depths, health, closing, many callers.

use langnghe_model::{CitizenId, ConversationId};

use super::{Fixture, dead::one_of_each, support::*};
use crate::{Committed, DeadKind, Depth, SessionChange, SettleResult, StoreError, TimerChange};

/// Running sessions find the flow version that they began with.
pub async fn documents_are_kept_and_found_by_prefix(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (name, body) in [
        ("flow/b@1", "b"),
        ("flow/a@2", "a2"),
        ("flow/a@1", "a1"),
        ("flo%", "x"),
    ] {
        store
            .keep_document(name, body.as_bytes())
            .await
            .expect("keep");
    }
    store
        .keep_document("flow/b@1", b"b again")
        .await
        .expect("keep");
    drop(store);
    let store = open(fixture).await;
    let found = store.documents("flow/").await.expect("documents");
    let found: Vec<_> = found
        .iter()
        .map(|(name, body)| (name.as_str(), text(body)))
        .collect();
    let expected = [
        ("flow/a@1", "a1"),
        ("flow/a@2", "a2"),
        ("flow/b@1", "b again"),
    ];
    assert_eq!(found, expected.map(|(name, body)| (name, body.to_owned())));
    assert!(store.documents("none").await.expect("documents").is_empty());
}

/// A medium that waits to be fetched is found by its name, until it is removed.
pub async fn a_document_is_found_by_its_name_and_removed_once(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (name, body) in [("media/job/a", "a"), ("media/job/ab", "ab")] {
        store
            .keep_document(name, body.as_bytes())
            .await
            .expect("keep");
    }
    let find = async |name: &str| store.document(name).await.expect("found or not");
    assert_eq!(find("media/job/a").await.as_deref(), Some(&b"a"[..]));
    assert_eq!(find("media/job/").await, None);
    for there in [true, false] {
        let removed = store.remove_document("media/job/a").await;
        assert_eq!(removed.expect("removed or not"), there);
    }
    drop(store);
    let store = open(fixture).await;
    let left = store.documents("media/job/").await.expect("documents");
    assert_eq!(left, [("media/job/ab".to_owned(), b"ab".to_vec())]);
}

/// What replicas share and only one may change at a time, such as a token that is used once.
pub async fn a_document_is_exchanged_only_for_the_expected_one(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let exchange = async |name: &str, expected: Option<&[u8]>, body: &[u8]| {
        store
            .exchange_document(name, expected, body)
            .await
            .expect("exchange")
    };
    assert!(!exchange("token", Some(b""), b"x").await, "there is none");
    assert!(exchange("token", None, b"one").await);
    assert!(!exchange("token", None, b"x").await, "there is one");
    assert!(!exchange("token", Some(b"other"), b"x").await);
    assert!(exchange("token", Some(b"one"), b"t\0wo\xff").await);
    assert!(exchange("other", None, b"").await);
    assert!(exchange("other", Some(b""), b"y").await);
    drop(store);
    let store = open(fixture).await;
    let found = store.documents("token").await.expect("documents");
    assert_eq!(found, [("token".to_owned(), b"t\0wo\xff".to_vec())]);
}

/// Of several replicas that renew the same token, one does.
pub async fn one_of_many_exchanges_a_document(fixture: &dyn Fixture) {
    const CALLERS: u8 = 16;
    let store = open(fixture).await;
    let callers = (0..CALLERS).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .exchange_document("token", None, &[caller])
                .await
                .expect("exchange")
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut done = Vec::new();
    for (number, caller) in (0..CALLERS).zip(callers) {
        if caller.await.expect("no panic") {
            done.push(number);
        }
    }
    assert_eq!(done.len(), 1);
    let found = store.documents("token").await.expect("documents");
    assert_eq!(found, [("token".to_owned(), done)]);
}

/// What metrics and readiness show.
pub async fn depths_count_what_waits(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    one_of_each(&*store).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.session = SessionChange::Put(b"session".to_vec());
        commit.replies = vec![reply("one"), reply("two")];
        commit.tickets = vec![ticket("AB12", Some("ioc")), ticket("CD34", None)];
        let name = "reminder".to_owned();
        commit.timers = vec![TimerChange::Set {
            name,
            at: at(60),
            event: b"timer".to_vec(),
        }];
    })
    .await;
    let first = claim_replies(&*store, 1, start()).await;
    settle(&*store, &first[0], SettleResult::Park, start()).await;
    take_in(&*store, &citizen("an"), 2).await;
    let depths = store.depths().await.expect("depths");
    assert_eq!((depths.inbox, depths.inbox_oldest), (1, Some(start())));
    let parked = Depth {
        waiting: 2,
        parked: 1,
        oldest: Some(start()),
    };
    assert_eq!(depths.outbox, [(channel("page"), parked)]);
    let due = Depth {
        waiting: 1,
        parked: 0,
        oldest: Some(start()),
    };
    assert_eq!(depths.deliveries, [(backend("ioc"), due)]);
    assert_eq!((depths.timers, depths.sessions), (1, 1));
    let of = |kind| {
        depths
            .dead
            .iter()
            .find(|(found, _)| *found == kind)
            .map(|(_, count)| *count)
    };
    for kind in [DeadKind::Event, DeadKind::Reply, DeadKind::Delivery] {
        assert_eq!(of(kind), Some(1), "{}", kind.name());
    }
}

/// Counters are durable too.
pub async fn depths_are_the_same_after_reopening(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    one_of_each(&*store).await;
    queue(&*store, &citizen("an"), 1, &["one", "two"]).await;
    take_in(&*store, &citizen("an"), 2).await;
    let before = store.depths().await.expect("depths");
    drop(store);
    let store = open(fixture).await;
    assert_eq!(store.depths().await.expect("depths"), before);
}

/// Readiness.
pub async fn a_healthy_store_answers_a_ping(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    store.ping().await.expect("ping");
}

/// An orderly end.
pub async fn a_closed_store_refuses_and_reopens_whole(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    take_in(&*store, &citizen("an"), 1).await;
    let last = {
        let store = store.clone();
        let events = vec![event(&citizen("an"), 2)];
        tokio::spawn(async move { store.accept(events, start()).await })
    };
    store.close().await.expect("close");
    let taken = last.await.expect("no panic").is_ok();
    let refused = store.accept(vec![event(&citizen("an"), 3)], start()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(store.ticket("x").await.is_err());
    store.close().await.expect("a second close does nothing");
    drop(store);
    let store = open(fixture).await;
    let claim = claim_one(&*store, at(31)).await;
    assert_eq!(
        claim.events.len(),
        1 + usize::from(taken),
        "what was answered is there"
    );
}

/// Batches are made of what many callers do at once.
pub async fn operations_of_many_callers_all_happen(fixture: &dyn Fixture) {
    const CALLERS: u128 = 16;
    const EACH: u128 = 40;
    let store = open(fixture).await;
    let of =
        |caller: u128| ConversationId::new(channel("page"), CitizenId::new(&caller.to_string()));
    let callers = (0..CALLERS).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                take_in(&*store, &of(caller), caller * EACH + number).await;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let workers = (0..3).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let wait = std::time::Duration::from_millis(300);
                let claims = store.claim(4, LEASE, start(), wait).await.expect("claim");
                if claims.is_empty() {
                    return seen;
                }
                for claim in claims {
                    let positions = claim.events.iter().map(|(position, _)| *position);
                    seen.extend(positions.map(|position| (claim.conversation.clone(), position)));
                    let answer = commit(&*store, claim.done(), start()).await;
                    assert_eq!(answer, Committed::Done);
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    let mut seen = Vec::new();
    for worker in workers {
        seen.extend(worker.await.expect("no panic"));
    }
    // The workers may have ended early, when nothing came for a moment.
    loop {
        let claims = claim(&*store, 1000, start()).await;
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            let positions = claim.events.iter().map(|(position, _)| *position);
            seen.extend(positions.map(|position| (claim.conversation.clone(), position)));
            let answer = commit(&*store, claim.done(), start()).await;
            assert_eq!(answer, Committed::Done);
        }
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count, "no event was processed twice");
    assert_eq!(count as u128, CALLERS * EACH, "none was lost");
}
