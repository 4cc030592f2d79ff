//! Answers of the token endpoint on the disk, until the store has them.
//!
//! A file is made and locked before its exchange begins, and the lock is handed on to whoever asks
//! Zalo. So a file that is not locked is final: it holds the answer, or there will be none.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use langnghe_model::{ChannelId, Timestamp};
use serde::{Deserialize, Serialize};

/// The largest file that is read.
const LARGEST: u64 = 256 * 1024;

/// What came of asking.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// An answer.
    Answered {
        /// Its body, in base64: byte for byte as it came.
        body: String,
        /// When it came.
        at: Timestamp,
    },
    /// The request did not leave, so the token is as it was.
    Unsent(String),
    /// Zalo may have taken the token; its answer did not come.
    Unclear(String),
}

impl Outcome {
    pub(super) fn answered(body: &[u8], at: Timestamp) -> Self {
        Self::Answered {
            body: STANDARD.encode(body),
            at,
        }
    }

    pub(super) fn body(encoded: &str) -> Vec<u8> {
        STANDARD.decode(encoded).unwrap_or_default()
    }

    /// Writes it where it survives the machine.
    pub(super) fn write(&self, mut file: &File) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        file.write_all(&text)?;
        file.sync_all()
    }
}

/// A file, as it was found.
#[derive(Debug)]
pub(super) enum Found {
    /// Somebody asks Zalo.
    Running,
    /// What came of it; `None` where nobody asks any more and there is no answer.
    Ended(Option<Outcome>),
}

/// The folder of answers, as one channel sees it.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub(super) folder: &'a Path,
    pub(super) channel: &'a ChannelId,
}

impl Answers<'_> {
    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{}.{id}.json", self.channel))
    }

    /// Makes the file of a renewal, locked; it is on the disk when this returns.
    pub(super) fn make(&self, id: &str) -> io::Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.folder)?;
        let path = self.path(id);
        // It has its name only once it is locked: one that is not is final for whoever looks.
        let unlocked = path.with_extension("new");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unlocked)?;
        file.lock()?;
        fs::rename(&unlocked, &path)?;
        File::open(self.folder)?.sync_all()?;
        Ok(file)
    }

    /// Looks at the file of a renewal; `None` where there is none on this machine.
    pub(super) fn look(&self, id: &str) -> io::Result<Option<Found>> {
        let file = match File::open(self.path(id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Some(Found::Running)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = Vec::new();
        (&file).take(LARGEST).read_to_end(&mut text)?;
        Ok(Some(Found::Ended(serde_json::from_slice(&text).ok())))
    }

    /// The renewals that have a file here.
    pub(super) fn all(&self) -> Vec<String> {
        let prefix = format!("{}.", self.channel);
        let Ok(entries) = fs::read_dir(self.folder) else {
            return Vec::new();
        };
        let id = |entry: io::Result<fs::DirEntry>| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let id = name.strip_prefix(&prefix)?.strip_suffix(".json")?;
            Some(id.to_owned())
        };
        entries.filter_map(id).collect()
    }

    /// Removes the file of a renewal that is over.
    pub(super) fn remove(&self, id: &str) {
        if let Err(error) = fs::remove_file(self.path(id))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, channel = %self.channel,
                "an answer that is kept elsewhere by now could not be removed");
        }
    }
}
