//! `langnghe store copy`: moves everything from one store to another.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use langnghe_store::{
    Limits, OpenMode, RedisArchive, RedisOptions, SqliteStore, StoreAddress,
    archive::{Archive, Census, CopyError, Progress, Side, copy},
};

use super::stored::failed;
use crate::{
    config::{self, ProcessEnvironment, RedisConfig, StoreConfig},
    replica,
    report::Failure,
    wiring,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copy everything from one store into an empty one; run again, it goes on where it ended
    Copy(Copy),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A store is an address as in `store.url` (sqlite:PATH, redis://…, rediss://…, redis+unix://…, redis+cluster://…, redis+sentinel://…), or where one is: env:NAME, file:PATH; or config:FILE, the [store] of a configuration with all its keys (prefix, partitions, ca, …). An address with a password is better not written here: other users of this machine see it.\n\nStop every replica of both stores first. A database that is served is refused; Redis is refused while a replica or a command is connected to it. Files that citizens uploaded are not in the store: copy the media folder too.\n\nExit codes: 0 copied and verified, 1 not, 2 wrong usage."
)]
pub(crate) struct Copy {
    /// Where everything is
    #[arg(long, value_name = "STORE")]
    from: String,
    /// Where it is to go; nothing may be there
    #[arg(long, value_name = "STORE")]
    to: String,
}

/// A store, and how it is used.
struct Place {
    store: StoreConfig,
    limits: Limits,
    options: Option<RedisOptions>,
}

/// How often a long copy says how far it is, where no terminal shows it.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How often it is shown on a terminal.
const SHOW_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Copy(arguments) => run_copy(&arguments),
    }
}

fn run_copy(arguments: &Copy) -> Result<(), Failure> {
    let (from, to) = (
        place("--from", &arguments.from)?,
        place("--to", &arguments.to)?,
    );
    let (from_name, to_name) = (from.name(), to.name());
    if from_name == to_name {
        return Err(Failure::Usage(format!(
            "--from and --to are both {from_name}"
        )));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let source = from.open(Side::Source).await?;
        let target = to.open(Side::Target).await?;
        let mut told = Told::new();
        let copied = copy(
            source.as_ref(),
            target.as_ref(),
            &from_name,
            &mut |progress| {
                told.tell(progress);
            },
        )
        .await;
        told.end_line();
        for store in [&source, &target] {
            store.finish().await.map_err(|error| failed(&error))?;
        }
        match copied {
            Ok(census) => Ok(say(&from_name, &to_name, &census)?),
            Err(error) => Err(explain(&error)),
        }
    })
}

/// Reads what `--from` or `--to` says.
fn place(option: &str, text: &str) -> Result<Place, Failure> {
    if let Some(file) = text.strip_prefix("config:") {
        let read = config::read_file(Path::new(file), &ProcessEnvironment { secrets: false });
        let Some(config) = read.config else {
            return Err(Failure::Problems(read.problems));
        };
        let options = match &config.store {
            StoreConfig::Redis(redis) => Some(wiring::redis_options(&config, redis)),
            StoreConfig::Sqlite(_) => None,
        };
        return Ok(Place {
            store: config.store,
            limits: config.store_limits,
            options,
        });
    }
    let held = if let Some(name) = text.strip_prefix("env:") {
        std::env::var(name).map_err(|_| {
            Failure::Usage(format!("{option}: the environment has no variable {name}"))
        })?
    } else if let Some(path) = text.strip_prefix("file:") {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{option}: cannot read {path}: {error}")))?
    } else {
        text.to_owned()
    };
    // Not the text itself: it may hold a password.
    let address = StoreAddress::parse(held.trim())
        .map_err(|error| Failure::Usage(format!("{option}: {error}: {}", error.help)))?;
    let store = match address {
        StoreAddress::Sqlite(path) => StoreConfig::Sqlite(path),
        StoreAddress::Redis(address) => StoreConfig::Redis(Box::new(RedisConfig::new(address))),
    };
    let options = matches!(store, StoreConfig::Redis(_)).then(RedisOptions::default);
    Ok(Place {
        store,
        limits: Limits::default(),
        options,
    })
}

impl Place {
    /// What people know it as, and an unfinished copy remembers: without a password.
    fn name(&self) -> String {
        match &self.store {
            StoreConfig::Sqlite(path) => {
                let whole = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
                format!("sqlite:{}", whole.display())
            }
            StoreConfig::Redis(redis) if redis.prefix == RedisOptions::default().prefix => {
                redis.address.to_string()
            }
            StoreConfig::Redis(redis) => format!("{} (prefix {})", redis.address, redis.prefix),
        }
    }

