//! One rule of a channel and what it counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use governor::clock::Clock;
use langnghe_connector::{QuotaRule, QuotaScope};

use super::{
    lane::{Covers, Lane, Record, Terms, Wait, is_recorded},
    state::QuotaState,
};

/// The most recipients of one rule that are remembered. One more waits until one of them may be
/// forgotten: only a rule over hours can come so far.
pub(super) const MOST_RECIPIENTS: usize = 65_536;
/// Fewer are not looked through.
const FEW_RECIPIENTS: usize = 1024;
/// How long one recipient too many waits.
const CROWDED: Duration = Duration::from_secs(30);

/// One rule and what it counts.
#[derive(Debug)]
pub(super) struct Kept<C: Clock> {
    pub(super) rule: QuotaRule,
    pub(super) terms: Terms,
    pub(super) lanes: Lanes<C>,
    /// Whether what is used is recorded in the store.
    pub(super) recorded: bool,
    /// Until when another replica may have sent to a recipient of whom nothing is known.
    handover: Option<Duration>,
    /// Replies in our hands that wait for it.
    pub(super) waiting: usize,
}

#[derive(Debug)]
pub(super) enum Lanes<C: Clock> {
    Channel(Lane<C>),
    Recipients {
        lanes: BTreeMap<u64, Lane<C>>,
        /// How many there are when those at rest are looked for.
        sweep_at: usize,
    },
}

/// Something of one recipient, by the hash; of the channel's own lane, 0.
pub(super) type Of<T> = (u64, T);

/// What one document of the store records of a rule: the channel, or one share of the recipients.
pub(super) type Share = Option<u8>;

/// How many shares there are: a write for one recipient repeats what is known of so many others.
pub(super) const SHARES: u8 = 64;

/// The recipients of a share, by the first bits of their hashes.
fn within(share: u8) -> RangeInclusive<u64> {
    let width = u64::MAX / u64::from(SHARES) + 1;
    let first = u64::from(share % SHARES) * width;
    first..=first + (width - 1)
}

/// The share in which a recipient is.
fn share_of(recipient: u64) -> u8 {
    let width = u64::MAX / u64::from(SHARES) + 1;
    u8::try_from(recipient / width).expect("there are fewer shares than fit into a byte")
}

impl<C: Clock + Clone> Kept<C> {
    /// Nothing was sent yet.
    pub(super) fn new(rule: QuotaRule, clock: C) -> Self {
        let terms = Terms::new(&rule, 100);
        let lanes = match rule.scope {
            QuotaScope::Channel => Lanes::Channel(Lane::new(&terms, clock, Duration::ZERO)),
            QuotaScope::Recipient => Lanes::Recipients {
                lanes: BTreeMap::new(),
                sweep_at: FEW_RECIPIENTS,
            },
        };
        Self {
            recorded: is_recorded(&rule),
            rule,
            terms,
            lanes,
            handover: None,
            waiting: 0,
        }
    }

    /// Until `handover` another replica may have sent; of a rule whose use is recorded, the records say
    /// more.
    pub(super) fn take_over(&mut self, applied: u32, clock: &C, handover: Duration) {
        match &mut self.lanes {
            Lanes::Channel(lane) => {
                self.terms = Terms::new(&self.rule, applied);
                if self.recorded {
                    *lane = Lane::new(&self.terms, clock.clone(), handover);
                    return;
                }
                let whole = Terms::new(&self.rule, 100);
                *lane = Lane::presuming(&whole, clock.clone(), handover, handover);
                if applied < 100 {
                    lane.change(&self.terms, clock.clone(), handover);
                }
            }
            Lanes::Recipients { lanes, .. } => {
                lanes.clear();
                self.handover = (!self.recorded).then_some(handover);
            }
        }
    }

    /// An earlier owner has sent what was recorded.
    pub(super) fn restore(&mut self, records: Vec<Of<Record>>, clock: &C, now: Duration) {
        for (recipient, record) in records {
            let lane = Lane::recorded(&self.terms, clock.clone(), &record, now);
            match &mut self.lanes {
                Lanes::Channel(own) => *own = lane,
                Lanes::Recipients { lanes, .. } => drop(lanes.insert(recipient, lane)),
            }
        }
    }

    /// What was recorded cannot be read: so much may have been sent as is allowed.
    pub(super) fn presume(&mut self, clock: &C, now: Duration) {
        match &mut self.lanes {
            Lanes::Channel(lane) => {
                *lane = Lane::presuming(&self.terms, clock.clone(), now, now);
            }
            Lanes::Recipients { .. } => self.handover = Some(now),
        }
    }

    /// Gives a channel's lane another pace. A recipient's limits stay as they are.
    pub(super) fn change_pace(&mut self, percent: u32, clock: &C, now: Duration) {
        if let Lanes::Channel(lane) = &mut self.lanes {
            self.terms = Terms::new(&self.rule, percent);
            lane.change(&self.terms, clock.clone(), now);
        }
    }

