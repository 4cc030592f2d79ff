//! A bot of the Zalo Bot Platform.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_zalo::bot::{BotConfig, BotMode, ZaloBot};

use crate::config::{ChannelConfig, ZaloBotConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &ZaloBotConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mode = match &settings.bot.webhook_secret {
        Some(secret) => BotMode::Webhook {
            secret: secret.clone(),
        },
        None => BotMode::Polling,
    };
    let mut config = BotConfig::new(channel.id.clone(), settings.bot.token.clone(), mode);
    if let Some(api_base) = &settings.bot.api_base {
        api_base.as_str().clone_into(&mut config.api_base);
    }
    config.timeout = settings.bot.timeout.unwrap_or(config.timeout);
    config.poll = settings.bot.poll.unwrap_or(config.poll);
    config.media_hosts.clone_from(&settings.media_hosts);
    let client = super::client(config.timeout, settings.bot.allow_private)?;
    Ok(Arc::new(
        ZaloBot::new(config, client).map_err(|error| error.to_string())?,
    ))
}
