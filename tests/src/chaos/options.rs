//! What a run of chaos is told.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser};

use crate::backing::Kind;

/// The command line of `cargo xtask chaos`.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
pub struct CommandLine {
    /// How long replicas, store and lines are hurt, in minutes.
    #[arg(long, default_value_t = 1.0)]
    pub minutes: f64,
    /// Everything else.
    #[command(flatten)]
    pub options: Options,
}

/// What a run of chaos is told.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How long replicas, store and lines are hurt.
    #[arg(skip = Duration::from_mins(1))]
    pub time: Duration,
    /// What decides which faults there are; drawn and printed when none is given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where everything is kept; SQLite bears one replica, and its own death is the replica's.
    #[arg(long, default_value = "redis")]
    pub store: Kind,
    /// Replicas.
    #[arg(long, default_value_t = 2)]
    pub replicas: usize,
    /// Citizens who write at the same time.
    #[arg(long, default_value_t = 12)]
    pub citizens: usize,
    /// The provider's quota: replies a second.
    #[arg(long, default_value_t = 40)]
    pub quota: u32,
    /// How many seconds a worker may hold a conversation.
    #[arg(long, default_value_t = 10)]
    pub lease: u64,
    /// An existing folder in which the timeline and the replicas' logs are put.
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
}

impl Options {
    /// So short that every build can bear it, with every kind of fault in it.
    pub fn short(store: Kind, seed: u64) -> Self {
        Self {
            time: Duration::from_secs(20),
            seed: Some(seed),
            store,
            replicas: if store.is_shared() { 2 } else { 1 },
            citizens: 12,
            quota: 40,
            lease: 2,
            keep: None,
        }
    }
}
