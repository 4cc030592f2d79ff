//! The steps of `cargo xtask test`.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::{prerequisites, run, tally::Tally};

/// One step.
struct Step {
    name: &'static str,
    /// What it does, for `--list`.
    what: &'static str,
    run: fn(&mut Tally) -> Result<(), String>,
}

/// Everything is built with the same features, so that it is built once.
pub(crate) fn features() -> [&'static str; 3] {
    let features = if prerequisites::valkey() {
        "langnghe/crash-points,langnghe-tests/valkey"
    } else {
        "langnghe/crash-points"
    };
    ["--workspace", "--features", features]
}

const STEPS: &[Step] = &[
    Step {
        name: "tools",
        what: "installs or names what the tests need",
        run: tools,
    },
    Step {
        name: "format",
        what: "cargo fmt --check",
        run: format,
    },
    Step {
        name: "clippy",
        what: "clippy over every target, warnings refused",
        run: clippy,
    },
    Step {
        name: "policy",
        what: "cargo deny check, where it is installed",
        run: policy,
    },
    Step {
        name: "build",
        what: "builds the tests and the program that they start",
        run: build,
    },
    Step {
        name: "check",
        what: "langnghe check over the repository's own flows",
        run: check,
    },
    Step {
        name: "tests",
        what: "unit, contract, whole-system, browser and documentation tests",
        run: tests,
    },
    Step {
        name: "docs",
        what: "the documentation builds without a warning",
        run: docs,
    },
];

/// Prints the steps.
pub(crate) fn list() {
    for step in STEPS {
        println!("{:8} {}", step.name, step.what);
    }
}

/// Runs all steps, or those named.
///
/// # Errors
/// Which steps failed.
pub(crate) fn test(only: &[String]) -> Result<(), String> {
    if let Some(unknown) = only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        return Err(format!(
            "there is no step `{unknown}`; see cargo xtask test --list"
        ));
    }
    let begin = Instant::now();
    let mut tally = Tally::default();
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for step in STEPS {
        if !only.is_empty() && only.iter().all(|name| name != step.name) {
            continue;
        }
        println!("── {}: {}", step.name, step.what);
        let since = Instant::now();
        let outcome = (step.run)(&mut tally);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        lines.push(format!(
            "{:8} {:6} {}",
            step.name,
            word,
            minutes(since.elapsed())
        ));
        if let Err(message) = outcome {
            eprintln!("{message}");
            failures.push(step.name);
            // Without the tools or the program the rest would only fail again.
            if matches!(step.name, "tools" | "build") {
                break;
            }
        }
    }
    println!("── {} in all", minutes(begin.elapsed()));
    for line in lines {
        println!("{line}");
    }
    if tally.passed + tally.failed > 0 {
        println!(
            "{} tests passed, {} failed, {} ignored",
            tally.passed, tally.failed, tally.ignored
        );
        for line in tally.failures() {
            println!("{line}");
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failures.join(", ")))
    }
}

fn minutes(time: Duration) -> String {
    format!(
        "{}:{:04.1} min",
        time.as_secs() / 60,
        time.as_secs_f64() % 60.0
    )
}

fn tools(_: &mut Tally) -> Result<(), String> {
    prerequisites::ensure()?;
    if !prerequisites::valkey() {
        println!("no package has a valkey-server here: the store is tried on Redis only");
    }
    Ok(())
}

fn format(_: &mut Tally) -> Result<(), String> {
    run::run(run::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(_: &mut Tally) -> Result<(), String> {
    let command = &mut run::cargo();
    run::run(
        command
            .args(["clippy", "--quiet", "--all-targets"])
            .args(features())
            .args(["--", "--deny", "warnings"]),
    )
}

fn policy(_: &mut Tally) -> Result<(), String> {
    if prerequisites::on_path("cargo-deny").is_none() {
        println!("cargo-deny is not installed: left out");
        return Ok(());
    }
    run::run(run::cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

fn build(_: &mut Tally) -> Result<(), String> {
    // As the tests are built, so that what both need is built once; the program comes with its own.
    let command = &mut run::cargo();
    run::run(
        command
            .args(["test", "--quiet", "--no-run"])
            .args(features()),
    )
}

fn check(_: &mut Tally) -> Result<(), String> {
    let program = run::root().join(target()?).join("debug/langnghe");
    let mut command = Command::new(program);
    // The sample takes the backend's secret from the environment; this one is nobody's.
    command.env("IOC_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    run::run(
        command
            .current_dir(run::root())
            .args(["check", "--config", "config/langnghe.toml"]),
    )
}

fn tests(tally: &mut Tally) -> Result<(), String> {
    let program = run::root().join(target()?).join("debug/langnghe");
    let command = &mut run::cargo();
    command.args(["test", "--no-fail-fast"]).args(features());
    // The tests start this very program and do not build it again with other features.
    command.env("LANGNGHE_PROGRAM", program);
    run::watch(command, |line| tally.add(line))
}

fn docs(_: &mut Tally) -> Result<(), String> {
    let command = &mut run::cargo();
    command.env("RUSTDOCFLAGS", "--deny warnings");
    run::run(
        command
            .args(["doc", "--quiet", "--no-deps"])
            .args(features()),
    )
}

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<String, String> {
    let command = &mut run::cargo();
    let text = run::output(command.args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let folder = metadata["target_directory"].as_str();
    folder
        .map(str::to_owned)
        .ok_or_else(|| "cargo names no target folder".to_owned())
}
