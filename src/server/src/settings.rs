//! What can be set about a replica; every bound has a default.

use std::{path::PathBuf, time::Duration};

use langnghe_store::Retention;

use crate::{MediaPlace, ScanSettings};

use crate::ApiToken;

/// What can be set about a replica.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest webhook body in bytes.
    pub body_bytes: usize,
    /// The longest that answering one request may take.
    pub request_time: Duration,
    /// The most webhook requests under way at once; beyond, 503 with `Retry-After`.
    pub requests_at_once: usize,
    /// What `Retry-After` says when we are too busy or the store is away.
    pub retry_after: Duration,
    /// How much one citizen may send.
    pub flood: Flood,
    /// How many workers take turns; a replica with none only accepts and sends.
    pub workers: usize,
    /// How many conversations a worker claims at once.
    pub conversations_a_claim: usize,
    /// How long a lease on a conversation lasts.
    pub lease: Duration,
    /// How long the right to send on a channel lasts without being renewed, where several replicas
    /// share a store: a channel whose sender died rests for so long.
    pub channel_lease: Duration,
    /// How long a replica may take to deliver a ticket before another may; longer than any backend's
    /// own time-out, or tickets are delivered twice.
    pub delivery_lease: Duration,
    /// How many replies of one channel are on their way at once, unless its connector knows better.
    pub sends_at_once: usize,
    /// When a failed reply is tried again.
    pub reply_retries: RetrySchedule,
    /// When a failed delivery to a backend is tried again.
    pub delivery_retries: RetrySchedule,
    /// How many deliveries to one backend are on their way at once.
    pub deliveries_at_once: usize,
    /// How long a shutdown may take before what is in flight is given up.
    pub shutdown: Duration,
    /// How long things are kept.
    pub retention: Retention,
    /// Media that citizens send.
    pub media: MediaSettings,
    /// Who may use `/api/v1`; without any it is off.
    pub api_tokens: Vec<ApiToken>,
}

impl Default for Settings {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Self {
            body_bytes: 4 * 1024 * 1024,
            request_time: Duration::from_secs(4),
            requests_at_once: 1024,
            retry_after: Duration::from_secs(5),
            flood: Flood {
                messages: 30,
                per: Duration::from_mins(1),
            },
            workers: 2,
            conversations_a_claim: 64,
            lease: Duration::from_secs(10),
            channel_lease: Duration::from_secs(10),
            delivery_lease: Duration::from_mins(2),
            sends_at_once: 16,
            reply_retries: RetrySchedule::replies(),
            delivery_retries: RetrySchedule::deliveries(),
            deliveries_at_once: 8,
            shutdown: Duration::from_secs(20),
            retention: Retention {
                dedup: days(7),
                idle_sessions: days(30),
                dead_letters: days(30),
                personal: days(730),
            },
            media: MediaSettings::default(),
            api_tokens: Vec::new(),
        }
    }
}

/// How much one citizen may send before the rest is cut and they are told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// So many messages at once …
    pub messages: u32,
    /// … and as many again over this time.
    pub per: Duration,
}

/// When something that failed is tried again: a wait for each attempt, then it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// The wait before the second, third … attempt.
    pub waits: Vec<Duration>,
    /// By how much each wait varies at random, in percent up and down.
    pub jitter_percent: u32,
}

impl RetrySchedule {
    /// For replies: about ten minutes over six attempts, as a citizen waits on the other side.
    pub fn replies() -> Self {
        Self {
            waits: [2, 10, 30, 120, 480].map(Duration::from_secs).to_vec(),
            jitter_percent: 20,
        }
    }

    /// For a messenger's media: soon again, as a ticket may wait for one, then every hour.
    pub fn media() -> Self {
        Self {
            waits: [2, 5, 15, 60, 300, 1800, 3600]
                .map(Duration::from_secs)
                .to_vec(),
            jitter_percent: 20,
        }
    }

    /// For tickets: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, as Svix does.
    pub fn deliveries() -> Self {
        let waits = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];
        Self {
            waits: waits.map(Duration::from_secs).to_vec(),
            jitter_percent: 20,
        }
    }
}

/// Media that citizens send.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Where they are kept.
    pub place: MediaPlace,
    /// What their links begin with.
    pub public_url: String,
    /// The largest file in bytes.
    pub file_bytes: u64,
    /// The most that all files together may take, in bytes.
    pub total_bytes: u64,
    /// The most files that are kept of one citizen on one channel.
    pub files_a_citizen: usize,
    /// The most media that may wait to be fetched; beyond, one is not fetched.
    pub waiting: usize,
    /// How many media of one channel are fetched at once; over all channels, twice as many.
    pub fetches_at_once: usize,
    /// The longest that one attempt to fetch may take.
    pub fetch_time: Duration,
    /// When an attempt that failed is repeated; the last wait goes on until `give_up`.
    pub retries: RetrySchedule,
    /// A medium that could not be fetched for so long is given up.
    pub give_up: Duration,
    /// How old a ticket may become while it waits for media that are still being fetched.
    pub ticket_wait: Duration,
    /// How long the links in a ticket are good for.
    pub link_lifetime: Duration,
    /// The virus scanner, where there is one.
    pub scan: Option<ScanSettings>,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            place: MediaPlace::Folder(PathBuf::from("data/media")),
            public_url: "http://127.0.0.1:8080".to_owned(),
            file_bytes: 25 * 1024 * 1024,
            total_bytes: 10 * 1024 * 1024 * 1024,
            files_a_citizen: 500,
            waiting: 10_000,
            fetches_at_once: 4,
            fetch_time: Duration::from_mins(2),
            retries: RetrySchedule::media(),
            give_up: Duration::from_hours(3 * 24),
            ticket_wait: Duration::from_secs(10),
            link_lifetime: Duration::from_hours(7 * 24),
            scan: None,
        }
    }
}
