//! The connection to the server: made when it is needed, mended with a growing pause, never waited
//! for longer than its time-out.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError,
    RedisResult, ServerErrorKind, TlsCertificates, Value,
    aio::{ConnectionLike, MultiplexedConnection, PubSub},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::time::Instant;

use super::{call, script::Script};
use crate::{Node, RedisAddress, RedisServers, StoreError};

/// How soon a lost connection is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a cluster's client follows a redirection, or waits while a slot is being moved.
const CLUSTER_RETRIES: u32 = 8;

/// A primary of a cluster, by its host and port; `None` is the one server.
pub(super) type Primary = Option<(String, u16)>;

/// One line to the server or cluster; see the module.
pub(super) struct Link {
    address: RedisAddress,
    certificate: Option<Vec<u8>>,
    timeout: Duration,
    current: Mutex<Option<(u64, Connection)>>,
    connecting: tokio::sync::Mutex<Attempts>,
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

#[derive(Default)]
struct Attempts {
    /// Counts connections, so that a late failure does not close the one after.
    number: u64,
    failures: u32,
    not_before: Option<Instant>,
    last: String,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Link").field(&self.address).finish()
    }
}

impl Link {
    pub(super) fn new(
        address: RedisAddress,
        certificate: Option<Vec<u8>>,
        timeout: Duration,
    ) -> Self {
        Self {
            address,
            certificate,
            timeout,
            current: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// Whether it leads to a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.address.servers, RedisServers::Cluster(_))
    }

    /// Where it leads, without secrets.
    pub(super) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// Runs a script.
    pub(super) async fn run(&self, script: &Script, command: &Cmd) -> Result<Value, StoreError> {
        let (number, mut connection) = self.connection().await?;
        let mut answer = self.send(&mut connection, command).await;
        if matches!(&answer, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
        {
            answer = self.send(&mut connection, &script.with_text(command)).await;
        }
        answer.map_err(|error| self.failed(number, script.name(), &error))
    }

    /// Sends a command.
    pub(super) async fn command(&self, name: &str, command: &Cmd) -> Result<Value, StoreError> {
        let (number, mut connection) = self.connection().await?;
        let answer = self.send(&mut connection, command).await;
        answer.map_err(|error| self.failed(number, name, &error))
    }

    /// Sends a command to the node of a cluster that has this key; to the server where there is one.
    pub(super) async fn command_at(
        &self,
        key: &str,
        name: &str,
        command: Cmd,
    ) -> Result<Value, StoreError> {
        use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
        let (number, mut connection) = self.connection().await?;
        let answer = match &mut connection {
            Connection::Server(_) => self.send(&mut connection, &command).await,
            Connection::Cluster(cluster) => {
                let route = Route::with_key(key, SlotAddr::Master);
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                let sent = cluster.route_command(command, RoutingInfo::SingleNode(route));
                within(self.timeout, sent).await
            }
        };
        answer.map_err(|error| self.failed(number, name, &error))
    }

    /// Whether another server takes over when one is gone.
    pub(super) fn fails_over(&self, replicas: Option<u32>) -> bool {
        match self.address.servers {
            RedisServers::Sentinel { .. } => true,
            RedisServers::Cluster(_) => replicas.is_some_and(|replicas| replicas > 0),
            _ => false,
        }
    }

    /// Asks the server, or every primary of a cluster; the answers by their addresses.
    pub(super) async fn ask_all(&self, command: &Cmd) -> Result<Vec<(String, Value)>, StoreError> {
        use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
        let (number, mut connection) = self.connection().await?;
        let answer = match &mut connection {
            Connection::Server(_) => self.send(&mut connection, command).await,
            Connection::Cluster(cluster) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                within(self.timeout, cluster.route_command(command.clone(), all)).await
            }
        };
        let answer = answer.map_err(|error| self.failed(number, "settings", &error))?;
        match (&connection, answer) {
            (Connection::Cluster(_), Value::Map(nodes)) => nodes
                .into_iter()
                .map(|(node, value)| Ok((call::text(node)?, value)))
                .collect(),
            (_, value) => Ok(vec![(String::new(), value)]),
        }
    }

    /// The primaries of a cluster; the one server otherwise.
    pub(super) async fn primaries(&self) -> Result<Vec<Primary>, StoreError> {
        if !self.is_cluster() {
            return Ok(vec![None]);
        }
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        let mut primaries = Vec::new();
        for range in call::list(self.command("nodes of the cluster", &command).await?)? {
            // From slot, to slot, the primary, its replicas.
            let node = call::list(range)?.into_iter().nth(2).unwrap_or_default();
            let mut node = call::list(node)?.into_iter();
            let host = call::text(node.next().unwrap_or_default())?;
            let port = call::natural(node.next().unwrap_or_default())?;
            let primary = Some((host, u16::try_from(port).unwrap_or(0)));
            if !primaries.contains(&primary) {
                primaries.push(primary);
            }
        }
        Ok(primaries)
    }

    /// Sends a command to one of [`Self::primaries`].
    pub(super) async fn command_on(
        &self,
        primary: Option<&(String, u16)>,
        name: &str,
        command: &Cmd,
    ) -> Result<Value, StoreError> {
        use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
        let (number, mut connection) = self.connection().await?;
        let answer = match (&mut connection, primary) {
            (Connection::Cluster(cluster), Some((host, port))) => {
                let node = SingleNodeRoutingInfo::ByAddress {
                    host: host.clone(),
                    port: *port,
                };
                let sent = cluster.route_command(command.clone(), RoutingInfo::SingleNode(node));
                within(self.timeout, sent).await
            }
            (connection, _) => self.send(connection, command).await,
        };
        answer.map_err(|error| self.failed(number, name, &error))
    }

    /// A line of its own for messages between replicas.
    pub(super) async fn messages(&self) -> RedisResult<PubSub> {
        let connect = async {
            let client = match &self.address.servers {
                RedisServers::Cluster(hosts) => {
                    // Any node carries the messages of all.
                    let mut found = Err(RedisError::from((ErrorKind::Client, "no node answers")));
                    for node in hosts {
                        let client = self.client(self.tcp(node))?;
                        let messages = client.get_async_pubsub().await;
                        if messages.is_ok() {
                            return messages;
                        }
                        found = messages;
                    }
                    return found;
                }
                RedisServers::Sentinel { .. } => self.sentinel()?.async_get_client().await?,
                _ => self.client(self.place())?,
            };
            client.get_async_pubsub().await
        };
        within(self.timeout * 2, connect).await
    }

    async fn send(&self, connection: &mut Connection, command: &Cmd) -> RedisResult<Value> {
        match connection {
            Connection::Server(server) => {
                within(self.timeout, server.req_packed_command(command)).await
            }
            Connection::Cluster(cluster) => {
                within(self.timeout, cluster.req_packed_command(command)).await
            }
        }
        .and_then(Value::extract_error)
    }

    async fn connection(&self) -> Result<(u64, Connection), StoreError> {
        if let Some(current) = self.lock().clone() {
            return Ok(current);
        }
        let connecting = tokio::time::timeout(self.timeout, self.connecting.lock());
        let Ok(mut attempts) = connecting.await else {
            return Err(StoreError::Unavailable(
                "the server does not answer".to_owned(),
            ));
        };
        // Somebody else has mended it meanwhile.
        if let Some(current) = self.lock().clone() {
            return Ok(current);
        }
        if attempts.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(StoreError::Unavailable(attempts.last.clone()));
        }
        match within(self.timeout, self.connect()).await {
            Ok(connection) => {
                if attempts.failures > 0 {
                    tracing::info!(server = self.shown(), "the store's server is there again");
                }
                *attempts = Attempts {
                    number: attempts.number + 1,
                    ..Attempts::default()
                };
                let current = (attempts.number, connection);
                *self.lock() = Some(current.clone());
                Ok(current)
            }
            Err(error) => {
                let pause = FIRST_PAUSE * 2_u32.saturating_pow(attempts.failures.min(10));
                attempts.failures += 1;
                attempts.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
                attempts.last = format!("no connection to {}: {}", self.shown(), explain(&error));
                Err(StoreError::Unavailable(attempts.last.clone()))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(u64, Connection)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says why, and gives a broken connection up.
    fn failed(&self, number: u64, operation: &str, error: &RedisError) -> StoreError {
        let moved = matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        );
        let broken = error.is_io_error()
            || error.is_connection_dropped()
            || error.is_timeout()
            || error.is_unrecoverable_error();
        if moved || broken {
            let mut current = self.lock();
            if current.as_ref().is_some_and(|(found, _)| *found == number) {
                *current = None;
            }
        }
        StoreError::Unavailable(format!("{operation}: {}", explain(error)))
    }

    async fn connect(&self) -> RedisResult<Connection> {
        // Our own time-out is around every command; the crate's would be half a second.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(None);
        Ok(match &self.address.servers {
            RedisServers::Cluster(hosts) => {
                Connection::Cluster(self.cluster(hosts)?.get_async_connection().await?)
            }
            RedisServers::Sentinel { .. } => Connection::Server(
                self.sentinel()?
                    .get_async_connection_with_config(&config)
                    .await?,
            ),
            _ => Connection::Server(
                self.client(self.place())?
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
        })
    }

    fn place(&self) -> ConnectionAddr {
        match &self.address.servers {
            RedisServers::One(node) => self.tcp(node),
            RedisServers::Socket(path) => ConnectionAddr::Unix(path.clone()),
            RedisServers::Cluster(nodes)
            | RedisServers::Sentinel {
                sentinels: nodes, ..
            } => match nodes.first() {
                Some(node) => self.tcp(node),
                None => ConnectionAddr::Tcp(String::new(), 0),
            },
        }
    }

    fn tcp(&self, node: &Node) -> ConnectionAddr {
        if self.address.tls {
            ConnectionAddr::TcpTls {
                host: node.host.clone(),
                port: node.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(node.host.clone(), node.port)
        }
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        let root_cert = self.certificate.clone()?;
        Some(TlsCertificates {
            client_tls: None,
            root_cert: Some(root_cert),
        })
    }

    fn client(&self, place: ConnectionAddr) -> RedisResult<Client> {
        let info = place.into_connection_info()?;
        let mut settings = info
            .redis_settings()
            .clone()
            .set_db(i64::from(self.address.database));
        if let Some(user) = &self.address.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.address.password {
            settings = settings.set_password(password);
        }
        let info = info.set_redis_settings(settings);
        match self.certificates() {
            Some(certificates) if self.address.tls => Client::build_with_tls(info, certificates),
            _ => Client::open(info),
        }
    }

    fn cluster(&self, hosts: &[Node]) -> RedisResult<ClusterClient> {
        let nodes = hosts.iter().map(|node| self.tcp(node));
        let mut builder = ClusterClient::builder(nodes.collect::<Vec<_>>())
            .retries(CLUSTER_RETRIES)
            .min_retry_wait(20)
            .max_retry_wait(400)
            .connection_timeout(self.timeout)
            .response_timeout(self.timeout);
        if let Some(user) = &self.address.user {
            builder = builder.username(user);
        }
        if let Some(password) = &self.address.password {
            builder = builder.password(password);
        }
        if let Some(certificates) = self.certificates().filter(|_| self.address.tls) {
            builder = builder.certs(certificates);
        }
        builder.build()
    }

    fn sentinel(&self) -> RedisResult<SentinelClient> {
        let RedisServers::Sentinel { sentinels, master } = &self.address.servers else {
            return Err(RedisError::from((
                ErrorKind::Client,
                "there is no Sentinel",
            )));
        };
        let hosts = sentinels
            .iter()
            .map(|node| ConnectionAddr::Tcp(node.host.clone(), node.port));
        let mut builder = SentinelClientBuilder::new(hosts, master, SentinelServerType::Master)?
            .set_client_to_redis_db(i64::from(self.address.database));
        if let Some(user) = &self.address.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &self.address.password {
            builder = builder.set_client_to_redis_password(password);
        }
        if self.address.tls {
            builder = builder.set_client_to_redis_tls_mode(redis::TlsMode::Secure);
            if let Some(certificates) = self.certificates() {
                builder = builder.set_client_to_redis_certificates(certificates);
            }
        }
        builder.build()
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(time, work).await {
        Ok(result) => result,
        Err(_) => Err(RedisError::from(std::io::Error::from(
            std::io::ErrorKind::TimedOut,
        ))),
    }
}

/// What an operator reads: the kind of failure and what to do. Never a value that was to be stored.
pub(super) fn explain(error: &RedisError) -> String {
    let advice = match error.code() {
        Some("OOM") => "the server's memory is full: raise maxmemory or make room",
        Some("READONLY") => "the server is a replica now, not the primary",
        Some("LOADING") => "the server is still reading its data",
        Some("MISCONF") => "the server cannot write its data to disk",
        Some("NOREPLICAS") => "the server has fewer replicas than min-replicas-to-write",
        Some("CLUSTERDOWN") => "the cluster is down: some slots have no node",
        Some("TRYAGAIN" | "ASK" | "MOVED") => "the cluster is moving this partition",
        Some("NOAUTH" | "WRONGPASS") => "the server refuses user or password",
        Some("NOPERM") => "the server's user may not do this: check its ACL",
        Some("BUSY") => "the server is busy with a script",
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            "the server refuses user or password"
        }
        _ if error.to_string().contains("certificate") => {
            "the server's certificate is not one that is trusted here: name its authority in store.ca"
        }
        _ if error.is_timeout() => "the server does not answer in time",
        _ if error.is_connection_refusal() => "nothing listens there",
        _ if error.is_io_error() || error.is_connection_dropped() => "the connection broke",
        _ => "",
    };
    match (advice, error.code()) {
        ("", None) => error.to_string(),
        ("", Some(code)) => format!("{code} {}", error.detail().unwrap_or_default()),
        (advice, Some(code)) => format!("{advice} ({code})"),
        (advice, None) => advice.to_owned(),
    }
}
