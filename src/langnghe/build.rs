//! Lists the ready-made flows and locales, so that the program carries them inside.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..");
    let mut code = String::new();
    for (name, folder, ending) in [("FLOWS", "flows", "toml"), ("LOCALES", "locales", "ftl")] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut paths = Vec::new();
        if folder.is_dir() {
            find(&folder, ending, &mut paths)?;
        }
        paths.sort();
        writeln!(
            code,
            "/// Ready-made files.\npub(crate) const {name}: &[super::Embedded] = &["
        )
        .map_err(io::Error::other)?;
        for path in paths {
            println!("cargo::rerun-if-changed={}", path.display());
            let relative = path.strip_prefix(&folder).map_err(io::Error::other)?;
            let path = fs::canonicalize(&path)?;
            // As Rust string literals: what `Debug` of a text writes.
            let (relative, path) = (relative.to_string_lossy(), path.to_string_lossy());
            writeln!(code, "    ({relative:?}, include_str!({path:?})),")
                .map_err(io::Error::other)?;
        }
        code.push_str("];\n");
    }
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("embedded.rs"), code)
}

fn find(folder: &Path, ending: &str, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, ending, paths)?;
        } else if path.extension().is_some_and(|found| found == ending) {
            paths.push(path);
        }
    }
    Ok(())
}
