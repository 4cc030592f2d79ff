//! Fetches a messenger's media: for the channels that this replica owns, several at once, again and
//! again until each is here or given up.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use langnghe_connector::{Connector, FetchError, sniff};
use langnghe_model::ChannelId;
use langnghe_store::StoreError;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    about::{About, Reason},
    job::FetchJob,
    keeper::{MediaKeeper, StateError, TOPIC},
    names::Name,
    shelf::KeepError,
};
use crate::{
    clock,
    crash::{self, Point},
    ownership::Guard,
    pause::Backoff,
};

/// How often the store is asked for jobs without a hint: hints can be lost.
const LOOK: Duration = Duration::from_secs(10);
/// The least time between two looks, however many hints come.
const REST: Duration = Duration::from_millis(100);
/// The longest that a provider's own "not before" is followed.
const LONGEST_HINT: Duration = Duration::from_hours(6);
/// So many channels' worth of fetches run at once over all channels.
const CHANNELS_AT_ONCE: usize = 2;

/// One channel as the fetcher needs it.
#[derive(Debug)]
pub(crate) struct FetchChannel {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) guard: Arc<Guard>,
}

/// The fetcher of a replica.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) media: Arc<MediaKeeper>,
    pub(crate) channels: HashMap<ChannelId, FetchChannel>,
}

/// What is under way, and when what failed is tried again.
#[derive(Debug, Default)]
struct Progress {
    /// What waits, oldest first, as of the last look at the store.
    jobs: Vec<FetchJob>,
    running: JoinSet<(Name, ChannelId, Option<Later>)>,
    in_flight: HashMap<ChannelId, HashSet<Name>>,
    failed: HashMap<Name, Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    next: Instant,
}

/// An attempt that is to be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Later {
    /// Not before that, where the provider said so.
    after: Option<Duration>,
}

/// Why an attempt came to no end.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fetch(FetchError),
    #[error("no answer in time")]
    Timeout,
    #[error(transparent)]
    Scan(#[from] super::scan::ScanError),
    #[error(transparent)]
    Keep(KeepError),
}

impl Progress {
    /// Takes what waits by the store.
    fn waiting(&mut self, mut jobs: Vec<FetchJob>) {
        jobs.sort_by_key(|job| job.since);
        let names: HashSet<&Name> = jobs.iter().map(|job| &job.name).collect();
        self.failed.retain(|name, _| names.contains(name));
        self.jobs = jobs;
    }
}

