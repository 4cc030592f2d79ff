//! One visitor as the hub knows them: their connections, and what waits to be acknowledged.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::offer::Progress;

/// Somebody who is there, or for whom a reply waits.
#[derive(Debug, Default)]
pub(crate) struct Visitor {
    pub(crate) connections: Vec<Line>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) language: Option<String>,
    /// When they were last here; `None` when they never were.
    pub(crate) seen: Option<Instant>,
    /// They acknowledged something at another replica while they had connections here: one of those
    /// may be dead.
    pub(crate) elsewhere: bool,
}

/// Our end of a connection; dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) since: Instant,
    pub(crate) frames: mpsc::Sender<Arc<str>>,
}

/// A reply that was handed out and is not acknowledged.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) frame: Arc<str>,
    /// This replica sends it; otherwise another does, and asked us for help.
    pub(crate) ours: bool,
    /// Other replicas know of it.
    pub(crate) told: bool,
    pub(crate) progress: watch::Sender<Progress>,
}

/// Where a visitor can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Over a connection of this replica, as far as it knows.
    Here,
    /// Over a connection of this replica, but also at another replica.
    HereOrElsewhere,
    /// They were here a moment ago.
    JustLeft,
    /// Not at this replica.
    NotHere,
}

/// What an acknowledgement was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// Settled; no other replica knows of the reply.
    Here,
    /// Settled; other replicas know of the reply and are to be told.
    Everywhere,
    /// No such reply waits here.
    Unknown,
}

impl Visitor {
    /// Where they can be reached; they count as there for `grace` after their last connection.
    pub(crate) fn reach(&self, grace: Duration) -> Reach {
        if !self.connections.is_empty() {
            return if self.elsewhere {
                Reach::HereOrElsewhere
            } else {
                Reach::Here
            };
        }
        match self.seen {
            Some(seen) if seen.elapsed() <= grace => Reach::JustLeft,
            _ => Reach::NotHere,
        }
    }

    /// Nobody is there, and nothing waits for them.
    pub(crate) fn is_forgotten(&self, grace: Duration) -> bool {
        self.pending.is_empty() && self.reach(grace) == Reach::NotHere
    }

    /// The page has a reply.
    pub(crate) fn settle(&mut self, id: &str) -> Acknowledged {
        let mut settled = Acknowledged::Unknown;
        for pending in self.pending.extract_if(.., |pending| *pending.id == *id) {
            if pending.told || settled == Acknowledged::Everywhere {
                settled = Acknowledged::Everywhere;
            } else {
                settled = Acknowledged::Here;
            }
            // The sender may have given up at this moment; the page drops the repetition.
            pending.progress.send_replace(Progress::Acknowledged);
        }
        settled
    }
}
