//! The sections of the file, one function each.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use langnghe_flow::Agency;
use langnghe_model::Problem;
use langnghe_server::{RetrySchedule, Settings};
use langnghe_store::Limits;
use url::Url;

use super::{
    Config, LogConfig, LogFormat, api, backend, channel, limits, media, notices, reader::Section,
    secrets::Surroundings, store, unique::Unique,
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// Reads everything; `None` when something without which there is no configuration is wrong.
pub(super) fn read(root: Section<'_>, surroundings: &Surroundings<'_>) -> Option<Config> {
    let folder = surroundings.folder;
    let mut settings = Settings::default();
    let mut store_limits = Limits::default();

    let (listen, public_url) = server(root.section("server", "[server]"), &mut settings);
    let limits = root.section("limits", "[limits]");
    let store = store::read(root.section("store", "[store]"), &limits, surroundings);
    let (flows, start) = flows(root.section("flows", "[flows]"), folder);
    let (locales, language) = locales(root.section("locales", "[locales]"), folder);
    privacy(root.section("privacy", "[privacy]"), &mut settings);
    let agency = agency(
        root.section("agency", "[agency]"),
        settings.retention.personal,
    );
    media::read(
        root.section("media", "[media]"),
        surroundings,
        &mut settings.media,
    );
    limits::read(limits, &mut settings, &mut store_limits);
    retries(root.section("retries", "[retries]"), &mut settings);
    let log = log(root.section("log", "[log]"));
    if root.has("api") {
        settings.api_tokens = api::read(root.section("api", "[api]"), surroundings);
    }
    console(&root);

    let notice_defaults = notices::read(root.section("notices", "[notices]"));
    let mut unique = Unique::default();
    let channels = root.sections("channel", channel::LIST).into_iter();
    let channels: Vec<_> = channels
        .filter_map(|section| channel::read(section, surroundings, &mut unique, &notice_defaults))
        .collect();
    notices::check_fallbacks(&root, &channels);
    if !root.has("channel") {
        root.reader().report(
            Problem::warning("config::no-channel", "no citizen can reach this: there is no [[channel]]")
                .help("the web chat needs no account: add a [[channel]] with id = \"web\" and kind = \"webchat\""),
        );
    }
    let backends = root.sections("backend", backend::LIST).into_iter();
    let backends: Vec<_> = backends
        .filter_map(|section| backend::read(section, surroundings, &mut unique))
        .collect();
    let source = Arc::clone(root.reader().source());
    root.finish();

    let listen = listen?;
    let public_url = public_url.or_else(|| Url::parse(&format!("http://{listen}")).ok())?;
    public_url
        .as_str()
        .trim_end_matches('/')
        .clone_into(&mut settings.media.public_url);
    Some(Config {
        source,
        listen,
        public_url,
        store: store?,
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

fn server(section: Section<'_>, settings: &mut Settings) -> (Option<SocketAddr>, Option<Url>) {
    let listen = match section.text("listen") {
        None if section.has("listen") => None,
        None => Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
        Some(text) => {
            let address = text.value.parse().ok();
            if address.is_none() {
                section.error(
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

fn flows(section: Section<'_>, folder: &Path) -> (PathBuf, String) {
    let path = section
        .path("path", folder)
        .unwrap_or_else(|| folder.join("flows"));
    let start = section
        .text("start")
        .map_or_else(|| "menu".to_owned(), |text| text.value);
    section.finish();
    (path, start)
}

fn locales(section: Section<'_>, folder: &Path) -> (PathBuf, String) {
    let path = section
        .path("path", folder)
        .unwrap_or_else(|| folder.join("locales"));
    let language = section
        .text("default")
        .map_or_else(|| "vi".to_owned(), |text| text.value);
    section.finish();
    (path, language)
}

fn agency(section: Section<'_>, personal: Duration) -> Agency {
    let text = |key| section.text(key).map(|text| text.value).unwrap_or_default();
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

fn retries(section: Section<'_>, settings: &mut Settings) {
    let read = |key: &'static str, schedule: &mut RetrySchedule| {
        let (Some(place), Some(waits)) = (section.key(key), section.durations(key)) else {
            return;
        };
        if waits.is_empty() || waits.len() > 32 {
            section.error(
                "config::range",
                format!("`{key}` has {} waits", waits.len()),
                place,
                "1 to 32 are possible",
                "",
            );
            return;
        }
        schedule.waits = waits;
    };
    read("replies", &mut settings.reply_retries);
    read("deliveries", &mut settings.delivery_retries);
    read("media", &mut settings.media.retries);
    if let Some(percent) = section.count("jitter_percent", 0, 50) {
        let percent = u32::try_from(percent).unwrap_or(0);
        settings.reply_retries.jitter_percent = percent;
        settings.delivery_retries.jitter_percent = percent;
        settings.media.retries.jitter_percent = percent;
    }
    section.finish();
}

fn log(section: Section<'_>) -> LogConfig {
    let format = section.one_of(
        "format",
        &[("json", LogFormat::Json), ("text", LogFormat::Text)],
    );
    let level = section.text("level").and_then(|text| {
        match text.value.parse::<tracing_subscriber::filter::Targets>() {
            Ok(_) => Some(text.value),
            Err(error) => {
                section.error(
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
fn console(root: &Section<'_>) {
    if let Some(place) = root.key("console") {
        let problem = Problem::warning("config::console", "this version has no console")
            .at(root.reader().source(), place, "has no effect")
            .help("leave the section out");
        root.reader().report(problem);
    }
}
