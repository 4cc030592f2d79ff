//! All quotas of one channel, and what was sent under them.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::clock::{Clock, MonotonicClock, Reference as _};
use langnghe_connector::{Hint, QuotaRule, QuotaScope, QuotaUnit};
use langnghe_model::{CitizenId, Timestamp};
use tokio::sync::Notify;

use super::{
    hint::{Advice, Allowances, advice},
    lane::{Lane, Terms, Wait},
    pace::Pace,
    state::{Allowance, QuotaState},
};

/// The most recipients of one rule that are remembered. Beyond, those that were sent to longest ago
/// are forgotten, though their window may not be over: only a rule over hours can come so far.
const MOST_RECIPIENTS: usize = 65_536;
/// Fewer are not looked through.
const FEW_RECIPIENTS: usize = 1024;

/// All quotas of one channel.
#[derive(Debug)]
pub(crate) struct Book<C: Clock + Clone = MonotonicClock> {
    clock: C,
    origin: C::Instant,
    /// Recipients are remembered by their hashes; two of the same share a limit.
    hasher: RandomState,
    state: Mutex<State<C>>,
    ended: Notify,
}

#[derive(Debug)]
struct State<C: Clock> {
    quotas: Vec<Kept<C>>,
    pace: Pace,
    /// The pace that the channel's lanes have.
    applied: u32,
    /// Until when another replica may have sent, where one may have.
    handover: Option<Duration>,
    allowances: Allowances,
}

/// Longer than the time of any rule whose use is presumed.
const BEFORE: Duration = Duration::from_hours(10 * 24);

/// One rule and what it counts.
#[derive(Debug)]
struct Kept<C: Clock> {
    rule: QuotaRule,
    terms: Terms,
    lanes: Lanes<C>,
    /// Replies in our hands that wait for it.
    waiting: usize,
}

#[derive(Debug)]
enum Lanes<C: Clock> {
    Channel(Lane<C>),
    Recipients {
        lanes: HashMap<u64, Lane<C>>,
        /// How many there are when those at rest are looked for.
        sweep_at: usize,
    },
}

/// What a reply uses of each unit.
#[derive(Clone, Copy, Debug)]
struct Use {
    parts: u32,
}

impl Use {
    fn of(self, unit: QuotaUnit) -> u32 {
        match unit {
            QuotaUnit::Messages => 1,
            QuotaUnit::Parts => self.parts.max(1),
        }
    }
}

/// Why a reply does not go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Later {
    /// For so long, at the least.
    pub(crate) wait: Duration,
    /// Whether [`Book::an_end`] may make it shorter.
    pub(crate) or_an_end: bool,
    /// Whether only this recipient waits, or everybody.
    pub(crate) scope: QuotaScope,
    quota: usize,
}

/// A send under way. When it is dropped the send has ended, well or not.
#[derive(Debug)]
pub(crate) struct Ticket<C: Clock + Clone = MonotonicClock> {
    book: Arc<Book<C>>,
    recipient: u64,
    uses: Use,
    /// When it began.
    pub(crate) began: Duration,
}

impl<C: Clock + Clone> Drop for Ticket<C> {
    fn drop(&mut self) {
        self.book.end(self.recipient, self.uses);
    }
}

impl<C: Clock + Clone> Book<C> {
    /// Keeps these rules; nothing was sent yet.
    pub(crate) fn new(rules: Vec<QuotaRule>, clock: C) -> Arc<Self> {
        let kept = |rule: QuotaRule| {
            let terms = Terms::new(&rule, 100);
            let lanes = match rule.scope {
                QuotaScope::Channel => {
                    Lanes::Channel(Lane::new(&terms, clock.clone(), Duration::ZERO))
                }
                QuotaScope::Recipient => Lanes::Recipients {
                    lanes: HashMap::new(),
                    sweep_at: FEW_RECIPIENTS,
                },
            };
            Kept {
                rule,
                terms,
                lanes,
                waiting: 0,
            }
        };
        // A recipient's limits are asked first: what they spend is given back least often.
        let mut quotas: Vec<_> = rules.into_iter().map(kept).collect();
        quotas.sort_by_key(|kept| kept.rule.scope == QuotaScope::Channel);
        Arc::new(Self {
            origin: clock.now(),
            hasher: RandomState::new(),
            state: Mutex::new(State {
                quotas,
                pace: Pace::default(),
                applied: 100,
                handover: None,
                allowances: Allowances::default(),
            }),
            ended: Notify::new(),
            clock,
        })
    }

