//! Our own web chat.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_webchat::WebChat;

use crate::config::{ChannelConfig, Config, WebchatConfig};

pub(super) fn connector(
    config: &Config,
    channel: &ChannelConfig,
    settings: &WebchatConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mut chat = langnghe_webchat::Config::new(channel.id.clone());
    chat.path.clone_from(&settings.path);
    if let Some(title) = &settings.title {
        chat.title.clone_from(title);
    } else if !config.agency.name.is_empty() {
        chat.title.clone_from(&config.agency.name);
    }
    if let Some(languages) = &settings.languages {
        chat.languages.clone_from(languages);
    }
    chat.allow_frames.clone_from(&settings.allow_frames);
    chat.origins.clone_from(&settings.origins);
    // A proxy before us may change `Host`; the public address is always good.
    chat.origins
        .push(config.public_url.origin().ascii_serialization());
    chat.upload_bytes = usize::try_from(config.settings.media.file_bytes).unwrap_or(usize::MAX);
    Ok(Arc::new(
        WebChat::new(chat).map_err(|error| error.to_string())?,
    ))
}
