//! What the program offers to a channel that has routes of its own (the web chat).

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_model::{CitizenId, ConversationId, Event, Timestamp, event::Media};
use tokio::sync::mpsc;

/// The answer where there is nothing to keep a state in.
const NOWHERE: Unavailable = Unavailable {
    retry_after: Duration::from_secs(30),
};

/// What a connector with routes of its own may ask of the program.
#[async_trait]
pub trait Host: fmt::Debug + Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Takes events in. When it returns they are durable, or it says which were not taken and why.
    ///
    /// # Errors
    /// [`Unavailable`] when nothing could be stored: the citizen's side keeps them and tries again.
    async fn accept(&self, events: Vec<Event>) -> Result<Vec<Acceptance>, Unavailable>;

    /// Says that a citizen is there: replies that wait for them are sent.
    async fn present(&self, citizen: &CitizenId);

    /// Keeps a file that a citizen uploaded; gives back where it lies.
    ///
    /// # Errors
    /// [`MediaRefusal`].
    async fn keep_media(
        &self,
        conversation: &ConversationId,
        upload: Upload,
    ) -> Result<Media, MediaRefusal>;

    /// What this channel's connectors keep under a name, over all replicas and restarts; `None` before
    /// the first [`Self::exchange_state`].
    ///
    /// # Errors
    /// [`Unavailable`] when it could not be read.
    async fn state(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        let _unused: &str = name;
        Err(NOWHERE)
    }

    /// Keeps `body` under a name if exactly `expected` is kept there now (`None`: nothing yet); says
    /// whether it did. When it returns, it is durable.
    ///
    /// # Errors
    /// [`Unavailable`]; then it may have happened: read the state.
    async fn exchange_state(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, Unavailable> {
        let _unused: (&str, Option<&[u8]>, &[u8]) = (name, expected, body);
        Err(NOWHERE)
    }

    /// Is told that a step was passed at which a test may let the program die; nothing in any release.
    fn passed(&self, step: &'static str) {
        let _: &str = step;
    }

    /// Listens to what this channel's connectors say to each other at all replicas, this one
    /// included; `None` where there is never more than one replica.
    fn hear_replicas(&self) -> Option<mpsc::Receiver<Vec<u8>>> {
        None
    }

    /// Says something small to whoever listens to [`Self::hear_replicas`] right now. Nothing is kept
    /// and anything can be lost, so it may only make something quicker that comes about without it.
    async fn tell_replicas(&self, message: Vec<u8>) {
        drop(message);
    }
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Stored; it will be processed.
    Stored,
    /// It was already here; nothing changed.
    Duplicate,
    /// The citizen sends more than the configured bound: cut.
    Flooded,
}

/// Nothing can be stored just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("busy or unavailable; try again in {} s", retry_after.as_secs())]
pub struct Unavailable {
    /// When to try again.
    pub retry_after: Duration,
}

/// A file that a citizen uploaded.
#[derive(Debug)]
pub struct Upload {
    /// Its bytes, within the bound of the connector's configuration.
    pub bytes: Bytes,
    /// The file name that the citizen's device gave, if any; not to be trusted.
    pub name: Option<String>,
}

/// Why a file was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaRefusal {
    /// Larger than the configuration allows.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// Its content is no picture, film, recording or document that is taken.
    #[error("this kind of file is not taken")]
    Kind,
    /// The citizen has sent as many files as are kept of one.
    #[error("as many files as are kept of one citizen")]
    TooMany,
    /// It could not be written.
    #[error("the file could not be kept")]
    Unavailable,
}
