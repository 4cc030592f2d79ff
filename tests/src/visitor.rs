//! A visitor of the web chat without a browser: does over the WebSocket what the page does, at one of
//! several replicas, and changes over whenever the line breaks.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// The longest that a visitor waits for anything to come of what they said.
const PATIENCE: Duration = Duration::from_mins(1);
/// A line on which nothing came for so long, although it was asked, is given up, as the page does.
const SILENCE: Duration = Duration::from_secs(3);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A visitor, and the chat as they see it.
#[derive(Debug)]
pub struct Visitor {
    secret: String,
    /// The ports of the replicas.
    ports: Vec<u16>,
    /// Which of them the next connection goes to.
    next: usize,
    line: Option<Socket>,
    said: u32,
    seen: HashSet<String>,
    /// What was said to them, in the order in which the page shows it.
    pub shown: Vec<String>,
    /// How often they had to connect.
    pub connected: u32,
    /// How many replies came again and were not shown.
    pub repeated: u32,
}

impl Visitor {
    /// A visitor who goes to the replicas in turn, beginning with number `first`.
    pub fn new(number: usize, ports: &[u16]) -> Self {
        Self {
            secret: format!("{number:064x}"),
            ports: ports.to_vec(),
            next: number,
            line: None,
            said: 0,
            seen: HashSet::new(),
            shown: Vec::new(),
            connected: 0,
            repeated: 0,
        }
    }

    /// Says something, until it is accepted, and waits for a reply with these words.
    ///
    /// # Panics
    /// When it is refused, or no such reply comes.
    pub async fn says(&mut self, text: &str, expected: &str) {
        self.said += 1;
        let id = format!("message-{:04}", self.said);
        let message = json!({ "type": "message", "id": id, "text": text });
        let before = self.shown.len();
        let deadline = Instant::now() + PATIENCE;
        let mut accepted = false;
        let answered = |shown: &[String]| shown.iter().any(|text| text.contains(expected));
        while !accepted || !answered(&self.shown[before..]) {
            let late = || format!("{expected:?} does not come, after {:?}", self.shown);
            assert!(Instant::now() < deadline, "{}", late());
            if self.line.is_none() && !self.connect().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            let asked = if accepted {
                json!({ "type": "ping" })
            } else {
                message.clone()
            };
            accepted |= self.ask(&asked, &id, expected, before).await;
        }
    }

    /// Leaves the replica; the next thing is said to another.
    pub fn leaves(&mut self) {
        self.line = None;
    }

    async fn connect(&mut self) -> bool {
        let port = self.ports[self.next % self.ports.len()];
        self.next += 1;
        let opening = connect_async(format!("ws://127.0.0.1:{port}/chat/ws"));
        let Ok(Ok((socket, _))) = timeout(SILENCE, opening).await else {
            return false;
        };
        self.line = Some(socket);
        let hello = json!({ "type": "hello", "visitor": self.secret, "language": "vi" });
        self.connected += 1;
        self.tell(&hello).await
    }

    /// Sends a frame; false when the line is broken.
    async fn tell(&mut self, frame: &Value) -> bool {
        let Some(line) = &mut self.line else {
            return false;
        };
        let sent = timeout(SILENCE, line.send(Message::text(frame.to_string()))).await;
        let good = matches!(sent, Ok(Ok(())));
        if !good {
            self.line = None;
        }
        good
    }

    /// Sends a frame and takes in what comes, until what is expected is there, the line is broken, or
    /// nothing comes any more; says whether the message was accepted.
    async fn ask(&mut self, frame: &Value, id: &str, expected: &str, before: usize) -> bool {
        let mut accepted = false;
        let asked_again = frame["type"] == "ping";
        if !self.tell(frame).await {
            return false;
        }
        loop {
            let Some(line) = &mut self.line else {
                return accepted;
            };
            let heard = match timeout(SILENCE, line.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
                Ok(_) => {
                    self.line = None;
                    return accepted;
                }
                Err(_) => {
                    // A line that answers nothing at all is dead.
                    if !accepted && !asked_again {
                        self.line = None;
                    }
                    return accepted;
                }
            };
            let heard: Value = serde_json::from_str(&heard).expect("JSON");
            match heard["type"].as_str() {
                Some("accepted") if heard["id"] == *id => accepted = true,
                Some("refused") => {
                    assert_eq!(heard["reason"], "unavailable", "{heard}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    return accepted;
                }
                Some("reply") => self.take(&heard).await,
                Some("error") => {
                    self.line = None;
                    return accepted;
                }
                _ => {}
            }
            let there = self.shown[before..]
                .iter()
                .any(|text| text.contains(expected));
            if there && (accepted || asked_again) {
                return accepted;
            }
        }
    }

    /// Shows a reply, unless it was shown, and acknowledges it.
    async fn take(&mut self, frame: &Value) {
        let id = frame["id"].as_str().expect("an id").to_owned();
        if self.seen.insert(id.clone()) {
            let text = frame["reply"]["text"].as_str().unwrap_or_default();
            self.shown.push(text.to_owned());
        } else {
            self.repeated += 1;
        }
        self.tell(&json!({ "type": "ack", "id": id })).await;
    }
}
