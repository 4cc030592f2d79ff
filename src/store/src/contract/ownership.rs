//! Who may send on a channel.

use std::time::Duration;

use langnghe_model::{ChannelId, CitizenId, ConversationId, Timestamp};

use super::{Fixture, support::*};
use crate::{Epoch, OutboxReply, OwnerId, Ownership, SettleResult, Store, StoreError};

const SENT: SettleResult = SettleResult::Sent;

fn owner(name: &str) -> OwnerId {
    OwnerId(name.to_owned())
}

/// Tries to own the channel `page`.
async fn own(store: &dyn Store, name: &str, now: Timestamp) -> Ownership {
    let answers = store
        .own(&owner(name), &[channel("page")], LEASE, now)
        .await;
    let answers = answers.expect("own");
    assert_eq!(answers.len(), 1);
    answers[0]
}

/// Owns the channel `page`.
async fn reign(store: &dyn Store, name: &str, now: Timestamp) -> Epoch {
    match own(store, name, now).await {
        Ownership::Held(epoch) => epoch,
        Ownership::Elsewhere { remaining } => panic!("{name} must wait for {remaining:?}"),
    }
}

async fn disown(store: &dyn Store, name: &str, channels: &[ChannelId]) {
    store.disown(&owner(name), channels).await.expect("disown");
}

/// Claims replies of the channel `page` without waiting.
async fn claim_as(
    store: &dyn Store,
    epoch: Epoch,
    max: usize,
    now: Timestamp,
) -> Result<Vec<OutboxReply>, StoreError> {
    let page = channel("page");
    store
        .claim_outbox(&page, epoch, max, LEASE, now, Duration::ZERO)
        .await
}

/// Owns and claims all that is due.
async fn take(store: &dyn Store, name: &str, now: Timestamp) -> (Epoch, Vec<OutboxReply>) {
    let epoch = reign(store, name, now).await;
    let replies = claim_as(store, epoch, 100, now).await.expect("claim");
    (epoch, replies)
}

/// Two at once would break order and quotas.
pub async fn a_channel_has_one_owner_while_the_lease_holds(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    reign(&*store, "a", start()).await;
    for seconds in [0, 1, 29] {
        let other = own(&*store, "b", at(seconds)).await;
        assert!(
            matches!(other, Ownership::Elsewhere { .. }),
            "after {seconds} s: {other:?}"
        );
    }
}

/// The others know when to try again.
pub async fn the_others_are_told_how_long_the_lease_lasts(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    reign(&*store, "a", start()).await;
    for (seconds, remaining) in [(0, 30), (12, 18), (29, 1)] {
        let remaining = Duration::from_secs(remaining);
        assert_eq!(
            own(&*store, "b", at(seconds)).await,
            Ownership::Elsewhere { remaining }
        );
    }
}

/// A reign goes on as long as it is renewed in time, and each renewal counts from its own moment.
pub async fn a_renewal_keeps_the_epoch_and_prolongs_the_lease(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let epoch = reign(&*store, "a", start()).await;
    for seconds in [10, 20, 45] {
        assert_eq!(reign(&*store, "a", at(seconds)).await, epoch);
    }
    let remaining = Duration::from_secs(1);
    assert_eq!(
        own(&*store, "b", at(74)).await,
        Ownership::Elsewhere { remaining }
    );
}

/// A dead owner is followed by another, who can be told from it.
pub async fn another_owns_after_the_lease_under_a_later_epoch(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let first = reign(&*store, "a", start()).await;
    let second = reign(&*store, "b", at(31)).await;
    assert!(second > first);
    let late = own(&*store, "a", at(32)).await;
    assert!(matches!(late, Ownership::Elsewhere { .. }), "{late:?}");
    assert!(reign(&*store, "a", at(62)).await > second);
}

/// Who was away for longer than its lease begins anew, also where nobody else came: what it left
/// unfinished must not be held up by its own leases.
pub async fn an_owner_that_comes_back_too_late_has_a_later_epoch(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1"]).await;
    let first = reign(&*store, "a", start()).await;
    // Claimed under a lease that outlives the owner's.
    let in_flight = claim_as(&*store, first, 1, at(29)).await.expect("claim");
    assert_eq!(reply_texts(&in_flight), ["an 1"]);
    let (second, again) = take(&*store, "a", at(31)).await;
    assert!(second > first);
    assert_eq!(reply_texts(&again), ["an 1"]);
}

/// A replica that stops in order need not be waited for.
pub async fn letting_go_frees_at_once(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let first = reign(&*store, "a", start()).await;
    disown(&*store, "a", &[channel("page")]).await;
    let second = reign(&*store, "b", start()).await;
    assert!(second > first);
}

/// A late word of an earlier owner changes nothing.
pub async fn nobody_lets_go_of_what_another_owns(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let epoch = reign(&*store, "a", start()).await;
    disown(&*store, "b", &[channel("page"), channel("nowhere")]).await;
    disown(&*store, "a", &[channel("web")]).await;
    assert!(matches!(
        own(&*store, "b", start()).await,
        Ownership::Elsewhere { .. }
    ));
    assert_eq!(reign(&*store, "a", start()).await, epoch);
}

