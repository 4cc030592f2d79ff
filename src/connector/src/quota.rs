//! Limits that providers set on what we send, and what they tell of them while we send.

use std::time::Duration;

use langnghe_model::Timestamp;

/// One limit that a provider sets on us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRule {
    /// Its name in the configuration, metrics and API: `chat`, `bulk`, `pair`.
    pub name: &'static str,
    /// What it is counted over.
    pub scope: QuotaScope,
    /// What is counted.
    pub unit: QuotaUnit,
    /// How many.
    pub limit: u32,
    /// In what time.
    pub per: Duration,
    /// How many may go at once after a rest; 1 spaces all evenly, so that no window ever holds more
    /// than `limit`.
    pub burst: u32,
}

/// What a limit is counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaScope {
    /// Everything on the channel.
    Channel,
    /// What goes to one citizen.
    Recipient,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaUnit {
    /// Messages.
    Messages,
    /// Parts of messages (SMS segments), as [`Connector::parts`](crate::Connector::parts) says.
    Parts,
}

/// What a provider told of our allowance beside the answer to a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// So much of an allowance is used.
    Used {
        /// Which allowance, by the provider's word: `app`.
        allowance: &'static str,
        /// The share, in percent; slow down from 80 on.
        percent: u8,
    },
    /// So many are left.
    Remaining {
        /// Which allowance, by the provider's word: `reply`, `day`.
        allowance: String,
        /// How many are left.
        remaining: u64,
        /// Of how many, where told.
        total: Option<u64>,
        /// When it is filled again, where told.
        until: Option<Timestamp>,
    },
}
