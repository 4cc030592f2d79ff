//! JSON as Meta writes it: ids as strings or numbers, times as milliseconds, seconds or strings, kinds
//! that nobody has heard of.

use std::{borrow::Cow, fmt};

use langnghe_connector::signature::encode_hex;
use langnghe_model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

pub use crate::surrogate::repair;

/// A string, or a number taken as one; borrowed where it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word<'a>(Cow<'a, str>);

impl Word<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// The word as a name: bounded, and of letters that need no care.
    pub fn name(&self) -> &str {
        name(&self.0)
    }
}

/// `word`, if it can be the name of a kind; else "unknown".
pub fn name(word: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if (1..=60).contains(&word.len()) && word.bytes().all(plain) {
        word
    } else {
        "unknown"
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrNumber;

        impl<'de> Visitor<'de> for StringOrNumber {
            type Value = Word<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a whole number")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Owned(number.to_string())))
            }
        }

        deserializer.deserialize_any(StringOrNumber)
    }
}

/// For fields that hold an id: an empty one names nothing, and two of them would be one.
///
/// # Errors
/// When it is no [`Word`].
pub fn id<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Word<'a>>, D::Error> {
    let word = Option::<Word<'a>>::deserialize(deserializer)?;
    Ok(word.filter(|word| !word.as_str().is_empty()))
}

/// A moment in milliseconds, seconds, or either as a string. Zero and less mean none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(i64);

impl Moment {
    /// Below this a number counts seconds: as milliseconds it would lie before 2001-09-10.
    const SECONDS_BELOW: i64 = 1_000_000_000_000;

    /// The moment, if it is one.
    pub fn timestamp(self) -> Option<Timestamp> {
        match self.0 {
            ..=0 => None,
            seconds if seconds < Self::SECONDS_BELOW => Some(Timestamp::from_seconds(seconds)),
            milliseconds => Some(Timestamp::from_milliseconds(milliseconds)),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrString;

        impl Visitor<'_> for NumberOrString {
            type Value = Moment;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a string of digits")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Moment, E> {
                Ok(Moment(i64::try_from(number).unwrap_or(0)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Moment, E> {
                Ok(Moment(number))
            }

            #[expect(
                clippy::cast_possible_truncation,
                reason = "the fraction goes; a float beyond the range becomes its end"
            )]
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Moment, E> {
                Ok(Moment(number as i64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                Ok(Moment(text.trim().parse().unwrap_or(0)))
            }
        }

        deserializer.deserialize_any(NumberOrString)
    }
}

/// An id for what has none: the same bytes have the same id.
pub fn digest_id(prefix: &str, raw: &str) -> String {
    let digest = Sha256::digest(raw.as_bytes());
    let hex = encode_hex(&digest[..16]);
    format!("{prefix}:{hex}")
}

/// The JSON as a value. What serde_json cannot hold (a nesting deeper than its bound) is kept as
/// its text.
pub fn whole_value(raw: &str) -> Value {
    serde_json::from_str(raw)
        .or_else(|_| serde_json::from_str(&repair(raw)))
        .unwrap_or_else(|_| Value::String(raw.to_owned()))
}

/// The JSON as a value.
///
/// # Errors
/// When it is nested deeper than can be held, or holds half a character.
pub fn value(raw: &RawValue) -> Result<Value, serde_json::Error> {
    serde_json::from_str(raw.get())
}
