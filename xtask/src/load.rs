//! `cargo xtask load`: builds what is measured and what measures, then runs it.

use std::process::Command;

use crate::{run, steps};

/// Builds the release binary as a user would, and the load tool beside it, and runs the tool.
///
/// # Errors
/// When a build or the tool fails.
pub(crate) fn load(options: &[String]) -> Result<(), String> {
    run::run(run::cargo().args(["build", "--release", "--package", "langnghe"]))?;
    run::run(run::cargo().args([
        "build",
        "--release",
        "--package",
        "langnghe-tests",
        "--bin",
        "load",
    ]))?;
    let folder = run::root().join(steps::target()?).join("release");
    run::run(
        Command::new(folder.join("load"))
            .env("LANGNGHE_PROGRAM", folder.join("langnghe"))
            .args(options),
    )
}
