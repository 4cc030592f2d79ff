//! Waits for a condition, with a deadline.

use std::time::{Duration, Instant};

/// The longest that a test waits for something that should be there at once.
pub const SOON: Duration = Duration::from_secs(20);

/// Ends the waiting for something; for loops whose condition is no closure.
#[derive(Debug)]
pub struct Deadline<'a> {
    what: &'a str,
    limit: Duration,
    end: Instant,
}

impl<'a> Deadline<'a> {
    /// Begins the wait for `what`.
    pub fn new(what: &'a str, limit: Duration) -> Self {
        Self {
            what,
            limit,
            end: Instant::now() + limit,
        }
    }

    /// A short breath between two looks.
    ///
    /// # Panics
    /// With what is waited for when it has not come within the limit.
    pub async fn pause(&self) {
        let Self { what, limit, end } = self;
        assert!(Instant::now() < *end, "not within {limit:?}: {what}");
        pause().await;
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// With `what` when it does not hold within `limit`.
pub async fn until(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Deadline::new(what, limit);
    while !condition().await {
        deadline.pause().await;
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
    let deadline = Deadline::new(what, limit);
    loop {
        if let Some(found) = find().await {
            return found;
        }
        deadline.pause().await;
    }
}

/// A short breath between two looks at a condition.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}
