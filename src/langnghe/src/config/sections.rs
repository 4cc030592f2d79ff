//! The sections of the file, one function each.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use langnghe_flow::Agency;
use langnghe_model::{Problem, problem::Source};
use langnghe_server::{Flood, RetrySchedule, Settings};
use langnghe_store::Limits;
use toml::{Spanned, de::DeTable};
use url::Url;

use super::{
    Config, LogConfig, LogFormat, backend, channel,
    reader::{Reader, Section, nearest},
    values::Surroundings,
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * 1024;

pub(super) fn read(
    reader: &Reader,
    source: &Arc<Source>,
    table: &Spanned<DeTable<'_>>,
    surroundings: &Surroundings<'_>,
) -> Option<Config> {
    let folder = surroundings.folder;
    let empty = DeTable::new();
    let root = Section::root(reader, table);
    let mut settings = Settings::default();
    let mut store_limits = Limits::default();

    let (listen, public_url) = server(root.section("server", &empty), &mut settings);
    let database = store(root.section("store", &empty), folder);
    let (flows, start) = flows(root.section("flows", &empty), folder);
    let (locales, language) = locales(root.section("locales", &empty), folder);
    privacy(root.section("privacy", &empty), &mut settings);
    let agency = agency(root.section("agency", &empty), settings.retention.personal);
    media(root.section("media", &empty), folder, &mut settings);
    limits(
        root.section("limits", &empty),
        &mut settings,
        &mut store_limits,
    );
    retries(root.section("retries", &empty), &mut settings);
    let log = log(root.section("log", &empty));
    console(&root, &empty);

    let mut channels = Vec::new();
    let mut ids = Ids::default();
    for section in root.sections("channel") {
        ids.note(&section, "channel", "id");
        if section.peek("kind") == Some("webchat") {
            ids.note(&section, "channel", "path");
        }
        channels.extend(channel::read(section, surroundings));
    }
    if !root.has("channel") {
        reader.note(
            Problem::warning("config::no-channel", "no citizen can reach this: there is no [[channel]]")
                .help("the web chat needs no account: add a [[channel]] with id = \"web\" and kind = \"webchat\""),
        );
    }
    let mut backends = Vec::new();
    for section in root.sections("backend") {
        ids.note(&section, "backend", "id");
        backends.extend(backend::read(section, surroundings));
    }
    root.finish();

    let listen = listen?;
    let public_url = public_url.or_else(|| Url::parse(&format!("http://{listen}")).ok())?;
    public_url
        .as_str()
        .trim_end_matches('/')
        .clone_into(&mut settings.media.public_url);
    Some(Config {
        source: Arc::clone(source),
        listen,
        public_url,
        database: database?,
        flows,
        start,
        locales,
        language,
        agency,
        settings,
        store_limits,
        log,
        channels,
        backends,
    })
}

/// What must not come twice, to find the second of two equal ones.
#[derive(Default)]
struct Ids(Vec<(&'static str, &'static str, String)>);

impl Ids {
    fn note(&mut self, section: &Section<'_>, kind: &'static str, key: &'static str) {
        let default = if key == "path" {
            Some(channel::WEBCHAT_PATH)
        } else {
            None
        };
        // A key that is missing or no text is noted where the section itself is read.
        let Some(text) = section.peek(key).or(default.filter(|_| !section.has(key))) else {
            return;
        };
        let seen = (kind, key, text.to_owned());
        if self.0.contains(&seen) {
            section.reader().error(
                "config::duplicate",
                format!("two of [[{kind}]] have the {key} `{text}`"),
                section.place(key),
                "the second one",
                format!("give this one another {key}"),
            );
        }
        self.0.push(seen);
    }
}

fn server(section: Section<'_>, settings: &mut Settings) -> (Option<SocketAddr>, Option<Url>) {
    let listen = match section.text("listen") {
        None if section.has("listen") => None,
        None => Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
        Some(text) => {
            let address = text.value.parse().ok();
            if address.is_none() {
                section.reader().error(
                    "config::listen",
                    "`listen` is not an address with a port",
                    text.span,
                    "an IP address, a colon and a port",
                    "for this machine only: \"127.0.0.1:8080\"; for all: \"0.0.0.0:8080\"",
                );
            }
            address
        }
    };
    let public_url = section.url("public_url").map(|url| url.value);
    if let Some(workers) = section.count("workers", 0, 256) {
        settings.workers = workers;
    }
    if let Some(shutdown) = section.duration("shutdown", SECOND, 10 * 60 * SECOND) {
        settings.shutdown = shutdown;
    }
    section.finish();
    (listen, public_url)
}

fn store(section: Section<'_>, folder: &Path) -> Option<PathBuf> {
    const LATER: [&str; 5] = ["redis:", "rediss:", "redis+cluster:", "valkey:", "valkeys:"];
    let text = section.text("url");
    let reader = section.reader();
    let missing = !section.has("url");
    section.finish();
    if missing {
        return Some(folder.join("data/langnghe.db"));
    }
    let text = text?;
    if let Some(path) = text.value.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.is_empty() && path != ":memory:" {
            return Some(folder.join(path));
        }
    }
    let (message, help) = if LATER.iter().any(|scheme| text.value.starts_with(scheme)) {
        (
            "this version keeps its data in SQLite only",
            "Redis and Valkey come with a later version; until then: \"sqlite:data/langnghe.db\"",
        )
    } else {
        (
            "`url` names no store",
            "write \"sqlite:\" and the path of a file: \"sqlite:data/langnghe.db\"",
        )
    };
    reader.error(
        "config::store",
        message,
        text.span,
        "not a store of this version",
        help,
    );
    None
}

