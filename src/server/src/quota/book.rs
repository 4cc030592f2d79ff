//! All quotas of one channel, and what was sent under them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::clock::{Clock, MonotonicClock, Reference as _};
use langnghe_connector::{Hint, QuotaRule, QuotaScope, QuotaUnit};
use langnghe_model::{ConversationId, Timestamp};
use tokio::sync::Notify;

use super::{
    hint::{Advice, Allowances, advice},
    kept::{Kept, Lanes, Of, Share},
    lane::{Covers, Wait},
    pace::Pace,
    record::{self, Now},
    state::{Allowance, QuotaState},
};

/// All quotas of one channel.
#[derive(Debug)]
pub(crate) struct Book<C: Clock + Clone = MonotonicClock> {
    clock: C,
    origin: C::Instant,
    state: Mutex<State<C>>,
    ended: Notify,
}

#[derive(Debug)]
struct State<C: Clock> {
    quotas: Vec<Kept<C>>,
    pace: Pace,
    /// The pace that the channel's lanes have.
    applied: u32,
    allowances: Allowances,
    /// How often another replica may have sent meanwhile: what was begun before counts nowhere any more
    /// but in what was presumed or recorded.
    take_overs: u64,
}

/// Longer than the time of any rule.
const BEFORE: Duration = Duration::from_hours(32 * 24);

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

/// One document of the store that records use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Page {
    quota: usize,
    share: Share,
}

/// Why the provider may not be asked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncovered {
    /// This page has to be written first.
    Page(Page),
    /// Another may have sent meanwhile: it may not go at all.
    Over,
}

/// What is to be written into a page.
#[derive(Debug)]
pub(crate) struct Draft {
    page: Page,
    pub(crate) body: Vec<u8>,
    /// By how much whose credit rises once it is written.
    grants: Vec<Of<u32>>,
    take_overs: u64,
}

/// A send under way. When it is dropped the send has ended, well or not.
#[derive(Debug)]
pub(crate) struct Ticket<C: Clock + Clone = MonotonicClock> {
    book: Arc<Book<C>>,
    recipient: u64,
    uses: Use,
    take_overs: u64,
    /// Whether the provider is or was asked.
    reserved: bool,
    /// When it began.
    pub(crate) began: Duration,
}

impl<C: Clock + Clone> Drop for Ticket<C> {
    fn drop(&mut self) {
        self.book.end(self);
    }
}

