//! Messages between the replicas that share a store.

use std::fmt;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::StoreError;

/// The most messages that one listener may have waiting; beyond, the newest are lost.
pub const BUS_BOUND: usize = 1024;

/// Carries small messages to every replica that listens right now, this one included. It keeps
/// nothing: a message to nobody, or sent while the line is down, is lost. So it may only make
/// something quicker that would also come about without it.
#[async_trait]
pub trait Bus: fmt::Debug + Send + Sync {
    /// Sends `message` to all who listen to `topic` (ASCII letters, digits, `-`, `_`, `.`, `:`).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then some may have got it all the same.
    async fn publish(&self, topic: &str, message: Vec<u8>) -> Result<(), StoreError>;

    /// Listens to `topic` until the receiver is dropped. The line is mended by itself after a failure.
    fn subscribe(&self, topic: &str) -> mpsc::Receiver<Vec<u8>>;
}