    async fn open(self, side: Side) -> Result<Arc<dyn Archive>, Failure> {
        match self.store {
            StoreConfig::Sqlite(path) => {
                if side == Side::Source && !path.exists() {
                    return Err(Failure::new(
                        "store::missing",
                        format!("there is no database {}", path.display()),
                        "is the path right? it is taken from the folder you are in",
                    ));
                }
                replica::make_folder(path.parent())?;
                let limits = self.limits;
                let opening = tokio::task::spawn_blocking(move || {
                    SqliteStore::open(&path, limits, OpenMode::Copy)
                });
                let opened = opening.await.map_err(|error| {
                    Failure::new(
                        "store::failed",
                        format!("the store could not be opened: {error}"),
                        "",
                    )
                })?;
                Ok(Arc::new(opened.map_err(|error| failed(&error))?))
            }
            StoreConfig::Redis(redis) => {
                let options = self.options.unwrap_or_default();
                let opened = match side {
                    Side::Source => RedisArchive::open_existing(&redis.address, options).await,
                    Side::Target => RedisArchive::open(&redis.address, options).await,
                };
                Ok(Arc::new(opened.map_err(|error| failed(&error))?))
            }
        }
    }
}

/// Shows how far it is: one line that changes on a terminal, a line now and then elsewhere.
struct Told {
    terminal: bool,
    last: Option<Instant>,
    open_line: bool,
}

impl Told {
    fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            last: None,
            open_line: false,
        }
    }

    fn tell(&mut self, progress: Progress) {
        let (text, whole) = match progress {
            Progress::Resumed => ("going on where an earlier copy ended".to_owned(), true),
            Progress::Verifying => ("comparing what both hold".to_owned(), true),
            Progress::Copied { kind, done, total } => {
                let name = kind.name();
                let ended = total.is_none_or(|total| done >= total);
                let text = match total {
                    Some(total) => format!("{name}: {done} of {total}"),
                    None => format!("{name}: {done}"),
                };
                (text, ended)
            }
        };
        let every = if self.terminal {
            SHOW_EVERY
        } else {
            TELL_EVERY
        };
        let due = self.last.is_none_or(|last| last.elapsed() >= every);
        if !due && !whole {
            return;
        }
        self.last = Some(Instant::now());
        let mut output = io::stderr().lock();
        // That nobody can read the progress is no reason to end the copy.
        drop(if self.terminal {
            self.open_line = !whole;
            write!(output, "\r\u{1b}[K{text}{}", if whole { "\n" } else { "" })
        } else {
            writeln!(output, "{text}")
        });
        drop(output.flush());
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.open_line) {
            drop(writeln!(io::stderr()));
        }
    }
}

fn table(census: &Census) -> String {
    let lines = census
        .rows()
        .map(|(name, count)| format!("  {count:>12} {name}\n"));
    lines.concat()
}

fn say(from: &str, to: &str, census: &Census) -> io::Result<()> {
    let mut output = io::stdout().lock();
    write!(
        output,
        "copied {from} to {to}, which holds:\n{}",
        table(census)
    )?;
    writeln!(
        output,
        "Now name it in the configuration. The old store is as it was: keep it as a backup, and do not serve it again."
    )
}

fn explain(error: &CopyError) -> Failure {
    let (message, help) = match error {
        CopyError::NotEmpty(census) => (
            format!("{error}:\n{}", table(census)),
            "name an empty one: another file, another database or prefix of the server",
        ),
        CopyError::Unequal {
            source_census,
            target_census,
            missing_marks,
        } => (
            format!(
                "{error}\nthe source:\n{}the target:\n{}{missing_marks} dedup marks are missing",
                table(source_census),
                table(target_census)
            ),
            "somebody may have used one of them meanwhile: empty the target and copy again, with every replica stopped",
        ),
        CopyError::InUse { .. } => (
            error.to_string(),
            "stop every replica and command that uses it, and copy again",
        ),
        CopyError::Store { .. } => (
            error.to_string(),
            "the same command goes on where this one ended",
        ),
        CopyError::OtherCopy { .. } | CopyError::SourceChanged => (
            error.to_string(),
            "empty the target (remove the file; FLUSHDB where nothing else is in that database) and copy again",
        ),
        CopyError::SourceUnfinished { .. } => (
            error.to_string(),
            "finish that copy first, or copy from where it came",
        ),
    };
    Failure::new("store::copy", message, help)
}