impl<C: Clock + Clone> Book<C> {
    /// Keeps these rules; nothing was sent yet.
    pub(crate) fn new(rules: Vec<QuotaRule>, clock: C) -> Arc<Self> {
        // A recipient's limits are asked first: what they spend is given back least often.
        let mut quotas: Vec<_> = rules
            .into_iter()
            .map(|rule| Kept::new(rule, clock.clone()))
            .collect();
        quotas.sort_by_key(|kept| kept.rule.scope == QuotaScope::Channel);
        Arc::new(Self {
            origin: clock.now(),
            state: Mutex::new(State {
                quotas,
                pace: Pace::default(),
                applied: 100,
                allowances: Allowances::default(),
                take_overs: 0,
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
        state.take_overs += 1;
        if let Some(percent) = pace
            && percent < state.pace.percent(now)
        {
            state.pace = Pace::taken_over(percent, now);
        }
        state.applied = state.pace.percent(now);
        let applied = state.applied;
        for kept in &mut state.quotas {
            kept.take_over(applied, &self.clock, now);
        }
    }

    /// Whether the use of some rule is recorded in the store.
    pub(crate) fn records(&self) -> bool {
        self.state().quotas.iter().any(|kept| kept.recorded)
    }

    /// The document of a page, below the channel's own.
    pub(crate) fn name(&self, page: Page) -> String {
        self.state().quotas[page.quota].name(page.share)
    }

    /// Counts what earlier owners sent by what they recorded: documents by their names. Gives back which
    /// page each of them is, where it still is one; and the names of those that cannot be read, for which as
    /// much as is allowed is presumed.
    pub(crate) fn restore(
        &self,
        documents: Vec<(String, Vec<u8>)>,
        wall: Timestamp,
    ) -> (Vec<(Page, Vec<u8>)>, Vec<String>) {
        let mut state = self.state();
        let now = Now {
            book: self.now(),
            wall,
        };
        let (mut pages, mut unreadable) = (Vec::new(), Vec::new());
        for (name, body) in documents {
            let mut quotas = state.quotas.iter_mut().enumerate();
            let known = quotas.find_map(|(quota, kept)| {
                let share = kept.recorded.then(|| kept.share_named(&name)).flatten()?;
                Some((quota, kept, share))
            });
            // Of a rule that is kept no more, or not in the store.
            let Some((quota, kept, share)) = known else {
                continue;
            };
            match record::decode(&body, now) {
                Some(records) => kept.restore(records, &self.clock, now.book),
                None => {
                    kept.presume(&self.clock, now.book);
                    unreadable.push(name);
                }
            }
            pages.push((Page { quota, share }, body));
        }
        (pages, unreadable)
    }

    /// The provider is about to be asked: every record covers it now.
    ///
    /// # Errors
    /// [`Uncovered`].
    pub(crate) fn reserve(&self, ticket: &mut Ticket<C>) -> Result<(), Uncovered> {
        let mut state = self.state();
        if ticket.take_overs != state.take_overs {
            return Err(Uncovered::Over);
        }
        if ticket.reserved {
            return Ok(());
        }
        let (recipient, uses) = (ticket.recipient, ticket.uses);
        for (quota, kept) in state.quotas.iter_mut().enumerate() {
            let count = uses.of(kept.rule.unit);
            let share = kept.share(recipient);
            let recorded = kept.recorded;
            if let Some(lane) = kept.lane(recipient)
                && recorded
                && !lane.has_credit(count)
            {
                return Err(Uncovered::Page(Page { quota, share }));
            }
        }
        for kept in &mut state.quotas {
            let count = uses.of(kept.rule.unit);
            if let Some(lane) = kept.lane(recipient) {
                lane.reserve(count);
            }
        }
        ticket.reserved = true;
        Ok(())
    }

    /// What is to be written into a page.
    pub(crate) fn draft(&self, page: Page, covers: Covers, wall: Timestamp) -> Draft {
        let mut state = self.state();
        let now = Now {
            book: self.now(),
            wall,
        };
        let take_overs = state.take_overs;
        let kept = &mut state.quotas[page.quota];
        let (records, grants) = kept.record(page.share, covers, now.book);
        Draft {
            page,
            body: record::encode(records, now),
            grants,
            take_overs,
        }
    }

    /// A draft is written.
    pub(crate) fn written(&self, draft: &Draft) {
        let mut state = self.state();
        if draft.take_overs != state.take_overs {
            return;
        }
        let kept = &mut state.quotas[draft.page.quota];
        for (recipient, more) in &draft.grants {
            if let Some(lane) = kept.lane(*recipient) {
                lane.grant(*more);
            }
        }
    }

    /// The pages that count something as sent when they are read, whenever that is.
    pub(crate) fn open(&self) -> BTreeSet<Page> {
        let state = self.state();
        let quotas = state.quotas.iter().enumerate();
        quotas
            .filter(|(_, kept)| kept.recorded)
            .flat_map(|(quota, kept)| {
                let shares = kept.open().into_iter();
                shares.map(move |share| Page { quota, share })
            })
            .collect()
    }

    /// How many messages may go within `ahead`, up to `most`, the recipients' own limits apart.
    ///
    /// # Errors
    /// [`Later`] when none may.
    pub(crate) fn room(&self, most: usize, ahead: Duration) -> Result<usize, Later> {
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
            room = lane
                .soon(room.max(1), &kept.terms, &self.clock, now, ahead)
                .map_err(|wait| later(wait, kept.rule.scope, quota))?;
        }
        Ok(usize::try_from(room).unwrap_or(most))
    }

    /// Lets a reply go, or says why not.
    ///
    /// # Errors
    /// [`Later`].
    pub(crate) fn offer(
        self: &Arc<Self>,
        to: &ConversationId,
        parts: u32,
    ) -> Result<Ticket<C>, Later> {
        let recipient = to.keyed_hash();
        let uses = Use { parts };
        let mut state = self.state();
        let now = self.now();
        state.apply_pace(&self.clock, now);
        for (quota, kept) in state.quotas.iter_mut().enumerate() {
            let count = uses.of(kept.rule.unit);
            kept.offer(recipient, count, &self.clock, now)
                .map_err(|wait| later(wait, kept.rule.scope, quota))?;
        }
        for kept in &mut state.quotas {
            let (count, terms) = (uses.of(kept.rule.unit), kept.terms);
            if let Some(lane) = kept.lane(recipient) {
                lane.begin(count, &terms, now);
            }
        }
        Ok(Ticket {
            book: Arc::clone(self),
            recipient,
            uses,
            take_overs: state.take_overs,
            reserved: false,
            began: now,
        })
    }

    fn end(&self, ticket: &Ticket<C>) {
        let mut state = self.state();
        let now = self.now();
        if ticket.take_overs == state.take_overs {
            for kept in &mut state.quotas {
                let (count, terms) = (ticket.uses.of(kept.rule.unit), kept.terms);
                match kept.lane(ticket.recipient) {
                    Some(lane) if ticket.reserved => lane.end(count, &terms, now),
                    Some(lane) => lane.cancel(count),
                    None => {}
                }
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
            kept.change_pace(percent, clock, now);
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

fn later(wait: Wait, scope: QuotaScope, quota: usize) -> Later {
    Later {
        wait: wait.time,
        or_an_end: wait.or_an_end,
        scope,
        quota,
    }
}
