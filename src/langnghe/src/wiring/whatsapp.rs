//! A number on WhatsApp's Cloud API.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_whatsapp::{Config, WhatsApp};

use crate::config::{ChannelConfig, WhatsappConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &WhatsappConfig,
) -> Result<Arc<dyn Connector>, String> {
    let config = Config {
        channel: channel.id.clone(),
        app: settings.app.clone(),
        phone_number_id: settings.phone_number_id.clone(),
        account_id: settings.account_id.clone(),
        templates: settings.templates.clone(),
    };
    let client = GuardedClient::new(&ClientSettings {
        timeout: config.app.timeout,
        allow_private: settings.allow_private,
        ..ClientSettings::default()
    });
    let client = client.map_err(|error| error.to_string())?;
    Ok(Arc::new(
        WhatsApp::new(config, client).map_err(|error| error.to_string())?,
    ))
}