    /// Time counts from long before the start, so that what an earlier owner is presumed to have sent
    /// has its place in it.
    fn now(&self) -> Duration {
        let running: Duration = self.clock.now().duration_since(self.origin).into();
        BEFORE + running
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether some rule counts parts.
    pub(crate) fn counts_parts(&self) -> bool {
        let state = self.state();
        let mut units = state.quotas.iter().map(|kept| kept.rule.unit);
        units.any(|unit| unit == QuotaUnit::Parts)
    }

    /// This replica sends on the channel from now on, and until now another one may have; `pace` is that
    /// other's, where it is known.
    pub(crate) fn take_over(&self, pace: Option<u32>) {
        let mut state = self.state();
        let now = self.now();
        state.handover = Some(now);
        if let Some(percent) = pace
            && percent < state.pace.percent(now)
        {
            state.pace = Pace::taken_over(percent, now);
        }
        state.applied = state.pace.percent(now);
        let applied = state.applied;
        for kept in &mut state.quotas {
            match &mut kept.lanes {
                Lanes::Channel(lane) => {
                    let whole = Terms::new(&kept.rule, 100);
                    *lane = Lane::presuming(&whole, self.clock.clone(), now, now);
                    kept.terms = Terms::new(&kept.rule, applied);
                    if applied < 100 {
                        lane.change(&kept.terms, self.clock.clone(), now);
                    }
                }
                Lanes::Recipients { lanes, .. } => lanes.clear(),
            }
        }
    }

    /// How many messages may go now, up to `most`, the recipients' own limits apart.
    ///
    /// # Errors
    /// [`Later`] when none may.
    pub(crate) fn room(&self, most: usize) -> Result<usize, Later> {
        let mut state = self.state();
        if state.quotas.is_empty() {
            return Ok(most);
        }
        let now = self.now();
        state.apply_pace(&self.clock, now);
        let mut room = u32::try_from(most).unwrap_or(u32::MAX);
        for (quota, kept) in state.quotas.iter_mut().enumerate() {
            let Lanes::Channel(lane) = &mut kept.lanes else {
                continue;
            };
            lane.offer(1, &kept.terms, &self.clock, now)
                .map_err(|wait| later(wait, kept.rule.scope, quota))?;
            room = room.min(lane.ready(room, &kept.terms, now).max(1));
        }
        Ok(usize::try_from(room).unwrap_or(most))
    }

    /// Lets a reply go, or says why not.
    ///
    /// # Errors
    /// [`Later`].
    pub(crate) fn offer(
        self: &Arc<Self>,
        recipient: &CitizenId,
        parts: u32,
    ) -> Result<Ticket<C>, Later> {
        let recipient = self.hasher.hash_one(recipient.as_str());
        let uses = Use { parts };
        let mut state = self.state();
        let now = self.now();
        state.apply_pace(&self.clock, now);
        let handover = state.handover;
        for (quota, kept) in state.quotas.iter_mut().enumerate() {
            let count = uses.of(kept.rule.unit);
            let lane = match &mut kept.lanes {
                Lanes::Channel(lane) => lane,
                Lanes::Recipients { lanes, .. } => {
                    let clock = self.clock.clone();
                    lanes.entry(recipient).or_insert_with(|| match handover {
                        Some(at) => Lane::presuming(&kept.terms, clock, at, now),
                        None => Lane::new(&kept.terms, clock, now),
                    })
                }
            };
            lane.offer(count, &kept.terms, &self.clock, now)
                .map_err(|wait| later(wait, kept.rule.scope, quota))?;
        }
        for kept in &mut state.quotas {
            let count = uses.of(kept.rule.unit);
            match &mut kept.lanes {
                Lanes::Channel(lane) => lane.begin(count, now),
                Lanes::Recipients { lanes, sweep_at } => {
                    if let Some(lane) = lanes.get_mut(&recipient) {
                        lane.begin(count, now);
                    }
                    if lanes.len() >= *sweep_at {
                        sweep(lanes, &kept.terms, now);
                        *sweep_at = (lanes.len() * 2).clamp(FEW_RECIPIENTS, MOST_RECIPIENTS);
                    }
                }
            }
        }
        Ok(Ticket {
            book: Arc::clone(self),
            recipient,
            uses,
            began: now,
        })
    }

    fn end(&self, recipient: u64, uses: Use) {
        let mut state = self.state();
        let now = self.now();
        for kept in &mut state.quotas {
            let count = uses.of(kept.rule.unit);
            let lane = match &mut kept.lanes {
                Lanes::Channel(lane) => Some(lane),
                Lanes::Recipients { lanes, .. } => lanes.get_mut(&recipient),
            };
            if let Some(lane) = lane {
                lane.end(count, &kept.terms, now);
            }
        }
        drop(state);
        self.ended.notify_one();
    }

    /// Waits until a send has ended.
    pub(crate) async fn an_end(&self) {
        self.ended.notified().await;
    }

    /// One more reply in our hands waits (`true`), or does no longer.
    pub(crate) fn count_waiting(&self, later: &Later, waits: bool) {
        let mut state = self.state();
        if let Some(kept) = state.quotas.get_mut(later.quota) {
            kept.waiting = if waits {
                kept.waiting + 1
            } else {
                kept.waiting.saturating_sub(1)
            };
        }
    }

    /// A send that began at `began` was throttled for the whole channel.
    pub(crate) fn throttled(&self, began: Duration) {
        let mut state = self.state();
        state.pace.throttled(began, self.now());
    }

    /// What the provider told beside its answer to a send that began at `began`; gives back for how
    /// long the channel is to rest, and why.
    pub(crate) fn told(
        &self,
        hints: Vec<Hint>,
        began: Duration,
        wall: Timestamp,
    ) -> Option<(Duration, String)> {
        if hints.is_empty() {
            return None;
        }
        let mut state = self.state();
        let now = self.now();
        let rate = state.slowest_rate();
        let mut rest: Option<(Duration, String)> = None;
        for hint in hints {
            match advice(&hint, rate, wall) {
                Advice::Nothing => {}
                Advice::Halve => state.pace.much_used(began, now),
                Advice::AtMost(percent) => state.pace.at_most(percent, began, now),
                Advice::Rest(time, why) => {
                    state.pace.much_used(began, now);
                    if rest.as_ref().is_none_or(|(longest, _)| *longest < time) {
                        rest = Some((time, why));
                    }
                }
            }
            state.allowances.note(hint, wall);
        }
        rest
    }

    /// The pace as a share of the limits, in percent.
    pub(crate) fn pace(&self) -> u32 {
        self.state().pace.percent(self.now())
    }

    /// How every quota stands.
    pub(crate) fn states(&self) -> Vec<QuotaState> {
        let mut state = self.state();
        let now = self.now();
        state.apply_pace(&self.clock, now);
        let percent = state.applied;
        let quotas = state.quotas.iter_mut();
        quotas.map(|kept| kept.show(percent, now)).collect()
    }

    /// What the provider told of our allowances, newest word of each.
    pub(crate) fn allowances(&self) -> Vec<Allowance> {
        self.state().allowances.show()
    }
}

impl<C: Clock + Clone> State<C> {
    /// Gives the channel's lanes the pace that holds now. A recipient's limits stay as they are.
    fn apply_pace(&mut self, clock: &C, now: Duration) {
        let percent = self.pace.percent(now);
        if percent == self.applied {
            return;
        }
        self.applied = percent;
        for kept in &mut self.quotas {
            if let Lanes::Channel(lane) = &mut kept.lanes {
                kept.terms = Terms::new(&kept.rule, percent);
                lane.change(&kept.terms, clock.clone(), now);
            }
        }
    }

    /// How many messages a second the tightest of the channel's rules allows.
    fn slowest_rate(&self) -> Option<f64> {
        let rules = self.quotas.iter().map(|kept| &kept.rule);
        rules
            .filter(|rule| rule.scope == QuotaScope::Channel)
            .map(|rule| f64::from(rule.limit) / rule.per.as_secs_f64())
            .min_by(f64::total_cmp)
    }
}

impl<C: Clock> Kept<C> {
    fn show(&mut self, percent: u32, now: Duration) -> QuotaState {
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

fn later(wait: Wait, scope: QuotaScope, quota: usize) -> Later {
    Later {
        wait: wait.time,
        or_an_end: wait.or_an_end,
        scope,
        quota,
    }
}

/// Forgets recipients whose limits are as if nothing had been sent to them.
fn sweep<C: Clock>(lanes: &mut HashMap<u64, Lane<C>>, terms: &Terms, now: Duration) {
    lanes.retain(|_, lane| !lane.rests(terms, now));
    if lanes.len() >= MOST_RECIPIENTS {
        let mut times: Vec<_> = lanes.values().map(Lane::last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        lanes.retain(|_, lane| lane.last() > median);
    }
}
