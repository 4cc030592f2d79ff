//! From the configuration to the parts of a replica: the one place that names concrete connectors,
//! backends and stores. To add a messenger, add its kind to `config/channel` and a file here.

mod messenger;
mod quotas;
mod sms;
mod telegram;
mod webchat;
mod whatsapp;
pub(crate) mod zalo;
mod zalo_bot;

use std::{sync::Arc, time::Duration};

use langnghe_connector::Connector;
use langnghe_desk::{Backend, WebhookBackend, WebhookError, WebhookSettings};
use langnghe_flow::Library;
use langnghe_http::{ClientSettings, GuardedClient, HttpError};
use langnghe_model::{Problem, key_tags};
use langnghe_server::{ChannelParts, InstallationKey};
use langnghe_store::{OpenMode, RedisOptions, RedisStore, Severity, SqliteStore, Store};
use secrecy::SecretString;

use crate::{
    config::{BackendConfig, ChannelConfig, ChannelKind, Config, RedisConfig, StoreConfig},
    report::{self, Failure},
    sources::Sources,
};

/// The client of a channel: whole calls end after `timeout`, private addresses are refused unless allowed.
fn client(timeout: Duration, allow_private: bool) -> Result<GuardedClient, String> {
    GuardedClient::new(&ClientSettings {
        timeout,
        allow_private,
        ..ClientSettings::default()
    })
    .map_err(|error| error.to_string())
}

/// What the configuration says about flows.
pub(crate) fn flow_settings(config: &Config) -> langnghe_flow::Settings {
    langnghe_flow::Settings {
        start: config.start.clone(),
        language: config.language.clone(),
        backends: Some(
            config
                .backends
                .iter()
                .map(|backend| backend.id.clone())
                .collect(),
        ),
        agency: config.agency.clone(),
    }
}

/// What is wrong with channels and backends beyond what the file's own form can tell.
pub(crate) fn check(config: &Config) -> Vec<Problem> {
    let channels = config
        .channels
        .iter()
        .filter_map(|one| channel(config, one).err())
        .flatten();
    let backends = config
        .backends
        .iter()
        .filter_map(|one| backend(config, one).err());
    channels.chain(backends).collect()
}

/// Checks flows and locales as they lie there now.
pub(crate) fn check_flows(config: &Config) -> Result<(), Failure> {
    let sources = Sources::read(&config.flows, &config.locales).map_err(Failure::Problems)?;
    let settings = flow_settings(config);
    let loaded = Library::load(&sources.flows, &sources.locales, settings);
    if loaded.library.is_some() {
        Ok(())
    } else {
        Err(Failure::Problems(loaded.problems))
    }
}

/// All channels.
pub(crate) fn channels(config: &Config) -> Result<Vec<ChannelParts>, Failure> {
    all(config.channels.iter().map(|one| channel(config, one)))
}

/// One channel.
pub(crate) fn channel(
    config: &Config,
    channel: &ChannelConfig,
) -> Result<ChannelParts, Vec<Problem>> {
    let connector = connector(config, channel).map_err(|problem| vec![problem])?;
    Ok(ChannelParts {
        id: channel.id.clone(),
        quotas: quotas::rules(config, channel, &connector.quotas())?,
        connector,
        profile: channel.profile,
        notices: channel.notices.clone(),
    })
}

/// All backends.
pub(crate) fn backends(config: &Config) -> Result<Vec<Arc<dyn Backend>>, Failure> {
    let made = config.backends.iter();
    all(made.map(|one| backend(config, one).map_err(|problem| vec![problem])))
}

/// Everything, or everything that is wrong.
fn all<T>(made: impl Iterator<Item = Result<T, Vec<Problem>>>) -> Result<Vec<T>, Failure> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for one in made {
        match one {
            Ok(one) => good.push(one),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(good)
    } else {
        Err(Failure::Problems(problems))
    }
}

fn connector(config: &Config, channel: &ChannelConfig) -> Result<Arc<dyn Connector>, Problem> {
    let made: Result<Arc<dyn Connector>, String> = match &channel.kind {
        ChannelKind::Messenger(settings) => messenger::connector(channel, settings),
        ChannelKind::Sms(settings) => sms::connector(config, channel, settings),
        ChannelKind::Telegram(settings) => telegram::connector(channel, settings),
        ChannelKind::Whatsapp(settings) => whatsapp::connector(channel, settings),
        ChannelKind::ZaloBot(settings) => zalo_bot::connector(channel, settings),
        ChannelKind::Webchat(settings) => webchat::connector(config, channel, settings),
        ChannelKind::Zalo(settings) => zalo::connector(config, channel, settings),
    };
    made.map_err(|reason| {
        let message = format!("the channel `{}` cannot work like this", channel.id);
        Problem::error("config::channel", message).at(&config.source, channel.place.clone(), reason)
    })
}

