//! Webhooks as Messenger writes them: everything optional.

use std::fmt;

pub(super) use langnghe_graph::wire::{Moment, Word};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
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
