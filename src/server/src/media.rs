//! Files that citizens upload: kept under unguessable names, bounded, removed with their owner.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use langnghe_connector::{MediaRefusal, Upload, sniff};
use langnghe_model::{ConversationId, Timestamp, event::Media};
use tokio::io::AsyncWriteExt;

use crate::MediaSettings;

/// Where uploads are kept: `folder/files/<128 random bits>.<extension>`.
///
/// Links go to agencies and into what is published, so they must not show which files come from one
/// citizen. Whose a file is says an empty file of the same name in `folder/owners/<conversation tag>`.
#[derive(Debug)]
pub(crate) struct MediaFolder {
    settings: MediaSettings,
    /// What the files take together, as far as this process knows: what other replicas keep in the same
    /// folder is counted when retention goes through it.
    used: AtomicU64,
}

impl MediaFolder {
    /// Opens the folder; it is made with the first file.
    pub(crate) async fn open(settings: MediaSettings) -> Self {
        let used = AtomicU64::new(
            files_in(&settings.folder.join(FILES))
                .await
                .iter()
                .map(|file| file.bytes)
                .sum(),
        );
        Self { settings, used }
    }

    /// Keeps a file; when it returns, the file is on disk.
    pub(crate) async fn keep(
        &self,
        conversation: &ConversationId,
        upload: Upload,
    ) -> Result<Media, MediaRefusal> {
        let bytes = upload.bytes.len() as u64;
        if bytes > self.settings.file_bytes {
            return Err(MediaRefusal::TooLarge {
                limit: self.settings.file_bytes,
            });
        }
        let sniffed = sniff(&upload.bytes).ok_or(MediaRefusal::Kind)?;
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let kept = if used > self.settings.total_bytes {
            tracing::error!(
                used,
                limit = self.settings.total_bytes,
                "no room for uploads"
            );
            Err(MediaRefusal::Unavailable)
        } else {
            self.write(conversation, upload.bytes, sniffed.extension)
                .await
        };
        if kept.is_err() {
            self.no_longer_uses(bytes);
        }
        Ok(Media {
            kind: sniffed.kind,
            url: format!(
                "{}/media/{}",
                self.settings.public_url.trim_end_matches('/'),
                kept?
            ),
            content_type: Some(sniffed.content_type.to_owned()),
            bytes: Some(bytes),
            name: upload.name,
        })
    }

    async fn write(
        &self,
        conversation: &ConversationId,
        bytes: Bytes,
        extension: &str,
    ) -> Result<String, MediaRefusal> {
        let name = format!("{:032x}.{extension}", rand::random::<u128>());
        let owner = self.owner(conversation);
        let kept = async {
            // The owner first: a file without one could not be erased.
            write_durably(&owner, &name, b"").await?;
            write_durably(&self.settings.folder.join(FILES), &name, &bytes).await
        };
        kept.await.map_err(|error| {
            tracing::error!(kind = ?error.kind(), "an upload could not be written");
            MediaRefusal::Unavailable
        })?;
        Ok(name)
    }

    fn owner(&self, conversation: &ConversationId) -> PathBuf {
        self.settings.folder.join(OWNERS).join(conversation.tag())
    }

    /// Reads a file by the name in its link; `None` where there is none.
    pub(crate) async fn read(&self, name: &str) -> Option<(Bytes, &'static str)> {
        // No slash, no leading dot: nothing outside the folder has such a name.
        let plain = |part: char| part.is_ascii_alphanumeric() || part == '.';
        if name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            return None;
        }
        let path = self.settings.folder.join(FILES).join(name);
        let bytes = tokio::fs::read(path).await.ok()?;
        let content_type = sniff(&bytes)?.content_type;
        Some((Bytes::from(bytes), content_type))
    }

    /// Removes all files of a conversation.
    pub(crate) async fn erase(&self, conversation: &ConversationId) {
        let owner = self.owner(conversation);
        for mark in files_in(&owner).await {
            let Some(name) = mark.path.file_name() else {
                continue;
            };
            if self
                .remove(&self.settings.folder.join(FILES).join(name))
                .await
            {
                self.remove(&mark.path).await;
            }
        }
        // Not empty where a file could not be removed: the next erasure or retention finds it.
        drop(tokio::fs::remove_dir(&owner).await);
    }

    /// Removes one file; whether it is gone.
    async fn remove(&self, path: &Path) -> bool {
        let bytes = tokio::fs::metadata(path).await.map_or(0, |file| file.len());
        match tokio::fs::remove_file(path).await {
            Ok(()) => {
                self.no_longer_uses(bytes);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => {
                tracing::error!(kind = ?error.kind(), "an upload could not be removed");
                false
            }
        }
    }

    /// Another replica may have kept the file, so that we never counted it.
    fn no_longer_uses(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It always gives something back, so it cannot fail.
        let _before: Result<u64, u64> =
            self.used
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Removes files older than `age`, and what an interrupted upload left, and counts the rest.
    pub(crate) async fn purge(&self, age: Duration, now: Timestamp) {
        let files = self.settings.folder.join(FILES);
        let mut folders = vec![files.clone()];
        folders.extend(folders_in(&self.settings.folder.join(OWNERS)).await);
        let mut used = 0;
        for folder in folders {
            for file in files_in(&folder).await {
                let part = file
                    .path
                    .extension()
                    .is_some_and(|extension| extension == "part");
                let longest = if part { LONGEST_UPLOAD } else { age };
                if now.since(file.changed_at) > longest {
                    self.remove(&file.path).await;
                } else if folder == files {
                    used += file.bytes;
                }
            }
        }
        self.used.store(used, Ordering::Relaxed);
    }
}

const FILES: &str = "files";
const OWNERS: &str = "owners";
/// What is half written after so long was interrupted.
const LONGEST_UPLOAD: Duration = Duration::from_hours(1);

async fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let part = folder.join(format!("{name}.part"));
    let mut file = tokio::fs::File::create_new(&part).await?;
    let written = async {
        file.write_all(bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&part, folder.join(name)).await?;
        tokio::fs::File::open(folder).await?.sync_all().await
    };
    let result = written.await;
    if result.is_err() {
        // Half a file is of no use; what matters is the first error.
        drop(tokio::fs::remove_file(&part).await);
    }
    result
}

