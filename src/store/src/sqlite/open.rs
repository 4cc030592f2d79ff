//! Opening: the file, its lock, its permissions, its connections.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{schema, state::explain};
use crate::StoreError;

/// How long a connection waits for a lock of another.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    Read,
}

/// An error of opening that names the path.
pub(super) fn cannot(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::Open {
        path: path.display().to_string(),
        reason: reason.into(),
    }
}

/// Makes the folder, checks that the path can be a database, and makes the file with permissions
/// for us alone.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Err(cannot(
            path,
            "it is a folder: name a file in it, such as langnghe.db",
        ));
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            cannot(
                path,
                format!("the folder {} cannot be made: {error}", folder.display()),
            )
        })?;
    }
    open_private(path).map(drop)
}

fn open_private(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        use std::io::ErrorKind;
        let advice = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                ": it must be writable for the user that runs langnghe"
            }
            ErrorKind::StorageFull => ": make room on the disk",
            _ => "",
        };
        cannot(path, format!("{error}{advice}"))
    })
}

/// Takes the lock that one serving process holds; `None` when another has it. The lock goes with
/// the file handle, so a process that dies leaves none behind.
pub(super) fn lock(path: &Path) -> Result<Option<File>, StoreError> {
    let mut side: PathBuf = path.to_owned();
    side.as_mut_os_string().push(".lock");
    let file = open_private(&side)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(cannot(&side, format!("it cannot be locked: {error}")))
        }
    }
}

/// Opens a connection; the first one also brings the schema up to date.
pub(super) fn connect(path: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    open(path, purpose).map_err(|error| cannot(path, explain(&error)))
}

fn open(path: &Path, purpose: Purpose) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    let cache_kibibytes = match purpose {
        Purpose::Write => 8192,
        Purpose::Read => 1024,
    };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{cache_kibibytes};
         PRAGMA journal_size_limit = 134217728;"
    ))?;
    Ok(connection)
}

/// Refuses a newer schema.
pub(super) fn check_version(path: &Path, connection: &Connection) -> Result<i64, StoreError> {
    let found = schema::version(connection).map_err(|error| cannot(path, explain(&error)))?;
    let known = schema::newest();
    if found > known {
        return Err(StoreError::Newer {
            path: path.display().to_string(),
            found,
            known,
        });
    }
    Ok(found)
}
