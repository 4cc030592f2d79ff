//! One replica from its start to its end, for `serve` and for `demo`.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::Router;
use langnghe_model::Problem;
use langnghe_server::Parts;
use langnghe_store::OpenMode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, StoreConfig},
    reload::{Audience, ReloadError, Reloader},
    report::{self, Failure},
    wiring,
};

/// When flows and locales are read anew.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Watch {
    /// On SIGHUP.
    Hangup,
    /// On SIGHUP, and when a file has changed.
    Files,
}

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Takes the port, before anything is written anywhere.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there, perhaps another langnghe: stop it, or take another port (`listen` in [server]; --port of `demo`; --port 0 finds a free one)"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a right that this user has not: take a higher one, and put a proxy before it"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address: \"127.0.0.1\" is the machine itself, \"0.0.0.0\" all its addresses"
            }
            _ => "take another address (`listen` in [server])",
        };
        Failure::new("serve::listen", format!("cannot listen on {address}: {error}"), help)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs a replica until it is told to stop. `started` is called when it is about to answer.
pub(crate) fn run(
    config: &Config,
    listener: TcpListener,
    watch: Watch,
    extra_routes: Option<Router>,
    started: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // Mistakes in flows come out before the data are touched.
    wiring::check_flows(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let channels = wiring::channels(config)?;
        let backends = wiring::backends(config)?;
        if let StoreConfig::Sqlite(path) = &config.store {
            make_folder(path.parent())?;
        }
        make_folder(
            config
                .settings
                .media
                .place
                .folder()
                .map(std::path::PathBuf::as_path),
        )?;
        let store = wiring::open_store(config, OpenMode::Serve).await?;
        let reloader = Arc::new(Reloader {
            flows: config.flows.clone(),
            locales: config.locales.clone(),
            settings: wiring::flow_settings(config),
            store: Arc::clone(&store),
            audience: match watch {
                Watch::Hangup => Audience::Log,
                Watch::Files => Audience::Terminal,
            },
        });
        // From here on no SIGHUP and no changed file is missed.
        let hangup = signal(SignalKind::hangup())?;
        let files = reloader.fingerprint().await;
        let (library, warnings) = reloader.load().await.map_err(|error| match error {
            ReloadError::Problems(problems) => Failure::Problems(problems),
            ReloadError::Store(error) => report::store_problem(&error).into(),
        })?;
        report::show(&warnings)?;
        let library = Arc::new(ArcSwap::from_pointee(library));

        let stop = CancellationToken::new();
        stop_on_signals(stop.clone())?;
        tokio::spawn(Arc::clone(&reloader).on_hangup(Arc::clone(&library), hangup, stop.clone()));
        if matches!(watch, Watch::Files) {
            tokio::spawn(reloader.on_change(Arc::clone(&library), files, LOOK, stop.clone()));
        }
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let parts = Parts {
            store,
            library,
            channels,
            backends,
            settings: config.settings.clone(),
            extra_routes,
        };
        tracing::info!(
            %address,
            version = env!("CARGO_PKG_VERSION"),
            channels = config.channels.len(),
            backends = config.backends.len(),
            "listening"
        );
        started(address)?;
        langnghe_server::serve(listener, parts, stop)
            .await
            .map_err(|error| {
                Failure::new("serve::failed", error.to_string(), "the log says more")
            })?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Makes a folder that only this user may look into: citizens' words lie there.
pub(crate) fn make_folder(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(());
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            Problem::error(
                "serve::folder",
                format!("cannot make the folder {}: {error}", path.display()),
            )
            .help("the program's user must be able to write there, and the disk must have room")
            .into()
        })
}

/// SIGTERM and Ctrl+C stop the replica in order; a second one stops it at once, which loses nothing
/// that was acknowledged.
fn stop_on_signals(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        stop.cancel();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("stopped at once, as it was asked to twice");
        std::process::exit(i32::from(crate::FINDINGS));
    });
    Ok(())
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
