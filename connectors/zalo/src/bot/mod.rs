//! The Zalo Bot Platform: a bot of its own, which is no Official Account. Other hosts, other ids,
//! other webhooks; nothing of the account's holds here.
//!
//! [`ZaloBot`] is one bot. It says texts of 2,000 characters and pictures, and has nothing to tap: choices
//! are numbered. It serves private chats; what is said in groups is not kept. Updates come as webhooks;
//! polling is for trying a bot out, as the platform gives each update once and a crash loses it.
//!
//! Ids of events: a message has the platform's own id, everything else a digest of what came.

mod api;
mod check;
mod config;
mod connector;
mod poll;
mod receive;
mod send;

pub use config::{BotConfig, BotConfigError, BotMode};
pub use connector::{ZaloBot, capabilities};
