//! One server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use redis::{AsyncConnectionConfig, FromRedisValue, RedisError, aio::MultiplexedConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    guard::Guarded,
    setup::{Fsync, Product, Setup},
};
use crate::{port, wait::Deadline};

/// A start, with loading what is on disk, takes at most so long.
const START: Duration = Duration::from_secs(20);
/// An answer takes at most so long.
const ANSWER: Duration = Duration::from_secs(5);

/// One server in a folder of its own, on a port of its own.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    port: u16,
    folder: PathBuf,
    /// None while it does not run.
    process: Option<Guarded>,
    sentinel: bool,
}

/// The server of this kind that all tests of a process share; they keep apart by the prefix of their
/// keys.
pub async fn shared(product: Product) -> &'static Server {
    static REDIS: OnceCell<Server> = OnceCell::const_new();
    static VALKEY: OnceCell<Server> = OnceCell::const_new();
    let cell = match product {
        Product::Redis => &REDIS,
        Product::Valkey => &VALKEY,
    };
    let setup = Setup::of(product).durable(Fsync::No);
    cell.get_or_init(|| start(setup)).await
}

async fn start(setup: Setup) -> Server {
    Server::start(&setup).await
}

impl Server {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(setup: &Setup) -> Self {
        Self::start_as(setup, false).await
    }

    pub(super) async fn start_as(setup: &Setup, sentinel: bool) -> Self {
        let folder = TempDir::with_prefix("langnghe-redis-").expect("a temporary folder");
        let mut server = Self {
            setup: setup.clone(),
            port: port::free(),
            folder: folder.keep(),
            process: None,
            sentinel,
        };
        let text = setup.text(server.port, &server.folder);
        std::fs::write(server.configuration(), text).expect("the configuration is written");
        server.start_again().await;
        server
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("server.conf")
    }

    /// Starts it again on the same port, with the same data, and waits until it answers.
    ///
    /// # Panics
    /// When it does not, or runs already.
    pub async fn start_again(&mut self) {
        self.spawn_again();
        self.answers().await;
    }

    /// Starts it again and does not wait: it may be loading for a while.
    ///
    /// # Panics
    /// When it runs already.
    pub fn spawn_again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let configuration = self.configuration();
        let configuration = configuration.to_str().expect("a plain path");
        let mut program = vec![self.setup.product.program(), configuration];
        program.extend(self.sentinel.then_some("--sentinel"));
        self.process = Some(Guarded::start(&self.folder, &program));
    }

    /// Waits until it answers a ping, having loaded all it has.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn answers(&self) {
        let what = format!("{} answers on port {}", self.program(), self.port);
        let deadline = Deadline::new(&what, START);
        while self.ask::<String>(&["PING"]).await.is_err() {
            deadline.pause().await;
        }
    }

    fn program(&self) -> &'static str {
        self.setup.product.program()
    }

    fn process(&mut self) -> &mut Guarded {
        self.process.as_mut().expect("it runs")
    }

    /// Ends it with `kill -9`; its data stay.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").end("KILL");
    }

    /// Ends it in order; its data stay.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) {
        self.process.take().expect("it runs").end("TERM");
    }

    /// Stops it in its tracks (SIGSTOP): connections stay open, and nothing answers.
    pub fn freeze(&mut self) {
        self.process().signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&mut self) {
        self.process().signal("CONT");
    }

    /// Its port on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, with its data and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is reached through TCP.
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// Where it is reached through something that listens on another port.
    pub fn url_through(&self, port: u16) -> String {
        let user = self.setup.user.as_ref();
        let user = user.map_or_else(String::new, |(name, password)| {
            format!("{name}:{password}@")
        });
        format!("redis://{user}127.0.0.1:{port}")
    }

    /// Where it is reached through its unix socket.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}/server.sock", self.folder.display())
    }

    /// A connection of the test's own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        redis::Client::open(self.url())?
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// Runs a command, on a connection of its own.
    ///
    /// # Errors
    /// What it answers, or why it does not.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> Result<T, RedisError> {
        let mut connection = self.connect().await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await
    }

    /// Runs a command that has to succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let answer = self.ask(words).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", words.join(" ")))
    }

    /// One line of `INFO`.
    ///
    /// # Panics
    /// When there is none of that name.
    pub async fn info(&self, section: &str, name: &str) -> String {
        let text: String = self.command(&["INFO", section]).await;
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| *key == name);
        found.expect("a line of that name").1.to_owned()
    }

    /// Its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(20)..];
            eprintln!("── the end of the server's log\n{}\n──", tail.join("\n"));
        }
        drop(self.process.take());
        // Gone already when it ran until now.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
