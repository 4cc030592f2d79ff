//! Whatever is asked, in whatever order: every store gives the same answers. What is asked is drawn
//! at random from a seed, which a failure names.

mod actor;
mod operation;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use langnghe_model::Timestamp;
use langnghe_store::{Limits, OpenMode, SqliteStore, Store, contract::Fixture};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    actor::Actor,
    operation::{CHANNELS, Draw, LEASE, Operation, Seen},
};

/// How many operations one seed is good for.
const STEPS: usize = 600;

struct Sqlite {
    folder: tempfile::TempDir,
}

impl Sqlite {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder for temporary files"),
        }
    }
}

#[async_trait::async_trait]
impl Fixture for Sqlite {
    async fn open(&self, limits: Limits) -> Arc<dyn Store> {
        let path = self.folder.path().join("langnghe.db");
        Arc::new(SqliteStore::open(&path, limits, OpenMode::Serve).expect("the store opens"))
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_agrees_with_itself() {
    for seed in 0..10 {
        compare(Box::new(Sqlite::new()), Box::new(Sqlite::new()), seed).await;
    }
}
