//! What an operator can count: the series of `/metrics`, in the Prometheus text format.
//!
//! Labels are ids from the configuration and words from the code, never anything of a citizen.

mod channel;
mod labels;

use std::sync::atomic::AtomicU64;

use langnghe_store::{Depth, Depths};
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

pub(crate) use self::channel::ChannelMetrics;
use self::labels::{
    BackendFailureLabel, BackendLabel, ChannelLabel, FailureLabel, KindLabel, PlanLabel,
    QueueLabel, QuotaLabel, RejectionLabel,
};
use crate::{clock, media::MediaMetrics, news::NewsMetrics};

/// The longest of these buckets is 4 s, the bound of a webhook's answer.
const SECONDS: [f64; 12] = [
    0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 4.0,
];

fn seconds_histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// All series of one replica.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    accepted: Family<ChannelLabel, Counter>,
    duplicates: Family<ChannelLabel, Counter>,
    rejected: Family<RejectionLabel, Counter>,
    received: Family<KindLabel, Counter>,
    processed: Family<ChannelLabel, Counter>,
    sent: Family<ChannelLabel, Counter>,
    owned: Family<ChannelLabel, Gauge>,
    moves: Family<ChannelLabel, Counter>,
    send_failures: Family<FailureLabel, Counter>,
    late_failures: Family<FailureLabel, Counter>,
    plans: Family<PlanLabel, Counter>,
    delivered: Family<BackendLabel, Counter>,
    delivery_failures: Family<BackendFailureLabel, Counter>,
    quota_limit: Family<QuotaLabel, Gauge>,
    quota_used: Family<QuotaLabel, Gauge>,
    quota_waiting: Family<QuotaLabel, Gauge>,
    channel_pace: Family<ChannelLabel, Gauge<f64, AtomicU64>>,
    channel_paused: Family<ChannelLabel, Gauge<f64, AtomicU64>>,
    queue_depth: Family<QueueLabel, Gauge>,
    queue_parked: Family<QueueLabel, Gauge>,
    queue_age: Family<QueueLabel, Gauge<f64, AtomicU64>>,
    /// Time from a webhook's last byte to its answer.
    pub(crate) accept_seconds: Histogram,
    /// Time of one engine turn.
    pub(crate) step_seconds: Histogram,
    /// Turns that had to be thrown away because the lease was lost.
    pub(crate) leases_lost: Counter,
    /// Events that no turn could process, put among the dead letters.
    pub(crate) set_aside: Counter,
    /// Whether the store answers: 1 or 0.
    pub(crate) store_up: Gauge,
    /// Media fetched from messengers.
    pub(crate) media: MediaMetrics,
    pub(crate) news: NewsMetrics,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("langnghe"),
            accepted: Family::default(),
            duplicates: Family::default(),
            rejected: Family::default(),
            received: Family::default(),
            processed: Family::default(),
            sent: Family::default(),
            owned: Family::default(),
            moves: Family::default(),
            send_failures: Family::default(),
            late_failures: Family::default(),
            plans: Family::default(),
            delivered: Family::default(),
            delivery_failures: Family::default(),
            quota_limit: Family::default(),
            quota_used: Family::default(),
            quota_waiting: Family::default(),
            channel_pace: Family::default(),
            channel_paused: Family::default(),
            queue_depth: Family::default(),
            queue_parked: Family::default(),
            queue_age: Family::default(),
            accept_seconds: seconds_histogram(),
            step_seconds: seconds_histogram(),
            leases_lost: Counter::default(),
            set_aside: Counter::default(),
            store_up: Gauge::default(),
            media: MediaMetrics::default(),
            news: NewsMetrics::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "events_accepted",
            "Events stored durably",
            self.accepted.clone(),
        );
        registry.register(
            "events_duplicate",
            "Events that were here already: redeliveries by a provider",
            self.duplicates.clone(),
        );
        registry.register(
            "rejected",
            "Webhooks or events not taken, by reason",
            self.rejected.clone(),
        );
        registry.register(
            "events_received",
            "Events in verified webhooks, by kind; unknown ones are kept raw",
            self.received.clone(),
        );
        registry.register(
            "events_processed",
            "Events whose turn was committed",
            self.processed.clone(),
        );
        registry.register(
            "replies_sent",
            "Replies that the provider took",
            self.sent.clone(),
        );
        registry.register(
            "channel_owned",
            "Whether this replica sends on the channel: one of all replicas does",
            self.owned.clone(),
        );
        registry.register(
            "channel_moves",
            "How often this replica took the channel over",
            self.moves.clone(),
        );
        registry.register(
            "send_failures",
            "Attempts to send that failed, by class",
            self.send_failures.clone(),
        );
        registry.register(
            "late_failures",
            "Replies that failed after the provider took them, by class",
            self.late_failures.clone(),
        );
        registry.register(
            "plans",
            "What was decided about replies: sent how, kept or given up and why",
            self.plans.clone(),
        );
        registry.register(
            "tickets_delivered",
            "Tickets that the backend took",
            self.delivered.clone(),
        );
        registry.register(
            "delivery_failures",
            "Attempts to deliver a ticket that failed, by class",
            self.delivery_failures.clone(),
        );
        registry.register(
            "quota_limit",
            "The most in the quota's window, by the rule",
            self.quota_limit.clone(),
        );
        registry.register(
            "quota_used",
            "What counts in the quota's window now, where this replica sends; of a quota of recipients, the fullest",
            self.quota_used.clone(),
        );
        registry.register(
            "quota_waiting",
            "Claimed replies that wait for the quota",
            self.quota_waiting.clone(),
        );
        registry.register_with_unit(
            "channel_pace",
            "The share of its limits at which the channel sends, after what the provider told",
            Unit::Ratios,
            self.channel_pace.clone(),
        );
        registry.register_with_unit(
            "channel_paused",
            "For how long the channel still rests",
            Unit::Seconds,
            self.channel_paused.clone(),
        );
        registry.register(
            "queue_depth",
            "How much waits: inbox, outbox, deliveries, timers, dead letters",
            self.queue_depth.clone(),
        );
        registry.register(
            "queue_parked",
            "Replies that wait for the citizen to come back or write",
            self.queue_parked.clone(),
        );
        registry.register_with_unit(
            "queue_oldest_age",
            "Age of the oldest that waits",
            Unit::Seconds,
            self.queue_age.clone(),
        );
        registry.register_with_unit(
            "accept",
            "From a webhook's last byte to its answer",
            Unit::Seconds,
            self.accept_seconds.clone(),
        );
        registry.register_with_unit(
            "step",
            "One turn of the engine, decoding and wording included",
            Unit::Seconds,
            self.step_seconds.clone(),
        );
        registry.register(
            "leases_lost",
            "Turns thrown away because the lease was lost",
            self.leases_lost.clone(),
        );
        registry.register(
            "events_set_aside",
            "Events put among the dead letters",
            self.set_aside.clone(),
        );
        registry.register(
            "store_up",
            "Whether the store answers",
            self.store_up.clone(),
        );
        self.media = MediaMetrics::registered(registry);
        self.news = NewsMetrics::registered(registry);
        self
    }

    pub(crate) fn delivered(&self, backend: &str) {
        self.delivered
            .get_or_create(&BackendLabel {
                backend: backend.to_owned(),
            })
            .inc();
    }

    pub(crate) fn delivery_failed(&self, backend: &str, class: &'static str) {
        let label = BackendFailureLabel {
            backend: backend.to_owned(),
            class,
        };
        self.delivery_failures.get_or_create(&label).inc();
    }

    /// Shows what waits.
    pub(crate) fn observe_depths(&self, depths: &Depths) {
        let inbox = Depth {
            waiting: depths.inbox,
            parked: 0,
            oldest: depths.inbox_oldest,
        };
        self.observe_queue("inbox", "", &inbox);
        for (channel, depth) in &depths.outbox {
            self.observe_queue("outbox", channel.as_str(), depth);
        }
        for (backend, depth) in &depths.deliveries {
            self.observe_queue("deliveries", backend.as_str(), depth);
        }
        let waiting = |waiting| Depth {
            waiting,
            parked: 0,
            oldest: None,
        };
        self.observe_queue("timers", "", &waiting(depths.timers));
        self.observe_queue("sessions", "", &waiting(depths.sessions));
        for (kind, count) in &depths.dead {
            self.observe_queue("dead", kind.name(), &waiting(*count));
        }
    }

    fn observe_queue(&self, queue: &'static str, name: &str, depth: &Depth) {
        let label = QueueLabel {
            queue,
            name: name.to_owned(),
        };
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.queue_depth
            .get_or_create(&label)
            .set(gauge(depth.waiting));
        if queue == "outbox" {
            self.queue_parked
                .get_or_create(&label)
                .set(gauge(depth.parked));
        }
        if matches!(queue, "inbox" | "outbox" | "deliveries") {
            let age = depth
                .oldest
                .map_or(0.0, |oldest| clock::now().since(oldest).as_secs_f64());
            self.queue_age.get_or_create(&label).set(age);
        }
    }

    /// The page of `/metrics`.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).expect("writing to a string cannot fail");
        page
    }
}
