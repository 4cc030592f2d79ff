//! How long the other side asks us to wait.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, header::RETRY_AFTER};

/// The longest wait that is believed: 30 days.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(30 * 24);

/// Reads `Retry-After` from headers, as [`parse_retry_after`]. `now` is in seconds since 1970.
pub fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// Reads the value of `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date from which `now`
/// (seconds since 1970) is taken. A date gone by means no wait. At most [`MAX_RETRY_AFTER`]; `None`
/// when it is neither form.
pub fn parse_retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a long time too.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(value)
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?;
        date.saturating_sub(Duration::from_secs(u64::try_from(now).unwrap_or(0)))
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2015-10-21T07:28:00Z, the date in the RFC.
    const DATE: i64 = 1_445_412_480;

    #[test]
    fn both_forms_are_read() {
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7\t", Some(7)),
            ("99999999999999999999999", Some(MAX_RETRY_AFTER.as_secs())),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            // The two older forms of dates that a recipient must still read.
            ("Wednesday, 21-Oct-15 07:28:00 GMT", Some(60)),
            ("Wed Oct 21 07:28:00 2015", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            (
                "Wed, 21 Oct 2099 07:28:00 GMT",
                Some(MAX_RETRY_AFTER.as_secs()),
            ),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("+5", None),
            ("soon", None),
            ("٣", None),
        ] {
            let wait = parse_retry_after(value, DATE - 60);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), DATE), None);
    }

    proptest! {
        #[test]
        fn no_value_breaks_it_or_asks_for_more_than_the_bound(value: String, now: i64) {
            let wait = parse_retry_after(&value, now);
            prop_assert!(wait.is_none_or(|wait| wait <= MAX_RETRY_AFTER));
        }
    }
}
