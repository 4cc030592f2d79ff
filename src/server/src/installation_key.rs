//! One random secret an installation, made with its first start and kept in its store, so that it is
//! the same at all replicas and after every restart.

use langnghe_store::{Store, StoreError};
use sha2::{Digest, Sha256};

/// Under what it lies in the store.
const NAME: &str = "installation/key";
const BYTES: usize = 32;

/// The secret of an installation. Nothing uses it as it is: each use has a key of its own.
#[derive(Clone)]
pub struct InstallationKey([u8; BYTES]);

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("InstallationKey")
    }
}

impl InstallationKey {
    /// The store's secret, if one was made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let kept = store.document(NAME).await?;
        Ok(kept
            .and_then(|bytes| <[u8; BYTES]>::try_from(bytes).ok())
            .map(Self))
    }

    /// The store's secret; made now where there is none. Replicas that start together get the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_or_make(store: &dyn Store) -> Result<Self, StoreError> {
        if let Some(found) = Self::find(store).await? {
            return Ok(found);
        }
        let broken = store.document(NAME).await?;
        let made: [u8; BYTES] = rand::random();
        let ours = store
            .exchange_document(NAME, broken.as_deref(), &made)
            .await?;
        if ours {
            return Ok(Self(made));
        }
        let found = Self::find(store).await?;
        found.ok_or_else(|| StoreError::Damaged("the installation's key".to_owned()))
    }

    /// The key for one use.
    pub fn derive(&self, usage: &str) -> [u8; BYTES] {
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update(usage.as_bytes());
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use langnghe_store::{Limits, OpenMode, SqliteStore};

    use super::*;

    #[tokio::test]
    async fn the_key_is_made_once_and_found_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("langnghe.db");
        let open = || SqliteStore::open(&path, Limits::default(), OpenMode::Serve).expect("opens");
        let store = open();
        assert!(InstallationKey::find(&store).await.expect("read").is_none());
        let (one, other) = tokio::join!(
            InstallationKey::find_or_make(&store),
            InstallationKey::find_or_make(&store),
        );
        let key = one.expect("made").derive("tags");
        assert_eq!(other.expect("made").derive("tags"), key);
        store.close().await.expect("closed");
        drop(store);
        let again = InstallationKey::find_or_make(&open()).await.expect("found");
        assert_eq!(again.derive("tags"), key);
        assert_ne!(again.derive("links"), key);
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("langnghe.db");
        let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve).expect("opens");
        store.keep_document(NAME, b"short").await.expect("kept");
        let made = InstallationKey::find_or_make(&store).await.expect("made");
        let found = InstallationKey::find(&store)
            .await
            .expect("read")
            .expect("one");
        assert_eq!(found.derive("tags"), made.derive("tags"));
    }
}
