//! What a replica is made of, and its life from start to stop.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use langnghe_connector::{Connector, Host, QuotaRule};
use langnghe_desk::Backend;
use langnghe_flow::Library;
use langnghe_model::ChannelId;
use langnghe_store::Store;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    NoticePolicy, PlaceRefused, Settings,
    clock::Moment,
    flood::FloodGuard,
    forwarder::Forwarder,
    host::ChannelHost,
    http_server,
    intake::Intake,
    media::{FetchChannel, Fetcher, MediaKeeper},
    metrics::Metrics,
    notices::Fallback,
    ownership::{Guard, Owner},
    quota::Keeper,
    routes::{self, RoutedChannel, Shared},
    sender::Sender,
    shared_folder,
    sweep::Sweep,
    timers,
    trouble::Trouble,
    versions::Versions,
    worker::{WorkerChannel, Workers},
};

/// What a replica is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The flows; swapped as a whole when they are loaded anew.
    pub library: Arc<ArcSwap<Library>>,
    /// The channels.
    pub channels: Vec<ChannelParts>,
    /// The backends.
    pub backends: Vec<Arc<dyn Backend>>,
    /// Bounds and times.
    pub settings: Settings,
    /// Routes beside the replica's own (the demo's agency inbox, a front page).
    pub extra_routes: Option<axum::Router>,
}

/// One channel.
#[derive(Clone, Debug)]
pub struct ChannelParts {
    /// The name that the configuration gives it.
    pub id: ChannelId,
    /// Its connector.
    pub connector: Arc<dyn Connector>,
    /// The limits on what is sent: those of the connector, as the configuration changed them. Each
    /// has a name of its own.
    pub quotas: Vec<QuotaRule>,
    /// Whether the citizen's profile is looked up when a conversation begins.
    pub profile: bool,
    /// How what citizens did not just ask for may be brought to them.
    pub notices: NoticePolicy,
}

/// Why a replica stopped other than by being told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The HTTP server failed.
    #[error("the HTTP server failed: {0}")]
    Http(#[from] std::io::Error),
    /// Media cannot be kept where the configuration says.
    #[error(transparent)]
    Media(#[from] PlaceRefused),
    /// The store could not be closed in order.
    #[error("the store could not be closed: {0}")]
    Store(#[from] langnghe_store::StoreError),
}

/// Runs a replica until `shutdown` is cancelled, then finishes what is in flight within
/// [`Settings::shutdown`] and closes the store.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    listener: TcpListener,
    parts: Parts,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let store = Arc::clone(&parts.store);
    let longest_stop = parts.settings.shutdown;
    let replica = replica_name(listener.local_addr()?.port());
    let (router, loops) = start(parts, &replica, &shutdown).await?;
    let served = http_server::serve(listener, router, shutdown.clone());
    let mut served = std::pin::pin!(served);
    let early = tokio::select! {
        // Only an error ends it before it is told to.
        served = served.as_mut() => Some(served),
        () = shutdown.cancelled() => None,
    };
    shutdown.cancel();
    tracing::info!(
        longest_s = longest_stop.as_secs(),
        "stopping; what is in flight is finished"
    );
    let finished = tokio::time::timeout(longest_stop, async {
        let served = match early {
            Some(served) => served,
            None => served.await,
        };
        (served, loops.join_all().await)
    });
    let result = match finished.await {
        Ok((served, _)) => served.map_err(ServeError::from),
        Err(_) => {
            tracing::warn!("stopped before all was finished; the rest goes on at the next start");
            Ok(())
        }
    };
    store.close().await?;
    result
}

/// How operators tell this replica from others: the machine's name and the port.
fn replica_name(port: u16) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = Some(machine.trim()).filter(|name| !name.is_empty());
    format!("{}:{port}", machine.unwrap_or("localhost"))
}

