//! The tests' wall clock.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970, as providers write the time.
///
/// # Panics
/// When the system's clock stands before 1970.
pub fn milliseconds() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "stand-ins for providers have clocks of their own"
    )]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.as_ref()
        .map(Duration::as_millis)
        .ok()
        .and_then(|time| time.try_into().ok())
        .expect("now")
}
