//! What is done from time to time: showing how much waits, enforcing retention, forgetting the quiet.

use std::{sync::Arc, time::Duration};

use langnghe_store::{Depths, Retention, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{clock, intake::Intake, media::MediaKeeper, metrics::Metrics, pause::pause};

const DEPTHS_EVERY: Duration = Duration::from_secs(1);
/// While nothing changes, so that many idle replicas ask a shared store little.
const DEPTHS_AT_REST: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_mins(10);
const MEDIA_EVERY: Duration = Duration::from_hours(1);

/// What the sweep looks after.
#[derive(Debug)]
pub(crate) struct Sweep {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) media: Arc<MediaKeeper>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retention: Retention,
}

impl Sweep {
    /// Sweeps until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let start = Instant::now();
        let (mut purge_at, mut media_at) = (start, start);
        let mut last = None;
        while !stop.is_cancelled() {
            let depths = self.depths().await;
            let at_rest = depths.is_some() && depths == last;
            last = depths;
            if Instant::now() >= purge_at {
                purge_at = Instant::now() + PURGE_EVERY;
                self.purge().await;
            }
            if Instant::now() >= media_at {
                media_at = Instant::now() + MEDIA_EVERY;
                self.purge_media().await;
            }
            let wait = if at_rest {
                DEPTHS_AT_REST
            } else {
                DEPTHS_EVERY
            };
            pause(wait, &stop).await;
        }
    }

    async fn depths(&self) -> Option<Depths> {
        match self.store.depths().await {
            Ok(depths) => {
                self.metrics.store_up.set(1);
                self.metrics.observe_depths(&depths);
                Some(depths)
            }
            Err(error) => {
                self.metrics.store_up.set(0);
                tracing::warn!(%error, "the store does not say how much waits");
                None
            }
        }
    }

    async fn purge_media(&self) {
        if let Err(error) = self
            .media
            .purge(self.retention.personal, clock::now())
            .await
        {
            tracing::warn!(%error, "retention of media could not be enforced; it is tried again");
        }
    }

    async fn purge(&self) {
        if let Err(error) = self.media.sweep_erasures(clock::now()).await {
            tracing::warn!(%error, "media of erased conversations could not be removed; it is tried again");
        }
        self.intake.flood.sweep(clock::now());
        match self.store.purge(self.retention, clock::now()).await {
            Ok(purged) if purged == langnghe_store::Purged::default() => {}
            Ok(purged) => tracing::info!(
                marks = purged.marks,
                sessions = purged.sessions,
                dead_letters = purged.dead_letters,
                tickets = purged.tickets,
                "retention removed what is old"
            ),
            Err(error) => {
                tracing::warn!(%error, "retention could not be enforced; it is tried again");
            }
        }
    }
}
