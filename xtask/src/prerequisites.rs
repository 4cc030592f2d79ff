//! Makes sure of the programs that the tests need.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::run;

/// A program that the tests need, and where a Debian-like system has it.
struct Program {
    /// Any one of these on the path will do.
    names: &'static [&'static str],
    /// The package that has it.
    package: &'static str,
    /// What it is for.
    purpose: &'static str,
    /// Whether the tests go without it where the system's packages have no such thing.
    where_packaged: bool,
}

/// The server whose tests are a feature of `langnghe-tests`, since not every system packages it.
const VALKEY: &str = "valkey-server";

/// All of them; one more is one more entry.
const PROGRAMS: &[Program] = &[
    Program {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        purpose: "the web chat is tried in a real browser",
        where_packaged: false,
    },
    Program {
        names: &["chromedriver"],
        package: "chromium-driver",
        purpose: "drives that browser",
        where_packaged: false,
    },
    Program {
        names: &["redis-server"],
        package: "redis-server",
        purpose: "the store is tried on real servers",
        where_packaged: false,
    },
    Program {
        names: &["openssl"],
        package: "openssl",
        purpose: "makes the certificate of an encrypted server",
        where_packaged: false,
    },
    Program {
        names: &[VALKEY],
        package: "valkey-server",
        purpose: "the store is tried on Valkey too",
        where_packaged: true,
    },
];

/// Parts of the Rust toolchain: the cargo command and the rustup component that has it.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Makes sure of everything, and installs what is missing where that is possible.
///
/// # Errors
/// What is missing and how to install it.
pub(crate) fn ensure() -> Result<(), String> {
    for (command, component) in COMPONENTS {
        if !run::succeeds(run::cargo().args([command, "--version"])) {
            let mut rustup = Command::new("rustup");
            run::run(rustup.args(["component", "add", component])).map_err(|error| {
                format!(
                    "`cargo {command}` is missing: install the toolchain's {component} ({error})"
                )
            })?;
        }
    }

    let mut missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let reasons: Vec<String> = missing
        .iter()
        .map(|program| format!("  {} ({})", program.package, program.purpose))
        .collect();
    let advice = format!(
        "the tests need:\n{}\ninstall them, on a Debian-like system by\n  sudo apt-get install {}",
        reasons.join("\n"),
        packages.join(" ")
    );
    let Some(privilege) = privilege() else {
        return Err(advice);
    };
    if on_path("apt-get").is_none() {
        return Err(advice);
    }

    println!("installing {}", packages.join(", "));
    let apt = |arguments: &[&str]| {
        let mut words: Vec<&str> = privilege.to_vec();
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
        words.extend(arguments);
        run::run(Command::new(words[0]).args(&words[1..]))
    };
    apt(&["update"]).map_err(|error| format!("{error}\n{advice}"))?;
    // By now more packages may be known.
    missing = self::missing();
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(missing.iter().map(|program| program.package));
    apt(&install).map_err(|error| format!("{error}\n{advice}"))?;
    match missing.iter().find(|program| find(program).is_none()) {
        None => Ok(()),
        Some(program) => Err(format!(
            "{} brought none of: {}",
            program.package,
            program.names.join(", ")
        )),
    }
}

/// What is missing and can be had.
fn missing() -> Vec<&'static Program> {
    let packaged = |program: &Program| {
        run::succeeds(Command::new("apt-cache").args(["show", program.package]))
    };
    PROGRAMS
        .iter()
        .filter(|program| find(program).is_none())
        .filter(|program| !program.where_packaged || packaged(program))
        .collect()
}

/// Whether there is a Valkey for the tests.
pub(crate) fn valkey() -> bool {
    on_path(VALKEY).is_some()
}

/// How to run something as root without being asked anything: the words before it.
fn privilege() -> Option<&'static [&'static str]> {
    let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        return Some(&[]);
    }
    run::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn find(program: &Program) -> Option<PathBuf> {
    program.names.iter().find_map(|name| on_path(name))
}

/// Where a program lies; the folders that only root's path has are searched too.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let extra = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(extra)
        .map(|folder| folder.join(name))
        .find(|file| Path::is_file(file))
}
