//! Logs: lines of text or JSON on the standard error stream, with ids and never with words of citizens.

use std::{io::IsTerminal, panic};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Starts logging. The environment's `LANGNGHE_LOG` goes before the configured level.
pub(crate) fn start(config: &LogConfig) {
    let level = config.level.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_from_env("LANGNGHE_LOG")
        .or_else(|_| EnvFilter::try_new(level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let text = match config.format {
        Some(format) => format == LogFormat::Text,
        None => std::io::stderr().is_terminal(),
    };
    let layer: Box<dyn Layer<Registry> + Send + Sync> = if text {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Box::new(
            tracing_subscriber::fmt::layer()
                .with_ansi(colours)
                .with_writer(std::io::stderr)
                .with_filter(filter),
        )
    } else {
        Box::new(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(std::io::stderr)
                .with_filter(filter),
        )
    };
    // A second start (tests in one process) keeps the first.
    if tracing_subscriber::registry()
        .with(layer)
        .try_init()
        .is_ok()
    {
        log_panics();
    }
}

/// A panic's words can hold a citizen's: only its place is logged.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a part of the program panicked");
    }));
}
