//! Named places at which a test lets the process die, to show that nothing is lost there.
//!
//! Without the cargo feature `crash-points` (which no release has) a point is nothing at all. With it,
//! `LANGNGHE_CRASH_AT=settle:3` aborts the process at its third pass of the point `settle`.

/// The name of a place between two steps of a message's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The webhook is verified and normalised, nothing is stored.
    Received,
    /// The events are durable, the provider has no answer yet.
    Accepted,
    /// A worker holds the conversation, the turn is not taken.
    Claimed,
    /// The turn is taken, nothing of it is stored.
    Stepped,
    /// The turn is stored.
    Committed,
    /// A sender holds the reply, the provider was not asked.
    Send,
    /// The provider has the reply, the outbox still holds it.
    Sent,
    /// A notice is in the citizen's other conversation, and still in this outbox.
    FellBack,
    /// The reply left the outbox.
    Settled,
    /// A forwarder holds the ticket, the backend was not asked.
    Deliver,
    /// The backend has the ticket, the store still holds it as undelivered.
    Delivered,
    /// The ticket is marked as delivered.
    DeliverySettled,
    /// It is noted that a medium is to be fetched; the turn that names it is not stored.
    MediaQueued,
    /// The provider was not asked for the medium yet.
    MediaFetch,
    /// The medium came, nothing of it is kept.
    MediaFetched,
    /// Whose it is is kept, it itself is not.
    MediaMarked,
    /// Its bytes are kept, nothing is known about them.
    MediaWritten,
    /// What it is is kept too; its job is still there.
    MediaKnown,
    /// Its job is done.
    MediaDone,
}

impl Point {
    /// The word for it in `LANGNGHE_CRASH_AT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Claimed => "claimed",
            Self::Stepped => "stepped",
            Self::Committed => "committed",
            Self::Send => "send",
            Self::Sent => "sent",
            Self::FellBack => "fell-back",
            Self::Settled => "settled",
            Self::Deliver => "deliver",
            Self::Delivered => "delivered",
            Self::DeliverySettled => "delivery-settled",
            Self::MediaQueued => "media-queued",
            Self::MediaFetch => "media-fetch",
            Self::MediaFetched => "media-fetched",
            Self::MediaMarked => "media-marked",
            Self::MediaWritten => "media-written",
            Self::MediaKnown => "media-known",
            Self::MediaDone => "media-done",
        }
    }
}

/// Passes a point: with the feature, and when the environment names this pass, the process dies here
/// as it would by `kill -9`.
pub fn point(point: Point) {
    step(point.name());
}

/// As [`point`], for a step that a connector names.
#[cfg(feature = "crash-points")]
pub fn step(step: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    static CHOSEN: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let text = std::env::var("LANGNGHE_CRASH_AT").ok()?;
        let (name, pass) = text.split_once(':')?;
        Some((name.to_owned(), pass.parse().ok()?))
    });
    static PASSES: AtomicU64 = AtomicU64::new(0);

    if let Some((name, pass)) = &*CHOSEN
        && name == step
        && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == *pass
    {
        std::process::abort();
    }
}

/// As [`point`]: nothing happens without the feature `crash-points`.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn step(_step: &str) {}
