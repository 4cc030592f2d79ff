//! Waits for a condition, with a deadline.

use std::time::{Duration, Instant};

/// The longest that a test waits for something that should be there at once.
pub const SOON: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
///
/// # Panics
/// With `what` when it does not hold within `limit`.
pub async fn until(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        pause().await;
    }
}

/// Waits until `find` gives something, and gives that.
///
/// # Panics
/// With `what` when there is nothing within `limit`.
pub async fn for_some<T>(
    what: &str,
    limit: Duration,
    mut find: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = find().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        pause().await;
    }
}

/// A short breath between two looks at a condition.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}
