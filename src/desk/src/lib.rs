//! Tickets: their codes, their JSON, and the backends that they are delivered to.

mod backend;
pub mod code;
pub mod ticket;

pub use backend::{Backend, DeliveryError, Handover, Receipt};
