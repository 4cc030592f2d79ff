//! The names of media: what cannot be guessed, and is the same whenever a turn is taken again.

use std::fmt;

use langnghe_connector::signature::{HmacSha256Key, encode_hex};
use langnghe_model::{ChannelId, EventId};
use serde::{Deserialize, Serialize};

/// How the session and the ticket write a name: what only this program understands.
const SCHEME: &str = "media:";
/// The digits of a name: 128 bits.
const DIGITS: usize = 32;

/// The name of a medium: 32 hexadecimal digits. Whoever knows it and has a signature can fetch the
/// medium, so it is not printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Name(…)")
    }
}

/// A text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a medium")]
pub(crate) struct NotAName;

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == DIGITS && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err(NotAName)
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Name {
    /// Reads a name as it stands in a link.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok()
    }

    /// One that nothing has: for what has no event, an upload.
    pub(crate) fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for the medium in sessions and tickets.
    pub(crate) fn reference(&self) -> String {
        format!("{SCHEME}{}", self.0)
    }

    /// Reads what [`Self::reference`] wrote.
    pub(crate) fn of_reference(reference: &str) -> Option<Self> {
        Self::parse(reference.strip_prefix(SCHEME)?)
    }
}

/// What names and signs media; made once for all replicas of a store.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    names: HmacSha256Key,
    pub(super) links: HmacSha256Key,
}

impl Keys {
    /// Derives what is needed from the one secret.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let secret = HmacSha256Key::new(secret);
        let derived = |purpose: &[u8]| HmacSha256Key::new(&secret.sign(purpose));
        Self {
            names: derived(b"names of media"),
            links: derived(b"links to media"),
        }
    }

    /// The name of an event's medium. The provider's word for it is in it too, so that one name never
    /// stands for two media, however an album is put together.
    pub(crate) fn name(
        &self,
        channel: &ChannelId,
        event: &EventId,
        index: usize,
        url: &str,
    ) -> Name {
        let index = index.to_string();
        let mut message = Vec::new();
        for part in [channel.as_str(), event.as_str(), &index, url] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        Name(encode_hex(&self.names.sign(&message)[..DIGITS / 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_for_the_same_medium_only() {
        let keys = Keys::new(b"one");
        let channel = ChannelId::new("page").expect("an id");
        let event = EventId::new("m_1");
        let name = |keys: &Keys, index, url| keys.name(&channel, &event, index, url);
        let one = name(&keys, 0, "https://cdn.example/1");
        assert_eq!(one, name(&keys, 0, "https://cdn.example/1"));
        assert_ne!(one, name(&keys, 1, "https://cdn.example/1"));
        assert_ne!(one, name(&keys, 0, "https://cdn.example/2"));
        assert_ne!(one, name(&Keys::new(b"two"), 0, "https://cdn.example/1"));
        assert_eq!(Name::of_reference(&one.reference()), Some(one.clone()));
        assert!(!format!("{one:?}").contains(one.as_str()));
    }

    #[test]
    fn what_is_no_name_is_none() {
        let long = "a".repeat(33);
        for text in ["", "..", "../x", &long, &"A".repeat(32), &"g".repeat(32)] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
        assert_eq!(Name::of_reference("https://cdn.example/1.jpg"), None);
        assert!(Name::parse(Name::random().as_str()).is_some());
    }
}
