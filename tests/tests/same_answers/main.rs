//! Whatever is asked, in whatever order: every store gives the same answers. What is asked is drawn
//! at random from a seed, which a failure names.

mod actor;
mod operation;

use std::{collections::VecDeque, time::Duration};

use langnghe_model::Timestamp;
use langnghe_store::contract::Fixture;
use langnghe_tests::{redis::Product, stores};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    actor::Actor,
    operation::{CHANNELS, Draw, LEASE, Operation, Seen},
};

/// How many operations one seed is good for.
const STEPS: usize = 600;

/// Asks both the same until their answers differ.
async fn compare(one: Box<dyn Fixture>, other: Box<dyn Fixture>, seed: u64) {
    let (mut one, mut other) = (Actor::new(one).await, Actor::new(other).await);
    let mut draw = Draw::new(StdRng::seed_from_u64(seed));
    let mut now = Timestamp::from_seconds(1_800_000_000);
    let mut knowledge = Knowledge::default();
    let mut last = VecDeque::new();
    for step in 0..STEPS {
        let operation = draw.next(&knowledge.seen(&one));
        now = now + pause(&mut draw.random, &operation);
        if last.len() == 25 {
            last.pop_front();
        }
        last.push_back(format!("{now:?} {operation:?}"));
        let first = one.apply(&operation, now).await;
        let second = other.apply(&operation, now).await;
        if first != second {
            let before = Vec::from(last).join("\n  ");
            panic!(
                "seed {seed}, step {step}: the answers differ\n  {before}\none:   {first}\nother: {second}"
            );
        }
        knowledge.learn(&operation, &first, &one);
    }
}

/// How long after the operation before: never in the same moment, at times after a lease.
fn pause(random: &mut StdRng, operation: &Operation) -> Duration {
    let milliseconds = match operation {
        Operation::Reopen { .. } => 31_000,
        _ => match random.random_range(0..100) {
            0 => 31_000,
            1..10 => random.random_range(1_000..15_000),
            _ => random.random_range(50..400),
        },
    };
    let since = Duration::from_millis(milliseconds);
    assert!(!matches!(operation, Operation::Reopen { .. }) || since > LEASE);
    since
}

/// What the answers so far allow to be asked.
#[derive(Default)]
struct Knowledge {
    codes: Vec<String>,
    /// Of each channel, the latest epoch that claimed.
    claimed: [Option<usize>; CHANNELS.len()],
}

impl Knowledge {
    fn learn(&mut self, operation: &Operation, answer: &str, actor: &Actor) {
        match operation {
            Operation::ClaimOutbox { channel, epoch } if answer != "not owner" => {
                self.claimed[*channel] = self.claimed[*channel].max(Some(*epoch));
            }
            Operation::Commit(turns) => {
                let words = answer.trim_matches(['[', ']']).split(", ");
                for (turn, _) in turns.iter().zip(words).filter(|(_, word)| *word == "Done") {
                    let codes = turn.tickets.iter().map(|(code, _)| code.clone());
                    self.codes.extend(codes);
                }
            }
            _ => {}
        }
        debug_assert!(actor.epochs.len() == CHANNELS.len());
    }

    /// A word about a reply counts while its epoch is the latest, and does not once a later one has
    /// claimed; what lies between is left open, and so is an earlier epoch's claim.
    fn seen(&self, actor: &Actor) -> Seen {
        let decided = |channel: usize, epoch: usize| {
            epoch + 1 == actor.epochs[channel].len() || Some(epoch) < self.claimed[channel]
        };
        let replies = actor.replies.iter().enumerate();
        let replies = replies.filter(|(_, (reply, epoch))| {
            let name = reply.conversation.channel.to_string();
            let channel = CHANNELS.iter().position(|known| *known == name);
            decided(channel.expect("one of ours"), *epoch)
        });
        let epochs = |channel: usize| {
            let all = 0..actor.epochs[channel].len();
            all.filter(|epoch| decided(channel, *epoch)).collect()
        };
        Seen {
            claims: actor.claims.len(),
            epochs: [epochs(0), epochs(1)],
            replies: replies.map(|(number, _)| number).collect(),
            deliveries: actor.deliveries.len(),
            dead: actor.dead.len(),
            codes: self.codes.clone(),
        }
    }
}

/// A new seed each time, besides those that are always the same.
fn seeds(always: u64) -> impl Iterator<Item = u64> {
    (0..always).chain([rand::rng().random_range(1_000..u64::from(u32::MAX))])
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_answers_as_sqlite_does() {
    for seed in seeds(8) {
        let other = stores::server(Product::Redis);
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_as_sqlite_does() {
    for seed in seeds(3) {
        let other = stores::cluster();
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}

#[cfg(feature = "valkey")]
#[tokio::test(flavor = "multi_thread")]
async fn valkey_answers_as_sqlite_does() {
    for seed in seeds(3) {
        let other = stores::server(Product::Valkey);
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}
