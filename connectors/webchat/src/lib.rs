//! The web chat: a page and an embeddable widget of our own, over WebSocket with long polling to
//! fall back on. Here the provider is us, so this crate holds both ends.
//!
//! # A visitor
//! The browser makes a secret of 256 random bits and keeps it in its local storage. The visitor's
//! [`CitizenId`](langnghe_model::CitizenId) is a hash of it, so the secret is neither stored nor
//! logged. It travels in the first frame or in the `Authorization` header, never in an address.
//!
//! # The wire
//! JSON objects with a `type`, the same over both transports:
//!
//! | from the page | | from us | |
//! | --- | --- | --- | --- |
//! | `hello` | `visitor`, `language` | `welcome` | |
//! | `message` | `id`, `text`, `payload`, `location` | `accepted` | `id`: durable |
//! | | | `refused` | `id`, `reason`, `retry_after` in seconds |
//! | `ack` | `id` of a reply: shown and kept | `reply` | `id`, `reply` |
//! | `ping` | | `pong`, `typing` | |
//! | | | `error` | `reason`; the connection ends |
//!
//! | route (under [`Config::path`]) | |
//! | --- | --- |
//! | `GET …/ws` | the WebSocket; `hello` comes first |
//! | `POST …/send` | one frame but `hello`; answered with one frame |
//! | `GET …/poll` | held until there is a frame or [`Config::poll_hold`] is over; a JSON array |
//! | `POST …/upload` | a message with a file, as multipart form data: `id`, `text`, then `file` |
//! | `GET …`, `GET …/assets/{hash}/{name}`, `GET …/widget.js` | the page |
//!
//! # Nothing lost, nothing doubled
//! Inbound: the page keeps a message until it is told `accepted`, which we say only after the event
//! is durable; it sends it again under the same id, so a repetition is a duplicate. Outbound:
//! [`send`](langnghe_connector::Connector::send) returns only after the page said `ack`; the page
//! drops ids that it has shown already. A visitor who is not there gives
//! [`Away`](langnghe_connector::SendError::Away), and
//! [`Host::present`](langnghe_connector::Host::present) is called whenever they come and while they
//! stay.
//!
//! # Several replicas
//! A visitor may be connected to another replica than the one that sends the channel's replies, and
//! acknowledge at a third: see `relay.rs`. Nothing of this crate is kept in one process only: the
//! visitor is a hash of their secret, what they sent is known by its id in the store, and what they
//! have seen is kept by their browser under the reply's id.

mod config;
mod connector;
mod event;
mod frame;
mod hub;
mod offer;
mod page;
mod poll;
mod presence;
mod relay;
mod routes;
mod socket;
mod upload;
mod visitor;

pub use config::{Config, ConfigError};
pub use connector::{WebChat, capabilities};
