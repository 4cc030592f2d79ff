//! The configuration: one TOML file, read with its places. `config/langnghe.toml` is its manual.

mod api;
mod backend;
mod channel;
mod limits;
mod media;
mod notices;
mod reader;
mod secrets;
mod sections;
mod store;
mod unique;
mod values;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use langnghe_flow::reader::Reader;
use langnghe_model::{Problem, problem::Severity, problem::Source};
use url::Url;

use reader::Section;
use secrets::Surroundings;

pub(crate) use backend::BackendConfig;
pub(crate) use channel::{
    ChannelConfig, ChannelKind, MessengerConfig, SmsConfig, SmsProvider, TelegramConfig,
    WebchatConfig, WhatsappConfig, ZaloBotConfig, ZaloConfig,
};
pub(crate) use channel::{QuotaChange, QuotaTerms};
pub(crate) use secrets::{Environment, ProcessEnvironment};
pub(crate) use store::{RedisConfig, StoreConfig};

/// The largest configuration that is read.
const FILE_BYTES: u64 = 1024 * 1024;

/// What the file says, checked, with defaults where it says nothing.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file, for problems that are found later, with stars for the secrets that stand in it.
    pub(crate) source: Arc<Source>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// What citizens and providers see before our paths.
    pub(crate) public_url: Url,
    /// Where everything is kept.
    pub(crate) store: StoreConfig,
    /// The folder of flows.
    pub(crate) flows: PathBuf,
    /// The flow for a message that triggers none.
    pub(crate) start: String,
    /// The folder of locales, one folder a language in it.
    pub(crate) locales: PathBuf,
    /// The language of a citizen of whom nothing is known.
    pub(crate) language: String,
    /// Words about the agency.
    pub(crate) agency: langnghe_flow::Agency,
    /// Bounds and times of a replica.
    pub(crate) settings: langnghe_server::Settings,
    /// Bounds of the store.
    pub(crate) store_limits: langnghe_store::Limits,
    /// What is logged, and how.
    pub(crate) log: LogConfig,
    /// The channels.
    pub(crate) channels: Vec<ChannelConfig>,
    /// The backends.
    pub(crate) backends: Vec<BackendConfig>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// How lines look; `None` is text on a terminal and JSON elsewhere.
    pub(crate) format: Option<LogFormat>,
    /// A `tracing` filter: `info`, `langnghe=debug,warn`; `None` is `info`.
    pub(crate) level: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What came of reading.
#[derive(Debug)]
pub(crate) struct Read {
    /// The configuration, unless there is an error among the problems.
    pub(crate) config: Option<Config>,
    /// What could be read of a configuration with errors: for looking further, never for running.
    pub(crate) partial: Option<Config>,
    /// Everything that was found, in the order of places.
    pub(crate) problems: Vec<Problem>,
}

/// Reads the file at `path`; relative paths in it are taken from its folder.
pub(crate) fn read_file(path: &Path, environment: &dyn Environment) -> Read {
    match read_text(path) {
        Ok(text) => {
            let source = Source::new(path.display().to_string(), text);
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            read(&source, &folder, environment)
        }
        Err(problem) => Read {
            config: None,
            partial: None,
            problems: vec![problem],
        },
    }
}

fn read_text(path: &Path) -> Result<String, Problem> {
    let fail = |reason: String| {
        Problem::error("config::unreadable", format!("cannot read {}: {reason}", path.display()))
            .help("begin with a copy of config/langnghe.toml, which explains every key; or try `langnghe demo`, which needs no configuration")
    };
    let metadata = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?;
    if !metadata.is_file() {
        return Err(fail("it is no file".to_owned()));
    }
    if metadata.len() > FILE_BYTES {
        return Err(fail(format!("it is larger than {FILE_BYTES} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))
}

/// Reads a configuration's text; `folder` is where its relative paths begin.
pub(crate) fn read(source: &Arc<Source>, folder: &Path, environment: &dyn Environment) -> Read {
    let surroundings = Surroundings::new(folder, environment);
    let (mut config, mut problems) = Reader::read(source, |reader, table| {
        sections::read(Section::new(reader, table, "the file"), &surroundings)
    });
    problems.sort_by_key(|problem| problem.label.as_ref().map_or(0, |(span, _)| span.start));
    let shown = surroundings.mask(source);
    for problem in &mut problems {
        problem.source = problem.source.take().map(|_| Arc::clone(&shown));
    }
    if let Some(config) = &mut config {
        config.source = shown;
    }
    let failed = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    let (config, partial) = if failed {
        (None, config)
    } else {
        (config, None)
    };
    Read {
        config,
        partial,
        problems,
    }
}

#[cfg(test)]
mod tests;
