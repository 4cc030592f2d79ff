//! Where media are kept: a folder, or a bucket of an S3-compatible service.

use std::{path::PathBuf, sync::Arc};

use object_store::{ObjectStore, local::LocalFileSystem};

use super::s3::{self, S3Settings};

/// Where media are kept.
#[derive(Clone, Debug)]
pub enum MediaPlace {
    /// A folder; replicas that share a store share it.
    Folder(PathBuf),
    /// A bucket.
    S3(Box<S3Settings>),
}

impl MediaPlace {
    /// The folder, where it is one.
    pub fn folder(&self) -> Option<&PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::S3(_) => None,
        }
    }

    /// Takes the place.
    ///
    /// # Errors
    /// [`PlaceRefused`].
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, PlaceRefused> {
        match self {
            Self::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(PlaceRefused::Folder)?;
                let files = LocalFileSystem::new_with_prefix(folder)
                    .map_err(|_| PlaceRefused::Folder(std::io::ErrorKind::NotFound.into()))?;
                // What was acknowledged survives a crash of the machine; owners' folders go with their
                // last medium.
                Ok(Arc::new(
                    files.with_fsync(true).with_automatic_cleanup(true),
                ))
            }
            Self::S3(settings) => s3::open(settings),
        }
    }
}

/// Why media cannot be kept where the configuration says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceRefused {
    /// The folder cannot be used.
    #[error("the folder of media cannot be used: {}", .0.kind())]
    Folder(std::io::Error),
    /// The bucket cannot be used.
    #[error("the bucket of media cannot be used: {0}")]
    Bucket(String),
}
