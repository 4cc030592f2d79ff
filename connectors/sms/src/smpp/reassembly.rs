//! Parts of messages that wait for the others.
//!
//! Pure: the time comes in. Bounded in count, octets and time; what a bound pushes out is given on as
//! it is, with its gaps visible, and never dropped.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::header::{Join, JoinKind};

/// How long what was given on with gaps is remembered, so that a part that comes after all is taken
/// for the rest of it.
const REMEMBERED: Duration = Duration::from_hours(24);
/// How many of these are remembered.
const REMEMBERED_MOST: usize = 1_000;
/// Octets that a part costs beside its text.
const OVERHEAD: usize = 64;

/// What may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingLimits {
    /// How many messages.
    pub messages: usize,
    /// How many octets, over all of them.
    pub octets: usize,
    /// How long a message waits for its last part, from its first on.
    pub time: Duration,
}

impl Default for WaitingLimits {
    fn default() -> Self {
        Self {
            messages: 1_000,
            octets: 512 * 1024,
            time: Duration::from_mins(30),
        }
    }
}

/// What makes parts belong together. Not the alphabet: parts of one message can differ in it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SetKey {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) kind: JoinKind,
    pub(crate) reference: u16,
    pub(crate) total: u8,
}

impl SetKey {
    pub(crate) fn new(source: &str, destination: &str, join: Join) -> Self {
        Self {
            source: source.to_owned(),
            destination: destination.to_owned(),
            kind: join.kind,
            reference: join.reference,
            total: join.total,
        }
    }
}

/// One part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    data_coding: u8,
    octets: Vec<u8>,
}

/// The parts of one message that have come.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Set {
    key: SetKey,
    /// Names the message, whichever part completes it and however often.
    id: String,
    began: Timestamp,
    parts: BTreeMap<u8, Part>,
    /// It is to be given on, complete or not.
    due: bool,
}

impl Set {
    fn octets(&self) -> usize {
        let parts = self.parts.values();
        parts.map(|part| part.octets.len() + OVERHEAD).sum()
    }

    fn is_complete(&self) -> bool {
        self.parts.len() == usize::from(self.key.total)
    }
}

/// A message to give on. It stays where it is until [`Waiting::given_on`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) id: String,
    /// When the first of it came.
    pub(crate) began: Timestamp,
    pub(crate) source: String,
    pub(crate) destination: String,
    /// Runs of parts that follow each other; between two of them something is missing.
    pub(crate) runs: Vec<Vec<(u8, Bytes)>>,
    /// Whether something is missing before the first, and after the last.
    pub(crate) open: (bool, bool),
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// It was kept.
    Kept,
    /// It was here already.
    Again,
}

/// Where a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits for others.
    Waits,
    /// Its message is to be given on.
    Due,
    /// Nowhere: its message was given on, or it never came.
    Nowhere,
}

/// All parts that wait.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// The oldest first.
    sets: Vec<Set>,
    /// What was given on with gaps, and when.
    gone: Vec<(SetKey, Timestamp)>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Waiting")
            .field("messages", &self.sets.len())
            .finish_non_exhaustive()
    }
}

impl Waiting {
    /// Where an equal part is.
    pub(crate) fn find(&self, key: &SetKey, number: u8, octets: &[u8]) -> Place {
        let holds = |set: &&Set| {
            let part = set.parts.get(&number);
            set.key == *key && part.is_some_and(|part| part.octets == octets)
        };
        match self.sets.iter().rev().find(holds) {
            Some(set) if set.due => Place::Due,
            Some(_) => Place::Waits,
            None => Place::Nowhere,
        }
    }

    /// Takes over what another replica wrote down meanwhile.
    pub(crate) fn merge(&mut self, other: Self) {
        for set in other.sets {
            if !self.sets.iter().any(|ours| ours.id == set.id) {
                self.sets.push(set);
            }
        }
        for gone in other.gone {
            if !self.gone.contains(&gone) {
                self.gone.push(gone);
            }
        }
    }

    /// Takes a part. `id` names its message if it is the first of it.
    pub(crate) fn take(
        &mut self,
        key: SetKey,
        number: u8,
        (data_coding, octets): (u8, &[u8]),
        id: &str,
        now: Timestamp,
        limits: &WaitingLimits,
    ) -> Took {
        let part = Part {
            data_coding,
            octets: octets.to_vec(),
        };
        let open = self
            .sets
            .iter_mut()
            .rev()
            .find(|set| set.key == key && !set.due);
        if let Some(set) = open {
            match set.parts.get(&number) {
                Some(here) if *here == part => return Took::Again,
                // The phone uses the reference for another message already.
                Some(_) => set.due = true,
                None => {
                    set.parts.insert(number, part);
                    set.due = set.is_complete();
                    self.keep_within(limits);
                    return Took::Kept;
                }
            }
        }
        let late = self.gone.iter().any(|(gone, _)| *gone == key);
        self.sets.push(Set {
            key,
            id: id.to_owned(),
            began: now,
            parts: BTreeMap::from([(number, part)]),
            due: late,
        });
        self.keep_within(limits);
        Took::Kept
    }

    /// Makes the oldest ones due while there is too much.
    fn keep_within(&mut self, limits: &WaitingLimits) {
        let open = || self.sets.iter().filter(|set| !set.due);
        let (mut count, mut octets) = (open().count(), open().map(Set::octets).sum::<usize>());
        for set in self.sets.iter_mut().filter(|set| !set.due) {
            if count <= limits.messages && octets <= limits.octets {
                break;
            }
            count -= 1;
            octets = octets.saturating_sub(set.octets());
            set.due = true;
        }
    }

    /// Makes due what has waited for too long; says whether there was any.
    pub(crate) fn expire(&mut self, now: Timestamp, limits: &WaitingLimits) -> bool {
        let mut any = false;
        for set in self.sets.iter_mut().filter(|set| !set.due) {
            if now.since(set.began) >= limits.time {
                set.due = true;
                any = true;
            }
        }
        self.gone.retain(|(_, at)| now.since(*at) < REMEMBERED);
        any
    }

    /// What is to be given on now, the oldest first.
    pub(crate) fn due(&self) -> Vec<Joined> {
        self.sets.iter().filter(|set| set.due).map(joined).collect()
    }

    /// Forgets messages that were given on.
    pub(crate) fn given_on(&mut self, ids: &[String], now: Timestamp) {
        for set in self
            .sets
            .extract_if(.., |set| set.due && ids.contains(&set.id))
        {
            if !set.is_complete() && !self.gone.iter().any(|(gone, _)| *gone == set.key) {
                self.gone.push((set.key, now));
            }
        }
        let surplus = self.gone.len().saturating_sub(REMEMBERED_MOST);
        self.gone.drain(..surplus);
    }
}

fn joined(set: &Set) -> Joined {
    let mut runs: Vec<Vec<(u8, Bytes)>> = Vec::new();
    let mut last = None;
    for (number, part) in &set.parts {
        let piece = (part.data_coding, Bytes::copy_from_slice(&part.octets));
        match runs.last_mut() {
            Some(run) if last == Some(number - 1) => run.push(piece),
            _ => runs.push(vec![piece]),
        }
        last = Some(*number);
    }
    Joined {
        id: set.id.clone(),
        began: set.began,
        source: set.key.source.clone(),
        destination: set.key.destination.clone(),
        runs,
        open: (
            !set.parts.contains_key(&1),
            !set.parts.contains_key(&set.key.total),
        ),
    }
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
