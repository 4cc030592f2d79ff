//! What has to be known of an SMS channel, whoever carries it.

use langnghe_model::{ChannelId, capabilities::Encoding};

use crate::Keyword;

/// What has to be known of an SMS channel, whoever carries it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// Whether texts keep their accents, which cost more than twice as much.
    pub encoding: Encoding,
    /// The most parts of one message; longer texts become several messages. Providers take at least
    /// three.
    pub max_segments: u8,
    /// What citizens put before their words on a shared short code.
    pub keyword: Option<Keyword>,
    /// The most parts that the contract allows in a second.
    pub parts_per_second: u32,
}

impl Config {
    /// What a channel has that does not say otherwise: accents unless a text then takes more than
    /// three parts, ten parts a second.
    pub fn new(channel: ChannelId) -> Self {
        Self {
            channel,
            encoding: Encoding::Auto,
            max_segments: 3,
            keyword: None,
            parts_per_second: 10,
        }
    }
}
