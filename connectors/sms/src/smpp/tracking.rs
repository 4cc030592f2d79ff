//! Which message of ours a delivery receipt speaks of.
//!
//! A receipt comes for each part, at once or days later, twice, or before the answer that tells us
//! the part's id. In memory, bounded: what was forgotten makes a receipt that matches nothing, which
//! is counted and changes nothing.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use langnghe_model::CitizenId;
use tokio::time::Instant;

use super::receipt::{DeliveryReceipt, Outcome};

/// How many parts are waited for.
const PARTS: usize = 50_000;
/// How long a receipt is waited for.
const WAITED: Duration = Duration::from_hours(72);
/// How many receipts may wait for the answer that names them.
const PARKED: usize = 1_000;
/// How long they wait.
const PARKED_FOR: Duration = Duration::from_mins(5);

/// A message of ours, of one part or more.
#[derive(Debug)]
struct Message {
    /// What we call it: the id of its first part.
    id: String,
    citizen: CitizenId,
    /// How many parts have not arrived.
    missing: usize,
}

/// One part.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Of which message.
    message: u64,
    arrived: bool,
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
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    /// Those of which not all is said.
    messages: HashMap<u64, Message>,
    /// By what the part's id is looked up.
    parts: HashMap<String, Part>,
    /// The parts again, the oldest first.
    ages: VecDeque<(Instant, String, u64)>,
    parked: VecDeque<(Instant, String, DeliveryReceipt)>,
    /// News that came before the answer that told what they are of.
    early: Vec<News>,
    next: u64,
}

impl Tracking {
    /// A message was taken in these parts, looked up by `keys`.
    pub(crate) fn sent(&mut self, id: &str, citizen: &CitizenId, keys: &[String], now: Instant) {
        let number = self.next;
        self.next += 1;
        let message = Message {
            id: id.to_owned(),
            citizen: citizen.clone(),
            missing: keys.len(),
        };
        self.messages.insert(number, message);
        for key in keys {
            let part = Part {
                message: number,
                arrived: false,
            };
            // An id that comes again after months is the newest message's.
            self.parts.insert(key.clone(), part);
            self.ages.push_back((now, key.clone(), number));
        }
        let (known, parked): (Vec<_>, Vec<_>) = std::mem::take(&mut self.parked)
            .into_iter()
            .partition(|(_, key, _)| keys.contains(key));
        self.parked = parked.into();
        for (_, key, receipt) in known {
            if let Matched::News(news) = self.receipt(key, receipt, now) {
                self.early.push(news);
            }
        }
        self.keep_within(now);
    }

    /// News that came before what they are of was known. At most one for each message since the last
    /// call.
    pub(crate) fn early(&mut self) -> Vec<News> {
        std::mem::take(&mut self.early)
    }

    /// A receipt came for the part that is looked up by `key`.
    pub(crate) fn receipt(
        &mut self,
        key: String,
        receipt: DeliveryReceipt,
        now: Instant,
    ) -> Matched {
        let Some(part) = self.parts.get_mut(&key) else {
            if self.parked.len() >= PARKED {
                self.parked.pop_front();
            }
            self.parked.push_back((now, key, receipt));
            return Matched::Parked;
        };
        let number = part.message;
        match receipt.outcome {
            Outcome::Delivered if !part.arrived => {
                part.arrived = true;
                let Some(message) = self.messages.get_mut(&number) else {
                    return Matched::Partial;
                };
                message.missing = message.missing.saturating_sub(1);
                if message.missing > 0 {
                    return Matched::Partial;
                }
            }
            // What arrived does not fail any more.
            Outcome::Failed if !part.arrived => {}
            _ => return Matched::Partial,
        }
        let failed = (receipt.outcome == Outcome::Failed).then_some(receipt.code);
        match self.messages.remove(&number) {
            Some(Message { id, citizen, .. }) => Matched::News(News {
                id,
                citizen,
                failed,
            }),
            None => Matched::Partial,
        }
    }

    /// Gives up receipts that nothing matched; says how many.
    pub(crate) fn expire(&mut self, now: Instant) -> usize {
        let before = self.parked.len();
        self.parked
            .retain(|(at, _, _)| now.saturating_duration_since(*at) < PARKED_FOR);
        self.keep_within(now);
        before - self.parked.len()
    }

