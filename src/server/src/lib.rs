//! One replica: the loops (accept, worker, sender, forwarder, timers, sweep), the routes, limits and
//! metrics.

pub mod clock;
pub mod crash;
mod parts;
mod settings;

pub use parts::{ChannelParts, Parts, ServeError, serve};
pub use settings::{Flood, MediaSettings, RetrySchedule, Settings};
