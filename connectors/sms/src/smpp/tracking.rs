//! Which message of ours a delivery receipt speaks of.
//!
//! A receipt comes for each part, at once or days later, twice, before the answer that tells us the
//! part's id, or to another replica than the one that sent. What is remembered is bounded. A receipt of
//! a part that is not remembered speaks of a message of one part under that id: which it is, unless
//! more was forgotten than is kept, and then nobody knows the id and it changes nothing.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use langnghe_model::{CitizenId, Timestamp, phone};
use serde::{Deserialize, Serialize};

use super::{
    pages::{LongMessage, Page, Pages},
    receipt::{DeliveryReceipt, Outcome},
};

/// How many parts are remembered.
const PARTS: usize = 50_000;
/// How long they are.
const WAITED: Duration = Duration::from_hours(72);
/// How many receipts may wait for the answer that names them.
const PARKED: usize = 1_000;

/// A message of ours, of one part or more.
#[derive(Debug)]
struct Message {
    /// What we call it: by what its first part is looked up.
    id: String,
    /// To whom it went; not known of what another replica sent.
    citizen: Option<CitizenId>,
    /// How many parts have not arrived.
    missing: usize,
}

/// One part.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Of which message.
    message: u64,
    /// Which one of it.
    place: usize,
    arrived: bool,
}

/// A receipt, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    /// By what the part is looked up.
    pub(crate) key: String,
    pub(crate) outcome: Outcome,
    pub(crate) code: String,
    /// To whom the part went, as the receipt says.
    pub(crate) to: String,
    pub(crate) at: Timestamp,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Heard")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

impl Heard {
    /// A receipt of the part that is looked up by `key`, and went to the number `to`.
    pub(crate) fn new(key: String, receipt: DeliveryReceipt, to: &str, at: Timestamp) -> Self {
        Self {
            key,
            outcome: receipt.outcome,
            code: receipt.code,
            to: to.to_owned(),
            at,
        }
    }
}

/// News of a whole message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) id: String,
    pub(crate) citizen: CitizenId,
    /// `None` when it arrived, all of it; else the code of the first part that will not.
    pub(crate) failed: Option<String>,
}

/// What a receipt says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// All is said of this message.
    News(News),
    /// Known, but not the last word.
    Partial,
    /// No part is known under this id yet: kept for a while.
    Parked,
}

/// The parts whose receipts are waited for.
#[derive(Debug)]
pub(crate) struct Tracking {
    /// Those of which not all is said.
    messages: HashMap<u64, Message>,
    /// By what the part's id is looked up.
    parts: HashMap<String, Part>,
    /// The parts again, the oldest first.
    ages: VecDeque<(Timestamp, String, u64)>,
    parked: VecDeque<Heard>,
    /// Whether `parked` is not as it was when it was last taken.
    parked_changed: bool,
    /// How long a receipt waits for the answer that names it: no longer than an answer is waited for.
    parked_for: Duration,
    /// News that came before the answer that told what they are of.
    early: Vec<News>,
    /// Receipts that matched nothing remembered, since they were last counted.
    unmatched: usize,
    next: u64,
    /// The time, as far as it is known where messages are sent.
    now: Timestamp,
    pages: Pages,
}

impl Tracking {
    pub(crate) fn new(parked_for: Duration) -> Self {
        Self {
            messages: HashMap::new(),
            parts: HashMap::new(),
            ages: VecDeque::new(),
            parked: VecDeque::new(),
            parked_changed: false,
            parked_for,
            early: Vec::new(),
            unmatched: 0,
            next: 0,
            now: Timestamp::default(),
            pages: Pages::default(),
        }
    }

    /// Takes over what was written down; what only this memory has stays. Called when the channel is
    /// taken over, before anything is sent on it.
    pub(crate) fn take_over(&mut self, pages: Vec<Page>, parked: Vec<Heard>, now: Timestamp) {
        self.now = now;
        let ours = std::mem::replace(&mut self.pages, Pages::read(pages));
        for (id, message) in ours.messages() {
            if !self.pages.has(id) {
                self.pages.add(id, message.clone());
            }
        }
        let mut written: Vec<_> = self.pages.messages().collect();
        written.sort_unstable_by_key(|(_, message)| message.taken_at);
        let written: Vec<_> = written
            .into_iter()
            .map(|(id, message)| (id.clone(), message.clone()))
            .collect();
        for (id, message) in written {
            if !self.parts.contains_key(&id) {
                self.remember(&id, None, &message);
            }
        }
        for heard in parked {
            if !self.parked.contains(&heard) {
                self.parked.push_back(heard);
            }
        }
        self.keep_within();
    }

    /// A message was taken in these parts. What we call it is by what its first part is looked up.
    pub(crate) fn sent(&mut self, parts: Vec<String>, citizen: &CitizenId) {
        let Some(id) = parts.first().cloned() else {
            return;
        };
        let message = LongMessage {
            arrived: vec![false; parts.len()],
            parts,
            taken_at: self.now,
        };
        self.remember(&id, Some(citizen.clone()), &message);
        let parts = &message.parts;
        let known: Vec<Heard> = if self.parked.iter().any(|heard| parts.contains(&heard.key)) {
            let (known, parked) = std::mem::take(&mut self.parked)
                .into_iter()
                .partition(|heard| parts.contains(&heard.key));
            self.parked = parked;
            self.parked_changed = true;
            known.into()
        } else {
            Vec::new()
        };
        if parts.len() > 1 {
            self.pages.add(&id, message);
        }
        for heard in known {
            if let Matched::News(news) = self.receipt(heard, false) {
                self.early.push(news);
            }
        }
        self.keep_within();
    }

