//! Telegram: polling and webhooks in, the Bot API out.
//!
//! [`Telegram`] is one bot. What citizens send is read by our own lenient reader, field by field, from
//! the update as it came: teloxide's types know the Bot API of 2025 only and take a message for empty
//! that has one part which they do not know, its text included. What we send is built from teloxide's
//! payloads, which write the Bot API's JSON, and refusals are read with its `ApiError`; both go over
//! `langnghe_http`, where the right to send is checked. teloxide's own client, which would send past
//! that check, sleep on errors and take no answer of a newer API, is never made.
//!
//! How the bot behaves:
//! - It serves private chats. What is said in groups was not said to it: nothing of it is kept.
//! - A message's event id names the message (`message:<message id>:<digest of the chat>`), so that edits
//!   and answers can name it; everything else is named by its update (`callback:<update id>`). No id
//!   holds a citizen's id.
//! - Where a live location goes after it was shared is not followed.
//! - A pressed button is answered at once with what was pressed, as nothing else shows it in the chat.
//!   The buttons stay: they name their question, and pressing another one later changes the answer.

mod api;
mod check;
mod config;
mod connector;
mod file;
mod languages;
mod poll;
mod receive;
mod send;
mod throttle;

pub use config::{Config, ConfigError, Mode};
pub use connector::{Telegram, capabilities};

/// What media that lie at Telegram are named by: `telegram:<file id>`.
const MEDIA: &str = "telegram:";

/// What happened to the bot itself: no citizen, nobody to answer.
const NOBODY: &str = "nobody";
