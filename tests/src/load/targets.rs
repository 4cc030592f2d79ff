//! What the figures are to keep, by the store that is under it.

use crate::{backing::Kind, redis::Fsync};

use super::{
    options::Measure,
    report::Target::{self, AtLeast, AtMost, None},
};

/// The lease of conversations and channels; the default of the program.
pub const LEASE_SECONDS: f64 = 10.0;

/// What the figures are to keep.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    /// Durable accepts beside a server that keeps nothing: at least so many as a part of its.
    pub accept_ratio: Target,
    /// The accept latency that 99 of a hundred keep, in milliseconds.
    pub accept_tail: Target,
    /// Messages accepted and processed in a second.
    pub processed: Target,
    /// Resident memory of an idle replica, in MiB.
    pub idle_memory: Target,
    /// Commands that replicas send for one message.
    pub commands: Target,
    /// Commands that an idle replica sends in a second.
    pub idle_commands: Target,
    /// Seconds until the work of a dead replica goes on elsewhere.
    pub takeover: Target,
}

impl Targets {
    /// Those for the store, and the number of replicas, that the options name.
    pub fn of(options: &Measure) -> Self {
        let (accept_ratio, accept_tail, processed) = match (options.store, options.fsync) {
            (Kind::Sqlite, _) => (AtLeast(0.40), AtMost(5.0), AtLeast(14_000.0)),
            (_, Fsync::Always) => (AtLeast(0.30), AtMost(6.0), AtLeast(9_000.0)),
            (_, Fsync::Everysec) => (AtLeast(0.38), None, AtLeast(11_000.0)),
            (_, Fsync::No) => (None, None, None),
        };
        Self {
            accept_ratio,
            accept_tail,
            // What one replica bears; several share the machine with each other.
            processed: if options.replicas == 1 {
                processed
            } else {
                None
            },
            idle_memory: AtMost(16.0),
            commands: AtMost(4.0),
            idle_commands: AtMost(5.0),
            takeover: AtMost(LEASE_SECONDS + 1.0),
        }
    }
}