fn backend(config: &Config, backend: &BackendConfig) -> Result<Arc<dyn Backend>, Problem> {
    let webhook = &backend.webhook;
    let made = WebhookBackend::new(WebhookSettings {
        id: backend.id.clone(),
        url: SecretString::from(webhook.url.as_str()),
        secrets: webhook.secrets.clone(),
        timeout: webhook.timeout,
        allow_private: webhook.allow_private,
    });
    let error = match made {
        Ok(made) => return Ok(Arc::new(made)),
        Err(error) => error,
    };
    let (place, help) = match error {
        WebhookError::Http(HttpError::PrivateAddress) => (
            &backend.url_place,
            "if the backend is on this machine or in your own network, say so: allow_private = true",
        ),
        WebhookError::Http(_) => (&backend.url_place, "write the whole address: \"https://…\""),
        _ => (
            &backend.secret_place,
            "a key is \"whsec_\" and 24 to 64 bytes in base64; make one: echo whsec_$(openssl rand -base64 32)",
        ),
    };
    let message = format!("the backend `{}` cannot work like this", backend.id);
    Err(Problem::error("config::backend", message)
        .at(&config.source, place.clone(), error.to_string())
        .help(help))
}

/// The store, and with it the key that makes names of conversations in logs unguessable.
pub(crate) async fn open_store(config: &Config, mode: OpenMode) -> Result<Arc<dyn Store>, Failure> {
    // Boxed: the futures within are nested more deeply than the compiler follows.
    let store = Box::pin(open(config, mode)).await?;
    let key = match mode {
        OpenMode::Serve => InstallationKey::find_or_make(&*store).await.map(Some),
        _ => InstallationKey::find(&*store).await,
    };
    if let Some(key) = key.map_err(|error| report::store_problem(&error))? {
        key_tags(key.derive("conversation tags"));
    }
    Ok(store)
}

/// Opening reads what was left, which takes its time: not on the threads of the loops.
async fn open(config: &Config, mode: OpenMode) -> Result<Arc<dyn Store>, Failure> {
    match &config.store {
        StoreConfig::Sqlite(path) => {
            let (path, limits) = (path.clone(), config.store_limits);
            let opening =
                tokio::task::spawn_blocking(move || SqliteStore::open(&path, limits, mode));
            match opening.await {
                Ok(Ok(store)) => Ok(Arc::new(store)),
                Ok(Err(error)) => Err(report::store_problem(&error).into()),
                Err(_) => Err(Failure::new(
                    "store::failed",
                    "the store could not be opened",
                    "",
                )),
            }
        }
        StoreConfig::Redis(redis) => {
            let options = redis_options(config, redis);
            let store = RedisStore::open(&redis.address, options).await;
            let store = store.map_err(|error| report::store_problem(&error))?;
            if mode == OpenMode::Serve {
                check_durability(&store, redis.require_durable).await?;
            }
            Ok(Arc::new(store))
        }
    }
}

/// How a store on Redis is used.
pub(crate) fn redis_options(config: &Config, redis: &RedisConfig) -> RedisOptions {
    RedisOptions {
        limits: config.store_limits,
        partitions: redis.partitions,
        prefix: redis.prefix.clone(),
        dedup: config.settings.retention.dedup,
        idle_sessions: config.settings.retention.idle_sessions,
        wait_aof: redis.wait_aof,
        wait_replicas: redis.wait_replicas,
        timeout: redis.timeout,
        certificate: redis.ca.clone(),
        ..RedisOptions::default()
    }
}

/// Says what a crash of the server could lose, and refuses what the configuration does not allow.
async fn check_durability(store: &RedisStore, required: bool) -> Result<(), Failure> {
    let findings = store.durability().await;
    let findings = findings.map_err(|error| report::store_problem(&error))?;
    let mut problems = Vec::new();
    for finding in findings {
        let refused = match finding.severity {
            Severity::Impossible => true,
            Severity::Loss => required,
            Severity::Note => false,
        };
        let node = Some(finding.node).filter(|node| !node.is_empty());
        let place = node.map_or_else(String::new, |node| format!("{node}: "));
        let message = format!("{place}{}", finding.message);
        if refused {
            problems.push(Problem::error("store::durability", message).help(finding.help));
        } else if finding.severity == Severity::Loss {
            tracing::warn!(help = finding.help, "{message}");
        } else {
            tracing::info!(help = finding.help, "{message}");
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Problems(problems))
}
