//! The series of one channel.

use std::{sync::Arc, time::Duration};

use langnghe_model::ChannelId;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use super::{
    Metrics,
    labels::{ChannelLabel, FailureLabel, KindLabel, PlanLabel, QuotaLabel, RejectionLabel},
};
use crate::quota::ChannelQuotas;

/// The series of one channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelMetrics {
    pub(crate) accepted: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) processed: Counter,
    pub(crate) sent: Counter,
    pub(crate) owned: Gauge,
    pub(crate) moves: Counter,
    channel: String,
    all: Arc<Metrics>,
}

impl Metrics {
    /// The series of one channel, looked up once.
    pub(crate) fn channel(self: &Arc<Self>, channel: &ChannelId) -> ChannelMetrics {
        let label = ChannelLabel {
            channel: channel.as_str().to_owned(),
        };
        ChannelMetrics {
            accepted: self.accepted.get_or_create_owned(&label),
            duplicates: self.duplicates.get_or_create_owned(&label),
            processed: self.processed.get_or_create_owned(&label),
            sent: self.sent.get_or_create_owned(&label),
            owned: self.owned.get_or_create_owned(&label),
            moves: self.moves.get_or_create_owned(&label),
            channel: channel.as_str().to_owned(),
            all: Arc::clone(self),
        }
    }
}

impl ChannelMetrics {
    /// All series.
    pub(crate) fn all(&self) -> &Metrics {
        &self.all
    }

    /// Counts a webhook or an event that was not taken.
    pub(crate) fn rejected(&self, reason: &'static str) {
        let label = RejectionLabel {
            channel: self.channel.clone(),
            reason,
        };
        self.all.rejected.get_or_create(&label).inc();
    }

    /// Counts an event in a verified webhook.
    pub(crate) fn received(&self, kind: &'static str) {
        let label = KindLabel {
            channel: self.channel.clone(),
            kind,
        };
        self.all.received.get_or_create(&label).inc();
    }

    /// Counts an attempt to send that failed.
    pub(crate) fn send_failed(&self, class: &'static str) {
        let label = FailureLabel {
            channel: self.channel.clone(),
            class,
        };
        self.all.send_failures.get_or_create(&label).inc();
    }

    /// Counts a reply that failed after the provider took it.
    pub(crate) fn failed_later(&self, class: &'static str) {
        let label = FailureLabel {
            channel: self.channel.clone(),
            class,
        };
        self.all.late_failures.get_or_create(&label).inc();
    }

    /// Counts what was decided about a reply.
    pub(crate) fn planned(&self, purpose: &'static str, plan: &'static str, why: &'static str) {
        let label = PlanLabel {
            channel: self.channel.clone(),
            purpose,
            plan,
            why,
        };
        self.all.plans.get_or_create(&label).inc();
    }

    fn label(&self) -> ChannelLabel {
        ChannelLabel {
            channel: self.channel.clone(),
        }
    }

    /// Shows how the quotas of the channel stand.
    pub(crate) fn observe_quotas(&self, state: &ChannelQuotas) {
        for quota in &state.quotas {
            let label = QuotaLabel {
                channel: self.channel.clone(),
                quota: quota.name.clone(),
            };
            let all = &self.all;
            let waiting = i64::try_from(quota.waiting).unwrap_or(i64::MAX);
            all.quota_limit
                .get_or_create(&label)
                .set(quota.limit.into());
            all.quota_used.get_or_create(&label).set(quota.used.into());
            all.quota_waiting.get_or_create(&label).set(waiting);
        }
        let paused = state.paused_until_ms.unwrap_or(0) - state.at_ms;
        let paused = Duration::from_millis(u64::try_from(paused).unwrap_or(0));
        let pace = f64::from(state.pace_percent) / 100.0;
        self.all.channel_pace.get_or_create(&self.label()).set(pace);
        let gauge = &self.all.channel_paused;
        gauge.get_or_create(&self.label()).set(paused.as_secs_f64());
    }

    /// This replica sends on the channel no longer: what it would show is another's.
    pub(crate) fn forget_quotas(&self, state: &ChannelQuotas) {
        for quota in &state.quotas {
            let label = QuotaLabel {
                channel: self.channel.clone(),
                quota: quota.name.clone(),
            };
            self.all.quota_limit.remove(&label);
            self.all.quota_used.remove(&label);
            self.all.quota_waiting.remove(&label);
        }
        self.all.channel_pace.remove(&self.label());
        self.all.channel_paused.remove(&self.label());
    }
}
