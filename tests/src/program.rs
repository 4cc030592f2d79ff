//! The program under test, never a stale one.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root")
        .to_path_buf()
}

/// The real program: the one that `LANGNGHE_PROGRAM` names (`cargo xtask test` has just built it), or
/// else the one that cargo builds now.
///
/// # Panics
/// When it does not build.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var_os("LANGNGHE_PROGRAM").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    // The same selection as in `cargo xtask test`, so that nothing is built twice.
    let output = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--bin", "langnghe"])
        .args([
            "--features",
            "langnghe/crash-points",
            "--message-format",
            "json",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "langnghe")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the program")
}
