//! Requests leave only while their permission holds.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use langnghe_http::{ClientSettings, GuardedClient, HttpError, Permission, with_permission};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

const BODY: &str = r#"{"text":"chào"}"#;

/// Keeps every byte that comes, and answers after each body.
struct Server {
    address: SocketAddr,
    came: Arc<Mutex<Vec<u8>>>,
    /// A word for each connection that has ended.
    ended: mpsc::Receiver<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let came = Arc::<Mutex<Vec<u8>>>::default();
        let book = Arc::clone(&came);
        let (end, ended) = mpsc::channel(9);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (book, end) = (Arc::clone(&book), end.clone());
                tokio::spawn(async move {
                    let mut piece = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut piece).await {
                        let whole = {
                            let mut book = book.lock().expect("not poisoned");
                            book.extend_from_slice(&piece[..count]);
                            book.ends_with(BODY.as_bytes())
                        };
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        if whole && stream.write_all(answer).await.is_err() {
                            break;
                        }
                    }
                    end.send(()).await.expect("the test listens");
                });
            }
        });
        Self {
            address,
            came,
            ended,
        }
    }

    fn came(&self) -> String {
        let came = self.came.lock().expect("not poisoned");
        String::from_utf8(came.clone()).expect("text")
    }

    async fn connection_ends(&mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(10), self.ended.recv()).await;
        ended.expect("the connection ends").expect("a word");
    }
}

#[derive(Default)]
struct Say {
    ended: AtomicBool,
    asked: AtomicUsize,
}

impl Permission for Say {
    fn holds(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        !self.ended.load(Ordering::SeqCst)
    }
}

fn client() -> GuardedClient {
    GuardedClient::new(&ClientSettings {
        allow_private: true,
        ..ClientSettings::default()
    })
    .expect("a client")
}

async fn post(client: &GuardedClient, server: &Server) -> Result<u16, HttpError> {
    let url = format!("http://{}/messages", server.address);
    let request = client.post(&url)?.body(BODY);
    Ok(client.fetch(request, 100).await?.status.as_u16())
}

#[tokio::test]
async fn while_it_holds_a_request_is_as_any_other() {
    let (plain, guarded) = (Server::start().await, Server::start().await);
    assert_eq!(post(&client(), &plain).await, Ok(200));
    let say = Arc::new(Say::default());
    let sent = with_permission(say.clone(), async { post(&client(), &guarded).await });
    assert_eq!(sent.await, Ok(200));
    assert!(say.asked.load(Ordering::SeqCst) > 0, "it was asked");
    let without_port = |server: &Server| {
        server
            .came()
            .replace(&server.address.to_string(), "the server")
    };
    assert_eq!(without_port(&guarded), without_port(&plain));
}

#[tokio::test]
async fn once_it_ended_no_byte_of_a_request_leaves() {
    let mut server = Server::start().await;
    let (say, client) = (Arc::new(Say::default()), client());
    let sent = with_permission(say.clone(), async { post(&client, &server).await });
    assert_eq!(sent.await, Ok(200));
    let before = server.came();
    say.ended.store(true, Ordering::SeqCst);
    // Over the connection that is open, and over a new one.
    for _ in 0..2 {
        let sent = with_permission(say.clone(), async { post(&client, &server).await });
        assert_eq!(sent.await, Err(HttpError::Withdrawn));
        server.connection_ends().await;
        assert_eq!(server.came(), before, "a byte left");
    }
    assert_eq!(post(&client, &server).await, Ok(200), "outside of it");
}
