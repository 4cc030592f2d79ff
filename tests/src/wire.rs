//! A piece of network that can be cut: everything through it breaks at once, like a train in a tunnel.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Forwards connections from a port of its own; ends when it is dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    torn: watch::Sender<u64>,
    down: Arc<AtomicBool>,
    carried: Arc<AtomicUsize>,
}

impl Wire {
    /// Lays a wire to a port of the loopback.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("bound").port();
        let (torn, tears) = watch::channel(0);
        let (down, carried) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (is_down, count) = (Arc::clone(&down), Arc::clone(&carried));
        tokio::spawn(async move {
            let mut gone = tears.clone();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = ended(&mut gone) => return,
                };
                let Ok((near, _)) = accepted else { continue };
                if is_down.load(Ordering::SeqCst) {
                    continue;
                }
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(near, port, tears.clone()));
            }
        });
        Self {
            port: own,
            torn,
            down,
            carried,
        }
    }

    /// The address of a path at this end.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Breaks every connection; the next ones go through.
    pub fn cut(&self) {
        self.torn.send_modify(|tears| *tears += 1);
    }

    /// Breaks every connection and lets none through until [`Self::mend`].
    pub fn tear_down(&self) {
        self.down.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.down.store(false, Ordering::SeqCst);
    }

    /// How many connections it has carried.
    pub fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }
}

async fn carry(mut near: TcpStream, port: u16, mut tears: watch::Receiver<u64>) {
    tears.mark_unchanged();
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    tokio::select! {
        // Whichever end closes, closes the other.
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = tears.changed() => {}
    }
}

/// Waits until the wire is dropped.
async fn ended(tears: &mut watch::Receiver<u64>) {
    while tears.changed().await.is_ok() {}
}