    /// Whether `count` may go now to a recipient; nothing is spent.
    ///
    /// # Errors
    /// [`Wait`].
    pub(super) fn offer(
        &mut self,
        recipient: u64,
        count: u32,
        clock: &C,
        now: Duration,
    ) -> Result<(), Wait> {
        let lane = match &mut self.lanes {
            Lanes::Channel(lane) => lane,
            Lanes::Recipients { lanes, sweep_at } => {
                if lanes.len() >= *sweep_at && !lanes.contains_key(&recipient) {
                    // Those whose limits are as if nothing had been sent to them are forgotten.
                    lanes.retain(|_, lane| !lane.rests(&self.terms, now));
                    *sweep_at = (lanes.len() * 2).clamp(FEW_RECIPIENTS, MOST_RECIPIENTS);
                    if lanes.len() >= MOST_RECIPIENTS {
                        return Err(Wait {
                            time: CROWDED,
                            or_an_end: false,
                        });
                    }
                }
                lanes
                    .entry(recipient)
                    .or_insert_with(|| match self.handover {
                        Some(at) => Lane::presuming(&self.terms, clock.clone(), at, now),
                        None => Lane::new(&self.terms, clock.clone(), now),
                    })
            }
        };
        lane.offer(count, &self.terms, clock, now)
    }

    /// What counts a recipient.
    pub(super) fn lane(&mut self, recipient: u64) -> Option<&mut Lane<C>> {
        match &mut self.lanes {
            Lanes::Channel(lane) => Some(lane),
            Lanes::Recipients { lanes, .. } => lanes.get_mut(&recipient),
        }
    }

    /// In which record a recipient is.
    pub(super) fn share(&self, recipient: u64) -> Share {
        (self.rule.scope == QuotaScope::Recipient).then(|| share_of(recipient))
    }

    /// What the record of a share is called.
    pub(super) fn name(&self, share: Share) -> String {
        let rule = self.rule.name;
        share.map_or_else(|| rule.to_owned(), |share| format!("{rule}/{share}"))
    }

    /// The share whose record is called so.
    pub(super) fn share_named(&self, name: &str) -> Option<Share> {
        let rest = name.strip_prefix(self.rule.name)?;
        match self.rule.scope {
            QuotaScope::Channel => rest.is_empty().then_some(None),
            QuotaScope::Recipient => {
                let share = rest.strip_prefix('/')?.parse().ok()?;
                (share < SHARES).then_some(Some(share))
            }
        }
    }

    /// The shares whose records count something as sent when they are read, whenever that is.
    pub(super) fn open(&self) -> BTreeSet<Share> {
        match &self.lanes {
            Lanes::Channel(lane) if lane.is_open() => BTreeSet::from([None]),
            Lanes::Channel(_) => BTreeSet::new(),
            Lanes::Recipients { lanes, .. } => {
                let open = lanes.iter().filter(|(_, lane)| lane.is_open());
                open.map(|(of, _)| Some(share_of(*of))).collect()
            }
        }
    }

    /// What is to be recorded of a share, and by how much that raises the credit of whom once it is.
    pub(super) fn record(
        &mut self,
        share: Share,
        covers: Covers,
        now: Duration,
    ) -> (Vec<Of<Record>>, Vec<Of<u32>>) {
        let (mut records, mut grants) = (Vec::new(), Vec::new());
        let terms = self.terms;
        let mut add = |recipient: u64, lane: &mut Lane<C>| {
            let (record, more) = lane.record(covers, &terms, now);
            if record.ahead > 0 || !record.ended.is_empty() || record.owed > now {
                records.push((recipient, record));
            }
            if more > 0 {
                grants.push((recipient, more));
            }
        };
        match (&mut self.lanes, share) {
            (Lanes::Channel(lane), _) => add(0, lane),
            (Lanes::Recipients { lanes, .. }, Some(share)) => {
                for (recipient, lane) in lanes.range_mut(within(share)) {
                    add(*recipient, lane);
                }
            }
            (Lanes::Recipients { .. }, None) => {}
        }
        (records, grants)
    }

    /// How it stands.
    pub(super) fn show(&mut self, percent: u32, now: Duration) -> QuotaState {
        let terms = &self.terms;
        let (used, recipients) = match &mut self.lanes {
            Lanes::Channel(lane) => (lane.used(terms, now), None),
            Lanes::Recipients { lanes, .. } => {
                let used = lanes.values_mut().map(|lane| lane.used(terms, now));
                (used.max().unwrap_or(0), Some(lanes.len()))
            }
        };
        let pace = if recipients.is_some() { 100 } else { percent };
        QuotaState::new(&self.rule, used, self.waiting, recipients, pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipient_is_in_one_share() {
        for recipient in [
            0,
            1,
            u64::MAX / 3,
            u64::MAX / 64,
            u64::MAX / 64 + 1,
            u64::MAX,
        ] {
            let share = share_of(recipient);
            assert!(within(share).contains(&recipient), "{recipient}");
        }
        assert_eq!((share_of(0), share_of(u64::MAX)), (0, SHARES - 1));
        assert_eq!(*within(SHARES - 1).end(), u64::MAX);
    }
}
