//! Random operations against a model that is too simple to be wrong.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{Fixture, support::*};
use crate::{
    Accepted, Claim, Committed, Limits, OutboxReply, SessionChange, SettleResult, Store,
    TimerChange,
};

const CITIZENS: u32 = 5;
const LIMIT: usize = 6;

/// Whether a lease taken then still holds.
fn holds<T>(lease: Option<&(T, u64)>, now: u64) -> bool {
    lease.is_some_and(|(_, taken)| taken + LEASE.as_secs() > now)
}

/// What one conversation should look like.
#[derive(Default)]
struct Conversation {
    inbox: VecDeque<String>,
    session: Option<String>,
    /// Text, attempts.
    outbox: VecDeque<(String, u32)>,
    /// When the first reply may be sent; `None` while it is parked.
    due: Option<u64>,
    timer: Option<(u64, String)>,
    /// What the holder of the lease got, and when.
    claim: Option<(Claim, u64)>,
    sending: Option<(OutboxReply, u64)>,
}

struct Model {
    conversations: BTreeMap<u32, Conversation>,
    /// Whose event has this key.
    marks: HashMap<u128, u32>,
    now: u64,
    number: u128,
}

fn name(number: u32) -> langnghe_model::ConversationId {
    citizen(&format!("citizen {number}"))
}

/// Forty runs of two hundred operations, each with its own seed, which a failure names.
pub async fn random_operations_give_the_answers_of_a_simple_model(fixture: &dyn Fixture) {
    let limits = Limits {
        inbox_a_conversation: LIMIT,
        ..Limits::default()
    };
    let mut store = fixture.open(limits).await;
    let mut model = Model {
        conversations: (0..CITIZENS)
            .map(|number| (number, Conversation::default()))
            .collect(),
        marks: HashMap::new(),
        now: 0,
        number: 0,
    };
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        for step in 0..200 {
            let context = format!("seed {seed}, step {step}");
            if random.random_ratio(1, 150) {
                drop(store);
                store = fixture.open(limits).await;
                model.reopened();
            }
            model.step(&store, &mut random, &context).await;
        }
        model.check(&*store).await;
    }
}

impl Model {
    /// Leases are gone, or run out before anything else happens.
    fn reopened(&mut self) {
        self.now += 31;
        for conversation in self.conversations.values_mut() {
            conversation.claim = None;
            conversation.sending = None;
        }
    }

    async fn step(&mut self, store: &Arc<dyn Store>, random: &mut StdRng, context: &str) {
        let number = random.random_range(0..CITIZENS);
        match random.random_range(0..100) {
            0..30 => self.accept(&**store, number, random, context).await,
            30..45 => self.claim(&**store, context).await,
            45..65 => self.commit(&**store, number, random, context).await,
            65..80 => self.claim_replies(&**store, context).await,
            80..93 => self.settle(&**store, number, random, context).await,
            93..95 => {
                store.wake(&name(number)).await.expect("wake");
                self.woken(number);
            }
            95..97 => self.fire(&**store, context).await,
            97 => self.erase(&**store, number, context).await,
            _ => self.now += random.random_range(0..10),
        }
    }

    fn woken(&mut self, number: u32) {
        let conversation = self.conversation(number);
        if conversation.due.is_none() && !conversation.outbox.is_empty() {
            conversation.due = Some(0);
        }
    }

    fn conversation(&mut self, number: u32) -> &mut Conversation {
        self.conversations.get_mut(&number).expect("all exist")
    }

    async fn accept(&mut self, store: &dyn Store, number: u32, random: &mut StdRng, context: &str) {
        // One in five is a redelivery, which always is of the same conversation.
        let redelivered = random.random_ratio(1, 5) && self.number > 0;
        let known = redelivered.then(|| random.random_range(1..=self.number));
        let (key, number) = match known {
            Some(key) => (key, self.marks.get(&key).copied().unwrap_or(number)),
            None => {
                self.number += 1;
                (self.number, number)
            }
        };
        let expected = if self.marks.contains_key(&key) {
            Accepted::Duplicate
        } else if self.conversation(number).inbox.len() >= LIMIT {
            Accepted::InboxFull
        } else {
            self.marks.insert(key, number);
            self.conversation(number)
                .inbox
                .push_back(format!("event {key}"));
            Accepted::Stored
        };
        let batch = vec![event(&name(number), key)];
        let answers = store.accept(batch, at(self.now)).await.expect("accept");
        assert_eq!(answers, [expected], "{context}");
    }

    async fn claim(&mut self, store: &dyn Store, context: &str) {
        let claims = claim(store, 100, at(self.now)).await;
        let now = self.now;
        let ready = |conversation: &Conversation| {
            !holds(conversation.claim.as_ref(), now) && !conversation.inbox.is_empty()
        };
        let expected = self
            .conversations
            .values()
            .filter(|found| ready(found))
            .count();
        assert_eq!(claims.len(), expected, "{context}");
        for claim in claims {
            let (_, conversation) = self
                .conversations
                .iter_mut()
                .find(|(number, _)| name(**number) == claim.conversation)
                .expect("one of ours");
            assert!(!holds(conversation.claim.as_ref(), now), "{context}");
            assert_eq!(
                texts(&claim),
                Vec::from(conversation.inbox.clone()),
                "{context}"
            );
            assert_eq!(
                claim.session.as_deref().map(text),
                conversation.session,
                "{context}"
            );
            conversation.claim = Some((claim, now));
        }
    }

