//! How much of the app's allowance is used, and when it comes back, as Meta's headers say.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use http::HeaderMap;
use langnghe_connector::Hint;
use serde::Deserialize;

/// The longest wait that is believed: Meta's windows are of an hour and a day.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// What stands for "nothing told since".
const UNTOLD: u8 = u8::MAX;

/// What Meta told since it was last asked for, in percent.
#[derive(Debug)]
pub(crate) struct Usage {
    /// Of the app's allowance.
    app: AtomicU8,
    /// Of the account's.
    business: AtomicU8,
}

#[derive(Deserialize)]
struct Shares {
    #[serde(default)]
    call_count: f64,
    #[serde(default)]
    total_time: f64,
    #[serde(default)]
    total_cputime: f64,
    /// In minutes.
    #[serde(default)]
    estimated_time_to_regain_access: u64,
}

impl Shares {
    /// The largest counts. An allowance that has to be waited for is used up.
    fn percent(&self) -> u8 {
        if self.estimated_time_to_regain_access > 0 {
            return 100;
        }
        let largest = self.call_count.max(self.total_time).max(self.total_cputime);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what a byte holds"
        )]
        let percent = largest.clamp(0.0, 254.0) as u8;
        percent
    }
}

impl Usage {
    pub(crate) fn new() -> Self {
        Self {
            app: AtomicU8::new(UNTOLD),
            business: AtomicU8::new(UNTOLD),
        }
    }

    /// Reads `X-App-Usage` and `X-Business-Use-Case-Usage`.
    pub(crate) fn note(&self, headers: &HeaderMap) {
        if let Some(shares) = json_header::<Shares>(headers, "x-app-usage") {
            self.app.store(shares.percent(), Ordering::Relaxed);
        }
        let business = use_cases(headers).map(|shares| shares.percent()).max();
        if let Some(percent) = business {
            self.business.store(percent, Ordering::Relaxed);
        }
    }

    /// What was told since the last call.
    pub(crate) fn take(&self) -> Vec<Hint> {
        [("app", &self.app), ("business", &self.business)]
            .into_iter()
            .filter_map(|(allowance, percent)| {
                let percent = percent.swap(UNTOLD, Ordering::Relaxed);
                (percent != UNTOLD).then_some(Hint::Used { allowance, percent })
            })
            .collect()
    }
}

/// The longest `estimated_time_to_regain_access`, which counts minutes; `None` when there is none
/// to wait for.
pub(crate) fn time_to_regain_access(headers: &HeaderMap) -> Option<Duration> {
    let minutes = use_cases(headers)
        .map(|shares| shares.estimated_time_to_regain_access)
        .max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)).min(MAX_WAIT))
}

fn use_cases(headers: &HeaderMap) -> impl Iterator<Item = Shares> {
    let cases: Option<BTreeMap<String, Vec<Shares>>> =
        json_header(headers, "x-business-use-case-usage");
    cases.unwrap_or_default().into_values().flatten()
}

fn json_header<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_largest_share_of_the_allowance_is_told_once() {
        let usage = Usage::new();
        let mut headers = HeaderMap::new();
        usage.note(&headers);
        assert_eq!(usage.take(), []);
        let used = |percent| Hint::Used {
            allowance: "app",
            percent,
        };
        for (header, told) in [
            (
                r#"{"call_count":28,"total_time":25,"total_cputime":95}"#,
                vec![used(95)],
            ),
            (r#"{"call_count":12.7}"#, vec![used(12)]),
            ("soon", vec![]),
            (r#"{"call_count":100000,"total_time":-1}"#, vec![used(254)]),
        ] {
            headers.insert("x-app-usage", HeaderValue::from_static(header));
            usage.note(&headers);
            assert_eq!(usage.take(), told, "{header}");
            assert_eq!(usage.take(), []);
        }
    }

    #[test]
    fn an_account_that_has_to_wait_has_used_all() {
        let usage = Usage::new();
        let mut headers = HeaderMap::new();
        let header = r#"{"100200300":[{"type":"messenger","call_count":40,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":7},{"type":"pages","call_count":50}]}"#;
        headers.insert(
            "x-business-use-case-usage",
            HeaderValue::from_static(header),
        );
        usage.note(&headers);
        let hint = Hint::Used {
            allowance: "business",
            percent: 100,
        };
        assert_eq!(usage.take(), [hint]);
        assert_eq!(
            time_to_regain_access(&headers),
            Some(Duration::from_mins(7))
        );
    }
}
