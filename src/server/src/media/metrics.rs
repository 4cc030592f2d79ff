//! What an operator can count about media.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::about::Reason;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabel {
    channel: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabel {
    channel: String,
    reason: &'static str,
}

/// The series about media.
#[derive(Clone, Debug, Default)]
pub(crate) struct MediaMetrics {
    fetched: Family<ChannelLabel, Counter>,
    fetched_bytes: Family<ChannelLabel, Counter>,
    failed: Family<FailureLabel, Counter>,
    waiting: Gauge,
    kept_bytes: Gauge,
}

impl MediaMetrics {
    /// Makes the series known.
    pub(crate) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "media_fetched",
            "Media fetched from messengers and kept",
            metrics.fetched.clone(),
        );
        registry.register(
            "media_fetched_bytes",
            "Bytes of media fetched from messengers and kept",
            metrics.fetched_bytes.clone(),
        );
        registry.register(
            "media_failed",
            "Attempts to fetch a medium that failed, by reason; `try_again` is not the end",
            metrics.failed.clone(),
        );
        registry.register(
            "media_waiting",
            "Media that are still to be fetched, over all channels",
            metrics.waiting.clone(),
        );
        registry.register(
            "media_kept_bytes",
            "Bytes of media that are kept, as far as this replica knows",
            metrics.kept_bytes.clone(),
        );
        metrics
    }

    pub(super) fn fetched(&self, channel: &str, bytes: u64) {
        let label = ChannelLabel {
            channel: channel.to_owned(),
        };
        self.fetched.get_or_create(&label).inc();
        self.fetched_bytes.get_or_create(&label).inc_by(bytes);
    }

    pub(super) fn failed(&self, channel: &str, reason: Reason) {
        self.count_failure(channel, reason.word());
    }

    pub(super) fn try_again(&self, channel: &str) {
        self.count_failure(channel, "try_again");
    }

    /// A medium for which there was no place among those that wait.
    pub(super) fn not_queued(&self, channel: &str) {
        self.count_failure(channel, "queue_full");
    }

    fn count_failure(&self, channel: &str, reason: &'static str) {
        let label = FailureLabel {
            channel: channel.to_owned(),
            reason,
        };
        self.failed.get_or_create(&label).inc();
    }

    pub(super) fn show(&self, waiting: usize, kept_bytes: u64) {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.kept_bytes
            .set(i64::try_from(kept_bytes).unwrap_or(i64::MAX));
    }
}
