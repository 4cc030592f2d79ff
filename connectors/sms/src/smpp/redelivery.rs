//! Tells a message that comes again from one that says the same once more.
//!
//! A `deliver_sm` has no id. A message centre sends it again when it did not see our answer: the link
//! was cut, we died, or answered that it should. A citizen who answers "1" to two questions sends two
//! that are equal octet by octet. What tells them apart is whether the message centre can have missed
//! our answer to the first: one that comes when it cannot have is a new one.

use std::{collections::HashMap, time::Duration};

use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

/// On the link on which it was answered, an equal one that comes so soon after the answer was on its
/// way before it.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
/// An answer that was written so long before its link ended has arrived.
const ARRIVED: Duration = Duration::from_secs(10);
/// A message centre gives up in that time.
const GIVEN_UP: Duration = Duration::from_hours(24);
/// How many are remembered. Past it the oldest are forgotten, and would be taken twice.
const MOST: usize = 2_000;

/// What of a message comes again unchanged, as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Fingerprint(pub(crate) [u8; 16]);

/// One that came, and that the message centre may send again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    id: String,
    at: Timestamp,
    /// On which link it was answered well, and when.
    #[serde(skip)]
    answered: Option<(u64, Timestamp)>,
}

/// Those that may come again. Bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redelivery {
    seen: HashMap<Fingerprint, Seen>,
}

impl Redelivery {
    /// The id of a message that comes in on `link`: that of the one that it repeats, or a new one; and
    /// whether it is new.
    pub(crate) fn meet(
        &mut self,
        fingerprint: Fingerprint,
        link: u64,
        now: Timestamp,
        new_id: impl FnOnce() -> String,
    ) -> (String, bool) {
        if let Some(seen) = self.seen.get_mut(&fingerprint) {
            let arrived = match seen.answered {
                None => false,
                Some((on, at)) => on == link && now.since(at) >= ON_ITS_WAY,
            };
            if !arrived && now.since(seen.at) < GIVEN_UP {
                return (seen.id.clone(), false);
            }
        }
        let id = new_id();
        let seen = Seen {
            id: id.clone(),
            at: now,
            answered: None,
        };
        self.seen.insert(fingerprint, seen);
        self.keep_within();
        (id, true)
    }

    /// It was answered that it is taken, on `link`.
    pub(crate) fn answered(&mut self, fingerprint: Fingerprint, link: u64, now: Timestamp) {
        if let Some(seen) = self.seen.get_mut(&fingerprint) {
            seen.answered = Some((link, now));
        }
    }

    /// `link` ended: which answers arrived is known for the older ones only.
    pub(crate) fn link_ended(&mut self, link: u64, now: Timestamp) {
        self.seen.retain(|_, seen| match seen.answered {
            Some((on, at)) if on == link => {
                seen.answered = None;
                now.since(at) < ARRIVED
            }
            _ => true,
        });
    }

    /// Forgets what cannot come again; says whether there was any.
    pub(crate) fn forget(&mut self, now: Timestamp) -> bool {
        let before = self.seen.len();
        self.seen.retain(|_, seen| match seen.answered {
            Some((_, at)) => now.since(at) < ARRIVED,
            None => now.since(seen.at) < GIVEN_UP,
        });
        self.seen.len() < before
    }

    /// Takes over what another replica wrote down meanwhile.
    pub(crate) fn merge(&mut self, other: Self) {
        for (fingerprint, seen) in other.seen {
            self.seen.entry(fingerprint).or_insert(seen);
        }
        self.keep_within();
    }

    fn keep_within(&mut self) {
        if self.seen.len() <= MOST {
            return;
        }
        // In one go, so that it is not done for each message.
        let mut ages: Vec<Timestamp> = self.seen.values().map(|seen| seen.at).collect();
        ages.sort_unstable();
        let oldest = ages[ages.len() / 4];
        self.seen.retain(|_, seen| seen.at > oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Fingerprint = Fingerprint([1; 16]);

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    /// Whether one that comes at this moment on this link is new.
    fn is_new(book: &mut Redelivery, link: u64, now: i64) -> bool {
        let id = || format!("at-{now}");
        let (id, new) = book.meet(ONE, link, at(now), id);
        assert_eq!(new, id == format!("at-{now}"));
        new
    }

    #[test]
    fn what_was_not_answered_comes_again() {
        let mut book = Redelivery::default();
        assert!(is_new(&mut book, 1, 0));
        assert!(!is_new(&mut book, 1, 20_000));
        book.link_ended(1, at(30_000));
        assert!(!is_new(&mut book, 2, 40_000));
        // It gave up.
        assert!(is_new(&mut book, 2, 86_400_000));
    }

    #[test]
    fn a_citizen_may_say_the_same_twice() {
        let mut book = Redelivery::default();
        assert!(is_new(&mut book, 1, 0));
        book.answered(ONE, 1, at(10));
        assert!(
            !is_new(&mut book, 1, 500),
            "it was on its way before the answer"
        );
        assert!(is_new(&mut book, 1, 2_000));
        assert!(!is_new(&mut book, 1, 2_500));
    }

    #[test]
    fn an_answer_that_was_lost_with_its_link_is_given_again() {
        let mut book = Redelivery::default();
        assert!(is_new(&mut book, 1, 0));
        book.answered(ONE, 1, at(10));
        book.link_ended(1, at(5_000));
        assert!(!is_new(&mut book, 2, 6_000));
        book.answered(ONE, 2, at(6_010));
        assert!(is_new(&mut book, 2, 8_000));
        // This one arrived long before the end.
        book.answered(ONE, 2, at(8_000));
        book.link_ended(2, at(60_000));
        assert!(is_new(&mut book, 3, 61_000));
    }

    #[test]
    fn after_a_crash_what_was_being_answered_is_known() {
        let mut book = Redelivery::default();
        assert!(is_new(&mut book, 1, 0));
        book.answered(ONE, 1, at(10));
        let written = rmp_serde::to_vec(&book).expect("it can be written");
        let mut book: Redelivery = rmp_serde::from_slice(&written).expect("it can be read");
        assert!(!is_new(&mut book, 1, 5_000));
    }

    #[test]
    fn it_forgets_and_stays_small() {
        let mut book = Redelivery::default();
        for number in 0..10_000_u32 {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&number.to_be_bytes());
            let fingerprint = Fingerprint(octets);
            book.meet(fingerprint, 1, at(i64::from(number)), || number.to_string());
            book.answered(fingerprint, 1, at(i64::from(number)));
            assert!(book.seen.len() <= MOST);
        }
        assert!(book.forget(at(30_000)));
        assert!(book.seen.is_empty());
    }
}
