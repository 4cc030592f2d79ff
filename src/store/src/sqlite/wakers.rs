//! Tells those who wait that there may be something for them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use langnghe_model::{BackendId, ChannelId};
use tokio::sync::Notify;

/// What came up during a transaction.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) inbox: bool,
    pub(super) timers: bool,
    pub(super) channels: BTreeSet<ChannelId>,
    pub(super) backends: BTreeSet<BackendId>,
}

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    pub(super) inbox: Notify,
    pub(super) timers: Notify,
    channels: Mutex<HashMap<ChannelId, Arc<Notify>>>,
    backends: Mutex<HashMap<BackendId, Arc<Notify>>>,
}

impl Wakers {
    /// Those who wait for replies of a channel.
    pub(super) fn channel(&self, channel: &ChannelId) -> Arc<Notify> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(channels.entry(channel.clone()).or_default())
    }

    /// Those who wait for deliveries to a backend.
    pub(super) fn backend(&self, backend: &BackendId) -> Arc<Notify> {
        let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(backends.entry(backend.clone()).or_default())
    }

    /// Wakes whom `signals` concern, and empties it.
    pub(super) fn wake(&self, signals: &mut Signals) {
        if std::mem::take(&mut signals.inbox) {
            self.inbox.notify_waiters();
        }
        if std::mem::take(&mut signals.timers) {
            self.timers.notify_waiters();
        }
        for channel in std::mem::take(&mut signals.channels) {
            self.channel(&channel).notify_waiters();
        }
        for backend in std::mem::take(&mut signals.backends) {
            self.backend(&backend).notify_waiters();
        }
    }
}
