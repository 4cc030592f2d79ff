//! The HTTP server of a stand-in.

use std::net::SocketAddr;

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// A server on a free port of the loopback. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Served {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves `routes` on the running runtime.
    ///
    /// # Panics
    /// When there is no free port.
    pub(crate) async fn start(routes: Router) -> Self {
        Self::with(|_| routes).await
    }

    /// As [`Self::start`], for routes that have to know where they are.
    pub(crate) async fn with(routes: impl FnOnce(SocketAddr) -> Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = routes(address);
        let task = tokio::spawn(async move {
            axum::serve(listener, routes)
                .await
                .expect("the stand-in serves");
        });
        Self { address, task }
    }

    /// Where it is: `http://127.0.0.1:40001`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