/// One call for all channels of a replica, an answer for each in their order.
pub async fn several_channels_are_owned_in_one_call(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let (page, web, oa) = (channel("page"), channel("web"), channel("oa"));
    let all = [page.clone(), web.clone(), oa.clone()];
    let one = [web.clone()];
    store
        .own(&owner("b"), &one, LEASE, start())
        .await
        .expect("own");
    let answers = store.own(&owner("a"), &all, LEASE, at(10)).await;
    let answers = answers.expect("own");
    let remaining = Duration::from_secs(20);
    assert_eq!(answers.len(), 3);
    assert!(matches!(answers[0], Ownership::Held(_)), "{answers:?}");
    assert_eq!(answers[1], Ownership::Elsewhere { remaining });
    assert!(matches!(answers[2], Ownership::Held(_)), "{answers:?}");
    disown(&*store, "a", &all).await;
    let answers = store.own(&owner("c"), &all, LEASE, at(10)).await;
    let held = |answer: &Ownership| matches!(answer, Ownership::Held(_));
    let held: Vec<bool> = answers.expect("own").iter().map(held).collect();
    assert_eq!(held, [true, false, true]);
    let none = store.own(&owner("a"), &[], LEASE, start()).await;
    assert_eq!(none.expect("own"), []);
}

/// Epochs can be compared over restarts of everything.
pub async fn epochs_grow_over_reopening(fixture: &dyn Fixture) {
    let mut store = open(fixture).await;
    let mut last = Epoch(0);
    for round in 0..3 {
        let epoch = reign(&*store, "a", at(round * 100)).await;
        assert!(epoch > last, "{epoch:?} after {last:?}");
        last = epoch;
        drop(store);
        store = open(fixture).await;
    }
}

/// An owner that was paused gets nothing more.
pub async fn claims_of_an_earlier_epoch_are_refused(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    let first = reign(&*store, "a", start()).await;
    let claimed = claim_as(&*store, first, 1, start()).await.expect("claim");
    assert_eq!(reply_texts(&claimed), ["an 1"]);
    let second = reign(&*store, "b", at(31)).await;
    let claimed = claim_as(&*store, second, 1, at(31)).await.expect("claim");
    assert_eq!(reply_texts(&claimed), ["an 1"]);
    queue_at(&*store, &citizen("binh"), 2, at(31), &["binh 1"]).await;
    for _ in 0..2 {
        let refused = claim_as(&*store, first, 9, at(31)).await;
        assert!(matches!(refused, Err(StoreError::NotOwner)), "{refused:?}");
    }
    let rest = claim_as(&*store, second, 9, at(31)).await.expect("claim");
    assert_eq!(reply_texts(&rest), ["binh 1"]);
}

/// Nor does a claim that an earlier owner left waiting.
pub async fn a_waiting_claim_of_an_earlier_epoch_gets_nothing(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let first = reign(&*store, "a", start()).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            let wait = Duration::from_millis(500);
            store
                .claim_outbox(&channel("page"), first, 9, LEASE, start(), wait)
                .await
        })
    };
    tokio::task::yield_now().await;
    let (second, none) = take(&*store, "b", at(31)).await;
    assert!(none.is_empty());
    queue(&*store, &citizen("an"), 1, &["an 1"]).await;
    match waiting.await.expect("no panic") {
        Err(StoreError::NotOwner) => {}
        Ok(replies) if replies.is_empty() => {}
        other => panic!("a paused owner got {other:?}"),
    }
    let claimed = claim_as(&*store, second, 9, at(31)).await.expect("claim");
    assert_eq!(reply_texts(&claimed), ["an 1"]);
}

/// A take-over on one channel is none on another.
pub async fn epochs_of_channels_are_apart(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    let web = ConversationId::new(channel("web"), CitizenId::new("an"));
    queue(&*store, &web, 1, &["on web"]).await;
    let both = [channel("page"), channel("web")];
    let answers = store.own(&owner("a"), &both, LEASE, start()).await;
    let Ownership::Held(first) = answers.expect("own")[1] else {
        panic!("both are free");
    };
    disown(&*store, "a", &[channel("page")]).await;
    take(&*store, "b", start()).await;
    let claimed = store
        .claim_outbox(&web.channel, first, 9, LEASE, start(), Duration::ZERO)
        .await;
    assert_eq!(reply_texts(&claimed.expect("claim")), ["on web"]);
}

/// Replies that a dead owner had in flight are not held up by its leases on them.
pub async fn what_a_dead_owner_had_in_flight_comes_back_at_once(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    for (number, name) in (1..).zip(["an", "binh", "chi"]) {
        let texts = [format!("{name} 1"), format!("{name} 2")];
        let texts = [texts[0].as_str(), &texts[1]];
        queue_at(&*store, &citizen(name), number.into(), at(number), &texts).await;
    }
    let first = reign(&*store, "a", start()).await;
    // Claimed under a lease that outlives the owner's.
    let claimed = claim_as(&*store, first, 2, at(29)).await.expect("claim");
    assert_eq!(claimed.len(), 2);
    let (second, again) = take(&*store, "b", at(31)).await;
    assert_eq!(reply_texts(&again), ["an 1", "binh 1", "chi 1"]);
    let more = claim_as(&*store, second, 9, at(31)).await.expect("claim");
    assert!(more.is_empty(), "one at a time under the new epoch too");
}

