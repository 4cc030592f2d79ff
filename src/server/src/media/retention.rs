//! What is removed from the place of media as it is old, and what is left over there.

use std::{collections::BTreeSet, path::Path as FilePath, time::Duration};

use futures_util::TryStreamExt as _;
use langnghe_model::Timestamp;
use object_store::{ObjectMeta, ObjectStore as _, path::Path};

use super::{
    job::is_older,
    shelf::{ABOUT, FILES, OWNERS, PlaceError, Shelf},
};

/// What nothing is known about after so long belongs to no upload and no fetching any more.
const LEFT_OVER: Duration = Duration::from_hours(14 * 24);
/// What is half written after so long was interrupted.
const LONGEST_WRITE: Duration = Duration::from_hours(1);

/// Removes what is older than `age`, and what interruptions left, and counts the rest.
pub(super) async fn purge(shelf: &Shelf, age: Duration, now: Timestamp) -> Result<(), PlaceError> {
    let mut known = BTreeSet::new();
    for object in list(shelf, ABOUT).await? {
        if is_old(&object, age, now) {
            shelf.remove(&object.location).await?;
        } else if let Some(name) = object.location.filename() {
            known.insert(name.to_owned());
        }
    }
    let left_over = |object: &ObjectMeta| {
        let name = object.location.filename().unwrap_or_default();
        !known.contains(name) && !is_older(name) && is_old(object, LEFT_OVER, now)
    };
    let mut used = 0;
    for object in list(shelf, FILES).await? {
        if is_old(&object, age, now) || left_over(&object) {
            shelf.remove(&object.location).await?;
        } else {
            used += object.size;
        }
    }
    for object in list(shelf, OWNERS).await? {
        if is_old(&object, age, now) || left_over(&object) {
            shelf.remove(&object.location).await?;
        }
    }
    shelf.now_used(used);
    Ok(())
}

async fn list(shelf: &Shelf, prefix: &str) -> Result<Vec<ObjectMeta>, PlaceError> {
    let objects = shelf.objects.list(Some(&Path::from(prefix)));
    Ok(objects.try_collect().await?)
}

fn is_old(object: &ObjectMeta, age: Duration, now: Timestamp) -> bool {
    let changed = Timestamp::from_milliseconds(object.last_modified.timestamp_millis());
    now.since(changed) > age
}

/// Removes half-written files from a folder: the listing of objects does not show them.
pub(super) async fn sweep_folder(folder: &FilePath, now: Timestamp) {
    let mut folders = vec![folder.join(FILES), folder.join(ABOUT)];
    folders.extend(entries(&folder.join(OWNERS)).await);
    for folder in folders {
        for path in entries(&folder).await {
            if is_half(&path) && is_old_file(&path, now).await {
                // Another replica may have removed it; the next sweep finds what is left.
                drop(tokio::fs::remove_file(&path).await);
            }
        }
    }
}

/// `name#1` is what the library writes before it renames it, `name.part` what earlier versions did.
fn is_half(path: &FilePath) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        let part = FilePath::new(name)
            .extension()
            .is_some_and(|end| end == "part");
        part || name.contains('#')
    })
}

async fn is_old_file(path: &FilePath, now: Timestamp) -> bool {
    let Ok(metadata) = tokio::fs::metadata(path).await else {
        return false;
    };
    let changed = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    now.since(Timestamp::default() + changed.unwrap_or_default()) > LONGEST_WRITE
}

async fn entries(folder: &FilePath) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
        return found;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        found.push(entry.path());
    }
    found
}
