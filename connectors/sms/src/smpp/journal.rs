//! Documents of the channel's that have to survive a crash. Each is exchanged only against what was read,
//! as another replica may own the channel by now.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use langnghe_connector::{Host, Unavailable};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

/// The longest that the store is waited for: message centres wait for 10 s and more.
const WRITE: Duration = Duration::from_secs(5);
const TRY_AGAIN: Unavailable = Unavailable {
    retry_after: Duration::from_secs(1),
};

/// What is kept in a document.
pub(crate) trait Kept: Default + Serialize + DeserializeOwned {
    /// Takes over what another replica wrote down meanwhile.
    fn merge(&mut self, theirs: Self);
}

/// One document.
#[derive(Debug)]
pub(crate) struct Journal<T> {
    host: Arc<dyn Host>,
    name: String,
    /// What lies in the store, as far as we know.
    written: Option<Vec<u8>>,
    kept: PhantomData<fn() -> T>,
}

impl<T: Kept> Journal<T> {
    /// Reads it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub(crate) async fn open(host: Arc<dyn Host>, name: String) -> Result<(Self, T), Unavailable> {
        let mut journal = Self {
            host,
            name,
            written: None,
            kept: PhantomData,
        };
        let read = journal.read().await?;
        Ok((journal, read))
    }

    /// Writes it down. What another replica wrote meanwhile is taken over.
    ///
    /// # Errors
    /// [`Unavailable`] when it is not known to be durable.
    pub(crate) async fn write(&mut self, kept: &mut T) -> Result<(), Unavailable> {
        // Three can only be needed if others write all the time: then we own the channel no longer.
        for _ in 0..3 {
            let body = rmp_serde::to_vec(kept).map_err(|_| TRY_AGAIN)?;
            if self.written.as_ref() == Some(&body) {
                return Ok(());
            }
            let exchange = self
                .host
                .exchange_state(&self.name, self.written.as_deref(), &body);
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
            let theirs = self.read().await?;
            if self.written.as_ref() == Some(&body) {
                return Ok(());
            }
            kept.merge(theirs);
        }
        Err(TRY_AGAIN)
    }

    async fn read(&mut self) -> Result<T, Unavailable> {
        self.written = match timeout(WRITE, self.host.state(&self.name)).await {
            Ok(read) => read?,
            Err(_) => return Err(TRY_AGAIN),
        };
        // One that cannot be read is a newer program's; what was acknowledged in it stays unread there,
        // which is said.
        let read = self.written.as_deref().map(rmp_serde::from_slice);
        Ok(read
            .transpose()
            .unwrap_or_else(|_| {
                tracing::error!(document = %self.name,
                "what the channel kept cannot be read: it is left out");
                None
            })
            .unwrap_or_default())
    }
}
