//! Replies that a provider took and may yet fail to bring.

use langnghe_model::EventId;

use super::{Fixture, support::*};
use crate::{
    DeadKind, Lane, NewDeadLetter, OutboxReply, SENT_RECORDS, SentRecord, SettleResult, Store,
};

fn sent_for(message: &str, body: &str) -> SettleResult {
    SettleResult::SentFor(SentRecord {
        message: EventId::new(message),
        body: body.as_bytes().to_vec(),
        until: at(3600),
    })
}

async fn first(store: &dyn Store) -> OutboxReply {
    claim_replies(store, 1, at(1)).await.remove(0)
}

async fn kept(store: &dyn Store, name: &str, message: &str) -> Option<String> {
    let message = EventId::new(message);
    let sent = store.sent(&citizen(name), &message).await.expect("sent");
    sent.map(|body| text(&body))
}

/// What fails later can be sent again, also after a crash.
pub async fn a_sent_reply_is_kept_under_its_message(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["one", "two"]).await;
    let reply = first(&*store).await;
    settle(&*store, &reply, sent_for("m.1", "the one"), at(1)).await;
    assert_eq!(send_all(&*store, at(2)).await, ["two"], "the next goes on");
    drop(store);
    let store = open(fixture).await;
    assert!(send_all(&*store, at(3)).await.is_empty(), "it has left");
    let of = async |name, message| kept(&*store, name, message).await;
    assert_eq!(of("an", "m.1").await.as_deref(), Some("the one"));
    assert_eq!(of("an", "m").await, None);
    assert_eq!(of("binh", "m.1").await, None);
    // Whoever lost the lease has sent nothing that counts.
    queue(&*store, &citizen("an"), 2, &["three"]).await;
    let late = first(&*store).await;
    let again = claim_replies(&*store, 1, at(1) + LEASE + LEASE).await;
    assert_eq!(again.len(), 1);
    settle(&*store, &late, sent_for("m.3", "late"), at(99)).await;
    assert_eq!(kept(&*store, "an", "m.3").await, None);
}

/// The words of a citizen's replies go with everything else.
pub async fn erasure_removes_what_was_sent(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in [(1, "an"), (2, "binh")] {
        queue(&*store, &citizen(name), number, &["one"]).await;
        let reply = first(&*store).await;
        settle(&*store, &reply, sent_for("m.1", name), at(1)).await;
    }
    store.erase(&citizen("an"), at(2)).await.expect("erased");
    assert_eq!(kept(&*store, "an", "m.1").await, None);
    assert_eq!(kept(&*store, "binh", "m.1").await.as_deref(), Some("binh"));
    turn_at(&*store, &citizen("binh"), 3, at(3), |commit| {
        commit.erase = true;
    })
    .await;
    assert_eq!(kept(&*store, "binh", "m.1").await, None);
}

/// A citizen who is told much does not push out what was just said.
pub async fn the_newest_are_kept(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let texts: Vec<String> = (0..SENT_RECORDS + 8)
        .map(|place| place.to_string())
        .collect();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    queue(&*store, &citizen("an"), 1, &all).await;
    for place in &texts {
        let reply = first(&*store).await;
        let result = sent_for(&format!("m.{place}"), place);
        settle(&*store, &reply, result, at(1)).await;
    }
    for place in &texts[8..] {
        let message = format!("m.{place}");
        assert_eq!(kept(&*store, "an", &message).await.as_ref(), Some(place));
    }
}

/// What a provider gave up is seen by the operator, and goes back where it was.
pub async fn a_reply_given_up_later_is_a_dead_letter_of_its_lane(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    turn(&*store, &citizen("an"), 1, |commit| {
        commit.set_aside = vec![NewDeadLetter {
            reason: "gone".to_owned(),
            body: b"news".to_vec(),
            reply: Some(Lane::Notice),
        }];
    })
    .await;
    let dead = store.dead_letters(Some(DeadKind::Reply), None, 9).await;
    let dead = dead.expect("dead letters").remove(0);
    assert_eq!((dead.reason.as_str(), dead.attempts), ("gone", 1));
    assert_eq!(dead.conversation, Some(citizen("an")));
    assert_eq!(dead.place, "page");
    let depths = store.depths().await.expect("depths");
    assert!(depths.dead.contains(&(DeadKind::Reply, 1)), "{depths:?}");
    assert!(store.retry_dead(dead.id, at(2)).await.expect("retried"));
    let reply = first(&*store).await;
    assert_eq!(
        (text(&reply.body).as_str(), reply.lane),
        ("news", Lane::Notice)
    );
}
