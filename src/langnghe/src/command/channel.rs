//! `langnghe channel`: which channels there are, whether their providers know us, and where they send
//! their webhooks.

use std::{
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use clap::{Args, Subcommand};
use langnghe_connector::{Checkup, QuotaScope};
use langnghe_model::Problem;
use langnghe_server::{ChannelParts, CommandHost};
use langnghe_store::{OpenMode, Store};

use super::ConfigArgument;
use crate::{
    config::{self, ChannelConfig, Config, ProcessEnvironment, StoreConfig},
    report::{self, Failure},
    terminal, wiring,
};

/// The longest that one provider is waited for.
const PROVIDER_TIME: Duration = Duration::from_secs(30);
/// The longest that the store is waited for.
const STORE_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The channels of a configuration, their webhooks and the limits that they keep
    List(ConfigArgument),
    /// Ask the providers who we are, and say what is wrong; without an id, all of them
    Check(AllOrOne),
    /// Tell a provider where our webhook lies
    SetWebhook(One),
}

#[derive(Debug, Args)]
pub(crate) struct AllOrOne {
    /// The channel's id in the configuration
    id: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The channel's id in the configuration
    id: String,
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => list(&arguments.config),
        Command::Check(arguments) => check(&arguments.config.config, arguments.id.as_deref()),
        Command::SetWebhook(arguments) => set_webhook(&arguments.config.config, &arguments.id),
    }
}

fn read(path: &Path, secrets: bool) -> Result<Config, Failure> {
    let read = config::read_file(path, &ProcessEnvironment { secrets });
    read.config.ok_or(Failure::Problems(read.problems))
}

/// The channels that are meant.
fn chosen<'a>(config: &'a Config, id: Option<&str>) -> Result<Vec<&'a ChannelConfig>, Failure> {
    let Some(id) = id else {
        return Ok(config.channels.iter().collect());
    };
    let found = config.channels.iter().find(|one| one.id.as_str() == id);
    found.map(|one| vec![one]).ok_or_else(|| {
        let ids: Vec<_> = config.channels.iter().map(|one| one.id.as_str()).collect();
        Failure::new(
            "channel::unknown",
            format!("the configuration has no channel `{}`", terminal::clean(id)),
            &format!("its channels are: {}", ids.join(", ")),
        )
    })
}

fn webhook(config: &Config, channel: &ChannelConfig) -> String {
    let public = config.public_url.as_str().trim_end_matches('/');
    format!("{public}/webhooks/{}", channel.id)
}

fn list(path: &Path) -> Result<(), Failure> {
    // Secrets are not shown, but without them a connector cannot tell its limits.
    let config = read(path, true).or_else(|_| read(path, false))?;
    let mut output = io::stdout().lock();
    for channel in &config.channels {
        // Without its secrets a connector may refuse to be made; then its id has to do.
        let parts = wiring::channel(&config, channel).ok();
        let kind = parts.as_ref().map_or("?", |parts| parts.connector.kind());
        writeln!(
            output,
            "{}\t{kind}\t{}",
            channel.id,
            webhook(&config, channel)
        )?;
        for rule in parts.iter().flat_map(|parts| &parts.quotas) {
            let whom = match rule.scope {
                QuotaScope::Channel => "",
                QuotaScope::Recipient => " to one citizen",
            };
            let (limit, per) = (rule.limit, rule.per.as_secs_f64());
            writeln!(output, "\t{}: {limit} in {per} s{whom}", rule.name)?;
        }
    }
    Ok(())
}

