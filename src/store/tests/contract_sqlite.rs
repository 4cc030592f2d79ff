//! The contract suite on SQLite.

use std::sync::Arc;

use langnghe_store::{Limits, OpenMode, SqliteStore, Store, contract::Fixture, contract_suite};

struct Sqlite {
    folder: tempfile::TempDir,
}

fn sqlite() -> Sqlite {
    Sqlite {
        folder: tempfile::tempdir().expect("a folder for temporary files"),
    }
}

#[async_trait::async_trait]
impl Fixture for Sqlite {
    async fn open(&self, limits: Limits) -> Arc<dyn Store> {
        let path = self.folder.path().join("langnghe.db");
        Arc::new(SqliteStore::open(&path, limits, OpenMode::Serve).expect("the store opens"))
    }
}

contract_suite!(sqlite());
