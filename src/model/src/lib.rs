//! Words shared by every part of Lắng Nghe: ids, time, events, replies, capabilities, tickets,
//! problems in files, and Vietnamese text folding.
//!
//! **Invariants.** No I/O, no async, no clock, no randomness. Nothing here knows a provider, a flow
//! or a store.

pub mod capabilities;
pub mod event;
pub mod fold;
pub mod gsm;
mod id;
mod notice;
pub mod phone;
pub mod problem;
pub mod profile;
pub mod reply;
pub mod segments;
pub mod ticket;
mod time;

pub use capabilities::Capabilities;
pub use event::{Event, EventKind};
pub use id::{
    BackendId, ChannelId, CitizenId, ConversationId, DedupKey, EventId, IdError, TicketId, key_tags,
};
pub use notice::{Notice, Purpose, Template};
pub use problem::Problem;
pub use profile::Profile;
pub use reply::Reply;
pub use time::Timestamp;
