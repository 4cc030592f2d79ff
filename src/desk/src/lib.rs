//! Tickets: their codes, their JSON, and the backends that they are delivered to.
//!
//! To add a kind of backend, write one file here that implements [`Backend`].

mod backend;
pub mod code;
mod media;
pub mod standard_webhooks;
pub mod ticket;
pub mod webhook;

pub use backend::{Backend, DeliveryError, Handover, Receipt};
pub use media::{DeliveredMedia, MediaAtDelivery, MediaState, deliverable, media_of};
pub use webhook::{WebhookBackend, WebhookError, WebhookSettings};
