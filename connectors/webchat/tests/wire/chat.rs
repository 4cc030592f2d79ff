//! A web chat to test, and requests to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use langnghe_connector::{Connector, Manner, Outgoing, SendError, Sent};
use langnghe_model::{ChannelId, CitizenId, EventKind, Reply, event::Message};
use langnghe_webchat::{Config, WebChat};
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};
use tower::ServiceExt;

use crate::{
    common::{self, FakeHost, Line},
    page::{PageSocket, SECRET, SOON},
};

/// A web chat on the loopback, with a host that keeps everything in memory.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) connector: Arc<WebChat>,
    pub(crate) host: Arc<FakeHost>,
    pub(crate) routes: Router,
    pub(crate) address: SocketAddr,
}

impl Chat {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One that gives up on a silent page quickly.
    pub(crate) async fn impatient() -> Self {
        Self::with(|config| {
            config.ack_time = Duration::from_millis(400);
            config.grace = Duration::from_millis(100);
        })
        .await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::started(change, None).await
    }

    /// One of several replicas of the same chat.
    pub(crate) async fn replica(line: &Arc<Line>) -> Self {
        let change = |config: &mut Config| config.grace = Duration::from_millis(100);
        Self::started(change, Some(line.clone())).await
    }

    /// One that looks for a visitor at the others for so long.
    pub(crate) async fn patient_replica(line: &Arc<Line>, find_time: Duration) -> Self {
        let change = |config: &mut Config| {
            config.grace = Duration::from_millis(100);
            config.find_time = find_time;
        };
        Self::started(change, Some(line.clone())).await
    }

    async fn started(change: impl FnOnce(&mut Config), line: Option<Arc<Line>>) -> Self {
        let mut config = Config::new(ChannelId::new("web").expect("good"));
        config.ack_time = SOON;
        config.grace = SOON;
        config.poll_hold = Duration::from_millis(300);
        change(&mut config);
        let chat = Arc::new(WebChat::new(config).expect("good"));
        let mut host = FakeHost::default();
        host.line = line;
        let host = Arc::new(host);
        let routes = chat.routes(host.clone()).expect("good");
        let address = common::serve(&chat, host.clone(), 0).await;
        Self {
            connector: chat,
            host,
            routes,
            address,
        }
    }

    pub(crate) async fn page(&self) -> PageSocket {
        PageSocket::hello(self.address, SECRET).await
    }

    /// Who came, each time that they did.
    pub(crate) fn came(&self) -> Vec<CitizenId> {
        self.host.present.lock().expect("good").clone()
    }

    /// The citizen behind [`SECRET`], as the host came to know them.
    pub(crate) fn citizen(&self) -> CitizenId {
        self.came().first().expect("somebody came").clone()
    }

    /// Sends a reply, as the program's sender does.
    pub(crate) fn send(&self, id: &'static str) -> JoinHandle<Result<Sent, SendError>> {
        self.send_to(self.citizen(), id)
    }

    /// Sends a reply to somebody who may be at another replica.
    pub(crate) fn send_to(
        &self,
        citizen: CitizenId,
        id: &'static str,
    ) -> JoinHandle<Result<Sent, SendError>> {
        let chat = self.connector.clone();
        tokio::spawn(async move {
            let reply = Reply::Text {
                text: format!("reply {id}"),
            };
            chat.send(&Outgoing {
                id,
                citizen: &citizen,
                reply: &reply,
                manner: Manner::Free,
            })
            .await
        })
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> Response {
        timeout(SOON, self.routes.clone().oneshot(request))
            .await
            .expect("good")
            .expect("good")
    }

    pub(crate) async fn post(&self, frame: Value) -> (StatusCode, Value) {
        let request = Request::post("/chat/send")
            .header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
            .body(Body::from(frame.to_string()))
            .expect("good");
        json_of(self.request(request).await).await
    }

    pub(crate) async fn poll(&self) -> Value {
        let request = Request::get("/chat/poll")
            .header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
            .body(Body::empty())
            .expect("good");
        json_of(self.request(request).await).await.1
    }

    pub(crate) async fn upload(&self, id: &str, text: &str, file: &[u8]) -> (StatusCode, Value) {
        let mut body = Vec::new();
        for (name, value) in [("id", id), ("text", text)] {
            let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        }
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"ổ gà.jpg\"";
        body.extend_from_slice(format!("--cut\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--cut--\r\n");
        let request = Request::post("/chat/upload")
            .header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .body(Body::from(body))
            .expect("good");
        json_of(self.request(request).await).await
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        let message = |kind| match kind {
            EventKind::Message(message) => message,
            other => panic!("no message: {}", other.name()),
        };
        self.host
            .events()
            .into_iter()
            .map(|event| message(event.kind))
            .collect()
    }
}

pub(crate) async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("good")
        .to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

pub(crate) async fn settled(send: JoinHandle<Result<Sent, SendError>>) -> Result<Sent, SendError> {
    timeout(SOON, send)
        .await
        .expect("settled in time")
        .expect("no panic")
}