fn flows(section: Section<'_>, folder: &Path) -> (PathBuf, String) {
    let path = section
        .path("path", folder)
        .unwrap_or_else(|| folder.join("flows"));
    let start = section
        .text("start")
        .map_or("menu", |text| text.value)
        .to_owned();
    section.finish();
    (path, start)
}

fn locales(section: Section<'_>, folder: &Path) -> (PathBuf, String) {
    let path = section
        .path("path", folder)
        .unwrap_or_else(|| folder.join("locales"));
    let language = section
        .text("default")
        .map_or("vi", |text| text.value)
        .to_owned();
    section.finish();
    (path, language)
}

fn agency(section: Section<'_>, personal: Duration) -> Agency {
    let text = |key| {
        section
            .text(key)
            .map(|text| text.value.to_owned())
            .unwrap_or_default()
    };
    let agency = Agency {
        name: text("name"),
        hotline: text("hotline"),
        address: text("address"),
        privacy_url: text("privacy_url"),
        // What citizens are told is what the program does.
        retention_months: u32::try_from(personal.as_secs() / DAY.as_secs() * 12 / 365)
            .unwrap_or(u32::MAX),
    };
    section.finish();
    agency
}

fn privacy(section: Section<'_>, settings: &mut Settings) {
    let retention = &mut settings.retention;
    let years = |years: u32| years * 365 * DAY;
    if let Some(sessions) = section.duration("sessions", 60 * SECOND, years(10)) {
        retention.idle_sessions = sessions;
    }
    if let Some(dead_letters) = section.duration("dead_letters", 60 * SECOND, years(10)) {
        retention.dead_letters = dead_letters;
    }
    if let Some(personal) = section.duration("personal", 60 * SECOND, years(100)) {
        retention.personal = personal;
    }
    section.finish();
}

fn media(section: Section<'_>, folder: &Path, settings: &mut Settings) {
    let media = &mut settings.media;
    media.folder = section
        .path("path", folder)
        .unwrap_or_else(|| folder.join("data/media"));
    if let Some(size) = section.size("file", KIB, 4 * GIB) {
        media.file_bytes = size;
    }
    if let Some(size) = section.size("total", KIB, 1024 * GIB) {
        media.total_bytes = size;
    }
    section.finish();
}

