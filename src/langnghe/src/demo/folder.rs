//! The demo's data folder: what is missing in it is written, what is there is left alone.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use langnghe_model::Problem;

use crate::{
    replica,
    report::Failure,
    sources::{self, Embedded},
};

/// The backend to which the ready-made flows send tickets.
pub(crate) const BACKEND: &str = "ioc";
/// Where the demo's inbox takes them.
pub(crate) const INBOX_WEBHOOK: &str = "/demo/agency/webhook";
/// What the inbox has received.
pub(crate) const INBOX: &str = "data/agency-inbox.jsonl";
/// The key that signs them.
const SECRET: &str = "data/webhook-secret";
/// What to do when something in the folder cannot be written.
pub(crate) const HELP: &str = "the demo keeps everything in one folder: name another with --data FOLDER, or make room on the disk";
/// The most common number of bytes of a Standard Webhooks key.
const SECRET_BYTES: usize = 32;

/// Completes the folder and gives back the path of its configuration. Each file and each folder of
/// files appears whole or not at all.
pub(crate) fn prepare(folder: &Path) -> Result<PathBuf, Failure> {
    replica::make_folder(Some(folder))?;
    replica::make_folder(Some(&folder.join("data")))?;
    let fail = |path: &Path, error: &io::Error| -> Failure {
        let path = path.display();
        Problem::error("demo::folder", format!("cannot write {path}: {error}"))
            .help(HELP)
            .into()
    };
    let secret = folder.join(SECRET);
    write_once(&secret, 0o600, || {
        let key: [u8; SECRET_BYTES] = rand::random();
        format!("whsec_{}\n", STANDARD.encode(key))
    })
    .map_err(|error| fail(&secret, &error))?;
    for (name, files) in [("flows", sources::FLOWS), ("locales", sources::LOCALES)] {
        let path = folder.join(name);
        write_tree(&path, files).map_err(|error| fail(&path, &error))?;
    }
    let config = folder.join("langnghe.toml");
    write_once(&config, 0o600, || {
        include_str!("langnghe.toml")
            .replace("{backend}", BACKEND)
            .replace("{inbox_webhook}", INBOX_WEBHOOK)
    })
    .map_err(|error| fail(&config, &error))?;
    Ok(config)
}

/// Writes a file that is not there yet: under another name first, which is then changed.
fn write_once(path: &Path, mode: u32, text: impl FnOnce() -> String) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let unfinished = unfinished(path);
    remove(&unfinished)?;
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&unfinished)?;
    file.write_all(text().as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Writes a folder of files that is not there yet, in the same way.
fn write_tree(folder: &Path, files: &[Embedded]) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let unfinished = unfinished(folder);
    remove(&unfinished)?;
    fs::create_dir(&unfinished)?;
    for (name, text) in files {
        let path = unfinished.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    fs::rename(&unfinished, folder)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// Removes what an earlier run could not finish.
fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_an_officer_changed_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = prepare(folder.path()).expect("written");
        let secret = fs::read(folder.path().join(SECRET)).expect("a secret");
        fs::write(&config, "changed").expect("written");
        prepare(folder.path()).expect("nothing to do");
        assert_eq!(fs::read_to_string(&config).expect("there"), "changed");
        assert_eq!(fs::read(folder.path().join(SECRET)).expect("there"), secret);
    }

    #[test]
    fn nobody_else_can_read_the_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        prepare(folder.path()).expect("written");
        let metadata = fs::metadata(folder.path().join(SECRET)).expect("there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}
