//! `kind = "zalo-bot"`: a bot of the Zalo Bot Platform.

use std::time::Duration;

use super::{
    Reading,
    bot::{self, BotConfig},
};

/// A bot of the Zalo Bot Platform.
#[derive(Debug)]
pub(crate) struct ZaloBotConfig {
    /// As any bot.
    pub(crate) bot: BotConfig,
    /// Further hosts from which pictures may be fetched.
    pub(crate) media_hosts: Vec<String>,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<ZaloBotConfig> {
    let bot = bot::read(reading, true, Duration::from_mins(2));
    let media_hosts = reading.section.texts("media_hosts").into_iter();
    let media_hosts = media_hosts.map(|host| host.value).collect();
    Some(ZaloBotConfig {
        bot: bot?,
        media_hosts,
    })
}