    fn keep_within(&mut self, now: Instant) {
        while let Some((at, _, _)) = self.ages.front() {
            if self.ages.len() <= PARTS && now.saturating_duration_since(*at) < WAITED {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(outcome: Outcome) -> DeliveryReceipt {
        DeliveryReceipt {
            id: String::new(),
            outcome,
            code: "UNDELIV 001".to_owned(),
        }
    }

    fn at(seconds: u64) -> Instant {
        static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *BEGAN.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    fn sent(tracking: &mut Tracking, keys: &[&str], now: u64) -> Vec<News> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let id = keys[0].clone();
        tracking.sent(&id, &CitizenId::new("an"), &keys, at(now));
        tracking.early()
    }

    fn told(tracking: &mut Tracking, key: &str, outcome: Outcome, now: u64) -> Matched {
        tracking.receipt(key.to_owned(), receipt(outcome), at(now))
    }

    fn news(id: &str, failed: Option<&str>) -> News {
        News {
            id: id.to_owned(),
            citizen: CitizenId::new("an"),
            failed: failed.map(str::to_owned),
        }
    }

    #[test]
    fn a_message_has_arrived_when_all_parts_have() {
        let mut tracking = Tracking::default();
        sent(&mut tracking, &["1", "2"], 0);
        assert_eq!(
            told(&mut tracking, "2", Outcome::Pending, 1),
            Matched::Partial
        );
        assert_eq!(
            told(&mut tracking, "2", Outcome::Delivered, 1),
            Matched::Partial
        );
        assert_eq!(
            told(&mut tracking, "2", Outcome::Delivered, 1),
            Matched::Partial,
            "twice"
        );
        let last = told(&mut tracking, "1", Outcome::Delivered, 2);
        assert_eq!(last, Matched::News(news("1", None)));
        assert!(tracking.messages.is_empty());
    }

    #[test]
    fn it_failed_when_any_part_did_and_that_is_said_once() {
        let mut tracking = Tracking::default();
        sent(&mut tracking, &["1", "2"], 0);
        let failed = told(&mut tracking, "1", Outcome::Failed, 1);
        assert_eq!(failed, Matched::News(news("1", Some("UNDELIV 001"))));
        assert_eq!(
            told(&mut tracking, "2", Outcome::Failed, 1),
            Matched::Partial
        );
        assert_eq!(
            told(&mut tracking, "1", Outcome::Delivered, 1),
            Matched::Partial
        );
    }

    #[test]
    fn a_receipt_may_come_before_the_answer() {
        let mut tracking = Tracking::default();
        assert_eq!(
            told(&mut tracking, "1", Outcome::Delivered, 0),
            Matched::Parked
        );
        assert_eq!(sent(&mut tracking, &["1"], 1), [news("1", None)]);
        assert_eq!(
            told(&mut tracking, "9", Outcome::Delivered, 10),
            Matched::Parked
        );
        assert_eq!(tracking.expire(at(309)), 0);
        assert_eq!(tracking.expire(at(310)), 1);
    }

    #[test]
    fn an_id_that_is_used_again_is_the_newest_messages() {
        let mut tracking = Tracking::default();
        sent(&mut tracking, &["1"], 0);
        tracking.sent("new", &CitizenId::new("an"), &["1".to_owned()], at(1));
        let matched = told(&mut tracking, "1", Outcome::Delivered, 2);
        assert_eq!(matched, Matched::News(news("new", None)));
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let mut tracking = Tracking::default();
        for number in 0..60_000 {
            sent(&mut tracking, &[&number.to_string()], 0);
            told(&mut tracking, &format!("x{number}"), Outcome::Delivered, 0);
        }
        assert_eq!(
            (tracking.parts.len(), tracking.messages.len()),
            (PARTS, PARTS)
        );
        assert_eq!(tracking.parked.len(), PARKED);
        tracking.expire(at(72 * 3600));
        assert!(tracking.parts.is_empty() && tracking.messages.is_empty());
        assert!(tracking.ages.is_empty() && tracking.parked.is_empty());
    }
}
