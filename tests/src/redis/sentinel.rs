//! A primary with a replica, and a sentinel that watches them.

use std::time::Duration;

use super::{Server, setup::Setup};
use crate::wait;

/// The name under which the sentinel knows the primary.
const NAME: &str = "langnghe";
/// Starting to follow, and failing over, take at most so long.
const CHANGE: Duration = Duration::from_secs(40);

/// A primary, a replica of it, and the sentinel that promotes the replica when the primary dies.
#[derive(Debug)]
pub struct Watched {
    /// The first primary.
    pub primary: Server,
    /// What follows it.
    pub replica: Server,
    /// Who decides.
    pub sentinel: Server,
}

impl Watched {
    /// Starts the three and waits until the replica follows and the sentinel knows both.
    ///
    /// # Panics
    /// When that does not come about.
    pub async fn start(setup: &Setup) -> Self {
        let primary = Server::start(setup).await;
        let port = primary.port().to_string();
        let following = setup
            .clone()
            .set("replicaof", &format!("127.0.0.1 {port}"))
            .set("repl-diskless-sync-delay", "0");
        let replica = Server::start(&following).await;
        wait::until("the replica follows", CHANGE, async || {
            replica.info("replication", "master_link_status").await == "up"
        })
        .await;
        let watching = Setup::of(setup.product)
            .set("sentinel monitor", &format!("{NAME} 127.0.0.1 {port} 1"))
            .set("sentinel down-after-milliseconds", &format!("{NAME} 2000"))
            .set("sentinel failover-timeout", &format!("{NAME} 5000"));
        let sentinel = Server::start_as(&watching, true).await;
        let watched = Self {
            primary,
            replica,
            sentinel,
        };
        wait::until("the sentinel knows the replica", CHANGE, async || {
            let replicas: Vec<redis::Value> = watched
                .sentinel
                .ask(&["SENTINEL", "REPLICAS", NAME])
                .await
                .unwrap_or_default();
            !replicas.is_empty()
        })
        .await;
        watched
    }

    /// Where the primary is found, whoever that is.
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{NAME}", self.sentinel.port())
    }

    /// Tells the sentinel to make the replica the primary, as for maintenance; the old primary then
    /// follows it.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn fail_over(&self) {
        // It wants to have heard from the replica lately.
        wait::until("the sentinel begins", CHANGE, async || {
            let begun = self.sentinel.ask::<()>(&["SENTINEL", "FAILOVER", NAME]);
            begun.await.is_ok()
        })
        .await;
        self.promoted().await;
    }

    /// Waits until the replica is the primary, and the sentinel says so.
    ///
    /// # Panics
    /// When that does not happen in time.
    pub async fn promoted(&self) {
        let port = self.replica.port().to_string();
        wait::until("the replica is promoted", CHANGE, async || {
            let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME];
            let address: Vec<String> = self.sentinel.ask(&words).await.unwrap_or_default();
            address.get(1) == Some(&port)
                && self.replica.info("replication", "role").await == "master"
        })
        .await;
    }
}
