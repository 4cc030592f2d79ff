//! Where media lie: objects in a folder or a bucket.
//!
//! | object | what |
//! | --- | --- |
//! | `owners/<conversation tag>/<name>` | whose a medium is: when its message came, in milliseconds |
//! | `files/<name>` | its bytes |
//! | `about/<name>` | what it is, or why it is not there: written last, so what has it is whole |
//!
//! Links go to agencies and into what is published, so they must not show which media come from one
//! citizen; that is why whose a medium is says another object. Uploads of versions before names are
//! `files/<name>.<extension>`, with an empty mark and nothing about them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use langnghe_model::Timestamp;
use object_store::{GetResult, ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};

use super::{about::About, names::Name};
use crate::{
    MediaSettings,
    crash::{self, Point},
};

pub(super) const FILES: &str = "files";
pub(super) const ABOUT: &str = "about";
pub(super) const OWNERS: &str = "owners";

/// The objects, and how much room they take.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(super) objects: Arc<dyn ObjectStore>,
    total_bytes: u64,
    files_a_citizen: usize,
    /// What the files take together, as far as this process knows: what other replicas keep in the
    /// same place is counted when retention goes through it.
    used: AtomicU64,
}

/// Why a medium could not be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// All media together take as much as they may.
    #[error("no room for media")]
    NoRoom,
    /// The citizen has as many as they may.
    #[error("as many media of one citizen as are kept")]
    TooMany,
    /// The folder or bucket could not be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// The folder or bucket could not be used. Says what kind of failure it was and nothing else: the
/// paths in the library's own errors are the names of media.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the place of media: {0}")]
pub(crate) struct PlaceError(&'static str);

impl fmt::Debug for PlaceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl From<object_store::Error> for PlaceError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error;
        Self(match error {
            Error::NotFound { .. } => "not found",
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => "permission denied",
            Error::AlreadyExists { .. } | Error::Precondition { .. } => "already there",
            Error::NotSupported { .. } | Error::NotImplemented { .. } => "not supported",
            Error::InvalidPath { .. } => "not a path",
            _ => "not reached, or full",
        })
    }
}

/// The outcome, or `None` where there is no such object.
fn found<T>(result: object_store::Result<T>) -> Result<Option<T>, PlaceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn file(name: &str) -> Path {
    Path::from(format!("{FILES}/{name}"))
}

pub(super) fn about(name: &str) -> Path {
    Path::from(format!("{ABOUT}/{name}"))
}

fn owner(tag: &str) -> Path {
    Path::from(format!("{OWNERS}/{tag}"))
}

fn mark(tag: &str, name: &str) -> Path {
    Path::from(format!("{OWNERS}/{tag}/{name}"))
}

impl Shelf {
    /// Takes the place, and counts what is there. A place that does not answer counts as empty until
    /// retention goes through it.
    pub(crate) async fn open(objects: Arc<dyn ObjectStore>, settings: &MediaSettings) -> Self {
        let files = objects.list(Some(&Path::from(FILES)));
        let used = files.try_fold(0, async |used, file| Ok(used + file.size));
        let used = used.await.unwrap_or_else(|error| {
            tracing::warn!(error = %PlaceError::from(error), "media could not be counted");
            0
        });
        let shelf = Self::uncounted(objects, settings);
        shelf.now_used(used);
        shelf
    }

    /// Takes the place to look into it only.
    pub(super) fn uncounted(objects: Arc<dyn ObjectStore>, settings: &MediaSettings) -> Self {
        Self {
            objects,
            total_bytes: settings.total_bytes,
            files_a_citizen: settings.files_a_citizen,
            used: AtomicU64::new(0),
        }
    }

