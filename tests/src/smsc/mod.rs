//! A stand-in for a message centre (SMSC), the server side of SMPP 3.4, as strict as the reference:
//! whatever it is sent that a message centre would not take makes the test fail at its end. It shares
//! no code with the connector. It uses nothing of the harness either, so that the connector's own tests
//! and benches can take it in by its path.

mod link;
mod script;
mod wire;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use self::link::Link;
pub use self::{
    script::{Ids, Manner, ReceiptForm, Receipts},
    wire::{Deliver, Operation, Submitted, written},
};

/// The account that it knows.
pub const SYSTEM_ID: &str = "congdan";
/// Its password.
pub const PASSWORD: &str = "matkhau1";
/// How long an answer to what it sends is waited for.
const ANSWER: Duration = Duration::from_secs(15);

/// The running stand-in. It ends when it is dropped, and then all that was wrong is told.
#[derive(Debug)]
pub struct Smsc {
    state: Arc<State>,
    port: u16,
    server: JoinHandle<()>,
}

/// A bind that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// When.
    pub at: Instant,
    /// Which operation asked for it.
    pub command: u32,
    /// What was answered.
    pub status: u32,
}

#[derive(Debug, Default)]
struct Book {
    password: String,
    refuse_binds: Option<u32>,
    window: usize,
    next: VecDeque<Manner>,
    throttle_every: Option<u64>,
    receipts: Receipts,
    submitted: Vec<Submitted>,
    /// When each of them came.
    arrived: Vec<Instant>,
    submits: u64,
    binds: Vec<Bound>,
    unbinds: usize,
    enquiries: usize,
    links: HashMap<usize, Arc<Link>>,
    answers: HashMap<(usize, u32), oneshot::Sender<Operation>>,
    violations: Vec<String>,
    /// Not answered any more: `enquire_link`.
    deaf: bool,
    hold: bool,
}

#[derive(Debug)]
struct State {
    book: Mutex<Book>,
    next_link: AtomicUsize,
    next_sequence: AtomicUsize,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violation(&self, what: impl Into<String>) {
        let mut book = self.book();
        if book.violations.len() < 50 {
            book.violations.push(what.into());
        }
    }
}

