//! `kind = "telegram"`: a Telegram bot.

use std::time::Duration;

use super::{
    Reading,
    bot::{self, BotConfig},
};

/// A Telegram bot.
#[derive(Debug)]
pub(crate) struct TelegramConfig {
    /// As any bot.
    pub(crate) bot: BotConfig,
    /// How many deliveries at once.
    pub(crate) max_connections: Option<u8>,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<TelegramConfig> {
    let bot = bot::read(reading, false, Duration::from_mins(5));
    let max_connections = reading
        .section
        .count("max_connections", 1, 100)
        .and_then(|number| u8::try_from(number).ok());
    Some(TelegramConfig {
        bot: bot?,
        max_connections,
    })
}
