//! A Telegram bot.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_telegram::{Mode, Telegram};

use crate::config::{ChannelConfig, TelegramConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &TelegramConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mut config = langnghe_telegram::Config::new(channel.id.clone(), settings.bot.token.clone());
    if let Some(secret) = &settings.bot.webhook_secret {
        config.mode = Mode::Webhook {
            secret: secret.clone(),
        };
    }
    if let Some(api_base) = &settings.bot.api_base {
        api_base.as_str().clone_into(&mut config.api_base);
    }
    config.timeout = settings.bot.timeout.unwrap_or(config.timeout);
    config.poll = settings.bot.poll.unwrap_or(config.poll);
    config.max_connections = settings.max_connections.unwrap_or(config.max_connections);
    let client = super::client(config.timeout, settings.bot.allow_private)?;
    Ok(Arc::new(
        Telegram::new(config, client).map_err(|error| error.to_string())?,
    ))
}