impl Smsc {
    /// Starts one that allows so many unanswered submits on a link.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(window: usize) -> Self {
        Self::start_with(window, None).await
    }

    /// The same over TLS.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start_tls(window: usize, config: Arc<rustls::ServerConfig>) -> Self {
        Self::start_with(window, Some(config)).await
    }

    async fn start_with(window: usize, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let book = Book {
            password: PASSWORD.to_owned(),
            window,
            ..Book::default()
        };
        let state = Arc::new(State {
            book: Mutex::new(book),
            next_link: AtomicUsize::new(1),
            next_sequence: AtomicUsize::new(1),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(link::serve(Arc::clone(&state), listener, tls));
        Self {
            state,
            port,
            server,
        }
    }

    /// Where it listens, on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the account's password.
    pub fn set_password(&self, password: &str) {
        password.clone_into(&mut self.state.book().password);
    }

    /// Refuses binds with this status from now on, or no longer.
    pub fn refuse_binds(&self, status: Option<u32>) {
        self.state.book().refuse_binds = status;
    }

    /// Meets the next submit in this manner; called several times, the next ones in turn.
    pub fn next(&self, manner: Manner) {
        self.state.book().next.push_back(manner);
    }

    /// Answers every so manieth submit that we are too fast; `None` stops that.
    pub fn throttle_every(&self, nth: Option<u64>) {
        self.state.book().throttle_every = nth;
    }

    /// Sends receipts like this from now on.
    pub fn receipts(&self, receipts: Receipts) {
        self.state.book().receipts = receipts;
    }

    /// Answers no `enquire_link` any more, or does again.
    pub fn be_deaf(&self, deaf: bool) {
        self.state.book().deaf = deaf;
    }

    /// Holds the answers to what it takes back, or gives them all and answers at once again.
    pub fn hold_answers(&self, hold: bool) {
        let mut book = self.state.book();
        book.hold = hold;
        if !hold {
            for link in book.links.values() {
                link.release();
            }
        }
    }

    /// Everything that was taken, in order.
    pub fn submitted(&self) -> Vec<Submitted> {
        self.state.book().submitted.clone()
    }

    /// When everything that was taken came, in order.
    pub fn arrived(&self) -> Vec<Instant> {
        self.state.book().arrived.clone()
    }

    /// How many were taken: cheap, for polling.
    pub fn count(&self) -> usize {
        self.state.book().submitted.len()
    }

    /// The texts that a number was sent, in order, with parts joined; those that miss parts are left
    /// out.
    pub fn texts_to(&self, number: &str) -> Vec<String> {
        let mut texts: Vec<(Option<u16>, BTreeMap<u8, Submitted>, u8)> = Vec::new();
        for submitted in self.submitted() {
            if submitted.destination.2 != number {
                continue;
            }
            let Some((reference, total, part)) = submitted.join() else {
                texts.push((None, BTreeMap::from([(1, submitted)]), 1));
                continue;
            };
            let mut open = texts.iter_mut().rev();
            // As in a phone: what is whole is done with its reference.
            let unfinished = |(other, parts, total): &&mut (Option<u16>, BTreeMap<_, _>, u8)| {
                *other == Some(reference) && parts.len() < usize::from(*total)
            };
            match open.find(unfinished) {
                Some((_, parts, _)) => {
                    parts.insert(part, submitted);
                }
                None => texts.push((Some(reference), BTreeMap::from([(part, submitted)]), total)),
            }
        }
        let whole = texts
            .into_iter()
            .filter(|(_, parts, total)| parts.len() == usize::from(*total));
        whole
            .map(|(_, parts, _)| parts.values().map(Submitted::text).collect())
            .collect()
    }

    /// All binds that were asked for.
    pub fn binds(&self) -> Vec<Bound> {
        self.state.book().binds.clone()
    }

    /// How many took leave in order.
    pub fn unbinds(&self) -> usize {
        self.state.book().unbinds
    }

    /// How often it was asked whether it is there.
    pub fn enquiries(&self) -> usize {
        self.state.book().enquiries
    }

    /// How many links are bound now.
    pub fn links(&self) -> usize {
        let book = self.state.book();
        book.links.values().filter(|link| link.is_bound()).count()
    }

    /// Cuts all links, as a broken network does.
    pub fn cut(&self) {
        for link in self.state.book().links.values() {
            link.cut();
        }
    }

    /// Delivers a message; gives the status of the answer, or `None` when there was none.
    pub async fn deliver(&self, deliver: &Deliver) -> Option<u32> {
        let answer = self.ask(5, deliver.body()).await?;
        if answer.command != 0x8000_0005 || answer.body != [0] {
            self.state
                .violation(format!("no answer to deliver_sm: {answer:?}"));
        }
        Some(answer.status)
    }

    /// Asks a bound link something; gives the whole answer.
    pub async fn ask(&self, command: u32, body: Vec<u8>) -> Option<Operation> {
        let (link, sequence, answer) = self.begin(command, body)?;
        let answered = tokio::time::timeout(ANSWER, answer).await;
        self.state.book().answers.remove(&(link, sequence));
        answered.ok()?.ok()
    }

    /// Delivers a message and waits for nothing.
    pub fn deliver_unheard(&self, deliver: &Deliver) {
        drop(self.begin(5, deliver.body()));
    }

    /// Sends octets as they are on every bound link.
    pub fn send_raw(&self, octets: &[u8]) {
        for link in self.state.book().links.values() {
            link.send(octets.to_vec());
        }
    }

    fn begin(
        &self,
        command: u32,
        body: Vec<u8>,
    ) -> Option<(usize, u32, oneshot::Receiver<Operation>)> {
        let (sender, receiver) = oneshot::channel();
        let sequence = self.state.next_sequence.fetch_add(1, Ordering::Relaxed);
        let sequence = u32::try_from(sequence).expect("few");
        let mut book = self.state.book();
        let (number, link) = book.links.iter().find(|(_, link)| link.receives())?;
        let number = *number;
        let operation = Operation {
            command,
            status: 0,
            sequence,
            body,
        };
        link.send(operation.bytes());
        book.answers.insert((number, sequence), sender);
        Some((number, sequence, receiver))
    }

    /// What was wrong with what it was sent. A test that expects something wrong takes it away with
    /// this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        self.server.abort();
        self.cut();
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the message centre was used wrongly: {violations:#?}"
            );
        }
    }
}
