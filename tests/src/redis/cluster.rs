//! Three servers that share the keys among them.

use std::time::Duration;

use super::{Server, setup::Setup};
use crate::wait::Deadline;

/// Forming or mending takes at most so long.
const AGREE: Duration = Duration::from_secs(40);
/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// A cluster of three nodes without replicas.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes; each owns a third of the slots at first.
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Starts one and waits until all nodes agree that it works.
    ///
    /// # Panics
    /// When it does not come about.
    pub async fn start(setup: &Setup) -> Self {
        let mut nodes = Vec::new();
        let mut first = 0;
        for number in 1..=3_u16 {
            let node = Server::start(&Self::setup_of_a_node(setup)).await;
            let last = SLOTS * number / 3 - 1;
            let (from, to) = (first.to_string(), last.to_string());
            let _: () = node
                .command(&["CLUSTER", "ADDSLOTSRANGE", &from, &to])
                .await;
            first = last + 1;
            let epoch = number.to_string();
            let _: () = node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
            nodes.push(node);
        }
        let port = nodes[0].port().to_string();
        let bus = bus_port(&nodes[0]).await;
        for node in &nodes[1..] {
            let _: () = node
                .command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                .await;
        }
        let cluster = Self { nodes };
        cluster.agrees().await;
        cluster
    }

    fn setup_of_a_node(setup: &Setup) -> Setup {
        let bus = crate::port::free().to_string();
        setup
            .clone()
            .set("cluster-enabled", "yes")
            .set("cluster-port", &bus)
            .set("cluster-announce-ip", "127.0.0.1")
            .set("cluster-node-timeout", "5000")
    }

    /// Waits until every node knows all nodes and says that the cluster works.
    ///
    /// # Panics
    /// When they do not in time.
    pub async fn agrees(&self) {
        let deadline = Deadline::new("the cluster's nodes agree", AGREE);
        while !self.agree().await {
            deadline.pause().await;
        }
    }

    async fn agree(&self) -> bool {
        for node in &self.nodes {
            let info: String = node.ask(&["CLUSTER", "INFO"]).await.unwrap_or_default();
            let ranges: Vec<redis::Value> =
                node.ask(&["CLUSTER", "SLOTS"]).await.unwrap_or_default();
            if !info.contains("cluster_state:ok") || ranges.len() < self.nodes.len() {
                return false;
            }
        }
        true
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        let hosts = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!("redis+cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// The slot of a key.
    pub async fn slot(&self, key: &str) -> u16 {
        self.nodes[0].command(&["CLUSTER", "KEYSLOT", key]).await
    }

    /// Which node owns a slot.
    ///
    /// # Panics
    /// When none says that it does.
    pub async fn owner(&self, slot: u16) -> usize {
        for (number, node) in self.nodes.iter().enumerate() {
            let nodes: String = node.command(&["CLUSTER", "NODES"]).await;
            let own = nodes.lines().find(|line| line.contains("myself"));
            let owned = own.expect("a node knows itself").split(' ').skip(8);
            for range in owned {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                if let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>())
                    && (first..=last).contains(&slot)
                {
                    return number;
                }
            }
        }
        panic!("nobody owns slot {slot}");
    }

    /// Begins to move a slot: from now on its old owner answers `ASK` for keys that it does not have
    /// any more.
    pub async fn begin_move(&self, slot: u16, to: usize) -> Move {
        let from = self.owner(slot).await;
        let (source, target) = (self.id(from).await, self.id(to).await);
        let number = slot.to_string();
        let _: () = self.nodes[to]
            .command(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &source])
            .await;
        let _: () = self.nodes[from]
            .command(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &target])
            .await;
        Move { slot, from, to }
    }

    /// Moves up to `max` keys of a slot that is being moved; says whether there were any.
    pub async fn move_keys(&self, moving: Move, max: usize) -> bool {
        let (slot, max) = (moving.slot.to_string(), max.to_string());
        // Keys are bytes.
        let keys: Vec<Vec<u8>> = self.nodes[moving.from]
            .command(&["CLUSTER", "GETKEYSINSLOT", &slot, &max])
            .await;
        if keys.is_empty() {
            return false;
        }
        let mut command = redis::cmd("MIGRATE");
        command.arg("127.0.0.1").arg(self.nodes[moving.to].port());
        command.arg("").arg(0).arg(5000).arg("KEYS").arg(keys);
        let line = self.nodes[moving.from].connect().await;
        let mut line = line.expect("a connection");
        let _: redis::Value = command.query_async(&mut line).await.expect("keys move");
        true
    }

    /// Ends a move: all nodes learn who owns the slot now, and answer `MOVED`.
    pub async fn end_move(&self, moving: Move) {
        let (slot, target) = (moving.slot.to_string(), self.id(moving.to).await);
        let order = [moving.to, moving.from];
        let others = (0..self.nodes.len()).filter(|number| !order.contains(number));
        for number in order.into_iter().chain(others) {
            let _: () = self.nodes[number]
                .command(&["CLUSTER", "SETSLOT", &slot, "NODE", &target])
                .await;
        }
    }

    async fn id(&self, node: usize) -> String {
        self.nodes[node].command(&["CLUSTER", "MYID"]).await
    }
}

/// A slot on its way from one node to another.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    slot: u16,
    from: usize,
    to: usize,
}

async fn bus_port(node: &Server) -> String {
    let answer: Vec<String> = node.command(&["CONFIG", "GET", "cluster-port"]).await;
    answer[1].clone()
}