/// Starts the loops, and gives the routes to serve beside them.
async fn start(
    parts: Parts,
    replica: &str,
    stop: &CancellationToken,
) -> Result<(axum::Router, JoinSet<()>), PlaceRefused> {
    let Parts {
        store,
        library,
        channels,
        backends,
        settings,
        extra_routes,
    } = parts;
    let metrics = Arc::new(Metrics::new());
    let media = Arc::new(
        MediaKeeper::open(
            settings.media.clone(),
            Arc::clone(&store),
            metrics.media.clone(),
        )
        .await?,
    );
    let flood = FloodGuard::new(settings.flood);
    let intake = Arc::new(Intake::new(Arc::clone(&store), flood, settings.retry_after));
    let mut loops = JoinSet::new();
    let mut owner = Owner::new(Arc::clone(&store), settings.channel_lease);
    let mut routed_channels = HashMap::new();
    let mut worker_channels = HashMap::new();
    let mut fetch_channels = HashMap::new();
    let mut router = extra_routes.unwrap_or_default();
    let connectors: HashMap<_, _> = channels
        .iter()
        .map(|channel| (channel.id.clone(), Arc::clone(&channel.connector)))
        .collect();
    for channel in channels {
        let channel_metrics = metrics.channel(&channel.id);
        let host: Arc<dyn Host> = Arc::new(ChannelHost {
            channel: channel.id.clone(),
            metrics: channel_metrics.clone(),
            intake: Arc::clone(&intake),
            media: Arc::clone(&media),
            bus: store.bus(),
        });
        channel.connector.attach(Arc::clone(&host));
        if let Some(routes) = channel.connector.routes(Arc::clone(&host)) {
            router = router.merge(routes);
        }
        let guard = Guard::new(channel.id.clone(), channel_metrics.clone(), Moment::now);
        let quotas = Arc::new(Keeper::new(
            channel.id.clone(),
            replica.to_owned(),
            channel.quotas.clone(),
            channel_metrics.clone(),
            store.bus(),
        ));
        routed_channels.insert(
            channel.id.clone(),
            RoutedChannel {
                connector: Arc::clone(&channel.connector),
                metrics: channel_metrics.clone(),
                guard: Arc::clone(&guard),
                quotas: Arc::clone(&quotas),
            },
        );
        fetch_channels.insert(
            channel.id.clone(),
            FetchChannel {
                connector: Arc::clone(&channel.connector),
                guard: Arc::clone(&guard),
            },
        );
        let mut sender = Sender::new(
            Arc::clone(&store),
            channel.clone(),
            host,
            Arc::clone(&guard),
            quotas,
            channel_metrics.clone(),
            &settings,
        );
        let other = channel.notices.fallback.clone();
        let fallback = other.and_then(|id| {
            let connector = Arc::clone(connectors.get(&id)?);
            Some(Fallback { id, connector })
        });
        sender.fallback.clone_from(&fallback);
        owner.look_after(guard, Arc::new(sender).run(stop.clone()));
        worker_channels.insert(
            channel.id.clone(),
            WorkerChannel {
                parts: channel,
                metrics: channel_metrics,
                fallback,
            },
        );
    }
    loops.spawn(owner.run());
    let fetcher = Fetcher {
        media: Arc::clone(&media),
        channels: fetch_channels,
    };
    loops.spawn(Arc::new(fetcher).run(stop.clone()));
    if let Some(folder) = settings.media.place.folder().cloned()
        && store.bus().is_some()
    {
        let store = Arc::clone(&store);
        loops.spawn(async move { shared_folder::look(store.as_ref(), &folder).await });
    }
    let workers = Arc::new(Workers {
        store: Arc::clone(&store),
        versions: Versions::new(Arc::clone(&store), Arc::clone(&library)),
        library,
        channels: worker_channels,
        media: Arc::clone(&media),
        claim: settings.conversations_a_claim,
        lease: settings.lease,
        reply_retries: settings.reply_retries.clone(),
    });
    for _ in 0..settings.workers {
        let (workers, stop) = (Arc::clone(&workers), stop.clone());
        loops.spawn(async move { workers.run(stop).await });
    }
    for backend in backends {
        let forwarder = Forwarder {
            store: Arc::clone(&store),
            backend,
            metrics: Arc::clone(&metrics),
            media: Arc::clone(&media),
            retries: settings.delivery_retries.clone(),
            at_once: settings.deliveries_at_once,
            lease: settings.delivery_lease,
        };
        loops.spawn(Arc::new(forwarder).run(stop.clone()));
    }
    loops.spawn(timers::run(Arc::clone(&store), stop.clone()));
    let sweep = Sweep {
        store: Arc::clone(&store),
        intake: Arc::clone(&intake),
        media: Arc::clone(&media),
        metrics: Arc::clone(&metrics),
        retention: settings.retention,
    };
    loops.spawn(sweep.run(stop.clone()));
    let shared = Arc::new(Shared {
        store,
        intake,
        media,
        metrics,
        channels: routed_channels,
        places: Semaphore::new(settings.requests_at_once),
        settings,
        unready: Trouble::default(),
    });
    Ok((router.merge(routes::router(shared)), loops))
}
