//! `[store]`: where everything is kept.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use langnghe_flow::reader::At;
use langnghe_model::Problem;
use langnghe_store::{AddressError, RedisAddress, RedisServers, StoreAddress};

use super::{reader::Section, secrets::Surroundings};

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreConfig {
    /// One SQLite file.
    Sqlite(PathBuf),
    /// Redis or Valkey.
    Redis(Box<RedisConfig>),
}

/// A store on Redis or Valkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedisConfig {
    /// Where it is.
    pub(crate) address: RedisAddress,
    /// Certificates of authorities that its certificate may come from, as PEM; `None` is the
    /// system's.
    pub(crate) ca: Option<Vec<u8>>,
    /// Over how many partitions conversations are spread; fixed once there are data.
    pub(crate) partitions: u16,
    /// What our keys begin with.
    pub(crate) prefix: String,
    /// The longest that one command may take.
    pub(crate) timeout: Duration,
    /// Whether the program refuses to start where the server could lose what was acknowledged.
    pub(crate) require_durable: bool,
    /// Whether an acknowledgement waits until the server's disk has it.
    pub(crate) wait_aof: bool,
    /// For how many of the server's replicas an acknowledgement waits.
    pub(crate) wait_replicas: u8,
}

impl RedisConfig {
    /// The defaults, for one address.
    pub(crate) fn new(address: RedisAddress) -> Self {
        Self {
            address,
            ca: None,
            partitions: 64,
            prefix: "ln".to_owned(),
            timeout: Duration::from_secs(2),
            require_durable: false,
            wait_aof: false,
            wait_replicas: 0,
        }
    }
}

/// The longest prefix of keys.
const PREFIX_CHARACTERS: usize = 32;
/// Keys of this section that only one kind of store has.
const REDIS_KEYS: [&str; 7] = [
    "partitions",
    "prefix",
    "ca",
    "timeout",
    "require_durable",
    "wait_aof",
    "wait_replicas",
];
/// Keys of `[limits]` that only SQLite has.
const SQLITE_LIMITS: [&str; 1] = ["dedup_memory"];

