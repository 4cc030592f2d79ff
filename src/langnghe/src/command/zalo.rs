//! `langnghe zalo authorize`: an Official Account lets our app write for it.

use std::io::{self, BufRead as _, Write as _};

use clap::{Args, Subcommand};
use langnghe_connector::{Connector as _, Host as _};
use langnghe_server::{CommandHost, clock, crash};
use langnghe_store::OpenMode;
use langnghe_zalo::{AuthorizeError, Consent, OfficialAccount};
use secrecy::SecretString;

use super::ConfigArgument;
use crate::{
    config::{self, ChannelKind, Config, ProcessEnvironment, StoreConfig, ZaloConfig},
    replica,
    report::{self, Failure},
    terminal, wiring,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk through the authorisation of an Official Account, and keep its tokens
    Authorize(Authorize),
    /// Ask Zalo for new tokens; the program calls it by itself
    #[command(hide = true)]
    Exchange,
}

#[derive(Debug, Args)]
pub(crate) struct Authorize {
    #[command(flatten)]
    config: ConfigArgument,
    /// The channel's id
    channel: String,
    /// The callback address, exactly as the developer console has it; else `redirect_uri` of the
    /// channel, else `public_url`
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    /// The fixed verifier of the console, where its page makes the link itself
    #[arg(
        long,
        value_name = "TEXT",
        env = "LANGNGHE_ZALO_CODE_VERIFIER",
        hide_env_values = true
    )]
    code_verifier: Option<String>,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match command {
        Command::Authorize(arguments) => runtime.block_on(authorize(&arguments)),
        Command::Exchange => runtime.block_on(exchange()),
    }
}

/// What the replica began, in a process that outlives it.
async fn exchange() -> Result<(), Failure> {
    let exchanged =
        langnghe_zalo::exchange_for_parent(&mut io::stdin(), &clock::now, &crash::step).await;
    exchanged.map_err(|reason| Failure::Usage(reason.to_owned()))
}

async fn authorize(arguments: &Authorize) -> Result<(), Failure> {
    let read = config::read_file(
        &arguments.config.config,
        &ProcessEnvironment { secrets: true },
    );
    let Some(config) = read.config else {
        return Err(Failure::Problems(read.problems));
    };
    let (account, settings) = account(&config, &arguments.channel)?;
    let client = wiring::zalo::client(settings, &account);
    let client = client.map_err(|error| Failure::new("zalo::client", error, ""))?;
    let store = wiring::open_store(&config, mode(&config)?).await?;
    let host = CommandHost {
        store: Some(store.clone()),
        channel: account.channel.clone(),
    };
    // Rather now than after the consent.
    host.state("tokens").await.map_err(|_| {
        Failure::new(
            "zalo::store",
            "the store cannot be read",
            "the tokens are kept there: it must be reachable",
        )
    })?;

    let redirect = arguments.redirect_uri.clone();
    let redirect = redirect.or_else(|| settings.redirect_uri.as_ref().map(ToString::to_string));
    let redirect = redirect.unwrap_or_else(|| config.public_url.to_string());
    let verifier = arguments.code_verifier.as_deref().map(SecretString::from);
    let consent = Consent::new(&account, &redirect, verifier);
    let mut output = io::stdout().lock();
    writeln!(
        output,
        "1. Open this address in a browser, as an administrator of the Official Account, and agree:\n\n{}\n\n\
         2. The browser comes to {redirect} with a code, whatever that page shows.\n   \
         Paste the whole address here within ten minutes:\n",
        consent.url
    )?;
    output.flush()?;
    let mut pasted = String::new();
    io::stdin().lock().read_line(&mut pasted)?;
    let authorization = consent.read(&pasted).map_err(|error| failed(&error))?;
    let authorized = consent
        .exchange(&account, client.clone(), &host, authorization)
        .await
        .map_err(|error| failed(&error))?;
    writeln!(
        output,
        "\nAuthorised; the tokens are kept.\n  access token: {}\n  refresh token: {}, unless it is renewed before: the program does so every day",
        authorized.access, authorized.refresh
    )?;

    let connector = OfficialAccount::new(account, client);
    let connector =
        connector.map_err(|error| Failure::new("zalo::config", error.to_string(), ""))?;
    connector.attach(std::sync::Arc::new(host));
    let checkup = connector.check().await;
    if let Some(name) = &checkup.account {
        writeln!(output, "  account: {}", terminal::clean(name))?;
    }
    drop(output);
    store
        .close()
        .await
        .map_err(|error| super::stored::failed(&error))?;
    report::show(&checkup.problems)?;
    if report::any_error(&checkup.problems) {
        return Err(Failure::Problems(Vec::new()));
    }
    Ok(())
}

/// Beside whoever serves; before the first `serve`, there is no database yet, and this makes it.
fn mode(config: &Config) -> Result<OpenMode, Failure> {
    match &config.store {
        StoreConfig::Sqlite(path) if !path.exists() => {
            replica::make_folder(path.parent())?;
            Ok(OpenMode::Serve)
        }
        _ => Ok(OpenMode::Visit),
    }
}

/// The channel's account, as the program would run it.
fn account<'a>(
    config: &'a Config,
    id: &str,
) -> Result<(langnghe_zalo::Config, &'a ZaloConfig), Failure> {
    let accounts = config
        .channels
        .iter()
        .filter_map(|channel| match &channel.kind {
            ChannelKind::Zalo(settings) => Some((channel, settings)),
            _ => None,
        });
    let accounts: Vec<_> = accounts.collect();
    let found = accounts
        .iter()
        .find(|(channel, _)| channel.id.as_str() == id);
    let Some((channel, settings)) = found else {
        let names: Vec<&str> = accounts
            .iter()
            .map(|(channel, _)| channel.id.as_str())
            .collect();
        let help = if names.is_empty() {
            "the configuration has no channel with kind = \"zalo\"".to_owned()
        } else {
            format!("those there are: {}", names.join(", "))
        };
        let message = format!("there is no Official Account `{id}` in the configuration");
        return Err(Failure::new("zalo::no-channel", message, &help));
    };
    Ok((wiring::zalo::account(config, channel, settings), settings))
}

fn failed(error: &AuthorizeError) -> Failure {
    Failure::new("zalo::authorize", error.to_string(), error.help())
}
