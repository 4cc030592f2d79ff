//! Webhooks as Meta writes them: ids as strings or numbers, times as milliseconds, seconds or
//! strings, everything optional.

use std::{borrow::Cow, fmt};

use langnghe_model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The whole body, as documented.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(super) object: Word<'a>,
    #[serde(borrow, default)]
    pub(super) entry: Option<Vec<Entry<'a>>>,
}

/// The whole body, when an entry is not as documented.
#[derive(Deserialize)]
pub(super) struct LooseEnvelope<'a> {
    #[serde(borrow, default)]
    pub(super) object: Word<'a>,
    #[serde(borrow)]
    pub(super) entry: Vec<&'a RawValue>,
}

/// What happened on one Page.
#[derive(Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Word<'a>>,
    pub(super) time: Option<Moment>,
    #[serde(borrow)]
    pub(super) messaging: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) standby: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) changes: Option<Vec<&'a RawValue>>,
}

/// One item: who, to whom, when, and one or more kinds.
#[derive(Default)]
pub(super) struct Item<'a> {
    pub(super) sender: Option<Party<'a>>,
    pub(super) recipient: Option<Party<'a>>,
    pub(super) timestamp: Option<Moment>,
    pub(super) kinds: Vec<(Word<'a>, &'a RawValue)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Item<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an item")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<'de>, A::Error> {
                let mut item = Item::default();
                while let Some(key) = map.next_key::<Word<'de>>()? {
                    match key.as_str() {
                        "sender" => item.sender = map.next_value()?,
                        "recipient" => item.recipient = map.next_value()?,
                        "timestamp" => item.timestamp = map.next_value()?,
                        _ => item.kinds.push((key, map.next_value()?)),
                    }
                }
                Ok(item)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// A citizen or a Page.
#[derive(Deserialize)]
pub(super) struct Party<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Word<'a>>,
    #[serde(borrow)]
    pub(super) user_ref: Option<Word<'a>>,
}

/// A string, or a number taken as one; borrowed where it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word<'a>(Cow<'a, str>);

impl Word<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0.into_owned()
    }

    pub(super) fn is_page(&self) -> bool {
        self.0 == "page"
    }

    /// The word as a name: bounded, and of letters that need no care.
    pub(super) fn name(&self) -> &str {
        name(&self.0)
    }
}

/// `word`, if it can be the name of a kind; else "unknown".
pub(super) fn name(word: &str) -> &str {
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

/// A moment in milliseconds, seconds, or either as a string. Zero and less mean none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(i64);

impl Moment {
    /// Below this a number counts seconds: as milliseconds it would lie before 2001-09-10.
    const SECONDS_BELOW: i64 = 1_000_000_000_000;

    pub(super) fn timestamp(self) -> Option<Timestamp> {
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