fn check(path: &Path, id: Option<&str>) -> Result<(), Failure> {
    let config = read(path, true)?;
    let channels = chosen(&config, id)?;
    let mut problems = Vec::new();
    runtime()?.block_on(async {
        let store = store(&config).await;
        for channel in channels {
            match wiring::channel(&config, channel) {
                Ok(parts) => {
                    let checkup = ask(&parts, &store).await;
                    show(&parts, &checkup)?;
                    problems.extend(checkup.problems.into_iter().map(|problem| Problem {
                        message: format!("{}: {}", parts.id, terminal::clean(&problem.message)),
                        ..problem
                    }));
                }
                Err(wrong) => problems.extend(wrong),
            }
        }
        close(store).await;
        Ok::<_, Failure>(())
    })?;
    report::show(&problems)?;
    if report::any_error(&problems) {
        // They are shown already; what is left to say is the exit code.
        return Err(Failure::Problems(Vec::new()));
    }
    Ok(())
}

/// Asks one provider, for a bounded time.
async fn ask(parts: &ChannelParts, store: &Kept) -> Checkup {
    attach(parts, store);
    match tokio::time::timeout(PROVIDER_TIME, parts.connector.check()).await {
        Ok(checkup) => checkup,
        Err(_) => Checkup {
            problems: vec![no_answer()],
            ..Checkup::default()
        },
    }
}

fn attach(parts: &ChannelParts, kept: &Kept) {
    let store = match kept {
        Kept::Store(store) => Some(Arc::clone(store)),
        Kept::Nothing => None,
        // The connector says what it cannot know.
        Kept::Unseen => return,
    };
    parts.connector.attach(Arc::new(CommandHost {
        store,
        channel: parts.id.clone(),
    }));
}

fn no_answer() -> Problem {
    let message = format!(
        "the provider did not answer within {} s",
        PROVIDER_TIME.as_secs()
    );
    Problem::error("channel::timeout", message)
        .help("can this machine reach it? A firewall, a proxy, `api_base`")
}

fn show(parts: &ChannelParts, checkup: &Checkup) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let account = match &checkup.account {
        Some(account) => terminal::clean(account),
        None if checkup.problems.is_empty() => "nothing to ask a provider".to_owned(),
        None => "not known".to_owned(),
    };
    writeln!(
        output,
        "{} ({}): {account}",
        parts.id,
        parts.connector.kind()
    )?;
    for fact in &checkup.facts {
        writeln!(output, "  {}", terminal::clean(fact))?;
    }
    Ok(())
}

fn set_webhook(path: &Path, id: &str) -> Result<(), Failure> {
    let config = read(path, true)?;
    let channel = chosen(&config, Some(id))?[0];
    let parts = wiring::channel(&config, channel).map_err(Failure::Problems)?;
    let url = webhook(&config, channel);
    let said = runtime()?.block_on(async {
        let store = store(&config).await;
        attach(&parts, &store);
        let said = tokio::time::timeout(PROVIDER_TIME, parts.connector.set_webhook(&url)).await;
        close(store).await;
        said
    });
    let lines = match said {
        Ok(said) => said.map_err(|problem| Failure::from(*problem))?,
        Err(_) => return Err(no_answer().into()),
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{id}: {url}")?;
    for line in lines {
        writeln!(output, "  {}", terminal::clean(&line))?;
    }
    Ok(())
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// What channels keep in the store.
enum Kept {
    Store(Arc<dyn Store>),
    /// The configuration was never served.
    Nothing,
    /// The store cannot be opened.
    Unseen,
}

async fn store(config: &Config) -> Kept {
    if let StoreConfig::Sqlite(path) = &config.store
        && !path.exists()
    {
        return Kept::Nothing;
    }
    let opening = wiring::open_store(config, OpenMode::Visit);
    match tokio::time::timeout(STORE_TIME, opening).await {
        Ok(Ok(store)) => Kept::Store(store),
        Ok(Err(_)) | Err(_) => {
            eprintln!("the store cannot be opened: what channels keep there is not seen");
            Kept::Unseen
        }
    }
}

async fn close(kept: Kept) {
    if let Kept::Store(store) = kept {
        // Nothing was written that waits.
        drop(tokio::time::timeout(STORE_TIME, store.close()).await);
    }
}
