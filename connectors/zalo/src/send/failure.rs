//! Zalo's error codes as decisions. Two tables: the same number means other things for an account's own
//! messages and for template messages (ZBS, ZNS).

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use langnghe_connector::{SendError, ThrottleScope};
use langnghe_http::retry_after;
use langnghe_model::Timestamp;

use super::api::{Refusal, Table};

/// The rate is counted by the minute, and Zalo does not say when its minute began.
const MINUTE: Duration = Duration::from_mins(1);
/// How long what waits for an allowance waits, where nothing says when there is more.
const ALLOWANCE: Duration = Duration::from_hours(1);
/// When the night ends in which some messages are not taken, and when a day begins: hours in Vietnam.
const MORNING: i64 = 6;
const MIDNIGHT: i64 = 0;

/// Whether a code says that the access token is not taken.
pub(super) fn is_token(table: Table, code: i64) -> bool {
    match table {
        Table::Account => matches!(code, -216 | -220 | 216 | 401 | -401),
        Table::Template => matches!(code, -124 | -216 | -220 | 401 | -401),
    }
}

/// What a code means.
pub(super) fn classify(
    table: Table,
    code: i64,
    headers: &HeaderMap,
    now: Option<Timestamp>,
) -> Refusal {
    let around = Around { headers, now };
    match table {
        Table::Account => around.account(code),
        // Templates to users come through the account's API and have codes of both.
        Table::Template if (-299..=-200).contains(&code) || code == -32 => around.account(code),
        Table::Template => around.template(code).into(),
    }
}

/// What an answer without a code of Zalo's means.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    now: Option<Timestamp>,
) -> SendError {
    let code = format!("status {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            Around { headers, now }.throttled(code, ThrottleScope::Channel, MINUTE)
        }
        StatusCode::FORBIDDEN => SendError::Credentials { code },
        status if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
            SendError::Rejected { code }
        }
        // A redirect, an error of theirs, or a success without sense: somebody answered, not Zalo's API.
        status if status.is_success() => SendError::Transport {
            reason: "unreadable answer".to_owned(),
        },
        _ => SendError::Transport { reason: code },
    }
}

struct Around<'a> {
    headers: &'a HeaderMap,
    now: Option<Timestamp>,
}

impl Around<'_> {
    fn account(&self, number: i64) -> Refusal {
        let code = number.to_string();
        let error = match number {
            -32 => self.throttled(code, ThrottleScope::Channel, MINUTE),
            // What waits for an allowance holds up its own conversation only: others may have some.
            -211 | -218 => self.throttled(code, ThrottleScope::Recipient, ALLOWANCE),
            -234 => self.throttled(code, ThrottleScope::Recipient, self.until(MORNING)),
            // An upload that ended meanwhile, an article not ready, "send failed".
            -100 | -200 | -214 => SendError::Transport { reason: code },
            // No free message any more. -320 and -321: it would be paid for, and there is no account or
            // no money for it; the citizen's next message makes it free.
            -230 | -232 | -305 | -311 | -320 | -321 => SendError::WindowClosed { code },
            -213 | -217 | -222 | -227 | -244 => SendError::RecipientGone { code },
            -204 | -205 | -207 | -208 | -209 | -212 | -215 | -219 | -221 | -223 | -224 | -235
            | -237 | -238 | -241 | -242 => SendError::Credentials { code },
            _ => SendError::Rejected { code },
        };
        // An invalid parameter, one out of range, a type that is not supported or not for this account.
        let of_form = matches!(number, -201 | -210 | -233 | -235 | -240 | -249);
        Refusal { error, of_form }
    }

    /// A template that is not in order must not stop the account's own messages: it is a dead letter for
    /// an operator, and only a token that is refused pauses the channel.
    fn template(&self, number: i64) -> SendError {
        let code = format!("template {number}");
        match number {
            -100 => SendError::Transport { reason: code },
            -133 => self.throttled(code, ThrottleScope::Recipient, self.until(MORNING)),
            -137 | -144 | -1441 | -147 | -1471 | -1472 => {
                self.throttled(code, ThrottleScope::Recipient, self.until(MIDNIGHT))
            }
            -115 | -126 => self.throttled(code, ThrottleScope::Recipient, ALLOWANCE),
            -114 | -118 | -119 | -139 | -140 | -141 => SendError::RecipientGone { code },
            -1241 => SendError::Credentials { code },
            _ => SendError::Rejected { code },
        }
    }

    fn throttled(&self, code: String, scope: ThrottleScope, usual: Duration) -> SendError {
        let now = self.now.map_or(0, Timestamp::as_seconds);
        SendError::Throttled {
            after: Some(retry_after(self.headers, now).unwrap_or(usual)),
            scope,
            code,
        }
    }

    /// How long until the clock in Vietnam (UTC+7, without summer time) next shows this hour.
    fn until(&self, hour: i64) -> Duration {
        const DAY: i64 = 24 * 3600;
        let Some(now) = self.now else {
            return ALLOWANCE;
        };
        let there = (now.as_seconds() + 7 * 3600).rem_euclid(DAY);
        let wait = (hour * 3600 - there).rem_euclid(DAY);
        // A little late rather than a little early.
        Duration::from_secs(u64::try_from(wait).unwrap_or(0) + 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_and_days_end_by_the_clock_in_vietnam() {
        let headers = HeaderMap::new();
        // 2026-11-22T16:00:00Z is 23:00 there.
        let around = Around {
            headers: &headers,
            now: Some(Timestamp::from_seconds(1_795_363_200)),
        };
        let minute = Duration::from_mins(1);
        assert_eq!(around.until(MORNING), Duration::from_hours(7) + minute);
        assert_eq!(around.until(MIDNIGHT), Duration::from_hours(1) + minute);
        // 05:00 there.
        let around = Around {
            now: Some(Timestamp::from_seconds(1_795_363_200 + 6 * 3600)),
            ..around
        };
        assert_eq!(around.until(MORNING), Duration::from_hours(1) + minute);
    }
}
