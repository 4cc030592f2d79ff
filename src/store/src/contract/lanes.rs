//! Answers, notices and broadcasts: what goes first, and what waits for whom.

use langnghe_model::ConversationId;

use super::{Fixture, support::*};
use crate::{Heard, Lane, NewReply, SettleResult, Store};

const SENT: SettleResult = SettleResult::Sent;

fn later(seconds: u64) -> SettleResult {
    SettleResult::Retry {
        at: at(seconds),
        counts: false,
    }
}

/// Queues one reply in a lane.
async fn queue_in(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    lane: Lane,
    words: &str,
) {
    turn_at(
        store,
        conversation,
        number,
        at(u64::try_from(number).unwrap_or(0)),
        |commit| {
            commit.replies = vec![NewReply {
                lane,
                ..reply(words)
            }];
        },
    )
    .await;
}

/// A citizen who asks does not wait behind a million greetings.
pub async fn answers_come_before_notices_before_broadcasts(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let lanes = [Lane::Broadcast, Lane::Notice, Lane::Answer];
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        for (place, lane) in (0..).zip(lanes) {
            let words = format!("{name} {}", lane.name());
            queue_in(&*store, &citizen(name), number * 3 + place, lane, &words).await;
        }
    }
    let claimed = claim_replies(&*store, 5, at(99)).await;
    let rest = claim_replies(&*store, 9, at(99)).await;
    assert_eq!((claimed.len(), rest.len()), (5, 4));
    for replies in [&claimed, &rest] {
        assert!(replies.is_sorted_by_key(|reply| reply.lane));
    }
    if fixture.takes_turns() {
        return;
    }
    let expected = [
        "an answer",
        "binh answer",
        "chi answer",
        "an notice",
        "binh notice",
    ];
    assert_eq!(reply_texts(&claimed), expected);
    let expected = [
        "chi notice",
        "an broadcast",
        "binh broadcast",
        "chi broadcast",
    ];
    assert_eq!(reply_texts(&rest), expected);
}

/// Guarantee 5 holds within a lane; a notice that waits holds no answer back.
pub async fn each_lane_keeps_its_order_and_holds_back_no_other(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let an = citizen("an");
    for (number, lane) in (1..).zip([Lane::Notice, Lane::Broadcast, Lane::Notice]) {
        let words = format!("{} {number}", lane.name());
        queue_in(&*store, &an, number, lane, &words).await;
    }
    for claimed in claim_replies(&*store, 9, at(5)).await {
        let result = match claimed.lane {
            Lane::Notice => SettleResult::Park,
            _ => later(60),
        };
        settle(&*store, &claimed, result, at(5)).await;
    }
    queue_in(&*store, &an, 9, Lane::Answer, "answer 9").await;
    assert_eq!(send_all(&*store, at(10)).await, ["answer 9"]);
    drop(store);
    let store = open(fixture).await;
    queue_in(&*store, &an, 11, Lane::Notice, "notice 11").await;
    assert_eq!(send_all(&*store, at(59)).await, [""; 0]);
    assert_eq!(send_all(&*store, at(60)).await, ["broadcast 2"]);
    store.wake(&an).await.expect("wake");
    let notices = ["notice 1", "notice 3", "notice 11"];
    assert_eq!(send_all(&*store, at(61)).await, notices);
}

/// Notices that wait for a moment, such as the morning, are looked at anew when the citizen writes.
pub async fn a_notice_that_waits_for_a_moment_is_due_when_the_citizen_is_there(
    fixture: &dyn Fixture,
) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        queue_in(&*store, &citizen(name), number, Lane::Notice, name).await;
    }
    for claimed in claim_replies(&*store, 9, at(5)).await {
        settle(&*store, &claimed, later(1000), at(5)).await;
    }
    store.wake(&citizen("an")).await.expect("wake");
    turn_at(&*store, &citizen("binh"), 7, at(7), |commit| {
        commit.heard = Some(Heard {
            at: at(7),
            window_until: Some(at(50)),
        });
    })
    .await;
    let due = claim_replies(&*store, 9, at(8)).await;
    assert_eq!(reply_texts(&due), ["an", "binh"]);
    // One that is on its way is not given to another.
    store.wake(&citizen("an")).await.expect("wake");
    assert!(claim_replies(&*store, 9, at(8)).await.is_empty());
    settle(&*store, &due[0], SENT, at(8)).await;
    settle(&*store, &due[1], SENT, at(8)).await;
    assert_eq!(send_all(&*store, at(999)).await, [""; 0]);
    assert_eq!(send_all(&*store, at(1000)).await, ["chi"]);
}

/// An operator's retry does not turn a broadcast into an answer.
pub async fn a_dead_letter_goes_back_into_its_lane(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue_in(&*store, &citizen("an"), 1, Lane::Broadcast, "broadcast").await;
    let claimed = claim_replies(&*store, 1, at(2)).await;
    let bury = SettleResult::Bury {
        reason: "gone".to_owned(),
    };
    settle(&*store, &claimed[0], bury, at(2)).await;
    let letters = store.dead_letters(None, None, 9).await.expect("list");
    assert!(store.retry_dead(letters[0].id, at(3)).await.expect("retry"));
    let again = claim_replies(&*store, 1, at(3)).await;
    assert_eq!(again[0].lane, Lane::Broadcast);
}
