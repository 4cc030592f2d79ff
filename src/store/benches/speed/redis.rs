//! The same on Redis: a server of our own for each durability, or one that is named.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_store::{
    Commit, RedisAddress, RedisOptions, RedisStore, SessionChange, Store, StoreAddress, StoreClock,
};

use super::{LEASE, MESSAGES, NOW, accept, event, hand_off, roomy, turn, turns};

/// A server that ends with this value.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it can be ended");
        self.child.wait().expect("it ends");
    }
}

impl Server {
    fn start(fsync: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let append_only = if fsync == "off" { "no" } else { "yes" };
        let fsync = if fsync == "off" { "no" } else { fsync };
        let child = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""])
            .args(["--appendonly", append_only, "--appendfsync", fsync])
            .arg("--dir")
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, folder }
    }

    fn url(&self) -> String {
        let socket = self.folder.path().join("redis.sock");
        format!("redis+unix://{}", socket.display())
    }
}

fn address(url: &str) -> RedisAddress {
    match StoreAddress::parse(url) {
        Ok(StoreAddress::Redis(address)) => address,
        other => panic!("not an address of Redis: {other:?}"),
    }
}

async fn open(url: &str) -> Arc<RedisStore> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let options = RedisOptions {
            limits: roomy(),
            clock: StoreClock::Caller,
            ..RedisOptions::default()
        };
        match RedisStore::open(&address(url), options).await {
            Ok(store) => return Arc::new(store),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs what is wanted.
pub(crate) async fn run(wanted: &[String]) {
    for word in wanted {
        match word.split_once('=') {
            Some(("redis", url)) => roads(url, url).await,
            _ if word == "redis" => {
                for fsync in ["off", "everysec", "always"] {
                    let server = Server::start(fsync);
                    roads(fsync, &server.url()).await;
                }
            }
            _ if word == "redis-memory" => {
                let server = Server::start("off");
                memory(&server.url()).await;
            }
            _ => {}
        }
    }
}

async fn roads(name: &str, url: &str) {
    println!("Redis, {name}");
    let store = open(url).await;
    for round in 0..3 {
        let nothing = hand_off().await;
        let durable = accept(open(url).await).await;
        println!(
            "accept {round}: {durable:.0}/s, hand-off {nothing:.0}/s, {:.2}",
            durable / nothing
        );
        flush(url);
    }
    drop(store);
    for timers in [false, true] {
        flush(url);
        let store = open(url).await;
        let before = info(url);
        turns(store, timers).await;
        let after = info(url);
        let used = |name: &str| after[name] - before[name];
        let each = |value: f64| value / f64::from(u32::try_from(MESSAGES).unwrap_or(u32::MAX));
        println!(
            "  server: {:.1} us a message, {:.2} calls and {:.1} commands a message",
            each((used("used_cpu_sys") + used("used_cpu_user")) * 1e6),
            each(used("calls")),
            each(used("total_commands_processed")),
        );
    }
}

fn flush(url: &str) {
    command(url, &["FLUSHALL"]);
}

fn command(url: &str, words: &[&str]) -> String {
    let path = url.trim_start_matches("redis+unix://").to_owned();
    let mut call = Command::new("redis-cli");
    if url.starts_with("redis+unix") {
        call.args(["-s", &path]);
    } else {
        call.args(["-u", url]);
    }
    let output = call.args(words).output().expect("redis-cli is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn info(url: &str) -> HashMap<String, f64> {
    let text = command(url, &["INFO", "everything"]);
    let mut found = HashMap::new();
    let mut calls = 0.0;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if let Ok(value) = value.trim().parse() {
            found.insert(name.to_owned(), value);
        }
        // What clients sent themselves.
        let sent = [
            "cmdstat_evalsha",
            "cmdstat_eval",
            "cmdstat_ping",
            "cmdstat_info",
        ];
        if sent.contains(&name) {
            let count = value.trim_start_matches("calls=").split(',').next();
            calls += count
                .and_then(|count| count.parse::<f64>().ok())
                .unwrap_or(0.0);
        }
    }
    found.insert("calls".to_owned(), calls);
    found
}

/// Bytes of the server's memory for a session that rests and for a mark.
async fn memory(url: &str) {
    const SESSIONS: u64 = 1_000_000;
    const STEP: u64 = 2000;
    let store = open(url).await;
    let used = || info(url)["used_memory"];
    let empty = used();
    for start in (0..SESSIONS).step_by(2000) {
        let events = (start..start + STEP).map(|number| event(number, number));
        store.accept(events.collect(), NOW).await.expect("accept");
        let claims = store.claim(2000, LEASE, NOW, LEASE).await.expect("claim");
        let commits = claims.iter().map(|claim| Commit {
            session: SessionChange::Put(vec![b's'; 1024]),
            replies: Vec::new(),
            ..turn(claim, false)
        });
        store.commit(commits.collect(), NOW).await.expect("commit");
    }
    let both = used();
    let script = "local c = '0' repeat local r = redis.call('SCAN', c, 'MATCH', ARGV[1], 'COUNT', 10000) c = r[1] for _, k in ipairs(r[2]) do redis.call('DEL', k) end until c == '0'";
    command(url, &["EVAL", script, "0", "ln:d:*"]);
    let sessions = used();
    let a_million = 1_000_000.0;
    println!(
        "memory: {:.0} bytes a session of 1024 bytes, {:.0} bytes a mark; a million of both {:.0} MiB",
        (sessions - empty) / a_million,
        (both - sessions) / a_million,
        (both - empty) / 1024.0 / 1024.0,
    );
}
