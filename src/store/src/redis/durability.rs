//! What a crash, a fail-over or a full memory of the server could lose, read from its settings.

use std::collections::HashMap;

use redis::Value;

use super::{RedisOptions, RedisStore, call};
use crate::StoreError;

/// The first version that knows WAITAOF.
const WAITAOF_SINCE: (u32, u32) = (7, 2);
/// The first version on which the scripts run (`SET … NX GET`).
const OLDEST: (u32, u32) = (7, 0);

/// What one server (on a cluster each primary) says of itself. `None`: it does not say, as managed
/// servers often forbid CONFIG.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// Which server, where there are several.
    pub node: String,
    /// The version of Redis that it is, or is compatible with.
    pub version: Option<(u32, u32)>,
    /// `appendonly`.
    pub append_only: Option<bool>,
    /// `appendfsync`.
    pub append_fsync: Option<String>,
    /// `maxmemory` in bytes; 0 is none.
    pub max_memory: Option<u64>,
    /// `maxmemory-policy`.
    pub policy: Option<String>,
    /// `min-replicas-to-write`.
    pub min_replicas: Option<u32>,
    /// How many replicas of its own are connected.
    pub replicas: Option<u32>,
    /// Whether another server takes over when this one is gone (Sentinel, cluster).
    pub fails_over: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// What was acknowledged could be lost.
    Loss,
    /// The program cannot work like this.
    Impossible,
}

/// One thing to know about a server's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurabilityFinding {
    /// Which server, where there are several.
    pub node: String,
    /// How bad it is.
    pub severity: Severity,
    /// What could be lost, and at which event.
    pub message: String,
    /// What to set.
    pub help: &'static str,
}

/// What one server's settings mean for what was acknowledged.
pub fn judge(server: &ServerSettings, options: &RedisOptions) -> Vec<DurabilityFinding> {
    let mut findings = Vec::new();
    let mut find = |severity, message: String, help| {
        findings.push(DurabilityFinding {
            node: server.node.clone(),
            severity,
            message,
            help,
        });
    };
    let older = |than: (u32, u32)| server.version.is_some_and(|version| version < than);
    let is = |setting: &Option<String>, value: &str| setting.as_deref() == Some(value);
    if older(OLDEST) {
        find(
            Severity::Impossible,
            "the server is older than Redis 7.0, and the scripts need that".to_owned(),
            "install Redis 7.0 or later, or any Valkey",
        );
    }
    if options.wait_aof && older(WAITAOF_SINCE) {
        find(
            Severity::Impossible,
            "store.wait_aof is set, and the server is too old for WAITAOF".to_owned(),
            "install Redis 7.2 or later or any Valkey; or leave wait_aof out and set appendfsync always",
        );
    }
    match server.append_only {
        Some(false) => find(
            Severity::Loss,
            "appendonly is off: when the server stops, everything since its last snapshot is lost, or all of it".to_owned(),
            "in the server's configuration: appendonly yes and appendfsync always",
        ),
        None => find(
            Severity::Note,
            "the server does not say whether appendonly is on".to_owned(),
            "ask whoever runs it: what is lost when the server crashes?",
        ),
        Some(true) if is(&server.append_fsync, "no") => find(
            Severity::Loss,
            "appendfsync is no: when its machine crashes, the last half minute or so is lost".to_owned(),
            "in the server's configuration: appendfsync always",
        ),
        Some(true) if is(&server.append_fsync, "everysec") && !options.wait_aof => find(
            Severity::Loss,
            "appendfsync is everysec: when its machine crashes (not only the server), the last one or two seconds are lost".to_owned(),
            "in the server's configuration: appendfsync always; or store.wait_aof = true, which makes each acknowledgement wait for the disk",
        ),
        Some(true) if is(&server.append_fsync, "everysec") => find(
            Severity::Note,
            "store.wait_aof with appendfsync everysec: an acknowledgement takes up to a second, and servers of 2023 to 2025 answer WAITAOF too early (redis/redis#13793)".to_owned(),
            "appendfsync always is quicker here, and sure",
        ),
        Some(true) if server.append_fsync.is_none() => find(
            Severity::Note,
            "the server does not say how often it syncs to disk (appendfsync)".to_owned(),
            "ask whoever runs it, or set store.wait_aof = true",
        ),
        Some(true) => {}
    }
    match server.policy.as_deref() {
        Some("noeviction") => {}
        Some(policy) if server.max_memory.is_some_and(|bytes| bytes > 0) => find(
            Severity::Loss,
            format!(
                "maxmemory-policy is {policy}: when its memory is full, the server throws data away"
            ),
            "in the server's configuration: maxmemory-policy noeviction; messages are then refused, and the providers send them again",
        ),
        Some(policy) => find(
            Severity::Note,
            format!("maxmemory-policy is {policy}, which throws data away once maxmemory is set"),
            "in the server's configuration: maxmemory-policy noeviction",
        ),
        None => find(
            Severity::Note,
            "the server does not say what it does when its memory is full".to_owned(),
            "it has to be maxmemory-policy noeviction",
        ),
    }
    let waits = options.wait_replicas > 0;
    if server.fails_over && !waits {
        let kept = server.min_replicas.is_some_and(|replicas| replicas > 0);
        find(
            Severity::Loss,
            format!(
                "replication is asynchronous: a fail-over loses what the new primary had not yet got{}",
                if kept {
                    ""
                } else {
                    ", and an old primary that is cut off goes on taking messages that are then lost"
                }
            ),
            "store.wait_replicas = 1, and min-replicas-to-write 1 in the server's configuration",
        );
    }
    if waits
        && server
            .replicas
            .is_some_and(|replicas| replicas < u32::from(options.wait_replicas))
    {
        find(
            Severity::Impossible,
            format!(
                "store.wait_replicas is {}, and the server has {} replicas: nothing would ever be acknowledged",
                options.wait_replicas,
                server.replicas.unwrap_or(0)
            ),
            "connect the replicas first, or wait for fewer",
        );
    }
    findings
}

