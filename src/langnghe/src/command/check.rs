//! `langnghe check`: every finding in one run.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use langnghe_flow::{Agency, Library, Settings};
use langnghe_model::Problem;

use super::segments;
use crate::{
    config::{self, ProcessEnvironment},
    report::{self, Failure},
    sources::Sources,
    wiring,
};

/// No finding, as many do without.
const API_OFF: &str = "the HTTP API (/api/v1) is off; to turn it on: [api] token = \"env:NAME\"";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration; without it the folders ./flows and ./locales are checked
    #[arg(long, value_name = "FILE", env = "LANGNGHE_CONFIG")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut channels = Vec::new();
    let (flows, locales, settings) = match &arguments.config {
        Some(path) => {
            let mut read = config::read_file(path, &ProcessEnvironment { secrets: true });
            problems.append(&mut read.problems);
            let whole = read.config.is_some();
            // A configuration with mistakes still says where the flows are.
            match read.config.or(read.partial) {
                Some(config) => {
                    problems.extend(wiring::check(&config));
                    // What is wrong with them is among the problems already.
                    channels = wiring::channels(&config).unwrap_or_default();
                    if config.settings.api_tokens.is_empty() {
                        writeln!(io::stdout(), "{API_OFF}")?;
                    }
                    let mut settings = wiring::flow_settings(&config);
                    // A backend whose section has a mistake is not among them.
                    settings.backends = settings.backends.filter(|_| whole);
                    (config.flows.clone(), config.locales.clone(), settings)
                }
                None => return finish(&problems, None),
            }
        }
        None => (
            PathBuf::from("flows"),
            PathBuf::from("locales"),
            default_settings(),
        ),
    };
    let mut counts = None;
    match Sources::read(&flows, &locales) {
        Ok(sources) => {
            let loaded = Library::load(&sources.flows, &sources.locales, settings);
            problems.extend(loaded.problems);
            if let Some(library) = &loaded.library {
                for channel in &channels {
                    let capabilities = channel.connector.capabilities();
                    if let Some((table, found)) =
                        segments::prices(&channel.id, capabilities, library)
                    {
                        write!(io::stdout(), "{table}")?;
                        problems.extend(found);
                    }
                }
            }
            counts = Some((sources.flows.len(), sources.locales.len()));
        }
        Err(unreadable) => problems.extend(unreadable),
    }
    finish(&problems, counts)
}

/// What holds for flows without a configuration: any backend is good.
pub(super) fn default_settings() -> Settings {
    Settings {
        start: "menu".to_owned(),
        language: "vi".to_owned(),
        backends: None,
        agency: Agency {
            retention_months: 24,
            ..Agency::default()
        },
    }
}

fn finish(problems: &[Problem], counts: Option<(usize, usize)>) -> Result<(), Failure> {
    report::show(problems)?;
    let mut output = io::stdout().lock();
    let checked = counts.map_or_else(String::new, |(flows, locales)| {
        format!("{flows} flow files, {locales} locale files: ")
    });
    let found = report::count(problems);
    if found.is_empty() {
        writeln!(output, "{checked}good")?;
    } else {
        writeln!(output, "{checked}{found}")?;
    }
    // They are shown already; what is left to say is the exit code.
    if report::any_error(problems) {
        Err(Failure::Problems(Vec::new()))
    } else {
        Ok(())
    }
}
