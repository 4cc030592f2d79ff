//! Everything that a store answers about what it holds.

use super::*;

/// Everything that a store answers about what it holds, in the order in which it comes. Empties it.
pub(super) async fn answers(fixture: &dyn ArchiveFixture, filled: &Filled) -> Vec<String> {
    let opened = fixture.serve().await.expect("a whole store is served");
    let store = opened.as_ref();
    let end = filled.end;
    let mut told = Vec::new();
    let mut depths = store.depths().await.expect("depths");
    depths.outbox.retain(|(_, depth)| depth.waiting > 0);
    depths.deliveries.retain(|(_, depth)| depth.waiting > 0);
    depths.dead.sort_by_key(|(kind, _)| kind.name());
    depths.outbox.sort_by(|(one, _), (other, _)| one.cmp(other));
    depths
        .deliveries
        .sort_by(|(one, _), (other, _)| one.cmp(other));
    told.push(format!("{depths:?}"));
    told.push(format!(
        "{:?}",
        store.documents("").await.expect("documents")
    ));
    for number in 0..CITIZENS {
        let contact = store.contact(&person(number)).await.expect("contact");
        told.push(format!("{number}: {:?}", contact.record));
    }
    for name in BACKENDS {
        told.push(format!(
            "{:?}",
            store.disabled(&backend(name)).await.expect("asked")
        ));
    }
    let all = TicketFilter {
        limit: usize::from(u16::MAX),
        ..TicketFilter::default()
    };
    for ticket in store.tickets(all).await.expect("tickets") {
        told.push(format!(
            "{:?}",
            store.ticket(&ticket.code).await.expect("found")
        ));
    }
    let letters = store.dead_letters(None, None, usize::from(u16::MAX)).await;
    for (place, mut letter) in letters.expect("dead letters").into_iter().enumerate() {
        if place % 2 == 0 {
            let retried = store.retry_dead(letter.id, end).await;
            assert!(retried.expect("retried"));
        }
        letter.id = 0;
        told.push(format!("{letter:?}"));
    }
    redeliver(store, filled).await;
    close(opened).await;
    for step in 0..20 {
        // Opened anew each time: a store would wait for a time that only jumps here.
        let opened = fixture.serve().await.expect("served again");
        told.extend(empty(opened.as_ref(), step, end + LEASE * 3 * step).await);
        close(opened).await;
    }
    told
}

/// Every event that came before is known, and no other.
pub(super) async fn redeliver(store: &dyn Store, filled: &Filled) {
    let numbers: Vec<u128> = filled.numbers.iter().copied().collect();
    for numbers in numbers.chunks(100) {
        let events = numbers.iter().map(|number| event(&whose(*number), *number));
        let answers = store.accept(events.collect(), filled.end).await;
        let answers = answers.expect("accept");
        assert!(answers.iter().all(|answer| *answer == Accepted::Duplicate));
    }
    let new = store
        .accept(vec![event(&whose(1 << 40), 1 << 40)], filled.end)
        .await;
    assert_eq!(new.expect("accept"), [Accepted::Stored]);
}

/// Takes everything out that can be taken out now.
pub(super) async fn empty(store: &dyn Store, step: u32, now: Timestamp) -> Vec<String> {
    let mut told = Vec::new();
    let mut fired = 0;
    loop {
        let more = store.fire_timers(1000, now, WAIT).await.expect("fired");
        if more == 0 {
            break;
        }
        fired += more;
    }
    told.push(format!("{step}: {fired} timers"));
    let mut turns = Vec::new();
    loop {
        let claims = store.claim(100, LEASE, now, SIGN).await.expect("claim");
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            let (key, session, events) = (claim.conversation.key(), &claim.session, shown(&claim));
            turns.push((key, format!("{session:?} {events:?}")));
            let committed = commit(store, claim.done(), now).await;
            assert_eq!(committed, Committed::Done);
        }
    }
    told.extend(by_name(step, turns));
    for name in CHANNELS {
        let mut sent = Vec::new();
        loop {
            let replies = claim_on(store, name, now, SIGN).await;
            if replies.is_empty() {
                break;
            }
            for reply in replies {
                let (words, window, queued_at) = (
                    reply.body.escape_ascii(),
                    reply.window_until,
                    reply.queued_at,
                );
                let (lane, tries) = (reply.lane.name(), reply.attempts);
                let what = format!("{words} {lane} {tries} {window:?} {queued_at:?}");
                // Lanes are queues of their own: on a cluster they may come in turns.
                let queue = format!("{} {lane}", reply.conversation.key());
                sent.push((queue, what));
                settle(store, &reply, SettleResult::Sent, now).await;
            }
        }
        told.extend(by_name(step, sent));
    }
    for name in BACKENDS {
        let mut delivered = Vec::new();
        let backend = backend(name);
        let claimed = store.claim_deliveries(&backend, 1000, LEASE, now, WAIT);
        for delivery in claimed.await.expect("claim_deliveries") {
            let (body, personal) = (
                delivery.body.escape_ascii(),
                delivery.personal.as_deref().map(<[u8]>::to_vec),
            );
            let what = format!("{body} {personal:?} {}", delivery.attempts);
            delivered.push((delivery.code.clone(), what));
            let settlement = DeliverySettlement {
                ticket: delivery.ticket,
                token: delivery.token,
                at: now,
                result: DeliveryResult::Delivered { reference: None },
            };
            store
                .settle_deliveries(vec![settlement])
                .await
                .expect("settled");
        }
        told.extend(by_name(step, delivered));
    }
    if step == 10 {
        for number in 0..CITIZENS {
            store.wake(&person(number)).await.expect("woken");
        }
    }
    if step == 15 {
        store
            .set_disabled(&backend("gone"), None)
            .await
            .expect("set");
    }
    told
}

/// The events of a claim.
pub(super) fn shown(claim: &Claim) -> Vec<String> {
    let events = claim.events.iter();
    events
        .map(|(_, body)| body.escape_ascii().to_string())
        .collect()
}

/// What different conversations did within one step has no order among them.
pub(super) fn by_name(step: u32, mut told: Vec<(String, String)>) -> Vec<String> {
    told.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines = told.into_iter();
    lines
        .map(|(name, what)| format!("{step}: {name} {what}"))
        .collect()
}
