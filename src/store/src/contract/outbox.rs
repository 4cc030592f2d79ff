//! Replies on their way.

use std::time::{Duration, Instant};

use langnghe_model::{CitizenId, ConversationId};

use super::{Fixture, support::*};
use crate::{DeadKind, Heard, SettleResult, Store};

const SENT: SettleResult = SettleResult::Sent;

fn retry(seconds: u64, counts: bool) -> SettleResult {
    SettleResult::Retry {
        at: at(seconds),
        counts,
    }
}

/// Guarantee 5: replies in order.
pub async fn replies_come_in_order_one_at_a_time_per_conversation(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue_at(&*store, &citizen("an"), 1, at(1), &["an 1", "an 2"]).await;
    queue_at(&*store, &citizen("binh"), 2, at(2), &["binh 1"]).await;
    queue_at(&*store, &citizen("an"), 3, at(3), &["an 3"]).await;
    let first = claim_replies(&*store, 9, at(3)).await;
    assert_eq!(
        reply_texts(&first),
        ["an 1", "binh 1"],
        "the first of each, oldest first"
    );
    assert_eq!(first[0].attempts, 0);
    assert_eq!(first[0].queued_at, at(1));
    assert!(
        claim_replies(&*store, 9, at(3)).await.is_empty(),
        "one at a time"
    );
    settle(&*store, &first[0], SENT, at(3)).await;
    assert_eq!(send_all(&*store, at(3)).await, ["an 2", "an 3"]);
}

/// At most the one in flight is sent again.
pub async fn a_reply_survives_the_death_of_the_process(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2", "an 3"]).await;
    let first = claim_replies(&*store, 1, start()).await;
    settle(&*store, &first[0], SENT, start()).await;
    assert_eq!(claim_replies(&*store, 1, start()).await.len(), 1);
    drop(store);
    let store = open(fixture).await;
    assert_eq!(send_all(&*store, at(31)).await, ["an 2", "an 3"]);
}

/// A stubborn reply must not cost others anything.
pub async fn a_retry_holds_back_only_its_own_conversation(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    let first = claim_replies(&*store, 1, start()).await;
    queue_at(&*store, &citizen("binh"), 2, at(1), &["binh 1", "binh 2"]).await;
    settle(&*store, &first[0], retry(10, true), at(1)).await;
    queue_at(&*store, &citizen("an"), 3, at(2), &["an 3"]).await;
    assert_eq!(send_all(&*store, at(9)).await, ["binh 1", "binh 2"]);
    assert_eq!(send_all(&*store, at(10)).await, ["an 1", "an 2", "an 3"]);
}

/// Attempts that were not the provider's refusal do not count.
pub async fn a_retry_counts_when_it_is_told_to(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1"]).await;
    let mut attempts = Vec::new();
    for (seconds, counts) in [(0, true), (10, false), (20, true), (30, true)] {
        let claimed = claim_replies(&*store, 1, at(seconds)).await;
        attempts.push(claimed[0].attempts);
        settle(
            &*store,
            &claimed[0],
            retry(seconds + 10, counts),
            at(seconds),
        )
        .await;
    }
    assert_eq!(attempts, [0, 1, 1, 2]);
}

/// A closed window opens when the citizen writes.
pub async fn a_parked_reply_waits_until_the_citizen_is_heard_from(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    queue(&*store, &citizen("binh"), 2, &["binh 1"]).await;
    let first = claim_replies(&*store, 1, start()).await;
    settle(&*store, &first[0], SettleResult::Park, start()).await;
    assert_eq!(send_all(&*store, at(99_999)).await, ["binh 1"]);
    drop(store);
    let store = open(fixture).await;
    assert_eq!(send_all(&*store, at(99_999)).await, [""; 0]);
    turn(&*store, &citizen("an"), 3, |commit| {
        commit.replies = vec![reply("an 3")];
        commit.heard = Some(Heard {
            at: start(),
            window_until: None,
        });
    })
    .await;
    assert_eq!(send_all(&*store, start()).await, ["an 1", "an 2", "an 3"]);
}

/// The web chat's citizen opens the page again.
pub async fn waking_makes_the_parked_reply_due(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    queue(&*store, &citizen("binh"), 2, &["binh 1"]).await;
    for claimed in claim_replies(&*store, 9, start()).await {
        settle(&*store, &claimed, SettleResult::Park, start()).await;
    }
    store.wake(&citizen("an")).await.expect("wake");
    store.wake(&citizen("nobody")).await.expect("wake");
    assert_eq!(send_all(&*store, start()).await, ["an 1", "an 2"]);
    store.wake(&citizen("binh")).await.expect("wake");
    drop(store);
    let store = open(fixture).await;
    assert_eq!(
        send_all(&*store, at(31)).await,
        ["binh 1"],
        "being woken is durable"
    );
}