impl RedisStore {
    /// Reads the server's settings (on a cluster those of every primary), and says what they mean.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn durability(&self) -> Result<Vec<DurabilityFinding>, StoreError> {
        let link = &self.shared.link;
        let information = link.ask_all(redis::cmd("INFO").arg("everything")).await?;
        let mut names = redis::cmd("CONFIG");
        names
            .arg("GET")
            .arg(&["appendfsync", "maxmemory-policy", "min-replicas-to-write"]);
        // Managed servers refuse it.
        let configured = link.ask_all(&names).await.unwrap_or_default();
        let mut findings = Vec::new();
        for (node, answer) in information {
            let said = lines(&call::text(answer)?);
            let own = configured.iter().find(|(other, _)| *other == node);
            let configured = own.map(|(_, value)| pairs(value)).unwrap_or_default();
            let mut server = settings(&said, &configured);
            server.fails_over = link.fails_over(server.replicas);
            server.node = if link.is_cluster() {
                node
            } else {
                String::new()
            };
            findings.extend(judge(&server, &self.shared.options));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(findings)
    }
}

fn lines(information: &str) -> HashMap<String, String> {
    let pairs = information.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn pairs(value: &Value) -> HashMap<String, String> {
    let fields = call::fields(value.clone()).unwrap_or_default().into_iter();
    fields
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect()
}

fn settings(
    said: &HashMap<String, String>,
    configured: &HashMap<String, String>,
) -> ServerSettings {
    let number = |text: Option<&String>| text.and_then(|text| text.parse().ok());
    let version = said.get("redis_version").and_then(|version| {
        let mut parts = version.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    });
    ServerSettings {
        node: String::new(),
        version,
        append_only: said.get("aof_enabled").map(|enabled| enabled == "1"),
        append_fsync: configured.get("appendfsync").cloned(),
        max_memory: said.get("maxmemory").and_then(|bytes| bytes.parse().ok()),
        policy: configured
            .get("maxmemory-policy")
            .or_else(|| said.get("maxmemory_policy"))
            .cloned(),
        min_replicas: number(configured.get("min-replicas-to-write")),
        replicas: number(said.get("connected_slaves")),
        fails_over: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> ServerSettings {
        ServerSettings {
            version: Some((7, 2)),
            append_only: Some(true),
            append_fsync: Some("always".to_owned()),
            max_memory: Some(0),
            policy: Some("noeviction".to_owned()),
            min_replicas: Some(0),
            replicas: Some(0),
            ..ServerSettings::default()
        }
    }

    fn severities(server: &ServerSettings, options: &RedisOptions) -> Vec<Severity> {
        let findings = judge(server, options);
        findings.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn a_sound_server_is_left_alone() {
        assert_eq!(severities(&sound(), &RedisOptions::default()), []);
    }

    #[test]
    fn each_setting_that_loses_something_is_told() {
        use Severity::{Impossible, Loss, Note};
        type Change = fn(&mut ServerSettings, &mut RedisOptions);
        let cases: [(Change, &[Severity]); 11] = [
            (|server, _| server.append_only = Some(false), &[Loss]),
            (
                |server, _| server.append_fsync = Some("no".to_owned()),
                &[Loss],
            ),
            (
                |server, _| server.append_fsync = Some("everysec".to_owned()),
                &[Loss],
            ),
            (
                |server, options| {
                    server.append_fsync = Some("everysec".to_owned());
                    options.wait_aof = true;
                },
                &[Note],
            ),
            (
                |server, _| server.policy = Some("allkeys-lru".to_owned()),
                &[Note],
            ),
            (
                |server, _| {
                    server.policy = Some("volatile-ttl".to_owned());
                    server.max_memory = Some(1);
                },
                &[Loss],
            ),
            (|server, _| server.fails_over = true, &[Loss]),
            (
                |server, options| {
                    server.fails_over = true;
                    server.replicas = Some(1);
                    options.wait_replicas = 1;
                },
                &[],
            ),
            (|_, options| options.wait_replicas = 1, &[Impossible]),
            (
                |server, options| {
                    server.version = Some((7, 0));
                    options.wait_aof = true;
                },
                &[Impossible],
            ),
            (|server, _| server.version = Some((6, 2)), &[Impossible]),
        ];
        for (number, (change, expected)) in cases.into_iter().enumerate() {
            let (mut server, mut options) = (sound(), RedisOptions::default());
            change(&mut server, &mut options);
            assert_eq!(severities(&server, &options), expected, "case {number}");
        }
    }

    #[test]
    fn what_is_not_told_is_asked_for() {
        let silent = settings(&lines("redis_version:7.4.1\r\n"), &HashMap::new());
        assert_eq!(silent.version, Some((7, 4)));
        let findings = judge(&silent, &RedisOptions::default());
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity == Severity::Note)
        );
        assert_eq!(findings.len(), 2);
    }
}