impl Fetcher {
    /// Fetches until `stop`. What is under way then is dropped: its job is still there.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut told = self.media.store.bus().map(|bus| bus.subscribe(TOPIC));
        let mut progress = Progress::default();
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        let mut look_at = Instant::now();
        while !stop.is_cancelled() {
            let now = Instant::now();
            if now >= look_at {
                match self.media.jobs().await {
                    Ok(jobs) => progress.waiting(jobs),
                    Err(error) => {
                        tracing::warn!(%error, "the fetcher of media waits for the store");
                        backoff.wait(&stop).await;
                        continue;
                    }
                }
                backoff.reset();
                // However many hints come, most of the time is for other things.
                let rest = REST + 4 * now.elapsed();
                look_at = Instant::now() + LOOK;
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = stop.cancelled() => return,
                }
            }
            let due = self.start(&mut progress);
            tokio::select! {
                () = tokio::time::sleep_until(due.min(look_at)) => {}
                () = self.media.hint.notified() => look_at = Instant::now(),
                () = heard(&mut told) => look_at = Instant::now(),
                Some(ended) = progress.running.join_next() => self.ended(ended, &mut progress),
                () = stop.cancelled() => return,
            }
        }
    }

    /// Starts what is due, oldest first; says when the next is.
    fn start(self: &Arc<Self>, progress: &mut Progress) -> Instant {
        let now = Instant::now();
        let mut next = now + LOOK;
        let a_channel = self.media.settings.fetches_at_once;
        for job in &progress.jobs {
            let Some(channel) = self.channels.get(&job.channel) else {
                continue;
            };
            let due = progress.failed.get(&job.name).map_or(now, |one| one.next);
            if due > now {
                next = next.min(due);
                continue;
            }
            if progress.running.len() >= a_channel * CHANNELS_AT_ONCE {
                break;
            }
            let theirs = progress.in_flight.entry(job.channel.clone()).or_default();
            if theirs.len() >= a_channel || theirs.contains(&job.name) {
                continue;
            }
            if channel.guard.tenure().is_none() {
                continue;
            }
            theirs.insert(job.name.clone());
            let (fetcher, job) = (Arc::clone(self), job.clone());
            progress.running.spawn(async move {
                let later = fetcher.attempt(&job).await;
                (job.name, job.channel, later)
            });
        }
        next
    }

    fn ended(
        &self,
        ended: Result<(Name, ChannelId, Option<Later>), tokio::task::JoinError>,
        progress: &mut Progress,
    ) {
        let (name, channel, later) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // Which one it was is not told: all that run are seen as new at the next look.
                tracing::error!(%error, "fetching a medium failed");
                progress.in_flight.clear();
                return;
            }
        };
        if let Some(theirs) = progress.in_flight.get_mut(&channel) {
            theirs.remove(&name);
        }
        match later {
            None => {
                progress.failed.remove(&name);
                progress.jobs.retain(|job| job.name != name);
            }
            Some(later) => {
                let times = progress.failed.get(&name).map_or(0, |one| one.times) + 1;
                let wait = self.wait(times, later.after);
                let next = Instant::now() + wait;
                progress.failed.insert(name, Failed { times, next });
            }
        }
    }

    /// The wait after so many failures; the schedule's last goes on until the medium is given up.
    fn wait(&self, times: u32, hint: Option<Duration>) -> Duration {
        let retries = &self.media.settings.retries;
        let last = u32::try_from(retries.waits.len()).unwrap_or(u32::MAX);
        let hint = hint.map(|hint| hint.min(LONGEST_HINT));
        let wait = crate::next_delay(retries, times.min(last), hint, rand::random());
        wait.unwrap_or(LOOK)
    }

    /// One attempt; `Some` when it is to be repeated.
    async fn attempt(&self, job: &FetchJob) -> Option<Later> {
        let error = match self.fetch(job).await {
            Ok(()) => return None,
            Err(error) => error,
        };
        let channel = job.channel.as_str();
        self.media.metrics.try_again(channel);
        tracing::warn!(channel, conversation = job.tag, %error,
            "a medium was not fetched; it is tried again");
        let after = match error {
            AttemptError::Fetch(FetchError::Transient { after, .. }) => after,
            _ => None,
        };
        if clock::now().since(job.since) <= self.media.settings.give_up {
            return Some(Later { after });
        }
        tracing::error!(channel, conversation = job.tag, "a medium is given up");
        match self.media.give_up(job, Reason::NotReached).await {
            Ok(()) => None,
            Err(_) => Some(Later { after }),
        }
    }

    /// Fetches a medium, looks at it, keeps it; or gives it up for good.
    async fn fetch(&self, job: &FetchJob) -> Result<(), AttemptError> {
        let media = &self.media;
        if media.erasure_of(job).await?.is_some() || media.is_known(&job.name).await? {
            return Ok(media.finish(&job.name).await?);
        }
        let Some(channel) = self.channels.get(&job.channel) else {
            return Ok(());
        };
        crash::point(Point::MediaFetch);
        let most = media.settings.file_bytes;
        let fetched = channel.connector.fetch(&job.media, most);
        let fetched = timeout(media.settings.fetch_time, fetched).await;
        crash::point(Point::MediaFetched);
        let bytes = match fetched {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => match for_good(&error) {
                Some(reason) => return self.give_up(job, reason).await,
                None => return Err(AttemptError::Fetch(error)),
            },
            Err(_) => return Err(AttemptError::Timeout),
        };
        self.keep(job, bytes).await
    }

    async fn keep(&self, job: &FetchJob, bytes: Bytes) -> Result<(), AttemptError> {
        let media = &self.media;
        let size = bytes.len() as u64;
        if size > media.settings.file_bytes {
            return self.give_up(job, Reason::TooLarge).await;
        }
        let Some(sniffed) = sniff(&bytes) else {
            return self.give_up(job, Reason::Kind).await;
        };
        if !media.is_clean(&bytes).await? {
            return self.give_up(job, Reason::Infected).await;
        }
        let what = About::available(&sniffed, size);
        let kept = media
            .shelf
            .keep(&job.name, &job.tag, job.since, bytes, &what);
        match kept.await {
            Ok(()) => {}
            Err(KeepError::TooMany) => return self.give_up(job, Reason::TooMany).await,
            Err(error) => return Err(AttemptError::Keep(error)),
        }
        // The citizen may have had everything erased meanwhile: then what was just kept goes too. An
        // erasure that is noted after this look finds it by itself.
        if let Some(erasure) = media.erasure_of(job).await? {
            media.erase(&job.tag, erasure).await?;
        }
        media.metrics.fetched(job.channel.as_str(), size);
        media.finish(&job.name).await?;
        crash::point(Point::MediaDone);
        Ok(())
    }

    async fn give_up(&self, job: &FetchJob, reason: Reason) -> Result<(), AttemptError> {
        tracing::warn!(channel = %job.channel, conversation = job.tag, reason = reason.word(),
            "a medium is not available");
        Ok(self.media.give_up(job, reason).await?)
    }
}

/// Why a medium will never come, if it will not.
fn for_good(error: &FetchError) -> Option<Reason> {
    match error {
        FetchError::Gone { .. } => Some(Reason::Gone),
        FetchError::TooLarge { .. } => Some(Reason::TooLarge),
        FetchError::Refused { .. } => Some(Reason::Refused),
        FetchError::Transient { .. } => None,
    }
}

/// Waits until another replica says something; for ever where there is none.
async fn heard(told: &mut Option<mpsc::Receiver<Vec<u8>>>) {
    let message = match told {
        Some(told) => told.recv().await,
        None => None,
    };
    if message.is_none() {
        *told = None;
        std::future::pending::<()>().await;
    }
}
