//! Everything about media that the other parts ask for.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use langnghe_connector::{MediaRefusal, Sniffed, Upload, sniff};
use langnghe_model::{ConversationId, Timestamp, event::Media};
use langnghe_store::{Store, StoreError};
use object_store::GetResult;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OnceCell};

use super::{
    about::{About, Reason},
    job::{FetchJob, JOBS, is_older},
    metrics::MediaMetrics,
    names::{Keys, Name},
    place::PlaceRefused,
    retention,
    scan::{self, Verdict},
    shelf::{KeepError, PlaceError, Shelf},
};
use crate::{MediaSettings, clock};

/// Under what the store keeps the secret that names and signs media.
const KEY: &str = "media/key";
/// What the names of erasures begin with in the store.
const ERASURES: &str = "media/erased/";
/// How long an erasure is remembered: longer than anything on its way takes.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How many jobs are written at once.
const WRITES_AT_ONCE: usize = 32;
/// Where replicas tell each other that there is something to fetch.
pub(super) const TOPIC: &str = "media";
/// A job that nobody has given up so long after its time belongs to a channel that is no more.
const ABANDONED: Duration = Duration::from_hours(24);

/// What is asked about media.
pub(crate) struct MediaKeeper {
    pub(super) settings: MediaSettings,
    pub(super) store: Arc<dyn Store>,
    pub(super) shelf: Shelf,
    pub(super) metrics: MediaMetrics,
    keys: OnceCell<Keys>,
    /// How many jobs waited when they were last looked at.
    waiting: AtomicUsize,
    /// There is something to fetch.
    pub(super) hint: Notify,
    /// A medium came, or was given up.
    pub(super) changed: Notify,
}

impl fmt::Debug for MediaKeeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MediaKeeper")
            .finish_non_exhaustive()
    }
}

/// Where a medium is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is still to be fetched.
    Fetching,
    /// It is here, or will not come.
    Known(About),
}

/// What a conversation's erasure covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erasure {
    /// Media of messages that came up to this moment.
    pub(crate) up_to: Timestamp,
    /// When it was asked for.
    pub(crate) at: Timestamp,
}

/// The state of a medium cannot be told just now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Place(#[from] PlaceError),
}

impl MediaKeeper {
    /// Takes the place where media are kept.
    ///
    /// # Errors
    /// [`PlaceRefused`].
    pub(crate) async fn open(
        settings: MediaSettings,
        store: Arc<dyn Store>,
        metrics: MediaMetrics,
    ) -> Result<Self, PlaceRefused> {
        let objects = settings.place.open()?;
        let shelf = Shelf::open(objects, &settings).await;
        Ok(Self::over(shelf, settings, store, metrics))
    }

    pub(super) fn over(
        shelf: Shelf,
        settings: MediaSettings,
        store: Arc<dyn Store>,
        metrics: MediaMetrics,
    ) -> Self {
        Self {
            settings,
            store,
            shelf,
            metrics,
            keys: OnceCell::new(),
            waiting: AtomicUsize::new(0),
            hint: Notify::new(),
            changed: Notify::new(),
        }
    }

    /// What names and signs media; the first replica of a store makes it.
    pub(crate) async fn keys(&self) -> Result<&Keys, StoreError> {
        self.keys.get_or_try_init(|| self.make_keys()).await
    }

    async fn make_keys(&self) -> Result<Keys, StoreError> {
        if let Some(secret) = self.store.document(KEY).await? {
            return Ok(Keys::new(&secret));
        }
        let secret: [u8; 32] = rand::random();
        if self.store.exchange_document(KEY, None, &secret).await? {
            return Ok(Keys::new(&secret));
        }
        // Another replica was quicker. Nobody removes it.
        let made = self.store.document(KEY).await?;
        Ok(Keys::new(&made.unwrap_or_else(|| secret.to_vec())))
    }

    /// What links and old uploads begin with.
    pub(crate) fn public_url(&self) -> &str {
        &self.settings.public_url
    }