/// Reads `[store]`, and tells which keys of it and of `[limits]` have no effect.
pub(super) fn read(
    section: Section<'_>,
    limits: &Section<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<StoreConfig> {
    let folder = surroundings.folder;
    let address = if section.has("url") {
        let url = section.text("url");
        url.and_then(|url| address(&section, url, surroundings))
    } else {
        Some(StoreAddress::Sqlite(PathBuf::from("data/langnghe.db")))
    };
    let store = match address {
        None => {
            for key in REDIS_KEYS {
                section.has(key);
            }
            None
        }
        Some(StoreAddress::Sqlite(path)) => {
            no_effect(&section, &REDIS_KEYS, "SQLite");
            Some(StoreConfig::Sqlite(folder.join(path)))
        }
        Some(StoreAddress::Redis(address)) => {
            no_effect(limits, &SQLITE_LIMITS, "Redis");
            let redis = redis(&section, address, folder);
            Some(StoreConfig::Redis(Box::new(redis)))
        }
    };
    section.finish();
    store
}

/// Follows `url` to the address, and says what is wrong with that.
fn address(
    section: &Section<'_>,
    url: At<String>,
    surroundings: &Surroundings<'_>,
) -> Option<StoreAddress> {
    let reader = section.reader();
    if url.value.starts_with("env:") || url.value.starts_with("file:") {
        let held = section.follow_always("url", &url, surroundings)?;
        return StoreAddress::parse(&held)
            .map_err(|error| {
                // Where it is wrong would show a piece of a secret.
                let message = format!("`{}` holds no address of a store", url.value);
                let AddressError {
                    message: label,
                    help,
                    ..
                } = error;
                section.error("config::store", message, url.span, label, help);
            })
            .ok();
    }
    match StoreAddress::parse(&url.value) {
        Ok(address) => {
            if let StoreAddress::Redis(redis) = &address
                && let Some(place) = redis.password_place()
            {
                let place = reader.inside(&url, place);
                surroundings.hide(place.clone());
                let problem = Problem::warning(
                    "config::literal-secret",
                    "the store's password stands in the file itself",
                );
                reader.report(
                    problem
                        .at(reader.source(), place, "everybody who sees this file knows it")
                        .help("write the whole address as a secret instead: url = \"env:NAME\" or \"file:PATH\""),
                );
            }
            Some(address)
        }
        Err(error) => {
            if let Some(at) = url.value.rfind('@') {
                let from = url.value.find(':').map_or(0, |colon| colon + 1);
                surroundings.hide(reader.inside(&url, from.min(at)..at));
            }
            let place = reader.inside(&url, error.place);
            section.error(
                "config::store",
                "`url` is no address of a store",
                place,
                error.message,
                error.help,
            );
            None
        }
    }
}

fn redis(section: &Section<'_>, address: RedisAddress, folder: &Path) -> RedisConfig {
    let mut config = RedisConfig::new(address);
    config.ca = section
        .text("ca")
        .and_then(|path| certificates(section, &config.address, &path, folder));
    if let Some(partitions) = section.count("partitions", 1, 1024) {
        config.partitions = u16::try_from(partitions).unwrap_or(config.partitions);
    }
    if let Some(prefix) = section.text("prefix") {
        if is_prefix(&prefix.value) {
            config.prefix = prefix.value;
        } else {
            section.error(
                "config::prefix",
                "`prefix` cannot begin keys",
                prefix.span,
                "1 to 32 of a-z, A-Z, 0-9, \"-\", \"_\", \".\", \":\"",
                "for example: prefix = \"ln\"",
            );
        }
    }
    let (least, most) = (Duration::from_millis(100), Duration::from_mins(1));
    if let Some(timeout) = section.duration("timeout", least, most) {
        config.timeout = timeout;
    }
    config.require_durable = section.boolean("require_durable").unwrap_or(false);
    config.wait_aof = section.boolean("wait_aof").unwrap_or(false);
    if let Some(replicas) = section.count("wait_replicas", 0, 16) {
        config.wait_replicas = u8::try_from(replicas).unwrap_or(0);
    }
    config
}

fn is_prefix(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=PREFIX_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed)
}

/// Reads the file of `ca`.
fn certificates(
    section: &Section<'_>,
    address: &RedisAddress,
    path: &At<String>,
    folder: &Path,
) -> Option<Vec<u8>> {
    if !address.tls {
        let help = match address.servers {
            RedisServers::Socket(_) => "leave it out: a socket file is not encrypted",
            _ => "for an encrypted connection write \"rediss://…\" in `url`",
        };
        warn(
            section,
            path.span.clone(),
            "the connection is not encrypted: `ca` has no effect",
            help,
        );
        return None;
    }
    let file = folder.join(&path.value);
    let (label, help) = match std::fs::read(&file) {
        Ok(bytes) if contains(&bytes, b"-----BEGIN CERTIFICATE-----") => return Some(bytes),
        Ok(_) => (
            "there is no certificate in this file".to_owned(),
            "a PEM file has lines \"-----BEGIN CERTIFICATE-----\"",
        ),
        Err(error) => (
            format!("cannot read {}: {error}", file.display()),
            "the PEM file of the authority that signed the server's certificate",
        ),
    };
    section.error(
        "config::ca",
        "`ca` gives no certificate",
        path.span.clone(),
        label,
        help,
    );
    None
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Warns of keys that the store in use does not know.
fn no_effect(section: &Section<'_>, keys: &[&'static str], store: &str) {
    for key in keys {
        if let Some(place) = section.key(key) {
            let message = format!("the store is {store}, where `{key}` has no effect");
            warn(section, place, &message, "leave it out");
        }
    }
}

fn warn(section: &Section<'_>, place: Range<usize>, message: &str, help: &str) {
    let reader = section.reader();
    let problem = Problem::warning("config::no-effect", message);
    reader.report(
        problem
            .at(reader.source(), place, "has no effect")
            .help(help),
    );
}
