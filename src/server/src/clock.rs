//! The one place that reads the wall clock.

use std::time::{Duration, SystemTime};

use langnghe_model::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::default() + since_epoch.unwrap_or(Duration::ZERO)
}