    fn remember(&mut self, id: &str, citizen: Option<CitizenId>, message: &LongMessage) {
        let number = self.next;
        self.next += 1;
        for (place, (key, arrived)) in message.parts.iter().zip(&message.arrived).enumerate() {
            let part = Part {
                message: number,
                place,
                arrived: *arrived,
            };
            // An id that comes again after months is the newest message's.
            self.parts.insert(key.clone(), part);
            self.ages.push_back((message.taken_at, key.clone(), number));
        }
        let message = Message {
            id: id.to_owned(),
            citizen,
            missing: message.arrived.iter().filter(|arrived| !**arrived).count(),
        };
        self.messages.insert(number, message);
    }

    /// News that came before what they are of was known.
    pub(crate) fn early(&mut self) -> Vec<News> {
        std::mem::take(&mut self.early)
    }

    /// A receipt came. `answers_come` says whether an answer that names its part can still come.
    pub(crate) fn receipt(&mut self, heard: Heard, answers_come: bool) -> Matched {
        let Some(part) = self.parts.get_mut(&heard.key) else {
            if !answers_come {
                return self.alone(heard);
            }
            if self.parked.len() >= PARKED
                && let Some(oldest) = self.parked.pop_front()
                && let Matched::News(news) = self.alone(oldest)
            {
                self.early.push(news);
            }
            self.parked.push_back(heard);
            self.parked_changed = true;
            return Matched::Parked;
        };
        let number = part.message;
        let Some(message) = self.messages.get_mut(&number) else {
            return Matched::Partial;
        };
        match heard.outcome {
            Outcome::Delivered if !part.arrived => {
                part.arrived = true;
                message.missing = message.missing.saturating_sub(1);
                if message.missing > 0 {
                    self.pages.arrived(&message.id, part.place);
                    return Matched::Partial;
                }
            }
            // What arrived does not fail any more.
            Outcome::Failed if !part.arrived => {}
            _ => return Matched::Partial,
        }
        let Some(Message { id, citizen, .. }) = self.messages.remove(&number) else {
            return Matched::Partial;
        };
        self.pages.remove(&id);
        let failed = (heard.outcome == Outcome::Failed).then_some(heard.code);
        let citizen = citizen.or_else(|| number_of(&heard.to));
        citizen.map_or(Matched::Partial, |citizen| {
            Matched::News(News {
                id,
                citizen,
                failed,
            })
        })
    }

    /// What a receipt says of a message that is not remembered.
    fn alone(&mut self, heard: Heard) -> Matched {
        self.unmatched += 1;
        let failed = match heard.outcome {
            Outcome::Delivered => None,
            Outcome::Failed => Some(heard.code),
            Outcome::Pending => return Matched::Partial,
        };
        number_of(&heard.to).map_or(Matched::Partial, |citizen| {
            Matched::News(News {
                id: heard.key,
                citizen,
                failed,
            })
        })
    }

    /// Gives up waiting for what takes too long; says how many receipts matched nothing since the last
    /// call.
    pub(crate) fn expire(&mut self, now: Timestamp) -> usize {
        self.now = now;
        while let Some(heard) = self
            .parked
            .pop_front_if(|heard| now.since(heard.at) >= self.parked_for)
        {
            self.parked_changed = true;
            if let Matched::News(news) = self.alone(heard) {
                self.early.push(news);
            }
        }
        self.pages.expire(now - WAITED);
        self.keep_within();
        std::mem::take(&mut self.unmatched)
    }

    /// The receipts that wait, if they are others than at the last call.
    pub(crate) fn take_parked(&mut self) -> Option<Vec<Heard>> {
        std::mem::take(&mut self.parked_changed).then(|| self.parked.iter().cloned().collect())
    }

    /// The receipts that wait.
    pub(crate) fn parked(&self) -> Vec<Heard> {
        self.parked.iter().cloned().collect()
    }

    /// What is written down of the long messages.
    pub(crate) fn pages(&mut self) -> &mut Pages {
        &mut self.pages
    }

    fn keep_within(&mut self) {
        while let Some((at, _, _)) = self.ages.front() {
            if self.ages.len() <= PARTS && self.now.since(*at) < WAITED {
                break;
            }
            let Some((_, key, number)) = self.ages.pop_front() else {
                break;
            };
            self.messages.remove(&number);
            if self
                .parts
                .get(&key)
                .is_some_and(|part| part.message == number)
            {
                self.parts.remove(&key);
            }
        }
    }
}

fn number_of(written: &str) -> Option<CitizenId> {
    phone::sender(written).map(|number| CitizenId::new(&number))
}

#[cfg(test)]
#[path = "tracking_tests.rs"]
mod tests;
