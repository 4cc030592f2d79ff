//! What the connector of a messenger is, and what all connectors share.
//!
//! A connector turns a provider's webhooks into [`Event`](langnghe_model::Event)s
//! ([`Connector::receive`], pure) and [`Reply`](langnghe_model::Reply)s into the provider's requests
//! ([`Connector::send`]). It declares what the channel can show as
//! [`Capabilities`](langnghe_model::Capabilities); [`render`] fits replies to them before they are
//! queued, so a connector only encodes.
//!
//! **Invariants.** A connector knows nothing of flows, stores, tickets or routes of the program.
//! `receive` does no I/O and reads no clock.

mod connector;
mod error;
mod host;
mod quota;
mod render;
pub mod signature;
mod sniff;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use connector::{
    Answer, Checkup, Connector, Manner, Outgoing, Received, Rejection, Sent, WebhookRequest,
};
pub use error::{FetchError, SendError, ThrottleScope};
pub use host::{Acceptance, Host, MediaRefusal, Unavailable, Upload};
pub use quota::{Hint, QuotaRule, QuotaScope, QuotaUnit};
pub use render::render;
pub use sniff::{Sniffed, sniff};
