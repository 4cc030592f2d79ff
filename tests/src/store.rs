//! Which store an installation keeps its data in.

use clap::ValueEnum;

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A file, for one replica.
    Sqlite,
    /// A `redis-server` that is started for it.
    Redis,
    /// A `valkey-server` that is started for it.
    Valkey,
}

impl Kind {
    /// Whether replicas can share it.
    pub fn is_shared(self) -> bool {
        self != Self::Sqlite
    }
}
