//! Flow files and locales: from folders, or the ready-made ones inside the program.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use langnghe_model::{Problem, problem::Source};

/// The largest file that is read.
const FILE_BYTES: u64 = 1024 * 1024;
/// The most files that are read from one folder.
const FILES: usize = 1000;

/// One ready-made file: its path under `flows/` or `locales/`, and its text.
pub(crate) type Embedded = (&'static str, &'static str);

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
pub(crate) use embedded::{FLOWS, LOCALES};

/// Flow files and locales as they were read.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// `*.toml`.
    pub(crate) flows: Vec<Arc<Source>>,
    /// `<language>/*.ftl`.
    pub(crate) locales: Vec<Arc<Source>>,
}

impl Sources {
    /// The ready-made ones.
    pub(crate) fn embedded() -> Self {
        let read = |folder: &str, files: &[Embedded]| {
            files
                .iter()
                .map(|(path, text)| Source::new(format!("{folder}/{path}"), *text))
                .collect()
        };
        Self {
            flows: read("flows", FLOWS),
            locales: read("locales", LOCALES),
        }
    }

    /// Reads two folders. A folder of locales that is missing is an empty one.
    ///
    /// # Errors
    /// Everything that could not be read.
    pub(crate) fn read(flows: &Path, locales: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let flow_paths = list(flows, "toml").unwrap_or_else(|error| {
            problems.push(
                Problem::error(
                    "flows::unreadable",
                    format!("cannot read the folder of flows, {}: {error}", flows.display()),
                )
                .help("`path` of [flows] names it; `langnghe demo` writes the ready-made flows into its data folder"),
            );
            Vec::new()
        });
        let mut locale_paths = Vec::new();
        match folders(locales) {
            Ok(languages) => {
                for language in languages {
                    match list(&language, "ftl") {
                        Ok(paths) => locale_paths.extend(paths),
                        Err(error) => problems.push(unreadable(&language, &error)),
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => problems.push(unreadable(locales, &error)),
        }
        let mut read = |paths: Vec<PathBuf>| {
            let mut sources = Vec::with_capacity(paths.len());
            for path in paths {
                match read_text(&path) {
                    Ok(text) => sources.push(Source::new(path.display().to_string(), text)),
                    Err(error) => problems.push(unreadable(&path, &error)),
                }
            }
            sources
        };
        let sources = Self {
            flows: read(flow_paths),
            locales: read(locale_paths),
        };
        if problems.is_empty() {
            Ok(sources)
        } else {
            Err(problems)
        }
    }
}

/// Path, time of the last change and length of each file.
pub(crate) type Fingerprint = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Something that changes whenever a file of the two folders is written, added or removed.
pub(crate) fn fingerprint(flows: &Path, locales: &Path) -> Fingerprint {
    let mut paths = list(flows, "toml").unwrap_or_default();
    for language in folders(locales).unwrap_or_default() {
        paths.extend(list(&language, "ftl").unwrap_or_default());
    }
    let look = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok();
        let modified = metadata
            .as_ref()
            .and_then(|metadata| metadata.modified().ok());
        (
            path,
            modified,
            metadata.map_or(0, |metadata| metadata.len()),
        )
    };
    paths.into_iter().map(look).collect()
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::error(
        "flows::unreadable",
        format!("cannot read {}: {error}", path.display()),
    )
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?
        .take(FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES {
        return Err(io::Error::other(format!("larger than {FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// Files with this ending, by name.
fn list(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|found| found == ending) {
            paths.push(path);
        }
        if paths.len() > FILES {
            return Err(io::Error::other(format!("more than {FILES} files")));
        }
    }
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && paths.len() < FILES {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
