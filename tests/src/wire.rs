//! A piece of network that can fail: cut like in a tunnel, in the middle of a message, slow, or a
//! black hole.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// What is asked.
    Server,
    /// What is answered.
    Client,
}

/// Forwards connections from a port of its own; ends when it is dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    far: Arc<AtomicU16>,
    state: Arc<watch::Sender<State>>,
    carried: Arc<AtomicUsize>,
}

/// How the wire is now.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How often all connections were cut.
    tears: u64,
    down: bool,
    stalled: bool,
    delay: Duration,
    /// How many bytes still pass in a direction before everything is cut.
    left: Option<(Toward, usize)>,
    /// Nobody has the wire any more.
    gone: bool,
}

impl State {
    /// How many of `count` bytes pass. The wire is to be cut where it says so.
    fn take(&mut self, toward: Toward, count: usize) -> (usize, bool) {
        match &mut self.left {
            Some((way, left)) if *way == toward => {
                let passed = count.min(*left);
                *left -= passed;
                let spent = *left == 0;
                if spent {
                    self.left = None;
                }
                (passed, spent)
            }
            _ => (count, false),
        }
    }
}

impl Wire {
    /// Lays a wire to a port of the loopback.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("bound").port();
        let wire = Self {
            port: own,
            far: Arc::new(AtomicU16::new(port)),
            state: Arc::new(watch::Sender::new(State::default())),
            carried: Arc::default(),
        };
        let (state, carried) = (Arc::clone(&wire.state), Arc::clone(&wire.carried));
        let far = Arc::clone(&wire.far);
        tokio::spawn(async move {
            let mut changes = state.subscribe();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = changes.wait_for(|now| now.gone) => return,
                };
                let Ok((near, _)) = accepted else { continue };
                let (down, tears) = {
                    let now = state.borrow();
                    (now.down, now.tears)
                };
                if down {
                    continue;
                }
                carried.fetch_add(1, Ordering::SeqCst);
                let port = far.load(Ordering::SeqCst);
                tokio::spawn(carry(near, port, tears, Arc::clone(&state)));
            }
        });
        wire
    }

    /// The port of this end.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a path at this end.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Breaks every connection; the next ones go to another port.
    pub fn lead_to(&self, port: u16) {
        self.far.store(port, Ordering::SeqCst);
        self.cut();
    }

    /// Breaks every connection; the next ones go through.
    pub fn cut(&self) {
        self.state.send_modify(|now| now.tears += 1);
    }

    /// Lets so many more bytes pass in one direction, over all connections together, and then
    /// breaks every connection; the next ones go through.
    pub fn cut_after(&self, toward: Toward, bytes: usize) {
        self.state
            .send_modify(|now| now.left = Some((toward, bytes)));
    }

    /// Breaks every connection and lets none through until [`Self::mend`].
    pub fn tear_down(&self) {
        self.state.send_modify(|now| now.down = true);
        self.cut();
    }

    /// Swallows everything, and breaks nothing, until [`Self::mend`] lets it through.
    pub fn stall(&self) {
        self.state.send_modify(|now| now.stalled = true);
    }

    /// Holds up every piece of every connection for so long, in either direction.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|now| now.delay = delay);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.state.send_modify(|now| {
            now.down = false;
            now.stalled = false;
        });
    }

    /// How many connections it has carried.
    pub fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.send_modify(|now| now.gone = true);
    }
}

/// Carries a connection that was opened after so many `tears`.
async fn carry(near: TcpStream, port: u16, tears: u64, state: Arc<watch::Sender<State>>) {
    let mut changes = state.subscribe();
    tokio::select! {
        _ = both_ways(near, port, &state) => {}
        _ = changes.wait_for(|now| now.gone || now.tears != tears) => {}
    }
}

/// Carries until either end closes.
async fn both_ways(mut near: TcpStream, port: u16, state: &watch::Sender<State>) -> io::Result<()> {
    unstalled(state).await;
    let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((ask, tell), (hear, put)) = (near.split(), far.split());
    tokio::select! {
        end = forward(ask, put, Toward::Server, state) => end,
        end = forward(hear, tell, Toward::Client, state) => end,
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    toward: Toward,
    state: &watch::Sender<State>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        unstalled(state).await;
        let mut taken = (count, false);
        state.send_if_modified(|now| {
            taken = now.take(toward, count);
            false
        });
        let (passed, cut) = taken;
        to.write_all(&buffer[..passed]).await?;
        if cut {
            state.send_modify(|now| now.tears += 1);
        }
    }
}

/// Waits while the wire swallows everything.
async fn unstalled(state: &watch::Sender<State>) {
    // It cannot fail: the sender is here.
    drop(state.subscribe().wait_for(|now| !now.stalled).await);
}
