//! Versions of flows in the store: kept before the first session begins on them, and fetched when a
//! session turns up that began on one which is not loaded here. Replicas load new files at different
//! moments, so either may be ahead of the other.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use langnghe_flow::Library;
use langnghe_model::{Timestamp, problem::Source};
use langnghe_store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::clock;

/// Under what the texts of flow versions are kept in the store.
const ARCHIVE: &str = "flow/";
/// For how long a version that is not there is not asked for again.
const MISSING_TIME: Duration = Duration::from_mins(1);
/// The most versions that are remembered as not there.
const MOST_MISSING: usize = 1000;

/// Keeps the current versions in the store. To be done before sessions begin on them.
///
/// # Errors
/// [`StoreError`]; then the library must not be used.
pub async fn keep_versions(store: &dyn Store, library: &Library) -> Result<(), StoreError> {
    for (name, text) in library.versions() {
        let name = format!("{ARCHIVE}{name}");
        store.keep_document(&name, text.as_bytes()).await?;
    }
    Ok(())
}

/// Fetches versions that are not loaded here.
#[derive(Debug)]
pub(crate) struct Versions {
    store: Arc<dyn Store>,
    library: Arc<ArcSwap<Library>>,
    /// Until when each that was not there is not asked for. Held while one is fetched, so that one
    /// fetch serves all who wait for the same.
    missing: Mutex<HashMap<String, Timestamp>>,
}

impl Versions {
    pub(crate) fn new(store: Arc<dyn Store>, library: Arc<ArcSwap<Library>>) -> Self {
        let missing = Mutex::default();
        Self {
            store,
            library,
            missing,
        }
    }

    /// A library that holds this version; `None` when there is no such version, or it does not check
    /// here.
    pub(crate) async fn fetch(&self, name: &str) -> Result<Option<Arc<Library>>, StoreError> {
        let mut missing = self.missing.lock().await;
        let library = self.library.load_full();
        if library.holds_version(name) {
            return Ok(Some(library));
        }
        let now = clock::now();
        if missing.get(name).is_some_and(|until| now < *until) {
            return Ok(None);
        }
        let key = format!("{ARCHIVE}{name}");
        let kept = self.store.documents(&key).await?;
        let text = kept
            .into_iter()
            .find(|(found, _)| *found == key)
            .and_then(|(_, body)| String::from_utf8(body).ok());
        let found = match text {
            Some(text) => self.add(library, Source::new(name, text)).await,
            None => None,
        };
        if found.is_none() {
            tracing::warn!(
                version = name,
                "sessions are on a version of a flow that is not kept or does not check here; \
                 their answers move to the current one"
            );
            missing.retain(|_, until| now < *until);
            if missing.len() < MOST_MISSING {
                missing.insert(name.to_owned(), now + MISSING_TIME);
            }
        }
        Ok(found)
    }

    /// Adds a version to the library as it is now, which a reload may replace at the same moment: then
    /// the turn at hand still has its version, and the next one fetches it again.
    async fn add(&self, library: Arc<Library>, source: Arc<Source>) -> Option<Arc<Library>> {
        let before = Arc::clone(&library);
        let name = source.path.clone();
        // Checking a flow takes milliseconds.
        let adding = tokio::task::spawn_blocking(move || library.with_version(&source));
        let added = adding.await.ok().flatten()?;
        if !added.holds_version(&name) {
            return None;
        }
        let added = Arc::new(added);
        self.library.compare_and_swap(&before, Arc::clone(&added));
        tracing::info!(
            version = name,
            "a version of a flow was fetched for its sessions"
        );
        Some(added)
    }
}
