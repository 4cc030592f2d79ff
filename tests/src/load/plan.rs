//! Which messages are sent over which connection: signed requests, ready to be written.

use std::{fmt::Write as _, ops::Range};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock;

/// How much is sent, and how it is spread.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Messages, redeliveries not counted.
    pub messages: usize,
    /// Citizens who write them.
    pub conversations: usize,
    /// Connections to send over.
    pub connections: usize,
    /// How many of a hundred messages are delivered a second time.
    pub duplicates_percent: usize,
}

/// What one connection sends, in order.
#[derive(Debug, Default)]
pub struct Script {
    bytes: Vec<u8>,
    requests: Vec<Range<usize>>,
}

impl Script {
    /// How many requests it has.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The bytes of one request.
    pub fn request(&self, number: usize) -> &[u8] {
        &self.bytes[self.requests[number].clone()]
    }
}

/// Everything that is sent in one round.
#[derive(Debug)]
pub struct Plan {
    /// One script a connection.
    pub scripts: Vec<Script>,
    /// Messages, redeliveries not counted.
    pub messages: usize,
    /// Redeliveries among the requests.
    pub duplicates: usize,
}

/// Makes plans whose messages go on where those of the plan before ended.
#[derive(Debug)]
pub struct Planner {
    key: Hmac<Sha256>,
    path: String,
    port: u16,
    /// How many messages each citizen has sent so far.
    pub sent: Vec<usize>,
}

/// The id of the page that citizens write to.
const PAGE: &str = "104857600104857";

/// What every citizen writes; the number is that of the message within the conversation.
pub fn words(number: usize) -> String {
    format!("báo sự cố {number}: ổ gà lớn trước cổng trường, xe máy dễ ngã khi trời mưa")
}

/// The number of the message that a reply repeats.
pub fn number_in(reply: &str) -> Option<usize> {
    let (_, rest) = reply.split_once("sự cố ")?;
    rest.split_once(':')?.0.parse().ok()
}

/// The provider's id of a citizen.
pub fn citizen(conversation: usize) -> String {
    format!("{}", 7_000_000_000_000_000_u64 + conversation as u64)
}

impl Planner {
    /// A planner for webhooks to `path`, signed with `secret`.
    ///
    /// # Panics
    /// Never: a key may have any length.
    pub fn new(secret: &str, path: &str, port: u16, conversations: usize) -> Self {
        Self {
            key: Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length"),
            path: path.to_owned(),
            port,
            sent: vec![0; conversations],
        }
    }

    /// The next round.
    pub fn next(&mut self, shape: Shape) -> Plan {
        let mut scripts: Vec<Script> = Vec::new();
        scripts.resize_with(shape.connections, Script::default);
        let mut duplicates = 0;
        for message in 0..shape.messages {
            let conversation = message % shape.conversations;
            // A conversation keeps to one connection, as order is promised by order of arrival.
            let script = &mut scripts[conversation % shape.connections];
            self.sent[conversation] += 1;
            let request = self.request(conversation, self.sent[conversation]);
            let begin = script.bytes.len();
            script.bytes.extend_from_slice(&request);
            script.requests.push(begin..script.bytes.len());
            // Spread evenly, without drawing lots.
            if (message + 1) * shape.duplicates_percent / 100
                > message * shape.duplicates_percent / 100
            {
                duplicates += 1;
                // One that was sent a little before: a provider does not repeat at once.
                let earlier = script.requests.len().saturating_sub(1 + message % 7);
                script
                    .requests
                    .push(script.requests[earlier.min(script.requests.len() - 1)].clone());
            }
        }
        Plan {
            scripts,
            messages: shape.messages,
            duplicates,
        }
    }

    fn request(&self, conversation: usize, number: usize) -> Vec<u8> {
        let body = body(conversation, number);
        let mut mac = self.key.clone();
        mac.update(body.as_bytes());
        let mut signature = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            write!(signature, "{byte:02x}").expect("writing to a string cannot fail");
        }
        // The headers that Meta sends.
        format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: facebookexternalua\r\n\
             Accept: */*\r\nAccept-Encoding: deflate, gzip\r\nContent-Type: application/json\r\n\
             X-Hub-Signature: sha1=0000000000000000000000000000000000000000\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
            self.path,
            self.port,
            body.len(),
        )
        .into_bytes()
    }
}

/// A webhook as Meta writes it: ASCII only, everything else escaped.
fn body(conversation: usize, number: usize) -> String {
    let now = clock::milliseconds();
    let citizen = citizen(conversation);
    // Ids of messages have some ninety characters.
    let id = format!(
        "m_{citizen}{number:010}-{}",
        "LoadToolMessageIdOfTheUsualLength".repeat(2)
    );
    let mut text = String::new();
    for unit in words(number).encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => write!(text, "\\u{unit:04x}").expect("writing to a string cannot fail"),
        }
    }
    format!(
        r#"{{"object":"page","entry":[{{"id":"{PAGE}","time":{now},"messaging":[{{"sender":{{"id":"{citizen}"}},"recipient":{{"id":"{PAGE}"}},"timestamp":{now},"message":{{"mid":"{id}","text":"{text}"}}}}]}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_every_message_once_and_the_wanted_share_twice() {
        let mut planner = Planner::new("secret", "/webhooks/page", 1, 7);
        let shape = Shape {
            messages: 1000,
            conversations: 7,
            connections: 3,
            duplicates_percent: 10,
        };
        let plan = planner.next(shape);
        let requests: usize = plan.scripts.iter().map(Script::len).sum();
        assert_eq!((plan.duplicates, requests), (100, 1100));
        let mut distinct: Vec<&[u8]> = plan
            .scripts
            .iter()
            .flat_map(|script| (0..script.len()).map(|number| script.request(number)))
            .collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 1000);
        assert_eq!(planner.sent.iter().sum::<usize>(), 1000);
    }

    #[test]
    fn a_body_is_what_meta_would_write() {
        let body = body(3, 12);
        assert!(body.is_ascii());
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let text = json["entry"][0]["messaging"][0]["message"]["text"]
            .as_str()
            .expect("a text");
        assert_eq!(text, words(12));
        assert_eq!(number_in(&format!("Đã nhận: {text}")), Some(12));
    }
}
