//! A reply on its way to a visitor.

use std::{sync::Arc, time::Duration};

use langnghe_model::CitizenId;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{hub::Hub, presence::Reach};

/// A reply on its way; dropping it takes the reply back.
#[derive(Debug)]
pub(crate) struct Offer {
    hub: Arc<Hub>,
    citizen: CitizenId,
    number: u64,
    since: Instant,
    progress: watch::Receiver<Progress>,
}

/// How far a reply has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    /// No word of it.
    Waiting,
    /// Another replica hands it to the visitor.
    Elsewhere,
    /// The page has shown and kept it.
    Acknowledged,
}

/// Why a reply was not acknowledged in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody is there any more.
    Away,
    /// Somebody came while we waited, and may yet answer.
    Slow,
}

impl Offer {
    pub(crate) fn new(
        hub: Arc<Hub>,
        citizen: CitizenId,
        number: u64,
        progress: watch::Receiver<Progress>,
    ) -> Self {
        Self {
            hub,
            citizen,
            number,
            since: Instant::now(),
            progress,
        }
    }

    /// Where the visitor can be reached now.
    pub(crate) fn reach(&self) -> Reach {
        self.hub.reach(&self.citizen)
    }

    /// Since when it is offered.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Waits until it has come so far, at most `time`; whether it has.
    pub(crate) async fn comes_to(&mut self, progress: Progress, time: Duration) -> bool {
        let reached = self.progress.wait_for(|now| *now >= progress);
        matches!(timeout(time, reached).await, Ok(Ok(_)))
    }

    /// Waits until the page acknowledges the reply, at most `time`. Connections that had all that
    /// time and stayed silent are ended.
    pub(crate) async fn acknowledged(mut self, time: Duration) -> Result<(), Silence> {
        if self.comes_to(Progress::Acknowledged, time).await {
            return Ok(());
        }
        if self.hub.end_older(&self.citizen, self.since) {
            Err(Silence::Slow)
        } else {
            Err(Silence::Away)
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.hub.withdraw(&self.citizen, self.number);
    }
}
