//! Flows and locales are read anew without a restart, all or nothing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use langnghe_flow::{Library, Settings};
use langnghe_model::{Problem, problem::Severity};
use langnghe_store::{Store, StoreError};
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

use crate::{
    report,
    sources::{self, Fingerprint, Sources},
};

/// Reads flows and locales anew.
#[derive(Debug)]
pub(crate) struct Reloader {
    /// The folder of flows.
    pub(crate) flows: PathBuf,
    /// The folder of locales.
    pub(crate) locales: PathBuf,
    /// What the configuration says about flows.
    pub(crate) settings: Settings,
    /// Where versions are kept, for sessions that outlive them.
    pub(crate) store: Arc<dyn Store>,
    /// Who is told of problems.
    pub(crate) audience: Audience,
}

/// Who is told of problems.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience {
    /// The log, a line a problem.
    Log,
    /// A person at a terminal, with the text underlined.
    Terminal,
}

/// Why nothing was loaded.
#[derive(Debug)]
pub(crate) enum ReloadError {
    /// There are errors among these.
    Problems(Vec<Problem>),
    /// The current versions could not be kept.
    Store(StoreError),
}

impl Reloader {
    /// Reads everything, and keeps the current versions in the store before anything uses them.
    /// Gives back the library and the warnings.
    ///
    /// # Errors
    /// [`ReloadError`]; then nothing changes.
    pub(crate) async fn load(&self) -> Result<(Library, Vec<Problem>), ReloadError> {
        let (flows, locales) = (self.flows.clone(), self.locales.clone());
        let settings = self.settings.clone();
        let loading = tokio::task::spawn_blocking(move || {
            let sources = Sources::read(&flows, &locales)?;
            let loaded = Library::load(&sources.flows, &sources.locales, settings);
            match loaded.library {
                Some(library) => Ok((library, loaded.problems)),
                None => Err(loaded.problems),
            }
        });
        let (library, warnings) = loading
            .await
            .unwrap_or_else(|_| {
                Err(vec![Problem::error(
                    "flows::load",
                    "the flows could not be loaded",
                )])
            })
            .map_err(ReloadError::Problems)?;
        langnghe_server::keep_versions(self.store.as_ref(), &library)
            .await
            .map_err(ReloadError::Store)?;
        Ok((library, warnings))
    }

    /// Reads everything and swaps it in; what is wrong is told, and the old goes on.
    async fn reload(&self, library: &ArcSwap<Library>) {
        match self.load().await {
            Ok((loaded, warnings)) => {
                library.store(Arc::new(loaded));
                self.tell(&warnings);
                tracing::info!("flows and locales are loaded anew");
            }
            Err(ReloadError::Problems(problems)) => {
                self.tell(&problems);
                let found = report::count(&problems);
                tracing::error!(
                    found,
                    "flows and locales are not loaded; the earlier ones go on"
                );
            }
            Err(ReloadError::Store(error)) => {
                tracing::error!(%error, "flows and locales are not loaded; the earlier ones go on");
            }
        }
    }

    /// Problems go to the log, or to the person who has just saved the file.
    fn tell(&self, problems: &[Problem]) {
        let shown = match self.audience {
            Audience::Log => false,
            Audience::Terminal => report::show(problems).is_ok(),
        };
        if !shown {
            log(problems);
        }
    }

    /// Reloads on every SIGHUP (`hangup`) until `stop`.
    pub(crate) async fn on_hangup(
        self: Arc<Self>,
        library: Arc<ArcSwap<Library>>,
        mut hangup: Signal,
        stop: CancellationToken,
    ) {
        while let Some(Some(())) = stop.run_until_cancelled(hangup.recv()).await {
            self.reload(&library).await;
        }
    }

    /// Reloads whenever a file is not as it was `before`, looking once every `interval`, until `stop`.
    pub(crate) async fn on_change(
        self: Arc<Self>,
        library: Arc<ArcSwap<Library>>,
        before: Option<Fingerprint>,
        interval: Duration,
        stop: CancellationToken,
    ) {
        let mut interval = tokio::time::interval(interval);
        let mut before = before;
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            let now = self.fingerprint().await;
            if now != before {
                before = now;
                self.reload(&library).await;
            }
        }
    }

    /// How the files are now; to be taken before they are loaded, so that no change is missed.
    pub(crate) async fn fingerprint(&self) -> Option<Fingerprint> {
        let (flows, locales) = (self.flows.clone(), self.locales.clone());
        tokio::task::spawn_blocking(move || sources::fingerprint(&flows, &locales))
            .await
            .ok()
    }
}

/// Problems as log lines: where, what, and what to do.
fn log(problems: &[Problem]) {
    for problem in problems {
        let place = place(problem);
        let help = problem.help.as_deref().unwrap_or_default();
        let Problem { code, message, .. } = problem;
        match problem.severity {
            Severity::Warning => tracing::warn!(code, place, help, "{message}"),
            Severity::Error => tracing::error!(code, place, help, "{message}"),
        }
    }
}

/// `path:line:column`, as editors understand it.
fn place(problem: &Problem) -> String {
    let Some(source) = &problem.source else {
        return String::new();
    };
    let Some((span, _)) = &problem.label else {
        return source.path.clone();
    };
    let before = source.text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("{}:{line}:{column}", source.path)
}

#[cfg(test)]
mod tests {
    use langnghe_model::problem::Source;

    use super::*;

    #[test]
    fn a_place_is_told_as_editors_understand_it() {
        let source = Source::new("flows/a.toml", "id = \"a\"\ntitlé = 1\n");
        let problem = Problem::error("flow::x", "wrong").at(&source, 18..19, "");
        assert_eq!(place(&problem), "flows/a.toml:2:9");
    }
}
