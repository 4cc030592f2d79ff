//! How quotas stand, as the API and other replicas see it.

use langnghe_connector::{Hint, QuotaRule, QuotaScope, QuotaUnit};
use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

/// How one quota stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuotaState {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// `channel` or `recipient`.
    pub(crate) scope: String,
    /// `messages` or `parts`.
    pub(crate) unit: String,
    /// So many …
    pub(crate) limit: u32,
    /// … in so many seconds.
    pub(crate) per_seconds: f64,
    /// How many may go at once after a rest.
    pub(crate) burst: u32,
    /// What counts now; of a quota of recipients, that of the one with the most.
    pub(crate) used: u32,
    /// Replies that wait for it.
    pub(crate) waiting: u64,
    /// Of a quota of recipients, how many are remembered.
    pub(crate) recipients: Option<usize>,
    /// The share of the limit that is used at the most, after what the provider told, in percent.
    pub(crate) pace_percent: u32,
}

impl QuotaState {
    pub(super) fn new(
        rule: &QuotaRule,
        used: u32,
        waiting: usize,
        recipients: Option<usize>,
        pace_percent: u32,
    ) -> Self {
        let scope = match rule.scope {
            QuotaScope::Channel => "channel",
            QuotaScope::Recipient => "recipient",
        };
        let unit = match rule.unit {
            QuotaUnit::Messages => "messages",
            QuotaUnit::Parts => "parts",
        };
        Self {
            name: rule.name.to_owned(),
            scope: scope.to_owned(),
            unit: unit.to_owned(),
            limit: rule.limit,
            per_seconds: rule.per.as_secs_f64(),
            burst: rule.burst,
            used,
            waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
            recipients,
            pace_percent,
        }
    }
}

/// What the provider last told of one allowance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Allowance {
    /// By the provider's word.
    pub(crate) name: String,
    /// The share that is used, in percent.
    pub(crate) used_percent: Option<u8>,
    /// How many are left.
    pub(crate) remaining: Option<u64>,
    /// Of how many.
    pub(crate) total: Option<u64>,
    /// When it is filled again, in milliseconds since 1970.
    pub(crate) until_ms: Option<i64>,
    /// When it was told, in milliseconds since 1970.
    pub(crate) told_ms: i64,
}

impl Allowance {
    pub(super) fn new(hint: Hint, at: Timestamp) -> Self {
        let told_ms = at.as_milliseconds();
        match hint {
            Hint::Used { allowance, percent } => Self {
                name: allowance.to_owned(),
                used_percent: Some(percent),
                remaining: None,
                total: None,
                until_ms: None,
                told_ms,
            },
            Hint::Remaining {
                allowance,
                remaining,
                total,
                until,
            } => Self {
                name: allowance,
                used_percent: None,
                remaining: Some(remaining),
                total,
                until_ms: until.map(Timestamp::as_milliseconds),
                told_ms,
            },
        }
    }
}

/// How the quotas of one channel stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChannelQuotas {
    /// Which channel.
    pub(crate) channel: String,
    /// The replica that sends on it.
    pub(crate) replica: String,
    /// As of when, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The pace of the channel as a share of its limits, in percent.
    pub(crate) pace_percent: u32,
    /// Until when nothing is sent, in milliseconds since 1970.
    pub(crate) paused_until_ms: Option<i64>,
    /// Why.
    pub(crate) why: Option<String>,
    /// Its quotas.
    pub(crate) quotas: Vec<QuotaState>,
    /// What the provider told.
    pub(crate) allowances: Vec<Allowance>,
}

impl ChannelQuotas {
    /// Whether it says the same of another moment.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let other = Self {
            at_ms: self.at_ms,
            ..other.clone()
        };
        *self == other
    }
}
