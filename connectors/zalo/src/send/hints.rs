//! What Zalo tells of our allowances while we send: `quota` fields and rate headers.

use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use langnghe_connector::Hint;
use serde_json::Value;

use crate::lenient;

/// How many different allowances are kept between two looks.
const MOST: usize = 16;

/// What was told since the last look, the newest of each allowance.
#[derive(Debug, Default)]
pub(super) struct Hints(Mutex<Vec<Hint>>);

impl Hints {
    pub(super) fn take(&self) -> Vec<Hint> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `X-RateLimit-Limit` and `X-RateLimit-Remain`: requests a minute.
    pub(super) fn note_headers(&self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        if let Some(remaining) = number("x-ratelimit-remain") {
            self.note("minute", remaining, number("x-ratelimit-limit"));
        }
    }

    /// `quota` of an answer's data; every member may be missing, and be a text or a number.
    pub(super) fn note_quota(&self, data: &Value) {
        let Some(quota) = data.get("quota") else {
            return;
        };
        let number = |name: &str| quota.get(name).and_then(lenient::natural);
        if let Some(remaining) = number("remain") {
            let known = ["reply", "sub_quota", "purchase_quota", "reward_quota"];
            let kind = quota.get("quota_type").and_then(Value::as_str);
            let kind = kind.filter(|kind| known.contains(kind)).unwrap_or("quota");
            self.note(kind, remaining, number("total"));
        }
        if let Some(remaining) = number("remainingQuota") {
            self.note("template-day", remaining, number("dailyQuota"));
        }
    }

    fn note(&self, allowance: &str, remaining: u64, total: Option<u64>) {
        let mut hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hints.retain(
            |hint| !matches!(hint, Hint::Remaining { allowance: other, .. } if other == allowance),
        );
        if hints.len() < MOST {
            hints.push(Hint::Remaining {
                allowance: allowance.to_owned(),
                remaining,
                total,
                until: None,
            });
        }
    }
}
