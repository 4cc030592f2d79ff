//! SMPP 3.4: an account of our own at an operator's message centre (an ESME).
//!
//! - `wire`: the protocol's octets, read leniently and written strictly.
//! - `line`: connections: binds, the window, questions whether the other side is there, new attempts.
//! - `outgoing`, `submit`: from a text to answers of the message centre.
//! - `inbox`: from messages that come in to events.
//! - `book`, `ledger`, `journal`: what of messages in and of ours survives a crash, and how it is written.
//! - `reassembly`, `redelivery`, `tracking`, `pages`, `started`, `receipt`, `alphabet`, `header`: the pure
//!   parts of all that.

mod alphabet;
mod book;
mod config;
mod header;
mod inbox;
mod journal;
mod ledger;
mod line;
mod outgoing;
mod pages;
mod provider;
mod reassembly;
mod receipt;
mod redelivery;
mod slow_down;
mod started;
mod submit;
mod tracking;
mod wire;

pub use self::{
    alphabet::DefaultAlphabet,
    config::{BindMode, LongMessages, Reconnect, Sender, SmppConfig, SmppConfigError, TlsConfig},
    provider::Smpp,
    reassembly::WaitingLimits,
    receipt::ReceiptIds,
};
