//! An Official Account on Zalo.

use std::{path::PathBuf, sync::Arc};

use langnghe_connector::Connector;
use langnghe_http::GuardedClient;
use langnghe_zalo::{Exchanger, OfficialAccount};

use crate::config::{ChannelConfig, Config, StoreConfig, ZaloConfig};

/// The command that asks for tokens in a process of its own.
const EXCHANGE: [&str; 2] = ["zalo", "exchange"];

pub(super) fn connector(
    config: &Config,
    channel: &ChannelConfig,
    settings: &ZaloConfig,
) -> Result<Arc<dyn Connector>, String> {
    let account = account(config, channel, settings);
    let client = client(settings, &account)?;
    let made = OfficialAccount::new(account, client);
    Ok(Arc::new(made.map_err(|error| error.to_string())?))
}

/// What the channel is made of.
pub(crate) fn account(
    config: &Config,
    channel: &ChannelConfig,
    settings: &ZaloConfig,
) -> langnghe_zalo::Config {
    let mut account = settings.account.clone();
    account.channel = channel.id.clone();
    account.answers = settings
        .answers
        .clone()
        .unwrap_or_else(|| beside_the_data(config, settings));
    account.exchanger = match program() {
        Some(path) => Exchanger::Program {
            path,
            arguments: EXCHANGE.map(Into::into).to_vec(),
        },
        None => Exchanger::Here,
    };
    account
}

/// The client that the account asks with.
pub(crate) fn client(
    settings: &ZaloConfig,
    account: &langnghe_zalo::Config,
) -> Result<GuardedClient, String> {
    super::client(account.timeout, settings.allow_private)
}

/// Answers to token exchanges lie on this machine's disk until the store has them.
fn beside_the_data(config: &Config, settings: &ZaloConfig) -> PathBuf {
    match &config.store {
        StoreConfig::Sqlite(path) => path
            .parent()
            .unwrap_or(std::path::Path::new(""))
            .join("zalo"),
        StoreConfig::Redis(_) => settings.usual_answers.clone(),
    }
}

/// This program, also where its file was replaced by a newer one meanwhile.
fn program() -> Option<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return Some(running);
    }
    std::env::current_exe().ok()
}
