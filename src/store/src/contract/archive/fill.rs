//! Fills a store with a little of everything.

use super::*;

/// Whose an event of this number is; a redelivery names the same.
pub(super) fn whose(number: u128) -> ConversationId {
    person(u32::try_from(number % u128::from(CITIZENS)).unwrap_or(0))
}

pub(super) fn person(number: u32) -> ConversationId {
    let name = CHANNELS[number as usize % CHANNELS.len()];
    ConversationId::new(
        channel(name),
        langnghe_model::CitizenId::new(&format!("người {number}")),
    )
}

pub(super) async fn close(store: Arc<dyn Store>) {
    store.close().await.expect("closed");
}

/// What was put into a store.
pub(super) struct Filled {
    /// The numbers of its events.
    pub(super) numbers: BTreeSet<u128>,
    /// The moment at which it ended.
    pub(super) end: Timestamp,
}

/// Fills a store with a little of everything.
pub(super) async fn fill(store: &dyn Store, seed: u64) -> Filled {
    let mut random = StdRng::seed_from_u64(seed);
    let mut seconds = 0;
    let mut numbers = BTreeSet::new();
    for turn in 0..TURNS {
        seconds += random.random_range(0..20);
        let now = at(seconds);
        for _ in 0..random.random_range(1..6) {
            let number = u128::from(random.random_range(0..1000_u32));
            let event = event(&whose(number), number);
            let answers = store.accept(vec![event], now).await.expect("accept");
            let stored = answers == [Accepted::Stored];
            assert!(!stored || numbers.insert(number));
        }
        take_turns(store, &mut random, turn, now).await;
        send_some(store, &mut random, now).await;
        deliver_some(store, &mut random, now).await;
        if random.random_bool(0.2) {
            store.fire_timers(2, now, WAIT).await.expect("fired");
        }
        if random.random_bool(0.05) {
            let person = person(random.random_range(0..CITIZENS));
            store.erase(&person, now).await.expect("erased");
        }
    }
    let off = Disabled {
        at: at(seconds),
        reason: "410 Gone".to_owned(),
    };
    let gone = backend("gone");
    store.set_disabled(&gone, Some(off)).await.expect("set");
    for name in ["flow/a/1", "flow/a/2", "flow/đ/1"] {
        store
            .keep_document(name, format!("text of {name}").as_bytes())
            .await
            .expect("kept");
    }
    for number in 1000..1003_u16 {
        let number = u128::from(number);
        let events = vec![event(&whose(number), number)];
        let answers = store.accept(events, at(seconds)).await.expect("accept");
        assert_eq!(answers, [Accepted::Stored]);
        numbers.insert(number);
    }
    Filled {
        numbers,
        end: at(seconds),
    }
}

pub(super) const WAIT: Duration = Duration::ZERO;
/// How long a store may need to hear of what it did itself a moment ago: a cluster's partitions tell it
/// by messages.
pub(super) const SIGN: Duration = Duration::from_millis(60);

pub(super) async fn take_turns(store: &dyn Store, random: &mut StdRng, turn: u32, now: Timestamp) {
    for (index, claim) in claim(store, 3, now).await.into_iter().enumerate() {
        if random.random_bool(0.15) {
            // Not every one is processed: some wait when the copy is made.
            store
                .release(&claim.conversation, claim.token, now)
                .await
                .expect("released");
            continue;
        }
        let mut done = claim.done();
        done.session = match random.random_range(0..5) {
            0 => SessionChange::Keep,
            1 => SessionChange::Delete,
            _ => SessionChange::Put(vec![random.random(); random.random_range(1..2000)]),
        };
        let window = random.random_bool(0.5).then(|| now + LEASE * 20);
        done.heard = random.random_bool(0.7).then_some(Heard {
            at: now,
            window_until: window,
        });
        for number in 0..random.random_range(0..4) {
            done.replies.push(NewReply {
                body: format!("reply {turn} {index} {number}").into_bytes(),
                window_until: window,
                lane: crate::Lane::ALL[random.random_range(0..3)],
            });
        }
        if random.random_bool(0.2) {
            done.contact = Some(format!("contact of turn {turn} {index}").into_bytes());
        }
        if random.random_bool(0.3) {
            let to = [None, Some("ioc"), Some("dvc"), Some("gone")];
            let code = format!("C{turn:04}-{index}");
            let mut made = ticket(&code, to[random.random_range(0..to.len())]);
            made.created_at = now;
            made.personal = made.personal.filter(|_| random.random_bool(0.8));
            done.tickets.push(made);
        }
        if random.random_bool(0.3) {
            let name = format!("timer {}", random.random_range(0..2));
            done.timers.push(TimerChange::Set {
                name,
                at: now + LEASE * random.random_range(0..40),
                event: format!("timer of turn {turn} {index}").into_bytes(),
            });
        }
        if random.random_bool(0.1) {
            done.set_aside.push(NewDeadLetter {
                reason: "odd".to_owned(),
                body: vec![0, 255, 7],
                reply: None,
            });
        }
        let committed = commit(store, done, now).await;
        assert_eq!(committed, Committed::Done);
    }
}

pub(super) async fn claim_on(
    store: &dyn Store,
    name: &str,
    now: Timestamp,
    wait: Duration,
) -> Vec<OutboxReply> {
    let channel = channel(name);
    let claimed = store.claim_outbox(&channel, EPOCH, 3, LEASE, now, wait);
    claimed.await.expect("claim_outbox")
}

pub(super) async fn send_some(store: &dyn Store, random: &mut StdRng, now: Timestamp) {
    let name = CHANNELS[random.random_range(0..CHANNELS.len())];
    for reply in claim_on(store, name, now, WAIT).await {
        let result = match random.random_range(0..8) {
            0..4 => SettleResult::Sent,
            4 => SettleResult::Drop,
            5 => SettleResult::Park,
            6 => SettleResult::Bury {
                reason: "gone".to_owned(),
            },
            _ => SettleResult::Retry {
                at: now + LEASE * random.random_range(0..30),
                counts: random.random(),
            },
        };
        settle(store, &reply, result, now).await;
    }
}

pub(super) async fn deliver_some(store: &dyn Store, random: &mut StdRng, now: Timestamp) {
    let name = BACKENDS[random.random_range(0..2)];
    let backend = backend(name);
    let claimed = store.claim_deliveries(&backend, 2, LEASE, now, WAIT);
    for delivery in claimed.await.expect("claim_deliveries") {
        let reason = "503".to_owned();
        let result = match random.random_range(0..4) {
            0 => DeliveryResult::Delivered { reference: None },
            1 => DeliveryResult::Delivered {
                reference: Some(format!("no. {}", delivery.code)),
            },
            2 => DeliveryResult::Bury { reason },
            _ => DeliveryResult::Retry {
                at: now + LEASE * random.random_range(0..30),
                reason,
            },
        };
        let settlement = DeliverySettlement {
            ticket: delivery.ticket,
            token: delivery.token,
            at: now,
            result,
        };
        let settled = store.settle_deliveries(vec![settlement]);
        settled.await.expect("settle_deliveries");
    }
}