/// A dead owner's word counts no more once somebody else has the reply.
pub async fn a_late_word_of_an_earlier_owner_is_passed_over(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2"]).await;
    let (_, dead) = take(&*store, "a", start()).await;
    let (second, again) = take(&*store, "b", at(31)).await;
    assert_eq!(reply_texts(&again), ["an 1"]);
    assert_ne!(dead[0].token, again[0].token);
    for word in [SENT, SettleResult::Park, SettleResult::Drop] {
        settle(&*store, &dead[0], word, at(31)).await;
        let claimed = claim_as(&*store, second, 9, at(31)).await.expect("claim");
        assert!(claimed.is_empty(), "{:?}", reply_texts(&claimed));
    }
    settle(&*store, &again[0], SENT, at(31)).await;
    let claimed = claim_as(&*store, second, 9, at(31)).await.expect("claim");
    assert_eq!(reply_texts(&claimed), ["an 2"]);
}

/// Whether such a word still counts while nobody else has the reply is left open, but it must not
/// let a later reply out before an earlier one, nor lose one.
pub async fn a_late_word_before_the_next_claim_keeps_the_order(fixture: &dyn Fixture) {
    let store = open(fixture).await;
    queue(&*store, &citizen("an"), 1, &["an 1", "an 2", "an 3"]).await;
    queue_at(&*store, &citizen("binh"), 2, at(1), &["binh 1"]).await;
    let first = reign(&*store, "a", start()).await;
    let dead = claim_as(&*store, first, 2, at(1)).await.expect("claim");
    assert_eq!(reply_texts(&dead), ["an 1", "binh 1"]);
    let second = reign(&*store, "b", at(31)).await;
    let claimed = claim_as(&*store, second, 1, at(31)).await.expect("claim");
    settle(&*store, &claimed[0], SENT, at(31)).await;
    // The other one's is free, and nobody has it.
    let other = dead.iter().find(|reply| reply.id != claimed[0].id);
    let other = other.expect("two were claimed");
    settle(&*store, other, SENT, at(31)).await;
    let mut sent = vec![text(&claimed[0].body)];
    loop {
        let replies = claim_as(&*store, second, 9, at(31)).await.expect("claim");
        if replies.is_empty() {
            break;
        }
        for reply in &replies {
            settle(&*store, reply, SENT, at(31)).await;
        }
        sent.extend(reply_texts(&replies));
    }
    let other = text(&other.body);
    let mut expected = vec!["an 1", "an 2", "an 3", "binh 1"];
    if !sent.contains(&other) {
        expected.retain(|text| *text != other);
    }
    let (of_an, mut all): (Vec<_>, Vec<_>) = sent.iter().partition(|text| text.starts_with("an"));
    assert!(of_an.is_sorted(), "{sent:?}");
    all.extend(of_an);
    all.sort();
    assert_eq!(all, expected);
}

/// Owners come and go, some die with replies in flight: each conversation's order stays, and only
/// what was in flight is repeated.
pub async fn order_holds_over_changes_of_owner(fixture: &dyn Fixture) {
    const REPLIES: usize = 10;
    let store = open(fixture).await;
    let names = ["an", "binh", "chi"];
    for (number, name) in (1..).zip(names) {
        let texts: Vec<String> = (0..REPLIES).map(|n| format!("{name} {n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        queue(&*store, &citizen(name), number, &texts).await;
    }
    let mut seen: Vec<String> = Vec::new();
    let mut in_flight: Vec<OutboxReply> = Vec::new();
    for round in 0_u64.. {
        assert!(round < 100, "it never ends: {seen:?}");
        let now = at(round * 31);
        let name = format!("owner {round}");
        let (epoch, mut replies) = take(&*store, &name, now).await;
        for dead in &in_flight {
            settle(&*store, dead, SettleResult::Drop, now).await;
        }
        if replies.is_empty() {
            break;
        }
        for _ in 0..=round % 3 {
            seen.extend(reply_texts(&replies));
            for reply in &replies {
                settle(&*store, reply, SENT, now).await;
            }
            replies = claim_as(&*store, epoch, 9, now).await.expect("claim");
        }
        seen.extend(reply_texts(&replies));
        in_flight = replies;
        // Some let go, the others die; the next one comes when their lease is over.
        if round % 2 == 0 {
            disown(&*store, &name, &[channel("page")]).await;
        }
    }
    for name in names {
        let mut own: Vec<&String> = seen.iter().filter(|text| text.starts_with(name)).collect();
        own.dedup();
        let expected: Vec<String> = (0..REPLIES).map(|n| format!("{name} {n}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}
