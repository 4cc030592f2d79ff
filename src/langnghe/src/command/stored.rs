//! What the commands that look into a store share: they may run beside a server that uses it.

use std::{path::Path, sync::Arc};

use langnghe_model::Timestamp;
use langnghe_store::{OpenMode, Store, StoreError};

use crate::{
    config::{self, Config, ProcessEnvironment, StoreConfig},
    report::{self, Failure},
    wiring,
};

/// Opens the store that a configuration names, beside whoever serves it, acts on it, and closes it.
pub(super) fn with<T>(
    path: &Path,
    act: impl AsyncFnOnce(&dyn Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_config(path, async |_, store| act(store.as_ref()).await)
}

/// The same for what needs the configuration too, which is without its secrets.
pub(super) fn with_config<T>(
    path: &Path,
    act: impl AsyncFnOnce(&Config, &Arc<dyn Store>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = config(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = wiring::open_store(&config, OpenMode::Visit).await?;
        let result = act(&config, &store).await;
        store.close().await.map_err(|error| failed(&error))?;
        result
    })
}

fn config(path: &Path) -> Result<Config, Failure> {
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
    if let StoreConfig::Sqlite(path) = &config.store
        && !path.exists()
    {
        return Err(Failure::new(
            "store::missing",
            format!("there is no database {}", path.display()),
            "`langnghe serve` makes it when it runs for the first time",
        ));
    }
    Ok(config)
}

/// Says what a store could not do.
pub(super) fn failed(error: &StoreError) -> Failure {
    Failure::Problems(vec![report::store_problem(error)])
}

/// A moment as UTC text with seconds, and as RFC 3339 in JSON.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_milliseconds()).map_or_else(
        |_| at.as_milliseconds().to_string(),
        |moment| format!("{moment:.0}"),
    )
}