/// Waiting replies, in trouble or not, get the window that the citizen opened.
pub async fn what_is_heard_gives_unsent_replies_their_window(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh"]) {
        turn(&*store, &citizen(name), number, |commit| {
            commit.replies = vec![reply("one"), reply("two")];
            commit.replies[0].window_until = Some(at(5));
        })
        .await;
    }
    let first = claim_replies(&*store, 1, start()).await;
    assert_eq!(first[0].window_until, Some(at(5)));
    settle(&*store, &first[0], retry(1, true), start()).await;
    for (number, name) in (10..).zip(["an", "binh"]) {
        turn(&*store, &citizen(name), number, |commit| {
            commit.heard = Some(Heard {
                at: start(),
                window_until: Some(at(777)),
            });
        })
        .await;
    }
    let mut count = 0;
    loop {
        let replies = claim_replies(&*store, 9, at(2)).await;
        if replies.is_empty() {
            break;
        }
        for claimed in replies {
            assert_eq!(
                claimed.window_until,
                Some(at(777)),
                "{}",
                text(&claimed.body)
            );
            settle(&*store, &claimed, SENT, at(2)).await;
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

/// Given up, not lost; the rest goes on.
pub async fn a_buried_reply_is_a_dead_letter_and_the_next_goes_on(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    let first = claim_replies(&*store, 1, start()).await;
    settle(&*store, &first[0], retry(1, true), start()).await;
    let again = claim_replies(&*store, 1, at(1)).await;
    let bury = SettleResult::Bury {
        reason: "gone".to_owned(),
    };
    settle(&*store, &again[0], bury, at(2)).await;
    assert_eq!(send_all(&*store, at(2)).await, ["an 2"]);
    let letters = store
        .dead_letters(Some(DeadKind::Reply), None, 9)
        .await
        .expect("list");
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (letter.place.as_str(), letter.reason.as_str()),
        ("page", "gone")
    );
    assert_eq!((letter.at, letter.attempts), (at(2), 2));
    assert_eq!(letter.body, b"an 1");
    assert_eq!(letter.conversation, Some(citizen("an")));
}

/// A stale "typing" need not be kept.
pub async fn a_dropped_reply_leaves_no_trace(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["typing", "an 1"]).await;
    let first = claim_replies(&*store, 1, start()).await;
    settle(&*store, &first[0], SettleResult::Drop, start()).await;
    assert_eq!(send_all(&*store, start()).await, ["an 1"]);
    assert!(
        store
            .dead_letters(None, None, 9)
            .await
            .expect("list")
            .is_empty()
    );
}

/// A sender that was too slow cannot undo what another did.
pub async fn a_lost_lease_is_passed_over(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    let slow = claim_replies(&*store, 1, start()).await;
    let quick = claim_replies(&*store, 1, at(31)).await;
    assert_eq!(reply_texts(&quick), ["an 1"]);
    assert_ne!(slow[0].token, quick[0].token);
    settle(&*store, &slow[0], SENT, at(31)).await;
    assert!(
        claim_replies(&*store, 1, at(31)).await.is_empty(),
        "the quick one still has it"
    );
    settle(&*store, &quick[0], SENT, at(32)).await;
    settle(&*store, &quick[0], SettleResult::Park, at(32)).await;
    assert_eq!(send_all(&*store, at(32)).await, ["an 2"]);
}

/// Senders need not poll.
pub async fn a_claim_of_replies_wakes_for_a_new_one_and_for_a_retry(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let waiting = |store: std::sync::Arc<dyn Store>| async move {
        store
            .claim_outbox(&channel("page"), EPOCH, 1, LEASE, start(), SOON * 6)
            .await
            .expect("claim")
    };
    let sender = tokio::spawn(waiting(store.clone()));
    tokio::task::yield_now().await;
    let began = Instant::now();
    queue(&*store, &citizen("an"), 1, &["an 1"]).await;
    let first = sender.await.expect("no panic");
    assert_eq!(reply_texts(&first), ["an 1"]);
    let again = SettleResult::Retry {
        at: start() + Duration::from_millis(150),
        counts: true,
    };
    settle(&*store, &first[0], again, start()).await;
    assert_eq!(reply_texts(&waiting(store.clone()).await), ["an 1"]);
    assert!(began.elapsed() < SOON);
}

