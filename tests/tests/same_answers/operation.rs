//! What is asked of both stores, drawn at random.

use std::time::Duration;

use langnghe_store::{DeadKind, DeliveryState, Lane};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};

/// How many citizens each of the channels has.
pub(crate) const CITIZENS: usize = 4;
/// The channels.
pub(crate) const CHANNELS: [&str; 2] = ["page", "web"];
/// The backends.
pub(crate) const BACKENDS: [&str; 2] = ["ioc", "post"];
/// Those who would own a channel.
pub(crate) const OWNERS: [&str; 3] = ["a", "b", "c"];
/// The names of documents.
const DOCUMENTS: [&str; 5] = ["flow/a@1", "flow/a@2", "flow/b@1", "flo%", "menu"];
/// Codes are few, so that some are taken.
const CODES: u32 = 40;

/// One operation. What earlier answers brought is named by its number in order of appearance.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Conversations and the keys of their events.
    Accept(Vec<(usize, u128)>),
    Claim,
    Commit(Vec<Turn>),
    Release {
        claim: usize,
        seconds: u64,
    },
    Own {
        owner: usize,
        channels: Vec<usize>,
    },
    Disown {
        owner: usize,
        channels: Vec<usize>,
    },
    ClaimOutbox {
        channel: usize,
        epoch: usize,
    },
    Settle(Vec<(usize, Settled)>),
    Wake(usize),
    ClaimDeliveries(usize),
    SettleDeliveries(Vec<(usize, Delivered)>),
    FireTimers,
    Ticket(String),
    Tickets {
        conversation: Option<usize>,
        delivery: Option<DeliveryState>,
        before: Option<String>,
        limit: usize,
    },
    DeadLetters {
        kind: Option<DeadKind>,
        before: Option<usize>,
        limit: usize,
    },
    DeadLetter(usize),
    RetryDead(usize),
    DropDead(usize),
    SetDisabled {
        backend: usize,
        disabled: bool,
    },
    Disabled(usize),
    Keep {
        name: &'static str,
        body: String,
    },
    Documents(&'static str),
    Contact(usize),
    Note {
        code: String,
        number: u32,
    },
    Erase(usize),
    Purge,
    Depths,
    /// Both are closed or just dropped, and opened again after all leases.
    Reopen {
        close: bool,
    },
}

/// What a worker makes of a claim.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) claim: usize,
    /// How many of the events, from the first on.
    pub(crate) processed: usize,
    pub(crate) session: Session,
    /// Texts, whether the window ends, and lanes.
    pub(crate) replies: Vec<(String, bool, Lane)>,
    /// Ids, codes, and to which backend.
    pub(crate) tickets: Vec<(String, String, Option<usize>)>,
    /// Names, and after how many seconds; none cancels.
    pub(crate) timers: Vec<(&'static str, Option<u64>)>,
    pub(crate) set_aside: bool,
    /// Whether the window ends.
    pub(crate) heard: Option<bool>,
    /// What is kept of the citizen from now on.
    pub(crate) contact: Option<String>,
    pub(crate) erase: bool,
}

/// What becomes of a session.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    Keep,
    Put(String),
    Delete,
}

/// What becomes of a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settled {
    Sent,
    Retry { seconds: u64, counts: bool },
    Park,
    Bury,
    Drop,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivered {
    Taken,
    Retry { seconds: u64 },
    Bury,
}

/// What earlier answers brought, as far as it decides what can be asked next.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Claims about which a word may be said now.
    pub(crate) claims: Vec<usize>,
    /// Of each channel, the epochs whose claims have one right answer.
    pub(crate) epochs: [Vec<usize>; 2],
    /// Likewise.
    pub(crate) replies: Vec<usize>,
    /// Likewise.
    pub(crate) deliveries: Vec<usize>,
    pub(crate) dead: usize,
    /// Ids and codes of tickets.
    pub(crate) tickets: Vec<(String, String)>,
}

/// Draws operations; the same seed draws the same ones from the same answers.
#[derive(Debug)]
pub(crate) struct Draw {
    pub(crate) random: StdRng,
    /// The last unique number.
    number: u128,
    /// Events so far, with whose they are.
    events: Vec<(usize, u128)>,
}

impl Draw {
    pub(crate) fn new(random: StdRng) -> Self {
        Self {
            random,
            number: 0,
            events: Vec::new(),
        }
    }

    fn number(&mut self) -> u128 {
        self.number += 1;
        self.number
    }

    fn conversation(&mut self) -> usize {
        self.random.random_range(0..CITIZENS * CHANNELS.len())
    }

    /// One of the newest, mostly: the older ones have had their turn.
    fn recent(&mut self, count: usize) -> Option<usize> {
        let last = count.checked_sub(1)?;
        let back = if self.random.random_ratio(1, 8) {
            60
        } else {
            6
        };
        Some(last - self.random.random_range(0..back).min(last))
    }

