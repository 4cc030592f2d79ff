//! What the load tool is told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{backing::Kind, redis::Fsync};

/// Fires signed Messenger webhooks at a fresh `langnghe serve`, measures it beside bare axum servers,
/// and checks at the end that every message was processed once and in order.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub struct Options {
    /// Internal ways of running.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to measure.
    #[command(flatten)]
    pub measure: Measure,
}

/// Internal ways of running.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves as a bare axum server (the tool starts these itself).
    #[command(hide = true)]
    Bare {
        /// What it does with a request.
        does: BareKind,
    },
}

/// What a bare server does with a request.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BareKind {
    /// Reads the body.
    Body,
    /// Verifies and parses.
    Verify,
}

/// What to measure.
#[derive(Clone, Debug, Args)]
pub struct Measure {
    /// Where everything is kept; a server is started for it.
    #[arg(long, default_value = "sqlite")]
    pub store: Kind,
    /// When the server's append-only file reaches the disk.
    #[arg(long, default_value = "always")]
    pub fsync: Fsync,
    /// Replicas; connections are spread over them.
    #[arg(long, default_value_t = 1)]
    pub replicas: usize,
    /// Messages a round.
    #[arg(long, default_value_t = 60_000)]
    pub count: usize,
    /// Rounds of the comparison with the bare servers.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Citizens who write.
    #[arg(long, default_value_t = 10_000)]
    pub conversations: usize,
    /// How many of a hundred messages are delivered twice.
    #[arg(long, default_value_t = 0, value_name = "PCT")]
    pub duplicates: usize,
    /// Requests a second (open loop), instead of one after the other on each connection.
    #[arg(long)]
    pub rate: Option<f64>,
    /// With --rate: how long a round is, instead of --count.
    #[arg(long, requires = "rate")]
    pub seconds: Option<f64>,
    /// Workers of a replica in all parts but the first.
    #[arg(long, default_value_t = 2)]
    pub workers: u32,
    /// Lets replies leave while it is measured; without it they wait in the outbox.
    #[arg(long)]
    pub send: bool,
    /// Only one of the parts.
    #[arg(long)]
    pub only: Option<Part>,
    /// Writes all figures into this file, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Accepting, beside the bare servers; processed after a restart.
    Accept,
    /// Accepting and processing at the same time.
    Process,
    /// How much a server is asked when nothing happens.
    Idle,
    /// How long the work of a replica that dies rests.
    Takeover,
    /// How exactly each kind of limit on what is sent is kept and used; six minutes, and only when it is
    /// named. Takes no other option but --json.
    Pace,
}