fn limits(section: Section<'_>, settings: &mut Settings, store: &mut Limits) {
    let put = |place: &mut usize, key, least, most| {
        if let Some(count) = section.count(key, least, most) {
            *place = count;
        }
    };
    put(
        &mut settings.requests_at_once,
        "requests_at_once",
        1,
        1_000_000,
    );
    put(&mut settings.sends_at_once, "sends_at_once", 1, 10_000);
    put(
        &mut settings.deliveries_at_once,
        "deliveries_at_once",
        1,
        10_000,
    );
    put(&mut store.inbox, "inbox", 1, 100_000_000);
    put(
        &mut store.inbox_a_conversation,
        "inbox_per_citizen",
        1,
        100_000,
    );
    put(&mut store.operations, "operations", 16, 10_000_000);
    let size = |place: &mut usize, key, least, most| {
        if let Some(size) = section.size(key, least, most)
            && let Ok(size) = usize::try_from(size)
        {
            *place = size;
        }
    };
    size(&mut settings.body_bytes, "body", KIB, GIB);
    size(&mut store.dedup_memory, "dedup_memory", 64 * KIB, 64 * GIB);
    if let Some(time) = section.duration("request_time", SECOND, 60 * SECOND) {
        settings.request_time = time;
    }
    if let Some(time) = section.duration("retry_after", SECOND, 3600 * SECOND) {
        settings.retry_after = time;
    }
    if let Some(time) = section.duration("lease", SECOND, 3600 * SECOND) {
        settings.lease = time;
    }
    if let Some(time) = section.duration("dedup_window", 60 * SECOND, 365 * DAY) {
        settings.retention.dedup = time;
    }
    let empty = DeTable::new();
    flood(section.section("flood", &empty), &mut settings.flood);
    section.finish();
}

fn flood(section: Section<'_>, flood: &mut Flood) {
    if let Some(messages) = section.count("messages", 1, 1_000_000) {
        flood.messages = u32::try_from(messages).unwrap_or(u32::MAX);
    }
    if let Some(per) = section.duration("per", SECOND, DAY) {
        flood.per = per;
    }
    section.finish();
}

fn retries(section: Section<'_>, settings: &mut Settings) {
    let read = |key: &'static str, schedule: &mut RetrySchedule| {
        let Some(waits) = section.durations(key) else {
            return;
        };
        if waits.is_empty() || waits.len() > 32 {
            section.reader().error(
                "config::range",
                format!("`{key}` has {} waits", waits.len()),
                section.place(key),
                "1 to 32 are possible",
                "",
            );
            return;
        }
        schedule.waits = waits;
    };
    read("replies", &mut settings.reply_retries);
    read("deliveries", &mut settings.delivery_retries);
    if let Some(percent) = section.number("jitter_percent", 0, 50) {
        let percent = u32::try_from(percent).unwrap_or(0);
        settings.reply_retries.jitter_percent = percent;
        settings.delivery_retries.jitter_percent = percent;
    }
    section.finish();
}

fn log(section: Section<'_>) -> LogConfig {
    let format = section.text("format").and_then(|text| match text.value {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        other => {
            let help = nearest(other, &["json", "text"])
                .map_or_else(String::new, |known| format!("did you mean \"{known}\"?"));
            section.reader().error(
                "config::log",
                "`format` is \"json\" or \"text\"",
                text.span,
                "neither",
                help,
            );
            None
        }
    });
    let level = section.text("level").and_then(|text| {
        match text.value.parse::<tracing_subscriber::filter::Targets>() {
            Ok(_) => Some(text.value.to_owned()),
            Err(error) => {
                section.reader().error(
                    "config::log",
                    "`level` is not a filter",
                    text.span,
                    error.to_string(),
                    "\"error\", \"warn\", \"info\", \"debug\", or by part: \"info,langnghe_store=debug\"",
                );
                None
            }
        }
    });
    section.finish();
    LogConfig { format, level }
}

/// The section is in the design and its part is not built yet: said, not passed over.
fn console(root: &Section<'_>, empty: &DeTable<'_>) {
    if root.has("console") {
        let section = root.section("console", empty);
        root.reader().warn(
            "config::console",
            "this version has no console",
            section.span,
            "has no effect",
            "leave the section out",
        );
    }
}
