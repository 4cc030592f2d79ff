//! What has to survive a crash of what comes in: parts that wait, and what may come again.
//!
//! One document of the channel's, written before anything in it is acknowledged and exchanged only
//! against what was read, as another replica may own the channel by now.

use std::{sync::Arc, time::Duration};

use langnghe_connector::{Host, Unavailable};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{reassembly::Waiting, redelivery::Redelivery};

/// The document's name.
const NAME: &str = "smpp-inbox";
/// The longest that the store is waited for: message centres wait for 10 s and more.
const WRITE: Duration = Duration::from_secs(5);
const TRY_AGAIN: Unavailable = Unavailable {
    retry_after: Duration::from_secs(1),
};

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) waiting: Waiting,
    pub(crate) redelivery: Redelivery,
}

/// The document.
#[derive(Debug)]
pub(crate) struct Journal {
    host: Arc<dyn Host>,
    /// What lies in the store, as far as we know.
    written: Option<Vec<u8>>,
}

impl Journal {
    /// Reads it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub(crate) async fn open(host: Arc<dyn Host>) -> Result<(Self, Book), Unavailable> {
        let written = read(&host).await?;
        let book = written.as_deref().map(decode).unwrap_or_default();
        Ok((Self { host, written }, book))
    }

    /// Writes the book down. What another replica wrote meanwhile is taken over.
    ///
    /// # Errors
    /// [`Unavailable`] when it is not known to be durable.
    pub(crate) async fn write(&mut self, book: &mut Book) -> Result<(), Unavailable> {
        // Three can only be needed if others write all the time: then we own the channel no longer.
        for _ in 0..3 {
            let body = rmp_serde::to_vec(book).map_err(|_| TRY_AGAIN)?;
            if self.written.as_ref() == Some(&body) {
                return Ok(());
            }
            let exchange = self
                .host
                .exchange_state(NAME, self.written.as_deref(), &body);
            match timeout(WRITE, exchange).await {
                Ok(Ok(true)) => {
                    self.written = Some(body);
                    return Ok(());
                }
                Ok(Ok(false)) => {}
                // Whether it was written is not known: the next exchange tells.
                Ok(Err(unavailable)) => return Err(unavailable),
                Err(_) => return Err(TRY_AGAIN),
            }
            self.written = read(&self.host).await?;
            if self.written.as_ref() == Some(&body) {
                return Ok(());
            }
            let theirs = self.written.as_deref().map(decode).unwrap_or_default();
            book.waiting.merge(theirs.waiting);
            book.redelivery.merge(theirs.redelivery);
        }
        Err(TRY_AGAIN)
    }
}

async fn read(host: &Arc<dyn Host>) -> Result<Option<Vec<u8>>, Unavailable> {
    match timeout(WRITE, host.state(NAME)).await {
        Ok(read) => read,
        Err(_) => Err(TRY_AGAIN),
    }
}

/// One that cannot be read is a newer program's; what was acknowledged in it stays unread there, which
/// is said.
fn decode(body: &[u8]) -> Book {
    rmp_serde::from_slice(body).unwrap_or_else(|_| {
        tracing::error!("the parts of messages that waited cannot be read: they are left out");
        Book::default()
    })
}
