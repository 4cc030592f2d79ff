//! What the commands that look into a store share: they may run beside a server that uses it.

use std::{path::Path, sync::Arc};

use langnghe_model::Timestamp;
use langnghe_store::Store;

use crate::{
    config::{self, ProcessEnvironment},
    report::{self, Failure},
    wiring,
};

/// The store that a configuration names, opened beside whoever serves it.
pub(super) fn open(path: &Path) -> Result<Arc<dyn Store>, Failure> {
    let read = config::read_file(path, &ProcessEnvironment { secrets: false });
    let Some(config) = read.config else {
        if !path.exists() {
            return Err(Failure::new(
                "config::unreadable",
                format!("there is no configuration {}", path.display()),
                "name one: --config FILE, or the environment variable LANGNGHE_CONFIG; the demo's is in its data folder: --config langnghe-demo/langnghe.toml",
            ));
        }
        return Err(Failure::Problems(read.problems));
    };
    if !config.database.exists() {
        return Err(Failure::new(
            "store::missing",
            format!("there is no database {}", config.database.display()),
            "`langnghe serve` makes it when it runs for the first time",
        ));
    }
    run(wiring::open_store(&config, wiring::Mode::Visitor))
}

/// Runs one operation to its end.
pub(super) fn run<T>(operation: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(Failure::Output)?.block_on(operation)
}

/// Says what a store could not do.
pub(super) fn failed(error: &langnghe_store::StoreError) -> Failure {
    Failure::Problems(vec![report::store_problem(error)])
}

/// A moment as UTC text with seconds, and as RFC 3339 in JSON.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_milliseconds()).map_or_else(
        |_| at.as_milliseconds().to_string(),
        |moment| format!("{moment:.0}"),
    )
}
