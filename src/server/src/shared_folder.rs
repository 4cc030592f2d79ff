//! Whether the folder of uploads is one and the same at all replicas.

use std::{io, path::Path};

use langnghe_store::{Store, StoreError};

/// Under what the store keeps the folder's name.
const DOCUMENT: &str = "media/folder";
/// The file in the folder that holds its name.
const FILE: &str = "folder-id";

/// What the check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// The folder that the store knows.
    Same,
    /// Another one: other replicas cannot show what is kept here, nor we what is kept there.
    Another,
}

/// Why it could not be found out.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the folder of uploads: {}", .0.kind())]
    Folder(#[from] io::Error),
}

/// Tells the operator when replicas that share a store do not share the folder of uploads.
pub(crate) async fn look(store: &dyn Store, folder: &Path) {
    match check(store, folder).await {
        Ok(Found::Same) => {}
        Ok(Found::Another) => tracing::error!(
            folder = %folder.display(),
            "other replicas keep uploads in another folder: links to files that citizens send will \
             fail at some of them; mount one folder at all replicas (`path` of [media])"
        ),
        Err(error) => {
            tracing::warn!(%error, "it is not known whether replicas share the folder of uploads");
        }
    }
}

/// Compares the folder with the one that the store knows; the first replica's becomes that.
async fn check(store: &dyn Store, folder: &Path) -> Result<Found, CheckError> {
    let known = known(store).await?;
    let here = match tokio::fs::read_to_string(folder.join(FILE)).await {
        Ok(name) => Some(name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    match (known, here) {
        (Some(known), here) if here.as_ref() != Some(&known) => Ok(Found::Another),
        (Some(_), _) => Ok(Found::Same),
        (None, here) => {
            let name = match here {
                Some(name) => name,
                None => mark(folder).await?,
            };
            store.keep_document(DOCUMENT, name.as_bytes()).await?;
            Ok(Found::Same)
        }
    }
}

async fn known(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let documents = store.documents(DOCUMENT).await?;
    let found = documents.into_iter().find(|(name, _)| name == DOCUMENT);
    Ok(found.and_then(|(_, body)| String::from_utf8(body).ok()))
}

async fn mark(folder: &Path) -> io::Result<String> {
    let name = format!("{:032x}", rand::random::<u128>());
    tokio::fs::create_dir_all(folder).await?;
    tokio::fs::write(folder.join(FILE), &name).await?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use langnghe_store::{Limits, OpenMode, SqliteStore};

    use super::*;

    #[tokio::test]
    async fn a_replica_with_a_folder_of_its_own_is_noticed() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let path = place.path().join("store.db");
        let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
        let store = store.expect("a new store");
        let check = async |folder: &str| {
            let found = check(&store, &place.path().join(folder)).await;
            found.expect("the store is there")
        };
        assert_eq!(check("shared").await, Found::Same, "the first one");
        assert_eq!(
            check("shared").await,
            Found::Same,
            "again, and another replica"
        );
        assert_eq!(check("own").await, Found::Another);
        assert_eq!(check("own").await, Found::Another, "it stays so");
        assert_eq!(check("shared").await, Found::Same);
    }
}
