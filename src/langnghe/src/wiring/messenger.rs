//! A Facebook page.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_messenger::{Config, Messenger};

use crate::config::{ChannelConfig, MessengerConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &MessengerConfig,
) -> Result<Arc<dyn Connector>, String> {
    let config = Config {
        channel: channel.id.clone(),
        app: settings.app.clone(),
        page_id: settings.page_id.clone(),
        app_id: settings.app_id.clone(),
        choices: settings.choices,
        templates: settings.templates.clone(),
    };
    let client = super::client(config.app.timeout, settings.allow_private)?;
    Ok(Arc::new(
        Messenger::new(config, client).map_err(|error| error.to_string())?,
    ))
}
