//! Why an operation did not happen.

/// Why an operation did not happen. None of these leaves anything half done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More is waiting than the configured bound; try again later.
    #[error("the store's queue is full")]
    Full,
    /// The store cannot be written or reached now (disk full, read-only, server away).
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another replica owns the channel by now.
    #[error("the channel has another owner")]
    NotOwner,
    /// The data are not as this program wrote them.
    #[error("the store's data are damaged: {0}")]
    Damaged(String),
    /// The data come from a newer version of the program.
    #[error(
        "the data in {path} have schema version {found}, and this program knows versions up to {known}: run the newer langnghe, or give this one a folder of its own"
    )]
    Newer {
        /// Where they lie.
        path: String,
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// Another process has the store open for serving.
    #[error(
        "{path} is in use by another langnghe; stop it first, or give this one a folder of its own"
    )]
    InUse {
        /// Where it lies.
        path: String,
    },
    /// The store could not be opened.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// Where it lies.
        path: String,
        /// Why.
        reason: String,
    },
}