/// Each channel has a sender of its own.
pub async fn channels_do_not_see_each_others_replies(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let web = ConversationId::new(channel("web"), CitizenId::new("an"));
    queue(&*store, &citizen("an"), 1, &["on page"]).await;
    queue(&*store, &web, 2, &["on web"]).await;
    assert_eq!(send_all(&*store, start()).await, ["on page"]);
    let replies = store
        .claim_outbox(&web.channel, EPOCH, 9, LEASE, start(), Duration::ZERO)
        .await;
    let replies = replies.expect("claim");
    assert_eq!(reply_texts(&replies), ["on web"]);
    assert_eq!(replies[0].conversation, web);
}

/// Retry, park, crash and new replies in between: a conversation's order stays.
pub async fn order_holds_through_trouble_and_reopening(fixture: &dyn Fixture) {
    let mut store = open(fixture).await;
    let mut sent = Vec::new();
    let mut queued = Vec::new();
    for round in 0..12_u64 {
        let texts = [format!("{round} a"), format!("{round} b")];
        let parts: Vec<_> = texts.iter().map(String::as_str).collect();
        queue(&*store, &citizen("an"), u128::from(round) + 1, &parts).await;
        queued.extend(texts.clone());
        let now = at(round * 100);
        if let [claimed] = &claim_replies(&*store, 5, now).await[..] {
            let result = match round % 4 {
                0 => SENT,
                1 => retry(round * 100 + 50, true),
                2 => SettleResult::Park,
                _ => retry(round * 100 + 250, false),
            };
            if result == SENT {
                sent.push(text(&claimed.body));
            }
            settle(&*store, claimed, result, now).await;
        }
        if round % 3 == 0 {
            drop(store);
            store = open(fixture).await;
        }
        if round % 5 == 4 {
            store.wake(&citizen("an")).await.expect("wake");
        }
    }
    store.wake(&citizen("an")).await.expect("wake");
    sent.extend(send_all(&*store, at(100_000)).await);
    assert_eq!(sent, queued);
}

/// More than any window in memory: nothing is forgotten or overtaken.
pub async fn many_waiting_replies_keep_their_order(fixture: &dyn Fixture) {
    const CONVERSATIONS: u128 = 400;
    const REPLIES: usize = 25;
    let store = open(fixture).await;
    let name = |number: u128| citizen(&format!("citizen {number}"));
    for round in 0..2_u32 {
        let events =
            (0..CONVERSATIONS).map(|n| event(&name(n), u128::from(round) * CONVERSATIONS + n));
        store
            .accept(events.collect(), start())
            .await
            .expect("accept");
        let mut claims = claim(&*store, 1000, start()).await;
        assert_eq!(claims.len(), 400);
        claims.sort_by_key(|claim| claim.events[0].0);
        let commits = claims.iter().map(|claim| {
            let mut commit = claim.done();
            let texts =
                (0..REPLIES).map(|n| format!("{} {round} {n:02}", claim.conversation.key()));
            commit.replies = texts.map(|text| reply(&text)).collect();
            commit.heard = Some(Heard {
                at: start(),
                window_until: Some(at(u64::from(round) + 10)),
            });
            commit
        });
        store
            .commit(commits.collect(), start())
            .await
            .expect("commit");
        if round == 0 {
            // Some get into trouble meanwhile.
            for (index, claimed) in claim_replies(&*store, 40, start()).await.iter().enumerate() {
                let result = if index % 2 == 0 {
                    retry(50, true)
                } else {
                    SettleResult::Park
                };
                settle(&*store, claimed, result, start()).await;
            }
        }
    }
    let mut last: std::collections::HashMap<ConversationId, String> =
        std::collections::HashMap::new();
    let mut count = 0;
    loop {
        let replies = claim_replies(&*store, 500, at(60)).await;
        if replies.is_empty() {
            break;
        }
        let mut settlements = Vec::new();
        for claimed in &replies {
            count += 1;
            assert_eq!(claimed.window_until, Some(at(11)), "the newest window");
            let text = text(&claimed.body);
            let before = last.insert(claimed.conversation.clone(), text.clone());
            assert!(
                before.is_none_or(|before| before < text),
                "{text} was overtaken"
            );
            let (id, token) = (claimed.id, claimed.token);
            settlements.push(crate::Settlement {
                id,
                conversation: claimed.conversation.clone(),
                token,
                result: SENT,
            });
        }
        store.settle(settlements, at(60)).await.expect("settle");
    }
    assert_eq!(count, 400 * REPLIES * 2);
    assert_eq!(store.depths().await.expect("depths").outbox[0].1.waiting, 0);
}