struct KeptFile {
    path: PathBuf,
    bytes: u64,
    changed_at: Timestamp,
}

async fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
        return found;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        found.push(entry.path());
    }
    found
}

async fn files_in(folder: &Path) -> Vec<KeptFile> {
    let mut found = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
        return found;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let Ok(metadata) = entry.metadata().await else {
            continue;
        };
        let changed = metadata
            .modified()
            .ok()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        found.push(KeptFile {
            path: entry.path(),
            bytes: metadata.len(),
            changed_at: Timestamp::default() + changed.unwrap_or_default(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use langnghe_model::{ChannelId, CitizenId};

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

    fn visitor(name: &str) -> ConversationId {
        ConversationId::new(
            ChannelId::new("web").expect("a good id"),
            CitizenId::new(name),
        )
    }

    async fn folder(room: u64) -> (tempfile::TempDir, MediaFolder) {
        let place = tempfile::tempdir().expect("a folder for the test");
        let settings = MediaSettings {
            folder: place.path().join("media"),
            public_url: "https://gop-y.example.vn/".to_owned(),
            file_bytes: 20,
            total_bytes: room,
        };
        (place, MediaFolder::open(settings).await)
    }

    fn upload(bytes: &'static [u8]) -> Upload {
        Upload {
            bytes: Bytes::from_static(bytes),
            name: Some("../../etc/passwd".to_owned()),
        }
    }

    fn name(media: &Media) -> &str {
        media.url.rsplit('/').next().expect("a name")
    }

    #[tokio::test]
    async fn an_upload_is_served_under_a_link_that_cannot_be_guessed_until_it_is_erased() {
        let (_place, folder) = folder(1000).await;
        let one = folder.keep(&visitor("a"), upload(PNG)).await.expect("kept");
        let two = folder.keep(&visitor("a"), upload(PNG)).await.expect("kept");
        assert_ne!(one.url, two.url);
        assert!(
            one.url.starts_with("https://gop-y.example.vn/media/"),
            "{}",
            one.url
        );
        assert_eq!(one.content_type.as_deref(), Some("image/png"));
        let name = name(&one);
        let (bytes, content_type) = folder.read(name).await.expect("served");
        assert_eq!((bytes.as_ref(), content_type), (PNG, "image/png"));

        folder.erase(&visitor("a")).await;
        assert!(folder.read(name).await.is_none());
        assert_eq!(folder.used.load(Ordering::Relaxed), 0);
        folder.erase(&visitor("nobody")).await;
    }

    #[tokio::test]
    async fn what_is_too_large_dangerous_or_has_no_room_is_refused() {
        let (_place, folder) = folder(20).await;
        let refused = |result: Result<Media, MediaRefusal>| result.expect_err("refused");
        let page = upload(b"<!doctype html><scri");
        assert_eq!(
            refused(folder.keep(&visitor("a"), page).await),
            MediaRefusal::Kind
        );
        let large = upload(b"\x89PNG\r\n\x1a\n0000000000000");
        let limit = MediaRefusal::TooLarge { limit: 20 };
        assert_eq!(refused(folder.keep(&visitor("a"), large).await), limit);
        folder
            .keep(&visitor("a"), upload(PNG))
            .await
            .expect("there is room for one");
        let second = folder.keep(&visitor("b"), upload(PNG)).await;
        assert_eq!(refused(second), MediaRefusal::Unavailable);
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_folder() {
        let (place, folder) = folder(1000).await;
        std::fs::write(place.path().join("secret.png"), PNG).expect("written");
        for name in ["../secret.png", "..", ".", ".png", "", "a/../../secret.png"] {
            assert!(folder.read(name).await.is_none(), "{name}");
        }
    }

    #[tokio::test]
    async fn replicas_that_share_the_folder_serve_count_and_erase_each_others_files() {
        let (_place, one) = folder(40).await;
        let other = MediaFolder::open(one.settings.clone()).await;
        let citizen = visitor("a");
        let media = one.keep(&citizen, upload(PNG)).await.expect("kept");
        assert!(other.read(name(&media)).await.is_some());
        other.erase(&citizen).await;
        assert!(one.read(name(&media)).await.is_none());
        for _ in 0..2 {
            other
                .keep(&citizen, upload(PNG))
                .await
                .expect("there is room");
        }
        one.purge(Duration::from_hours(1), crate::clock::now())
            .await;
        one.keep(&citizen, upload(PNG))
            .await
            .expect("there is room");
        let full = one.keep(&citizen, upload(PNG)).await;
        assert_eq!(full.expect_err("refused"), MediaRefusal::Unavailable);
    }

    #[tokio::test]
    async fn retention_removes_what_is_old_and_nothing_else() {
        let (_place, folder) = folder(1000).await;
        let media = folder.keep(&visitor("a"), upload(PNG)).await.expect("kept");
        let name = name(&media);
        let day = Duration::from_hours(24);
        folder.purge(day, crate::clock::now()).await;
        assert!(folder.read(name).await.is_some());
        folder.purge(day, crate::clock::now() + 2 * day).await;
        assert!(folder.read(name).await.is_none());
    }
}