    async fn commit(&mut self, store: &dyn Store, number: u32, random: &mut StdRng, context: &str) {
        let now = self.now;
        self.number += 1;
        let unique = self.number;
        let conversation = self.conversation(number);
        let Some((claim, _)) = conversation.claim.take() else {
            return;
        };
        let mut turn = claim.done();
        let processed = random.random_range(1..=claim.events.len());
        turn.processed = claim.events[processed - 1].0;
        conversation.inbox.drain(..processed);
        match random.random_range(0..4) {
            0 => {
                turn.session = SessionChange::Delete;
                conversation.session = None;
            }
            1 => {}
            _ => {
                let session = format!("session {unique}");
                turn.session = SessionChange::Put(session.clone().into_bytes());
                conversation.session = Some(session);
            }
        }
        for part in 0..random.random_range(0..3) {
            let text = format!("reply {unique} {part}");
            turn.replies.push(reply(&text));
            if conversation.outbox.is_empty() {
                conversation.due = Some(0);
            }
            conversation.outbox.push_back((text, 0));
        }
        if random.random_ratio(1, 4) {
            let due = now + random.random_range(1..30);
            let text = format!("timer {unique}");
            let event = text.clone().into_bytes();
            turn.timers = vec![TimerChange::Set {
                name: "t".to_owned(),
                at: at(due),
                event,
            }];
            conversation.timer = Some((due, text));
        }
        let answer = commit(store, turn, at(now)).await;
        assert_eq!(answer, Committed::Done, "{context}");
        let late = commit(store, claim.done(), at(now)).await;
        assert_eq!(late, Committed::LeaseLost, "{context}");
    }

    async fn claim_replies(&mut self, store: &dyn Store, context: &str) {
        let replies = claim_replies(store, 100, at(self.now)).await;
        let now = self.now;
        let due = |conversation: &Conversation| {
            !holds(conversation.sending.as_ref(), now)
                && !conversation.outbox.is_empty()
                && conversation.due.is_some_and(|due| due <= now)
        };
        let expected = self
            .conversations
            .values()
            .filter(|found| due(found))
            .count();
        assert_eq!(replies.len(), expected, "{context}");
        for claimed in replies {
            let (_, conversation) = self
                .conversations
                .iter_mut()
                .find(|(number, _)| name(**number) == claimed.conversation)
                .expect("one of ours");
            let (text_of_first, attempts) = conversation.outbox.front().expect("something");
            assert_eq!(text(&claimed.body), *text_of_first, "{context}");
            assert_eq!(claimed.attempts, *attempts, "{context}");
            conversation.sending = Some((claimed, now));
        }
    }

    async fn settle(
        &mut self,
        store: &dyn Store,
        number: u32,
        random: &mut StdRng,
        _context: &str,
    ) {
        let now = self.now;
        let conversation = self.conversation(number);
        let Some((claimed, _)) = conversation.sending.take() else {
            return;
        };
        let result = match random.random_range(0..10) {
            0..2 => {
                let due = now + random.random_range(0..20);
                conversation.due = Some(due);
                let counts = random.random();
                conversation.outbox.front_mut().expect("something").1 += u32::from(counts);
                SettleResult::Retry {
                    at: at(due),
                    counts,
                }
            }
            2 => {
                conversation.due = None;
                SettleResult::Park
            }
            other => {
                conversation.outbox.pop_front();
                conversation.due = Some(0);
                match other {
                    3 => SettleResult::Bury {
                        reason: "model".to_owned(),
                    },
                    4 => SettleResult::Drop,
                    _ => SettleResult::Sent,
                }
            }
        };
        settle(store, &claimed, result, at(now)).await;
    }

    async fn fire(&mut self, store: &dyn Store, context: &str) {
        let now = self.now;
        let fired = store
            .fire_timers(100, at(now), std::time::Duration::ZERO)
            .await;
        let mut due: Vec<_> = self
            .conversations
            .values_mut()
            .filter(|found| found.timer.as_ref().is_some_and(|(due, _)| *due <= now))
            .collect();
        assert_eq!(fired.expect("fire"), due.len(), "{context}");
        for conversation in &mut due {
            let (_, text) = conversation.timer.take().expect("it is set");
            conversation.inbox.push_back(text);
        }
    }

    async fn erase(&mut self, store: &dyn Store, number: u32, context: &str) {
        let erased = store
            .erase(&name(number), at(self.now))
            .await
            .expect("erase");
        let gone = std::mem::take(self.conversation(number));
        assert_eq!(erased.session, gone.session.is_some(), "{context}");
        assert!(
            erased.waiting >= (gone.inbox.len() + gone.outbox.len()) as u64,
            "{context}"
        );
    }

    async fn check(&mut self, store: &dyn Store) {
        let depths = store.depths().await.expect("depths");
        let all = || self.conversations.values();
        assert_eq!(
            depths.inbox,
            all().map(|found| found.inbox.len() as u64).sum::<u64>()
        );
        assert_eq!(
            depths.sessions,
            all().filter(|found| found.session.is_some()).count() as u64
        );
        assert_eq!(
            depths.timers,
            all().filter(|found| found.timer.is_some()).count() as u64
        );
        let waiting: u64 = depths.outbox.iter().map(|(_, depth)| depth.waiting).sum();
        assert_eq!(
            waiting,
            all().map(|found| found.outbox.len() as u64).sum::<u64>()
        );
    }
}
