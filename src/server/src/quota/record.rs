//! What the store keeps of the use of a rule: JSON, in times of the wall clock, which replicas share.
//! It holds hashes of recipients under the installation's key, and counts.

use std::time::Duration;

use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{kept::Of, lane::Record};

/// The clocks of two replicas are at most so far apart.
const APART: Duration = Duration::from_secs(2);
/// The form of what is kept.
const VERSION: u32 = 1;

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    version: u32,
    /// When it was written, in milliseconds since 1970.
    at: i64,
    lanes: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The hash of the recipient, in hexadecimal; of the channel's own 0.
    of: String,
    ended: Vec<(i64, u32)>,
    owed: i64,
    ahead: u32,
    charged: u32,
}

/// This very moment, by the clock of the book and by the wall's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) book: Duration,
    pub(super) wall: Timestamp,
}

/// Writes down records.
pub(super) fn encode(records: Vec<Of<Record>>, now: Now) -> Vec<u8> {
    let entry = |(recipient, record): Of<Record>| Entry {
        of: format!("{recipient:016x}"),
        ended: record
            .ended
            .into_iter()
            .map(|(at, count)| (to_wall(at, now), count))
            .collect(),
        owed: to_wall(record.owed, now),
        ahead: record.ahead,
        charged: record.charged,
    };
    let page = Page {
        version: VERSION,
        at: now.wall.as_milliseconds(),
        lanes: records.into_iter().map(entry).collect(),
    };
    serde_json::to_vec(&page).expect("numbers and texts are JSON")
}

/// Reads what an earlier owner wrote; `None` where it is not of this form.
pub(super) fn decode(body: &[u8], now: Now) -> Option<Vec<Of<Record>>> {
    let page: Page = serde_json::from_slice(body).ok()?;
    if page.version != VERSION {
        return None;
    }
    // The time that has passed since, at the least, and never less than none.
    let now = Now {
        wall: (now.wall - APART).max(Timestamp::from_milliseconds(page.at)),
        ..now
    };
    let record = |entry: Entry| {
        let ended = entry.ended.into_iter();
        let record = Record {
            ended: ended
                .map(|(at, count)| (from_wall(at, now).min(now.book), count))
                .collect(),
            owed: from_wall(entry.owed, now),
            ahead: entry.ahead,
            charged: entry.charged,
        };
        Some((u64::from_str_radix(&entry.of, 16).ok()?, record))
    };
    page.lanes.into_iter().map(record).collect()
}

/// In milliseconds since 1970, rounded up.
fn to_wall(at: Duration, now: Now) -> i64 {
    let up = |time: Duration| {
        Duration::from_millis(
            u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX),
        )
    };
    let wall = match at.checked_sub(now.book) {
        Some(later) => now.wall + up(later),
        None => now.wall - Duration::from_millis(millis(now.book.saturating_sub(at))),
    };
    wall.as_milliseconds()
}

fn from_wall(at: i64, now: Now) -> Duration {
    let at = Timestamp::from_milliseconds(at);
    (now.book + at.since(now.wall)).saturating_sub(now.wall.since(at))
}

/// Whole milliseconds, rounded down.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(book: u64, wall: i64) -> Now {
        Now {
            book: Duration::from_secs(book),
            wall: Timestamp::from_seconds(wall),
        }
    }

    fn record() -> Record {
        Record {
            ended: vec![(Duration::from_secs(40), 7), (Duration::from_secs(90), 1)],
            owed: Duration::from_secs(103),
            ahead: 3,
            charged: 1,
        }
    }

    #[test]
    fn what_is_read_is_never_older_than_it_was() {
        let body = encode(vec![(0xfeed, record())], now(100, 1_000_000));
        // Half an hour later, by a clock that began elsewhere.
        let read = decode(&body, now(5000, 1_001_800)).expect("read");
        let (recipient, read) = &read[0];
        assert_eq!((*recipient, read.ahead), (0xfeed, 3));
        let passed = 1800 - 2;
        let at = |age: u64| Duration::from_secs(5000 - passed - age);
        assert_eq!(read.ended, [(at(60), 7), (at(10), 1)]);
        assert_eq!(read.owed, at(0) + Duration::from_secs(3));
    }

    #[test]
    fn a_clock_that_is_behind_lets_no_time_pass() {
        let body = encode(vec![(1, record())], now(100, 1_000_000));
        for wall in [1_000_001, 1_000_000, 500_000] {
            let read = decode(&body, now(700, wall)).expect("read");
            let read = &read[0].1;
            assert_eq!(read.ended[0].0, Duration::from_secs(640), "{wall}");
            assert_eq!(read.owed, Duration::from_secs(703));
        }
    }

    #[test]
    fn what_is_of_another_form_is_not_read() {
        let good = String::from_utf8(encode(vec![(1, record())], now(1, 1))).expect("JSON");
        assert!(decode(good.as_bytes(), now(1, 1)).is_some());
        for wrong in [
            "",
            "7",
            &good.replace("\"version\":1", "\"version\":2"),
            &good.replace("0000000000000001", "an"),
        ] {
            assert!(decode(wrong.as_bytes(), now(1, 1)).is_none(), "{wrong}");
        }
    }
}
