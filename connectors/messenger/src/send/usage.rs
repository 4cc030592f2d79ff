//! How much of the app's allowance is used, and when it comes back, as Meta's headers say.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use http::HeaderMap;
use serde::Deserialize;

/// The longest wait that is believed: Meta's windows are of an hour and a day.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// The last share that Meta told, in percent.
#[derive(Debug)]
pub(super) struct Usage(AtomicU8);

impl Usage {
    const UNKNOWN: u8 = u8::MAX;

    pub(super) fn new() -> Self {
        Self(AtomicU8::new(Self::UNKNOWN))
    }

    pub(super) fn percent(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|percent| *percent != Self::UNKNOWN)
    }

    /// Reads `X-App-Usage`: the largest of its three shares counts.
    pub(super) fn note(&self, headers: &HeaderMap) {
        #[derive(Deserialize)]
        struct Shares {
            #[serde(default)]
            call_count: f64,
            #[serde(default)]
            total_time: f64,
            #[serde(default)]
            total_cputime: f64,
        }
        let Some(shares) = json_header::<Shares>(headers, "x-app-usage") else {
            return;
        };
        let largest = shares
            .call_count
            .max(shares.total_time)
            .max(shares.total_cputime);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what a byte holds"
        )]
        let percent = largest.clamp(0.0, 254.0) as u8;
        self.0.store(percent, Ordering::Relaxed);
    }
}

/// The longest `estimated_time_to_regain_access` in `X-Business-Use-Case-Usage`, which counts
/// minutes; `None` when there is none to wait for.
pub(super) fn time_to_regain_access(headers: &HeaderMap) -> Option<Duration> {
    #[derive(Deserialize)]
    struct UseCase {
        #[serde(default)]
        estimated_time_to_regain_access: u64,
    }
    let cases: BTreeMap<String, Vec<UseCase>> = json_header(headers, "x-business-use-case-usage")?;
    let minutes = cases
        .values()
        .flatten()
        .map(|case| case.estimated_time_to_regain_access)
        .max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)).min(MAX_WAIT))
}

fn json_header<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}
