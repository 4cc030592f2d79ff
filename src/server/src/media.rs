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

/// Where uploads are kept: `folder/<conversation tag>/<128 random bits>.<extension>`.
#[derive(Debug)]
pub(crate) struct MediaFolder {
    settings: MediaSettings,
    /// What the files take together, as far as this process knows.
    used: AtomicU64,
}

impl MediaFolder {
    /// Opens the folder; it is made with the first file.
    pub(crate) async fn open(settings: MediaSettings) -> Self {
        let used = AtomicU64::new(
            files(&settings.folder)
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
            self.used.fetch_sub(bytes, Ordering::Relaxed);
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
        let tag = conversation.tag();
        let name = format!("{:032x}.{extension}", rand::random::<u128>());
        let folder = self.settings.folder.join(&tag);
        write_durably(&folder, &name, &bytes)
            .await
            .map_err(|error| {
                tracing::error!(kind = ?error.kind(), "an upload could not be written");
                MediaRefusal::Unavailable
            })?;
        Ok(format!("{tag}/{name}"))
    }

    /// Reads a file by the two parts of its link; `None` where there is none.
    pub(crate) async fn read(&self, tag: &str, name: &str) -> Option<(Bytes, &'static str)> {
        let plain = |text: &str, also: char| {
            !text.is_empty()
                && text.len() <= 64
                && text
                    .chars()
                    .all(|part| part.is_ascii_alphanumeric() || part == also)
        };
        // No slash, no leading dot: nothing outside the folder has such a name.
        if !plain(tag, '0') || !plain(name, '.') || name.starts_with('.') {
            return None;
        }
        let bytes = tokio::fs::read(self.settings.folder.join(tag).join(name))
            .await
            .ok()?;
        let content_type = sniff(&bytes)?.content_type;
        Some((Bytes::from(bytes), content_type))
    }

    /// Removes all files of a conversation.
    pub(crate) async fn erase(&self, conversation: &ConversationId) {
        let folder = self.settings.folder.join(conversation.tag());
        let freed: u64 = files_in(&folder).await.iter().map(|file| file.bytes).sum();
        match tokio::fs::remove_dir_all(&folder).await {
            Ok(()) => {
                self.used.fetch_sub(freed, Ordering::Relaxed);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(kind = ?error.kind(), conversation = conversation.tag(),
                    "uploads could not be erased; remove the conversation's folder by hand");
            }
        }
    }

    /// Removes files older than `age`, and what an interrupted upload left.
    pub(crate) async fn purge(&self, age: Duration, now: Timestamp) {
        for file in files(&self.settings.folder).await {
            let left_over = file
                .path
                .extension()
                .is_some_and(|extension| extension == "part")
                && now.since(file.changed_at) > Duration::from_hours(1);
            if (left_over || now.since(file.changed_at) > age)
                && tokio::fs::remove_file(&file.path).await.is_ok()
            {
                self.used.fetch_sub(file.bytes, Ordering::Relaxed);
            }
        }
    }
}

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

async fn files(folder: &Path) -> Vec<KeptFile> {
    let mut found = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
        return found;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        found.extend(files_in(&entry.path()).await);
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

    fn parts(media: &Media) -> (String, String) {
        let mut parts = media.url.rsplit('/').map(str::to_owned);
        let name = parts.next().expect("a name");
        (parts.next().expect("a tag"), name)
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
        let (tag, name) = parts(&one);
        let (bytes, content_type) = folder.read(&tag, &name).await.expect("served");
        assert_eq!((bytes.as_ref(), content_type), (PNG, "image/png"));

        folder.erase(&visitor("a")).await;
        assert!(folder.read(&tag, &name).await.is_none());
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
        for (tag, name) in [
            ("..", "secret.png"),
            (".", "secret.png"),
            ("a", "../../secret.png"),
            ("a", ".png"),
        ] {
            assert!(folder.read(tag, name).await.is_none(), "{tag}/{name}");
        }
    }

    #[tokio::test]
    async fn retention_removes_what_is_old_and_nothing_else() {
        let (_place, folder) = folder(1000).await;
        let media = folder.keep(&visitor("a"), upload(PNG)).await.expect("kept");
        let (tag, name) = parts(&media);
        let day = Duration::from_hours(24);
        folder.purge(day, crate::clock::now()).await;
        assert!(folder.read(&tag, &name).await.is_some());
        folder.purge(day, crate::clock::now() + 2 * day).await;
        assert!(folder.read(&tag, &name).await.is_none());
    }
}
