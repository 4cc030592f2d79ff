//! Whatever is asked, in whatever order: every store gives the same answers. What is asked is drawn
//! at random from a seed, which a failure names.

mod actor;
mod operation;

use std::{collections::VecDeque, time::Duration};

use langnghe_model::Timestamp;
use langnghe_store::contract::Fixture;
use langnghe_tests::{redis::Product, seed, stores};
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
    let mut now = Timestamp::from_seconds(2_500_000_000);
    let mut knowledge = Knowledge::default();
    let mut last = VecDeque::new();
    for step in 0..STEPS {
        now = now + pause(&mut draw.random);
        let operation = draw.next(&knowledge.seen(&one, now));
        if matches!(operation, Operation::Reopen { .. }) {
            now = now + LEASE + Duration::from_secs(1);
        }
        if last.len() == 25 {
            last.pop_front();
        }
        last.push_back(format!("{now:?} {operation:?}"));
        let first = one.apply(&operation, now).await;
        let second = other.apply(&operation, now).await;
        if !agree(&operation, &first, &second) {
            let before = Vec::from(last).join("\n  ");
            panic!(
                "seed {seed}, step {step}: the answers differ\n  {before}\none:   {first}\nother: {second}"
            );
        }
        knowledge.learn(&operation, &first);
    }
}

fn agree(operation: &Operation, one: &str, other: &str) -> bool {
    // Which of two reasons is told is left open: on a cluster codes are taken before the lease is seen.
    let reason = |answer: &str| match operation {
        Operation::Commit(_) => answer.replace("CodeTaken", "LeaseLost"),
        _ => answer.to_owned(),
    };
    one == other || (one.contains("LeaseLost") && reason(one) == reason(other))
}

/// How long after the operation before: never in the same moment, at times after a lease.
fn pause(random: &mut StdRng) -> Duration {
    Duration::from_millis(match random.random_range(0..100) {
        0 => 31_000,
        1..10 => random.random_range(1_000..15_000),
        _ => random.random_range(50..400),
    })
}

/// What the answers so far allow to be asked.
#[derive(Default)]
struct Knowledge {
    tickets: Vec<(String, String)>,
    /// Of each channel, the latest epoch that claimed.
    claimed: [Option<usize>; CHANNELS.len()],
}

impl Knowledge {
    fn learn(&mut self, operation: &Operation, answer: &str) {
        match operation {
            Operation::ClaimOutbox { channel, epoch } if answer != "not owner" => {
                self.claimed[*channel] = self.claimed[*channel].max(Some(*epoch));
            }
            // A store of one process may forget which epochs claimed when that ends.
            Operation::Reopen { .. } => self.claimed = [None; CHANNELS.len()],
            Operation::Commit(turns) => {
                let words = answer.trim_matches(['[', ']']).split(", ");
                for (turn, _) in turns.iter().zip(words).filter(|(_, word)| *word == "Done") {
                    let tickets = turn.tickets.iter();
                    let tickets = tickets.map(|(id, code, _)| (id.clone(), code.clone()));
                    self.tickets.extend(tickets);
                }
            }
            _ => {}
        }
    }

    /// What may be asked, where there is one right answer: a word on something claimed counts while
    /// its lease lasts, and does not once another has claimed it; what lies between is left open. So
    /// it is with the epochs of owners.
    fn seen(&self, actor: &Actor, now: Timestamp) -> Seen {
        let newest = |channel: usize, epoch: usize| epoch + 1 == actor.epochs[channel].len();
        let fenced = |channel: usize, epoch: usize| Some(epoch) < self.claimed[channel];
        let epochs = |channel: usize| {
            let all = 0..actor.epochs[channel].len();
            all.filter(|epoch| newest(channel, *epoch) || fenced(channel, *epoch))
                .collect()
        };
        let replies = decided(&actor.replies, now, |one, other| one.0.id == other.0.id);
        let replies = replies.into_iter().filter(|number| {
            let (reply, epoch) = &actor.replies[*number].0;
            let name = reply.conversation.channel.as_str();
            let channel = CHANNELS.iter().position(|known| *known == name);
            let channel = channel.expect("one of ours");
            newest(channel, *epoch) || fenced(channel, *epoch)
        });
        Seen {
            claims: decided(&actor.claims, now, |one, other| {
                one.conversation == other.conversation
            }),
            epochs: [epochs(0), epochs(1)],
            replies: replies.collect(),
            deliveries: decided(&actor.deliveries, now, |one, other| {
                one.ticket == other.ticket
            }),
            dead: actor.dead.len(),
            tickets: self.tickets.clone(),
        }
    }
}

/// The numbers of those whose lease lasts or that were claimed again.
fn decided<T>(
    claimed: &[(T, Timestamp)],
    now: Timestamp,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<usize> {
    let all = claimed.iter().enumerate();
    let decided = all.filter(|(number, (one, at))| {
        let again = || {
            claimed[number + 1..]
                .iter()
                .any(|(other, _)| same(one, other))
        };
        now < *at + LEASE || again()
    });
    decided.map(|(number, _)| number).collect()
}

/// A new seed each time, besides those that are always the same.
fn seeds(always: u64) -> impl Iterator<Item = u64> {
    (0..always).chain([seed::draw()])
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_answers_as_sqlite_does() {
    for seed in seeds(5) {
        let other = stores::server(Product::Redis);
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_as_sqlite_does() {
    for seed in seeds(1) {
        let other = stores::cluster();
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}

#[cfg(feature = "valkey")]
#[tokio::test(flavor = "multi_thread")]
async fn valkey_answers_as_sqlite_does() {
    for seed in seeds(1) {
        let other = stores::server(Product::Valkey);
        compare(Box::new(stores::sqlite()), Box::new(other), seed).await;
    }
}