    /// Up to three different ones.
    fn several(&mut self, all: &[usize]) -> Vec<usize> {
        let mut found = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            if let Some(place) = self.recent(all.len())
                && !found.contains(&all[place])
            {
                found.push(all[place]);
            }
        }
        found
    }

    /// The next operation.
    pub(crate) fn next(&mut self, seen: &Seen) -> Operation {
        match self.random.random_range(0..1000) {
            0..200 => self.accept(),
            200..290 => Operation::Claim,
            290..440 => {
                let claims = self.several(&seen.claims);
                let mut turns: Vec<Turn> =
                    claims.into_iter().map(|claim| self.turn(claim)).collect();
                // Dead letters of one moment have no order among each other. And on a cluster a code is
                // taken for a moment by a commit of the same batch that then turns out to be late.
                let mut codes: Vec<String> = Vec::new();
                for (number, turn) in turns.iter_mut().enumerate() {
                    turn.set_aside &= number == 0;
                    turn.tickets.retain(|(_, code, _)| !codes.contains(code));
                    codes.extend(turn.tickets.iter().map(|(_, code, _)| code.clone()));
                }
                Operation::Commit(turns)
            }
            440..460 => match self.recent(seen.claims.len()) {
                Some(place) => Operation::Release {
                    claim: seen.claims[place],
                    seconds: self.random.random_range(0..20),
                },
                None => Operation::Claim,
            },
            460..500 => Operation::Own {
                owner: self.random.random_range(0..OWNERS.len()),
                channels: [&[0][..], &[1], &[0, 1], &[1, 0]]
                    .choose(&mut self.random)
                    .expect("some")
                    .to_vec(),
            },
            500..510 => Operation::Disown {
                owner: self.random.random_range(0..OWNERS.len()),
                channels: vec![self.random.random_range(0..CHANNELS.len())],
            },
            510..600 => self.claim_outbox(seen),
            600..720 => self.settle(seen),
            720..730 => Operation::Wake(self.conversation()),
            730..770 => Operation::ClaimDeliveries(self.random.random_range(0..BACKENDS.len())),
            770..820 => self.settle_deliveries(seen),
            820..850 => Operation::FireTimers,
            850..870 => Operation::Ticket(self.ticket(seen)),
            870..890 => self.tickets(seen),
            890..915 => Operation::DeadLetters {
                kind: [
                    None,
                    Some(DeadKind::Reply),
                    Some(DeadKind::Event),
                    Some(DeadKind::Delivery),
                ]
                .choose(&mut self.random)
                .copied()
                .flatten(),
                before: self.rarely().then(|| self.recent(seen.dead)).flatten(),
                limit: self.random.random_range(1..30),
            },
            915..920 => self.of_dead(seen, Operation::DeadLetter),
            920..930 => self.of_dead(seen, Operation::RetryDead),
            930..935 => self.of_dead(seen, Operation::DropDead),
            935..945 => Operation::SetDisabled {
                backend: self.random.random_range(0..BACKENDS.len()),
                disabled: self.rarely(),
            },
            945..950 => Operation::Disabled(self.random.random_range(0..BACKENDS.len())),
            950..955 => Operation::Keep {
                name: DOCUMENTS.choose(&mut self.random).expect("some"),
                body: format!("document {}", self.number()),
            },
            955..960 => Operation::Documents(
                ["", "flow/", "flow/a", "flo", "flo%", "none"]
                    .choose(&mut self.random)
                    .expect("some"),
            ),
            960..968 => Operation::Erase(self.conversation()),
            968..974 => Operation::Purge,
            974..985 => Operation::Depths,
            985..991 => Operation::Contact(self.conversation()),
            991..996 => Operation::Note {
                code: format!("C{}", self.random.random_range(0..CODES)),
                number: self.random.random_range(0..100),
            },
            _ => Operation::Reopen {
                close: self.random.random(),
            },
        }
    }

    fn rarely(&mut self) -> bool {
        self.random.random_ratio(1, 4)
    }

    fn accept(&mut self) -> Operation {
        let mut events = Vec::new();
        for _ in 0..self.random.random_range(1..=4) {
            // One in six is a redelivery.
            if self.random.random_ratio(1, 6)
                && let Some(event) = self.events.choose(&mut self.random)
            {
                events.push(*event);
            } else {
                let event = (self.conversation(), self.number());
                self.events.push(event);
                events.push(event);
            }
        }
        Operation::Accept(events)
    }

    fn turn(&mut self, claim: usize) -> Turn {
        let erase = self.random.random_ratio(1, 40);
        let session = match self.random.random_range(0..4) {
            0 => Session::Keep,
            1 => Session::Delete,
            _ => Session::Put(format!("session {}", self.number())),
        };
        let replies = (0..self.random.random_range(0..3))
            .map(|_| {
                let lane = Lane::ALL.choose(&mut self.random).expect("some");
                (
                    format!("reply {}", self.number()),
                    self.random.random(),
                    *lane,
                )
            })
            .collect();
        let tickets = if self.rarely() {
            (0..self.random.random_range(1..=2))
                .map(|_| {
                    let code = format!("C{}", self.random.random_range(0..CODES));
                    let to = [None, Some(0), Some(0), Some(1)].choose(&mut self.random);
                    (
                        format!("ticket {}", self.number()),
                        code,
                        to.copied().flatten(),
                    )
                })
                .collect()
        } else {
            Vec::new()
        };
        let timers = ["reminder", "expiry"]
            .into_iter()
            .filter(|_| self.random.random_ratio(1, 4))
            .collect::<Vec<_>>();
        let timers = timers
            .into_iter()
            .map(|name| {
                let seconds = self.random.random_range(0..60);
                (name, self.random.random_ratio(3, 4).then_some(seconds))
            })
            .collect();
        Turn {
            claim,
            processed: self.random.random_range(1..=6),
            session,
            replies,
            tickets,
            timers,
            set_aside: self.random.random_ratio(1, 12),
            heard: self.random.random_ratio(1, 2).then(|| self.random.random()),
            contact: self.random.random_ratio(1, 6).then(|| {
                let number = self.random.random_range(0..5);
                // An empty record is removed.
                ["", "out", "phone"]
                    .get(number)
                    .map_or_else(String::new, ToString::to_string)
            }),
            erase,
        }
    }

    fn claim_outbox(&mut self, seen: &Seen) -> Operation {
        let channel = self.random.random_range(0..CHANNELS.len());
        let epochs = &seen.epochs[channel];
        let epoch = if self.random.random_ratio(1, 10) {
            epochs.choose(&mut self.random)
        } else {
            epochs.last()
        };
        match epoch {
            Some(epoch) => Operation::ClaimOutbox {
                channel,
                epoch: *epoch,
            },
            None => Operation::Own {
                owner: 0,
                channels: vec![channel],
            },
        }
    }

    // Here and below at most one dies by one call: the order of several is left open.
    fn settle(&mut self, seen: &Seen) -> Operation {
        let replies = self.several(&seen.replies);
        let mut buried = false;
        let mut settlements = Vec::new();
        for reply in replies {
            let result = match self.random.random_range(0..12) {
                0..2 => Settled::Retry {
                    seconds: self.random.random_range(0..20),
                    counts: self.random.random(),
                },
                2 => Settled::Park,
                3 if !buried => {
                    buried = true;
                    Settled::Bury
                }
                4 => Settled::Drop,
                _ => Settled::Sent,
            };
            settlements.push((reply, result));
        }
        Operation::Settle(settlements)
    }

    fn settle_deliveries(&mut self, seen: &Seen) -> Operation {
        let deliveries = self.several(&seen.deliveries);
        let mut buried = false;
        let results = deliveries.into_iter().map(|delivery| {
            let result = match self.random.random_range(0..8) {
                0..3 => Delivered::Retry {
                    seconds: self.random.random_range(0..40),
                },
                3..5 if !buried => {
                    buried = true;
                    Delivered::Bury
                }
                _ => Delivered::Taken,
            };
            (delivery, result)
        });
        Operation::SettleDeliveries(results.collect())
    }

    /// An id or a code, of a ticket that may be there.
    fn ticket(&mut self, seen: &Seen) -> String {
        match seen.tickets.choose(&mut self.random) {
            Some((_, code)) if self.random.random() => code.clone(),
            Some((id, _)) => id.clone(),
            None => "nothing".to_owned(),
        }
    }

    fn tickets(&mut self, seen: &Seen) -> Operation {
        let before = seen.tickets.choose(&mut self.random);
        let before = before.map(|(id, _)| id.clone());
        Operation::Tickets {
            conversation: self.rarely().then(|| self.conversation()),
            delivery: [
                DeliveryState::None,
                DeliveryState::Pending,
                DeliveryState::Delivered,
                DeliveryState::Dead,
            ]
            .choose(&mut self.random)
            .copied()
            .filter(|_| self.random.random()),
            before: before.filter(|_| self.random.random()),
            limit: self.random.random_range(1..20),
        }
    }

    fn of_dead(&mut self, seen: &Seen, make: fn(usize) -> Operation) -> Operation {
        self.recent(seen.dead).map_or(
            Operation::DeadLetters {
                kind: None,
                before: None,
                limit: 30,
            },
            make,
        )
    }
}

/// How long a lease lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
