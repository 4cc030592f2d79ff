//! What a backend is: an agency system that tickets go to.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use langnghe_model::{BackendId, Timestamp};
use langnghe_store::Delivery;

use crate::MediaAtDelivery;

/// An agency system that tickets go to.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// The name that the configuration gives it.
    fn id(&self) -> &BackendId;

    /// Delivers one ticket. The ticket's id is the idempotency key: a repetition must be recognisable
    /// by it. Bounded in time by the backend's own timeout.
    ///
    /// # Errors
    /// [`DeliveryError`], which says what the forwarder does next.
    async fn deliver(&self, handover: Handover<'_>) -> Result<Receipt, DeliveryError>;
}

/// One ticket on its way to a backend.
#[derive(Clone, Copy, Debug)]
pub struct Handover<'a> {
    /// The ticket.
    pub delivery: &'a Delivery,
    /// What is known of its media.
    pub media: &'a MediaAtDelivery,
    /// The time, for signatures.
    pub now: Timestamp,
}

/// A ticket that the backend has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The backend's reference for it, if it gave one.
    pub reference: Option<String>,
}

/// Why a ticket was not delivered. The texts go to operators and hold nothing of the ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Try again by the schedule, and not before `after` if the backend gave one.
    #[error("{reason}")]
    Retry {
        /// What the backend asked for in `Retry-After`.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// The backend will never take this ticket.
    #[error("{reason}")]
    Rejected {
        /// Why.
        reason: String,
    },
    /// The backend wants nothing from us any more (410): stop until an operator enables it.
    #[error("{reason}")]
    Disabled {
        /// Why.
        reason: String,
    },
}
