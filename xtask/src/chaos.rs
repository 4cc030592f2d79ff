//! `cargo xtask chaos`: builds what is hurt and what hurts it, then runs it.

use std::process::Command;

use crate::{run, steps};

/// Builds the program as the tests have it, and the tool beside it, and runs the tool.
///
/// # Errors
/// When a build or the tool fails.
pub(crate) fn chaos(options: &[String]) -> Result<(), String> {
    run::run(
        run::cargo()
            .arg("build")
            .args(steps::features())
            .args(["--bin", "langnghe", "--bin", "chaos"]),
    )?;
    let folder = run::root().join(steps::target()?).join("debug");
    run::run(
        Command::new(folder.join("chaos"))
            .env("LANGNGHE_PROGRAM", folder.join("langnghe"))
            .args(options),
    )
}
