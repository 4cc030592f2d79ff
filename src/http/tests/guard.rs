//! The client against servers on loopback that behave badly.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use langnghe_http::{ClientSettings, GuardedClient, HttpError, read_bounded};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

/// What a server does with a connection once it has read the request's head.
#[derive(Clone, Copy)]
enum Conduct {
    /// Answers with these bytes and closes.
    Says(&'static str),
    /// Says these bytes at once, whatever it is asked.
    Interrupts(&'static str),
    /// Answers with a head and then the same byte for ever; the counter says how many got out.
    NeverEnds,
    /// Says nothing and keeps the connection.
    Stalls,
}

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

impl Server {
    async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (connections, written) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counters = (Arc::clone(&connections), Arc::clone(&written));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counters.0.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, conduct, Arc::clone(&counters.1)));
            }
        });
        Self {
            address,
            connections,
            written,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn answer(mut stream: TcpStream, conduct: Conduct, written: Arc<AtomicUsize>) {
    if let Conduct::Interrupts(text) = conduct {
        let _gone = stream.write_all(text.as_bytes()).await;
        let _gone = stream.read_to_end(&mut Vec::new()).await;
        return;
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    match conduct {
        Conduct::Says(text) => {
            let _gone = stream.write_all(text.as_bytes()).await;
        }
        Conduct::NeverEnds => {
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {
                written.fetch_add(1024, Ordering::SeqCst);
            }
        }
        Conduct::Interrupts(_) | Conduct::Stalls => std::future::pending().await,
    }
}

fn client(allow_private: bool) -> GuardedClient {
    client_within(Duration::from_secs(20), allow_private)
}

fn client_within(timeout: Duration, allow_private: bool) -> GuardedClient {
    GuardedClient::new(&ClientSettings {
        timeout,
        connect_timeout: timeout,
        allow_private,
        ..ClientSettings::default()
    })
    .expect("a client")
}

async fn get(client: &GuardedClient, url: &str, limit: usize) -> Result<u16, HttpError> {
    let answer = client.fetch(client.get(url)?, limit).await?;
    Ok(answer.status.as_u16())
}

#[tokio::test]
async fn every_spelling_of_an_inner_address_is_refused_and_not_connected_to() {
    let server = Server::start(Conduct::Says(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let port = server.address.port();
    let guarded = client(false);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "user:password@127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
        "100.64.0.1",
        // Names that lead there.
        "localhost",
        "LOCALHOST",
        "a.localhost.",
        "localhost.",
    ] {
        let result = get(&guarded, &format!("http://{host}:{port}/"), 100).await;
        // Not every machine knows a name with the dot at its end; it is not connected to either way.
        let unknown = host.ends_with("host.") && result == Err(HttpError::Name);
        let refused = unknown || result == Err(HttpError::PrivateAddress);
        assert!(refused, "{host}: {result:?}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);

    for host in ["127.0.0.1", "localhost", "2130706433"] {
        let result = get(&client(true), &format!("http://{host}:{port}/"), 100).await;
        assert_eq!(result, Ok(200), "{host} when it is allowed");
    }
}

#[tokio::test]
async fn only_http_is_spoken() {
    for url in [
        "ftp://example.vn/",
        "file:///etc/passwd",
        "data:,x",
        "example.vn",
        "",
        "http://",
        "unix:/x",
    ] {
        assert_eq!(
            get(&client(true), url, 1).await,
            Err(HttpError::Url),
            "{url}"
        );
    }
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let inner = Server::start(Conduct::Says(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let location = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        inner.url("/")
    );
    let outer = Server::start(Conduct::Says(location.leak())).await;
    assert_eq!(get(&client(true), &outer.url("/"), 100).await, Ok(302));
    assert_eq!(inner.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_is_read_up_to_the_bound() {
    let says = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789";
    let server = Server::start(Conduct::Says(says)).await;
    let client = client(true);
    assert_eq!(get(&client, &server.url("/"), 10).await, Ok(200));
    assert_eq!(
        get(&client, &server.url("/"), 9).await,
        Err(HttpError::TooLarge)
    );

    // Without a length, and without an end: what leaves the server is what the sockets' buffers
    // hold, not what a second of loopback could carry.
    let endless = Server::start(Conduct::NeverEnds).await;
    let request = client.get(&endless.url("/")).expect("a request");
    let response = client.send(request).await.expect("a head");
    assert_eq!(read_bounded(response, 4096).await, Err(HttpError::TooLarge));
    assert!(endless.written.load(Ordering::SeqCst) < 32 * 1024 * 1024);
}

#[tokio::test]
async fn nothing_is_waited_for_without_end() {
    let server = Server::start(Conduct::Stalls).await;
    assert_eq!(
        get(
            &client_within(Duration::from_millis(800), true),
            &server.url("/"),
            100
        )
        .await,
        Err(HttpError::Timeout)
    );
    // The head came, the body does not.
    let half = Server::start(Conduct::Says(
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n012",
    ))
    .await;
    assert_eq!(
        get(&client(true), &half.url("/"), 100).await,
        Err(HttpError::Lost)
    );
}

#[tokio::test]
async fn failures_are_told_apart_and_quote_nothing() {
    // Ours, and nobody listens there.
    let closed = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    closed.bind(any).expect("a port");
    let closed_at = closed.local_addr().expect("an address");
    let rubbish = Server::start(Conduct::Says("SSH-2.0-OpenSSH_9.6\r\n")).await;
    let plain = Server::start(Conduct::Interrupts("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let token = "access_token=EAAB-secret";
    for (url, expected) in [
        (format!("http://{closed_at}/?{token}"), HttpError::Connect),
        (rubbish.url(&format!("/?{token}")), HttpError::Lost),
        (
            format!("http://no-such-name.invalid/?{token}"),
            HttpError::Name,
        ),
        (
            format!("http://10.0.0.1/?{token}"),
            HttpError::PrivateAddress,
        ),
        (format!("gopher://10.0.0.1/?{token}"), HttpError::Url),
    ] {
        let client = client(expected != HttpError::PrivateAddress);
        let error = get(&client, &url, 100).await.expect_err(&url);
        assert_eq!(error, expected, "{url}");
        let printed = format!("{error} {error:?} {client:?}");
        assert!(
            !printed.contains("secret") && !printed.contains("10.0.0.1"),
            "{printed}"
        );
    }
    // A TLS greeting is answered in plain text.
    let error = get(&client(true), &format!("https://{}/", plain.address), 100).await;
    assert_eq!(error, Err(HttpError::Tls));
}

#[tokio::test]
async fn a_header_that_cannot_be_is_an_error_and_no_panic() {
    let client = client(true);
    let request = client
        .get("http://127.0.0.1:9/")
        .expect("a request")
        .header("x", "a\r\nb: c");
    assert_eq!(
        client.send(request).await.map(|_| ()),
        Err(HttpError::Request)
    );
    let settings = ClientSettings {
        user_agent: "a\nb".to_owned(),
        ..ClientSettings::default()
    };
    assert_eq!(
        GuardedClient::new(&settings).map(|_| ()).err(),
        Some(HttpError::Client)
    );
}
