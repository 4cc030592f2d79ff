//! Who may send on a channel, over all replicas.

use std::time::Duration;

/// One replica, as an owner of channels: a name of its own for each start of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerId(pub String);

/// Which reign over a channel this is; it grows whenever the channel changes hands, so that what an
/// earlier owner still does can be told and refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// Who may send on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The one who asked, for the time of the lease from the moment it asked.
    Held(Epoch),
    /// Another, for so long unless it renews or lets go.
    Elsewhere {
        /// Until its lease runs out.
        remaining: Duration,
    },
}
