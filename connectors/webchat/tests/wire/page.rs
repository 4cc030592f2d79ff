//! The page's side of the wire.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

/// The longest that anything here may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// A visitor's secret.
pub(crate) const SECRET: &str = "00112233445566778899aabbccddeeff";

/// A page with an open WebSocket.
#[derive(Debug)]
pub(crate) struct PageSocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl PageSocket {
    /// Opens a WebSocket as a page of `origin` would.
    pub(crate) async fn open(address: SocketAddr, origin: &str) -> Result<Self, Box<Error>> {
        let mut request = format!("ws://{address}/chat/ws").into_client_request()?;
        request
            .headers_mut()
            .insert("origin", origin.parse().expect("a header"));
        let (socket, _) = timeout(SOON, connect_async(request))
            .await
            .expect("answered in time")?;
        Ok(Self(socket))
    }

    /// Opens one and says who is there.
    pub(crate) async fn hello(address: SocketAddr, secret: &str) -> Self {
        let mut page = Self::open(address, &format!("http://{address}"))
            .await
            .expect("our own page");
        page.say(json!({ "type": "hello", "visitor": secret, "language": "en" }))
            .await;
        assert_eq!(page.hear().await["type"], "welcome");
        page
    }

    /// Sends a frame.
    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_raw(Message::text(frame.to_string())).await;
    }

    /// Sends anything.
    pub(crate) async fn say_raw(&mut self, message: Message) {
        timeout(SOON, self.0.send(message))
            .await
            .expect("sent in time")
            .expect("sent");
    }

    /// Sends a message with a text.
    pub(crate) async fn text(&mut self, id: &str, text: &str) {
        self.say(json!({ "type": "message", "id": id, "text": text }))
            .await;
    }

    /// The next frame.
    pub(crate) async fn hear(&mut self) -> Value {
        self.hear_or_end().await.expect("a frame, not the end")
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn hear_or_end(&mut self) -> Option<Value> {
        loop {
            match timeout(SOON, self.0.next()).await.expect("heard in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next reply, unacknowledged.
    pub(crate) async fn reply(&mut self) -> String {
        let frame = self.hear().await;
        assert_eq!(frame["type"], "reply", "{frame}");
        frame["id"].as_str().expect("an id").to_owned()
    }

    /// Says that a reply is shown and kept.
    pub(crate) async fn acknowledge(&mut self, id: &str) {
        self.say(json!({ "type": "ack", "id": id })).await;
    }
}
