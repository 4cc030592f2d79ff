//! A Facebook page.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_messenger::{ChoicePresentation, Messenger};
use secrecy::SecretString;

use crate::config::{ChannelConfig, MessengerConfig};

pub(super) fn connector(
    channel: &ChannelConfig,
    settings: &MessengerConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mut config = langnghe_messenger::Config::new(
        channel.id.clone(),
        SecretString::default(),
        settings.verify_token.clone(),
        settings.access_token.clone(),
    );
    config.app_secrets.clone_from(&settings.app_secrets);
    if let Some(api_base) = &settings.api_base {
        api_base
            .as_str()
            .trim_end_matches('/')
            .clone_into(&mut config.api_base);
    }
    if let Some(version) = &settings.api_version {
        config.version.clone_from(version);
    }
    config.page_id.clone_from(&settings.page_id);
    config.app_id.clone_from(&settings.app_id);
    if settings.buttons {
        config.choices = ChoicePresentation::Buttons;
    }
    if let Some(timeout) = settings.timeout {
        config.timeout = timeout;
    }
    let client = GuardedClient::new(&ClientSettings {
        timeout: config.timeout,
        allow_private: settings.allow_private,
        ..ClientSettings::default()
    });
    let client = client.map_err(|error| error.to_string())?;
    Ok(Arc::new(
        Messenger::new(config, client).map_err(|error| error.to_string())?,
    ))
}
