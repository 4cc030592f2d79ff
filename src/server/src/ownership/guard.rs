//! Whether this replica may send on a channel right now. The ownership loop says until when; every
//! send asks, again and again until its last byte has left.

use std::{sync::Arc, time::Duration};

use langnghe_http::Permission;
use langnghe_model::ChannelId;
use langnghe_store::Epoch;
use tokio::sync::{Notify, watch};

use crate::{clock::Moment, metrics::ChannelMetrics};

/// Of a lease so much is left unused (a tenth): the store's clock may run quicker than ours, and
/// what was written last needs its time to arrive.
const MARGIN: u32 = 10;

/// One channel's right to send, as this replica knows it.
#[derive(Debug)]
pub(crate) struct Guard {
    channel: ChannelId,
    metrics: ChannelMetrics,
    clock: fn() -> Moment,
    state: watch::Sender<State>,
    /// A reign was ended so that another begins at once.
    anew: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    reign: Option<Reign>,
    /// How many reigns there were.
    count: u64,
    /// That of the last reign.
    epoch: Option<Epoch>,
}

/// The right to send, while it lasts. Once it was seen to be over it is over for good: what comes
/// after is another reign.
#[derive(Clone, Copy, Debug)]
struct Reign {
    number: u64,
    epoch: Epoch,
    until: Moment,
}

impl Reign {
    fn holds(&self, now: Moment) -> bool {
        !self.until.rest(now).is_zero()
    }
}

/// The right was over here before it was renewed, and sends were dropped: it has to begin anew, under
/// a later epoch, so that what they had claimed is free at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lapsed;

/// One reign as sends hold on to it.
#[derive(Clone, Debug)]
pub(crate) struct Tenure {
    guard: Arc<Guard>,
    number: u64,
    epoch: Epoch,
}

impl Guard {
    /// Nothing is owned yet.
    pub(crate) fn new(
        channel: ChannelId,
        metrics: ChannelMetrics,
        clock: fn() -> Moment,
    ) -> Arc<Self> {
        metrics.owned.set(0);
        Arc::new(Self {
            channel,
            metrics,
            clock,
            state: watch::Sender::default(),
            anew: Notify::new(),
        })
    }

    /// Which channel.
    pub(crate) fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// The store said, to a call that was sent at `asked`, that the channel is ours for `lease`.
    ///
    /// # Errors
    /// [`Lapsed`].
    pub(crate) fn grant(&self, epoch: Epoch, asked: Moment, lease: Duration) -> Result<(), Lapsed> {
        let now = (self.clock)();
        let until = asked.after(lease.saturating_sub(lease / MARGIN));
        let mut granted = Ok(());
        self.state.send_if_modified(|state| {
            let ended = self.end_if_over(state, now);
            if let Some(reign) = state.reign.as_mut().filter(|reign| reign.epoch == epoch) {
                // Those who wait for its end look again by themselves.
                reign.until = until;
                return false;
            }
            if state.epoch == Some(epoch) || until.rest(now).is_zero() {
                granted = Err(Lapsed);
                return ended;
            }
            self.end(state);
            state.count += 1;
            state.epoch = Some(epoch);
            state.reign = Some(Reign {
                number: state.count,
                epoch,
                until,
            });
            self.metrics.owned.set(1);
            self.metrics.moves.inc();
            tracing::info!(channel = %self.channel, epoch = epoch.0,
                "this replica sends on the channel now");
            true
        });
        granted
    }

    /// The store said that another owns the channel.
    pub(crate) fn lose(&self) {
        self.state.send_if_modified(|state| self.end(state));
    }

    /// The reign under which this replica may send now.
    pub(crate) fn tenure(self: &Arc<Self>) -> Option<Tenure> {
        let now = (self.clock)();
        self.state
            .send_if_modified(|state| self.end_if_over(state, now));
        let reign = self.state.borrow().reign?;
        Some(Tenure {
            guard: Arc::clone(self),
            number: reign.number,
            epoch: reign.epoch,
        })
    }

    /// Waits for a reign.
    pub(crate) async fn held(self: &Arc<Self>) -> Tenure {
        let mut changes = self.state.subscribe();
        loop {
            if let Some(tenure) = self.tenure() {
                return tenure;
            }
            // It cannot fail: the sender is ours.
            let _changed = changes.changed().await;
        }
    }

    /// Waits until somebody wants another reign, by [`Tenure::begin_anew`].
    pub(crate) async fn wanted_anew(&self) {
        self.anew.notified().await;
    }

    fn end_if_over(&self, state: &mut State, now: Moment) -> bool {
        state.reign.is_some_and(|reign| !reign.holds(now)) && self.end(state)
    }

    fn end(&self, state: &mut State) -> bool {
        let Some(reign) = state.reign.take() else {
            return false;
        };
        self.metrics.owned.set(0);
        tracing::info!(channel = %self.channel, epoch = reign.epoch.0,
            "this replica does not send on the channel any more");
        true
    }
}

impl Tenure {
    /// Which reign it is, for the store.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Ends the reign: the store knows a later one.
    pub(crate) fn end(&self) {
        let guard = &self.guard;
        guard.state.send_if_modified(|state| {
            let ours = state.reign.is_some_and(|reign| reign.number == self.number);
            ours && guard.end(state)
        });
    }

    /// Ends the reign for one under a later epoch, whose first claim takes away every lease of this one.
    pub(crate) fn begin_anew(&self) {
        self.end();
        self.guard.anew.notify_one();
    }

    /// Waits until it is over.
    pub(crate) async fn over(&self) {
        let mut changes = self.guard.state.subscribe();
        while self.holds() {
            let reign = *changes.borrow_and_update();
            let rest = reign.reign.map_or(Duration::ZERO, |reign| {
                reign.until.rest((self.guard.clock)())
            });
            // Either outcome means: look again.
            drop(tokio::time::timeout(rest, changes.changed()).await);
        }
    }
}

impl Permission for Tenure {
    fn holds(&self) -> bool {
        let guard = &self.guard;
        let now = (guard.clock)();
        let holds = |state: &State| {
            let ours = state.reign.filter(|reign| reign.number == self.number);
            ours.map(|reign| reign.holds(now))
        };
        let holding = holds(&guard.state.borrow());
        match holding {
            Some(true) => true,
            None => false,
            Some(false) => {
                guard
                    .state
                    .send_if_modified(|state| guard.end_if_over(state, now));
                holds(&guard.state.borrow()).unwrap_or(false)
            }
        }
    }
}
