//! The HTTP server: bounded connections, a bound on the time for a request's head, and a stop that
//! lets what is in flight finish.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The most connections at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 8192;
/// The longest that a request's head may take, and that an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Holds any sane head, and bounds what one connection can make us keep.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves `router` until `stop`; then takes no new connections and waits for the open requests.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = connection(stream, router.clone(), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // Out of file descriptors, or a client that left: not our end.
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
                crate::pause::pause(Duration::from_millis(50), &stop).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(kind = ?error.kind(), "answers may be slower on this connection");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // A client that left or sent garbage; the error names no content.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Notify,
        time::timeout,
    };

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_stop_lets_the_request_in_flight_finish_and_takes_no_new_one() {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let router = Router::new().route(
            "/",
            get({
                let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
                async move || {
                    arrived.notify_one();
                    go_on.notified().await;
                    "finished"
                }
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, router, stop.clone()));

        let mut busy = TcpStream::connect(address).await.expect("connected");
        busy.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .expect("written");
        timeout(DEADLINE, arrived.notified())
            .await
            .expect("the request arrived");
        let mut idle = TcpStream::connect(address).await.expect("connected");
        stop.cancel();
        go_on.notify_one();

        let mut answer = String::new();
        timeout(DEADLINE, busy.read_to_string(&mut answer))
            .await
            .expect("in time")
            .expect("read");
        assert!(answer.ends_with("finished"), "{answer}");
        let mut rest = Vec::new();
        // An idle connection is closed, however the kernel words it.
        drop(
            timeout(DEADLINE, idle.read_to_end(&mut rest))
                .await
                .expect("closed in time"),
        );
        timeout(DEADLINE, server)
            .await
            .expect("in time")
            .expect("no panic")
            .expect("no error");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
