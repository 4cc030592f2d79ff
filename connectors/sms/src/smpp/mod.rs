//! SMPP 3.4: an account of our own at an operator's message centre (an ESME).
//!
//! - `wire`: the protocol's octets, read leniently and written strictly.
//! - `line`: connections: binds, the window, questions whether the other side is there, new attempts.
//! - `outgoing`, `submit`: from a text to answers of the message centre.
//! - `inbox`, `book`: from messages that come in to events, and what of them survives a crash.
//! - `reassembly`, `redelivery`, `tracking`, `receipt`, `alphabet`, `header`: the pure parts of both.

mod alphabet;
mod book;
mod config;
mod header;
mod inbox;
mod line;
mod outgoing;
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