    /// Keeps jobs, durably. Keeping one again changes nothing but that it is done again.
    ///
    /// # Errors
    /// [`StoreError`]; some may have been kept.
    pub(crate) async fn queue(&self, jobs: &[FetchJob]) -> Result<(), StoreError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut waiting = self.waiting.fetch_add(jobs.len(), Ordering::Relaxed);
        if waiting + jobs.len() > self.settings.waiting {
            // What was counted may be done already.
            waiting = self.jobs().await?.len();
        }
        let room = self.settings.waiting.saturating_sub(waiting);
        let (jobs, refused) = jobs.split_at(room.min(jobs.len()));
        for job in refused {
            tracing::error!(channel = %job.channel, conversation = job.tag,
                limit = self.settings.waiting, "too many media wait: one is not fetched");
            self.metrics.not_queued(job.channel.as_str());
        }
        for some in jobs.chunks(WRITES_AT_ONCE) {
            try_join_all(some.iter().map(|job| self.keep_job(job))).await?;
        }
        Ok(())
    }

    async fn keep_job(&self, job: &FetchJob) -> Result<(), StoreError> {
        let body = serde_json::to_vec(job).expect("a job has only string keys");
        let name = FetchJob::document(&job.name);
        self.store.keep_document(&name, &body).await
    }

    /// Says that jobs wait, here and at the other replicas.
    pub(crate) async fn hint(&self) {
        self.hint.notify_one();
        if let Some(bus) = self.store.bus()
            && let Err(error) = bus.publish(TOPIC, Vec::new()).await
        {
            tracing::debug!(%error, "other replicas were not told of media to fetch");
        }
    }

    /// All jobs.
    pub(super) async fn jobs(&self) -> Result<Vec<FetchJob>, StoreError> {
        let documents = self.store.documents(JOBS).await?;
        self.waiting.store(documents.len(), Ordering::Relaxed);
        self.metrics.show(documents.len(), self.shelf.used());
        let mut jobs = Vec::with_capacity(documents.len());
        for (name, body) in documents {
            match serde_json::from_slice(&body) {
                Ok(job) => jobs.push(job),
                // A newer version of the program wrote it; that one fetches it.
                Err(_) => tracing::debug!(bytes = name.len(), "a job of another version"),
            }
        }
        Ok(jobs)
    }

    /// Whether a job still waits.
    async fn is_waiting(&self, name: &Name) -> Result<bool, StoreError> {
        let job = self.store.document(&FetchJob::document(name)).await?;
        Ok(job.is_some())
    }

    /// Whether it is known what became of a medium.
    pub(super) async fn is_known(&self, name: &Name) -> Result<bool, StateError> {
        Ok(self.shelf.about(name).await?.is_some())
    }

    /// Takes a job away: what became of it is known.
    pub(super) async fn finish(&self, name: &Name) -> Result<(), StoreError> {
        self.store
            .remove_document(&FetchJob::document(name))
            .await?;
        self.changed.notify_waiters();
        Ok(())
    }

    /// Where a medium is.
    pub(crate) async fn state(&self, name: &Name) -> Result<State, StateError> {
        if let Some(about) = self.shelf.about(name).await? {
            return Ok(State::Known(about));
        }
        if self.is_waiting(name).await? {
            return Ok(State::Fetching);
        }
        // It may have come between the two looks.
        let about = self.shelf.about(name).await?;
        Ok(State::Known(about.unwrap_or(About::Unavailable {
            reason: Reason::Removed,
        })))
    }

    /// The bytes of a medium.
    pub(crate) async fn bytes(&self, name: &Name) -> Result<Option<GetResult>, PlaceError> {
        self.shelf.bytes(name.as_str()).await
    }

    /// The bytes and the type of an upload of a version before names, by the file's name.
    pub(crate) async fn older_upload(
        &self,
        file: &str,
    ) -> Result<Option<(Bytes, Sniffed)>, PlaceError> {
        if !is_older(file) {
            return Ok(None);
        }
        let Some(result) = self.shelf.bytes(file).await? else {
            return Ok(None);
        };
        let bytes = result.bytes().await?;
        Ok(sniff(&bytes).map(|sniffed| (bytes, sniffed)))
    }

    /// Keeps a file that a citizen uploaded; when it returns, the file is durable.
    pub(crate) async fn keep_upload(
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
        match self.is_clean(&upload.bytes).await {
            Ok(true) => {}
            Ok(false) => return Err(MediaRefusal::Kind),
            Err(error) => {
                tracing::error!(%error, "an upload could not be scanned");
                return Err(MediaRefusal::Unavailable);
            }
        }
        let name = Name::random();
        let what = About::available(&sniffed, bytes);
        let (tag, now) = (conversation.tag(), clock::now());
        let kept = self.shelf.keep(&name, &tag, now, upload.bytes, &what);
        kept.await.map_err(|error| {
            tracing::error!(%error, conversation = tag, "an upload is not kept");
            match error {
                KeepError::TooMany => MediaRefusal::TooMany,
                KeepError::NoRoom | KeepError::Place(_) => MediaRefusal::Unavailable,
            }
        })?;
        Ok(Media {
            kind: sniffed.kind,
            url: name.reference(),
            content_type: Some(sniffed.content_type.to_owned()),
            bytes: Some(bytes),
            name: upload.name,
        })
    }

    /// Whether the virus scanner, if there is one, finds nothing.
    pub(super) async fn is_clean(&self, bytes: &Bytes) -> Result<bool, scan::ScanError> {
        match &self.settings.scan {
            None => Ok(true),
            Some(scanner) => Ok(scan::scan(scanner, bytes).await? == Verdict::Clean),
        }
    }

    /// Notes, durably, that a conversation's media are to be erased. To be done before the turn that
    /// wants it is committed: should we die then, the next sweep erases.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn note_erasure(
        &self,
        conversation: &ConversationId,
        erasure: Erasure,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_vec(&erasure).expect("it has only string keys");
        let name = format!("{ERASURES}{}", conversation.tag());
        self.store.keep_document(&name, &body).await
    }

    /// The erasure that covers a job, if there is one.
    pub(super) async fn erasure_of(&self, job: &FetchJob) -> Result<Option<Erasure>, StoreError> {
        let name = format!("{ERASURES}{}", job.tag);
        let body = self.store.document(&name).await?;
        let erasure = body.and_then(|body| serde_json::from_slice::<Erasure>(&body).ok());
        Ok(erasure.filter(|erasure| job.since <= erasure.up_to))
    }

    /// Erases a conversation's media and what is still to be fetched of it.
    pub(crate) async fn erase(&self, tag: &str, erasure: Erasure) -> Result<(), StateError> {
        for job in self.jobs().await? {
            if job.tag == tag && job.since <= erasure.up_to {
                self.finish(&job.name).await?;
            }
        }
        Ok(self.shelf.erase(tag, erasure.up_to).await?)
    }

    /// Does erasures again that were noted lately, and forgets older ones.
    pub(crate) async fn sweep_erasures(&self, now: Timestamp) -> Result<(), StateError> {
        for (name, body) in self.store.documents(ERASURES).await? {
            let Some(tag) = name.strip_prefix(ERASURES) else {
                continue;
            };
            let Ok(erasure) = serde_json::from_slice::<Erasure>(&body) else {
                continue;
            };
            self.erase(tag, erasure).await?;
            if now.since(erasure.at) > REMEMBERED {
                self.store.remove_document(&name).await?;
            }
        }
        Ok(())
    }

    /// Enforces retention, and gives up what nobody fetches any more.
    pub(crate) async fn purge(&self, age: Duration, now: Timestamp) -> Result<(), StateError> {
        for job in self.jobs().await? {
            if now.since(job.since) > self.settings.give_up + ABANDONED {
                tracing::warn!(channel = %job.channel, conversation = job.tag,
                    "a medium is given up: nobody fetches for its channel");
                self.give_up(&job, Reason::NotReached).await?;
            }
        }
        retention::purge(&self.shelf, age, now).await?;
        if let Some(folder) = self.settings.place.folder() {
            retention::sweep_folder(folder, now).await;
        }
        Ok(())
    }

    /// Says of a job's medium that it will not come.
    pub(super) async fn give_up(&self, job: &FetchJob, reason: Reason) -> Result<(), StateError> {
        self.metrics.failed(job.channel.as_str(), reason);
        let what = About::Unavailable { reason };
        self.shelf
            .give_up(&job.name, &job.tag, job.since, &what)
            .await?;
        Ok(self.finish(&job.name).await?)
    }
}
