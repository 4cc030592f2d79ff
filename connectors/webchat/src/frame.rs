//! What goes over the wire, checked and bounded.

use langnghe_model::{Reply, event::Location};
use serde::{Deserialize, Serialize};

/// The longest message in characters.
pub(crate) const TEXT_CHARACTERS: usize = 4000;
/// The largest frame in bytes: the longest message in four-byte characters, escaped, with room.
pub(crate) const FRAME_BYTES: usize = 64 * 1024;
/// The longest payload in characters; ours are shorter than that.
pub(crate) const PAYLOAD_CHARACTERS: usize = 1000;

/// A frame from the page. No `Debug`: it holds the visitor's secret and words.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromPage {
    /// The first frame of a WebSocket.
    Hello {
        /// The secret.
        visitor: String,
        /// The language of the interface.
        #[serde(default)]
        language: Option<String>,
    },
    /// Something that the visitor sends.
    Message(PageMessage),
    /// The page has shown and kept a reply.
    Ack {
        /// Which.
        id: String,
    },
    /// The page is there, and wants to know whether we are.
    Ping,
}

/// Something that the visitor sends.
#[derive(Default, Deserialize)]
pub(crate) struct PageMessage {
    /// The page's id of it; the same when it is sent again.
    pub(crate) id: String,
    /// Words, or the label of the choice that was tapped.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// What the tapped choice carries.
    #[serde(default)]
    pub(crate) payload: Option<String>,
    /// Where the device is.
    #[serde(default)]
    pub(crate) location: Option<Location>,
}

impl PageMessage {
    /// Finds why it cannot be taken.
    pub(crate) fn check(&self, with_file: bool) -> Result<(), Reason> {
        let characters =
            |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
        if !is_message_id(&self.id) || characters(&self.payload) > PAYLOAD_CHARACTERS {
            return Err(Reason::Malformed);
        }
        if characters(&self.text) > TEXT_CHARACTERS {
            return Err(Reason::TooLong);
        }
        if let Some(Location {
            latitude,
            longitude,
            accuracy,
            label,
        }) = &self.location
        {
            let on_earth =
                (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude);
            let honest = accuracy.is_none_or(|metres| metres.is_finite() && metres >= 0.0);
            if !on_earth || !honest || characters(label) > PAYLOAD_CHARACTERS {
                return Err(Reason::Malformed);
            }
        }
        let blank = self.text.as_ref().is_none_or(|text| text.trim().is_empty());
        if blank && self.payload.is_none() && self.location.is_none() && !with_file {
            return Err(Reason::Malformed);
        }
        Ok(())
    }
}

/// A UUID in practice.
fn is_message_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A frame to the page.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToPage<'a> {
    /// The answer to `hello`.
    Welcome,
    /// A message is durable.
    Accepted {
        /// Which.
        id: &'a str,
    },
    /// A message was not taken.
    Refused {
        /// Which.
        id: &'a str,
        /// Why.
        reason: Reason,
        /// When it may be sent again, in seconds; the page keeps it until then.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// Something that we say.
    Reply {
        /// Names it over all attempts.
        id: &'a str,
        /// What.
        reply: &'a Reply,
    },
    /// We are writing.
    Typing,
    /// The answer to `ping`, and to `ack` where an answer is due.
    Pong,
    /// The connection ends.
    Error {
        /// Why.
        reason: Reason,
    },
}

impl ToPage<'_> {
    /// The frame as JSON.
    pub(crate) fn encode(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always make JSON")
    }
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// Not of this protocol.
    Malformed,
    /// The text is longer than [`TEXT_CHARACTERS`].
    TooLong,
    /// The visitor sends more than is allowed.
    Flooded,
    /// Nothing can be stored just now; keep it and try again.
    Unavailable,
    /// The file is larger than is allowed.
    TooLarge,
    /// This kind of file is not taken.
    Kind,
    /// No secret, or none that our page makes.
    Visitor,
    /// A newer connection of the same visitor took this one's place.
    Replaced,
    /// Nothing was heard for too long.
    Idle,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Result<(), Reason> {
        let Ok(FromPage::Message(message)) = serde_json::from_str(json) else {
            return Err(Reason::Malformed);
        };
        message.check(false)
    }

    #[test]
    fn messages_are_checked() {
        let with = |rest: &str| {
            message(&format!(
                r#"{{"type":"message","id":"0123456789ab"{rest}}}"#
            ))
        };
        assert_eq!(with(r#","text":"Ổ gà""#), Ok(()));
        assert_eq!(
            with(r#","location":{"latitude":10.0,"longitude":105.7,"accuracy":12.5}"#),
            Ok(())
        );
        assert_eq!(
            with(&format!(r#","text":"{}""#, "ế".repeat(TEXT_CHARACTERS))),
            Ok(())
        );
        let long = format!(r#","text":"{}""#, "ế".repeat(TEXT_CHARACTERS + 1));
        assert_eq!(with(&long), Err(Reason::TooLong));
        for bad in [
            "",
            r#","text":"  ""#,
            r#","location":{"latitude":91,"longitude":0}"#,
            r#","location":{"latitude":0,"longitude":0,"accuracy":-1}"#,
            r#","text":7"#,
        ] {
            assert_eq!(with(bad), Err(Reason::Malformed), "{bad}");
        }
        assert_eq!(
            message(r#"{"type":"message","id":"a/b","text":"x"}"#),
            Err(Reason::Malformed)
        );
    }

    #[test]
    fn the_longest_message_fits_a_frame() {
        let text = "\u{1F600}".repeat(TEXT_CHARACTERS);
        let escaped: usize = text.encode_utf16().count() * r"\u0000".len();
        assert!(escaped + PAYLOAD_CHARACTERS < FRAME_BYTES);
    }

    #[test]
    fn a_reply_goes_out_as_the_page_reads_it() {
        let reply = Reply::Text {
            text: "Dạ".to_owned(),
        };
        let frame = ToPage::Reply {
            id: "o1",
            reply: &reply,
        }
        .encode();
        assert_eq!(
            frame,
            r#"{"type":"reply","id":"o1","reply":{"kind":"text","text":"Dạ"}}"#
        );
    }
}
