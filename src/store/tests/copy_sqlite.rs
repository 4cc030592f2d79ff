//! Moving from one database to another.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use langnghe_store::{
    Limits, OpenMode, SqliteStore, Store, StoreError,
    archive::Archive,
    contract::archive::{self, ArchiveFixture},
};
use tempfile::TempDir;

/// A database, and the memory for its marks.
struct Database(TempDir, usize);

impl Database {
    fn new() -> Self {
        Self::with_dedup_memory(Limits::default().dedup_memory)
    }

    fn with_dedup_memory(bytes: usize) -> Self {
        Self(tempfile::tempdir().expect("a folder"), bytes)
    }

    fn open(&self, mode: OpenMode) -> Result<Arc<SqliteStore>, StoreError> {
        let limits = Limits {
            dedup_memory: self.1,
            ..Limits::default()
        };
        SqliteStore::open(&self.path(), limits, mode).map(Arc::new)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("langnghe.db")
    }
}

#[async_trait]
impl ArchiveFixture for Database {
    async fn serve(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(self.open(OpenMode::Serve)?)
    }

    async fn archive(&self) -> Arc<dyn Archive> {
        self.open(OpenMode::Copy).expect("opened")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_gives_the_same_answers() {
    for seed in 0..4 {
        println!("seed {seed}");
        archive::a_copy_gives_the_same_answers(&Database::new(), &Database::new(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_on_where_it_died() {
    for seed in 0..2 {
        println!("seed {seed}");
        archive::a_copy_goes_on_where_it_died(&Database::new(), &Database::new(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_something_is_refused() {
    let (source, target) = (Database::new(), Database::new());
    archive::a_target_that_holds_something_is_refused(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_copy_takes_nothing_else() {
    archive::an_unfinished_copy_takes_nothing_else(&Database::new(), &Database::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_many_pages_is_whole() {
    // So little that marks are written out as runs on either side.
    let [source, target] = [(); 2].map(|()| Database::with_dedup_memory(64 * 1024));
    archive::a_copy_of_many_pages_is_whole(&source, &target).await;
}
