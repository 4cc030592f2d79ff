//! Identifiers as types of their own, so that one cannot be taken for another.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is not an identifier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{text}` is not an id: use 1 to 40 of a-z, 0-9, `-` and `_`, beginning with a letter or digit"
)]
pub struct IdError {
    text: String,
}

fn check(text: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| allowed(byte) || byte == b'-' || byte == b'_')
        && text.bytes().next().is_some_and(allowed);
    if good {
        Ok(())
    } else {
        Err(IdError {
            text: text.chars().take(60).collect(),
        })
    }
}

macro_rules! configured_id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes an id.
            ///
            /// # Errors
            /// [`IdError`] unless the text is 1 to 40 of `a-z`, `0-9`, `-`, `_`.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }
    };
}

configured_id! {
    /// The name that the configuration gives a channel; also the last part of its webhook's path.
    ChannelId
}
configured_id! {
    /// The name that the configuration gives a backend.
    BackendId
}

/// A provider's id of one citizen on one channel, opaque to everything but its connector.
///
/// It can be a phone number, so it is never printed: `Debug` shows no more than its length.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CitizenId(Arc<str>);

impl CitizenId {
    /// Takes a provider's id as it is.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CitizenId({} bytes)", self.0.len())
    }
}

/// What makes tags of no use to those who only read logs. One for the process, since whatever logs
/// would otherwise have to be handed it.
static TAG_KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// Keys all tags of this process; to be called before the first is made, with the same key at all
/// replicas and at every start. Says whether this was the first call; later ones change nothing.
pub fn key_tags(key: [u8; 32]) -> bool {
    TAG_KEY.set(key).is_ok()
}

/// One citizen on one channel: the unit of order, of leases and of erasure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationId {
    /// The channel on which they write.
    pub channel: ChannelId,
    /// The provider's id of the citizen there.
    pub citizen: CitizenId,
}

impl ConversationId {
    /// Puts the two together.
    pub fn new(channel: ChannelId, citizen: CitizenId) -> Self {
        Self { channel, citizen }
    }

    /// The key under which stores keep the conversation: `channel/citizen`. A channel id holds no
    /// `/`, so no two conversations share a key. Not for logs: see [`Self::tag`].
    pub fn key(&self) -> String {
        format!("{}/{}", self.channel, self.citizen.as_str())
    }

    /// Reads what [`Self::key`] wrote.
    pub fn from_key(key: &str) -> Option<Self> {
        let (channel, citizen) = key.split_once('/')?;
        Some(Self::new(
            ChannelId::new(channel).ok()?,
            CitizenId::new(citizen),
        ))
    }

    /// Sixteen hexadecimal digits that name the conversation in logs and folder names without
    /// telling who it is: without the key of [`key_tags`] nobody can work out a phone number by trying
    /// all of them.
    pub fn tag(&self) -> String {
        format!("{:016x}", self.keyed_hash())
    }

    /// The same as a number, under which counts of a conversation can be kept.
    pub fn keyed_hash(&self) -> u64 {
        let mut digest = Sha256::new();
        if let Some(key) = TAG_KEY.get() {
            digest.update(key);
        }
        digest.update(self.key().as_bytes());
        let digest = digest.finalize();
        let first = digest.iter().take(8);
        first.fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

/// A provider's id of one event, unique within its channel; connectors derive one where the
/// provider gives none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// Takes an id as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key by which a redelivery of this event is recognised.
    pub fn dedup_key(&self, channel: &ChannelId) -> DedupKey {
        let mut digest = Sha256::new();
        digest.update(channel.as_str().as_bytes());
        digest.update([0]);
        digest.update(self.0.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finalize()[..16]);
        DedupKey(u128::from_be_bytes(key))
    }
}

/// 128 bits of SHA-256 over channel and event id. Providers' ids are long and their accidental
/// equality here is out of the question (10⁹ live marks: 10⁻²¹).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey(pub u128);

/// Names one ticket for ever: in the store, as the idempotency key towards backends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(String);

impl TicketId {
    /// Takes an id as it is (a UUID in practice).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_would_break_a_path_or_a_key_are_refused() {
        for bad in ["", "Page", "a/b", "a b", "-a", "đ", &"a".repeat(41)] {
            assert!(ChannelId::new(bad).is_err(), "{bad:?}");
        }
        assert!(ChannelId::new("sms-twilio_2").is_ok());
    }

    #[test]
    fn a_conversation_survives_its_key() {
        let page = ChannelId::new("page").expect("a good id");
        let conversation = ConversationId::new(page, CitizenId::new("84/91"));
        assert_eq!(
            ConversationId::from_key(&conversation.key()),
            Some(conversation)
        );
    }

    #[test]
    fn a_citizen_is_not_printed() {
        let page = ChannelId::new("page").expect("a good id");
        let conversation = ConversationId::new(page, CitizenId::new("84912345678"));
        assert!(!format!("{conversation:?} {}", conversation.tag()).contains("8491"));
    }

    #[test]
    fn the_same_event_id_on_two_channels_is_two_events() {
        let [one, two] = ["one", "two"].map(|id| ChannelId::new(id).expect("a good id"));
        let event = EventId::new("m_1");
        assert_ne!(event.dedup_key(&one), event.dedup_key(&two));
        assert_eq!(event.dedup_key(&one), EventId::new("m_1").dedup_key(&one));
    }
}
