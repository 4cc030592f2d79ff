//! A number on WhatsApp's Cloud API.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_whatsapp::{Config, WhatsApp};

use crate::config::{ChannelConfig, WhatsappConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &WhatsappConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mut config = Config::new(
        channel.id.clone(),
        settings.app.clone(),
        settings.phone_number_id.as_str(),
    );
    config.account_id.clone_from(&settings.account_id);
    config.templates.clone_from(&settings.templates);
    if let Some(words) = &settings.list_button {
        config.list_button.clone_from(words);
    }
    let client = super::client(config.app.timeout, settings.allow_private)?;
    Ok(Arc::new(
        WhatsApp::new(config, client).map_err(|error| error.to_string())?,
    ))
}