    /// What the files take together, in bytes.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn now_used(&self, bytes: u64) {
        self.used.store(bytes, Ordering::Relaxed);
    }

    /// Keeps a medium; when it returns, everything of it is as durable as the place makes it. Doing it
    /// again with the same name changes nothing.
    pub(crate) async fn keep(
        &self,
        name: &Name,
        tag: &str,
        since: Timestamp,
        bytes: Bytes,
        what: &About,
    ) -> Result<(), KeepError> {
        let theirs = self.objects.list(Some(&owner(tag)));
        let theirs = theirs.try_fold(0, async |count, mark| {
            let again = mark.location.filename() == Some(name.as_str());
            Ok(count + usize::from(!again))
        });
        if theirs.await.map_err(PlaceError::from)? >= self.files_a_citizen {
            return Err(KeepError::TooMany);
        }
        let size = bytes.len() as u64;
        let used = self.used.fetch_add(size, Ordering::Relaxed) + size;
        let kept = if used > self.total_bytes {
            tracing::error!(used, limit = self.total_bytes, "no room for media");
            Err(KeepError::NoRoom)
        } else {
            self.write(name, tag, since, bytes, what).await
        };
        if kept.is_err() {
            self.no_longer_uses(size);
        }
        kept
    }

    async fn write(
        &self,
        name: &Name,
        tag: &str,
        since: Timestamp,
        bytes: Bytes,
        what: &About,
    ) -> Result<(), KeepError> {
        // The owner first: a file without one could not be erased.
        self.mark(name, tag, since).await?;
        crash::point(Point::MediaMarked);
        self.put(&file(name.as_str()), bytes).await?;
        crash::point(Point::MediaWritten);
        self.tell(name, what).await?;
        crash::point(Point::MediaKnown);
        Ok(())
    }

    async fn mark(&self, name: &Name, tag: &str, since: Timestamp) -> Result<(), PlaceError> {
        let since = since.as_milliseconds().to_string();
        self.put(&mark(tag, name.as_str()), Bytes::from(since))
            .await
    }

    /// Says of a medium that it will not come.
    pub(crate) async fn give_up(
        &self,
        name: &Name,
        tag: &str,
        since: Timestamp,
        what: &About,
    ) -> Result<(), PlaceError> {
        self.mark(name, tag, since).await?;
        self.tell(name, what).await
    }

    async fn tell(&self, name: &Name, what: &About) -> Result<(), PlaceError> {
        let body = serde_json::to_vec(what).expect("it has only string keys");
        self.put(&about(name.as_str()), body.into()).await
    }

    async fn put(&self, path: &Path, bytes: Bytes) -> Result<(), PlaceError> {
        let put = self.objects.put(path, PutPayload::from_bytes(bytes)).await;
        put.map(|_| ()).map_err(PlaceError::from)
    }

    /// What is known of a medium; `None` where it has not come yet, or was removed.
    pub(crate) async fn about(&self, name: &Name) -> Result<Option<About>, PlaceError> {
        let Some(body) = found(self.objects.get(&about(name.as_str())).await)? else {
            return Ok(None);
        };
        let Some(body) = found(body.bytes().await)? else {
            return Ok(None);
        };
        // Damage is as good as nothing: the medium is fetched again, if it can be.
        Ok(serde_json::from_slice(&body).ok())
    }

    /// The bytes of a medium, as they come.
    pub(crate) async fn bytes(&self, file_name: &str) -> Result<Option<GetResult>, PlaceError> {
        found(self.objects.get(&file(file_name)).await)
    }

    /// Whether there is a file of this name.
    pub(crate) async fn has(&self, file_name: &str) -> Result<bool, PlaceError> {
        Ok(found(self.objects.head(&file(file_name)).await)?.is_some())
    }

    /// Removes the media of a conversation whose messages came up to a moment.
    pub(crate) async fn erase(&self, tag: &str, up_to: Timestamp) -> Result<(), PlaceError> {
        let marks: Vec<_> = self.objects.list(Some(&owner(tag))).try_collect().await?;
        for mark in marks {
            let Some(name) = mark.location.filename() else {
                continue;
            };
            let Some(since) = found(self.objects.get(&mark.location).await)? else {
                continue;
            };
            let since = found(since.bytes().await)?.unwrap_or_default();
            // Marks of earlier versions say nothing: what they mark came before any erasure now.
            let since = std::str::from_utf8(&since).unwrap_or_default().parse();
            if Timestamp::from_milliseconds(since.unwrap_or(0)) > up_to {
                continue;
            }
            self.remove_file(name).await?;
            self.remove(&about(name)).await?;
            // Last: what could not be removed before is found by it again.
            self.remove(&mark.location).await?;
        }
        Ok(())
    }

    async fn remove_file(&self, name: &str) -> Result<(), PlaceError> {
        let path = file(name);
        let size = found(self.objects.head(&path).await)?.map_or(0, |file| file.size);
        self.remove(&path).await?;
        self.no_longer_uses(size);
        Ok(())
    }

    pub(super) async fn remove(&self, path: &Path) -> Result<(), PlaceError> {
        found(self.objects.delete(path).await).map(|_| ())
    }

    /// Another replica may have kept the file, so that we never counted it.
    fn no_longer_uses(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It always gives something back, so it cannot fail.
        let _before: Result<u64, u64> =
            self.used
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}
