//! One link of the stand-in.

use std::{
    collections::HashSet,
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use super::{
    Bound, SYSTEM_ID, State,
    script::{Manner, ReceiptForm, Receipts, state_number},
    wire::{Body, Deliver, Operation, Submitted},
};

const RECEIVER: u32 = 1;
const TRANSMITTER: u32 = 2;
const SUBMIT: u32 = 4;
const UNBIND: u32 = 6;
const TRANSCEIVER: u32 = 9;
const ENQUIRE_LINK: u32 = 0x15;
const ANSWER: u32 = 0x8000_0000;

/// One link.
pub(super) struct Link {
    /// The operation that opened it; 0 before.
    bound: AtomicU32,
    output: Mutex<Vec<u8>>,
    /// Answers that are held back: how many, and their octets.
    held: Mutex<(usize, Vec<u8>)>,
    wake: Notify,
    over: CancellationToken,
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn is_bound(&self) -> bool {
        self.bound.load(Ordering::Acquire) != 0
    }

    pub(super) fn receives(&self) -> bool {
        [RECEIVER, TRANSCEIVER].contains(&self.bound.load(Ordering::Acquire))
    }

    pub(super) fn cut(&self) {
        self.over.cancel();
    }

    pub(super) fn send(&self, octets: Vec<u8>) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.extend(octets);
        self.wake.notify_one();
    }

    /// Holds an answer back; gives how many are held by now.
    fn hold(&self, octets: Vec<u8>) -> usize {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 += 1;
        held.1.extend(octets);
        held.0
    }

    pub(super) fn release(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        self.send(held.1);
    }

    fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut self.output.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes links until it is aborted.
pub(super) async fn serve(
    state: Arc<State>,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    let mut links = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let (state, tls) = (Arc::clone(&state), tls.clone());
        links.spawn(async move {
            // A link that ends in any way is over.
            drop(open(state, stream, tls).await);
        });
    }
}

async fn open(
    state: Arc<State>,
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return run(state, stream).await;
    };
    let stream = tokio_rustls::TlsAcceptor::from(tls).accept(stream).await?;
    run(state, stream).await
}

async fn run(state: Arc<State>, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
    let number = state.next_link.fetch_add(1, Ordering::Relaxed);
    let link = Arc::new(Link {
        bound: AtomicU32::new(0),
        output: Mutex::default(),
        held: Mutex::default(),
        wake: Notify::new(),
        over: CancellationToken::new(),
    });
    state.book().links.insert(number, Arc::clone(&link));
    let (reading, mut writing) = tokio::io::split(stream);
    let mut reading = std::pin::pin!(reading);
    let mut talk = Talk {
        state: &state,
        link: &link,
        number,
        sequences: HashSet::new(),
    };
    let mut input = Vec::with_capacity(64 * 1024);
    let mut from = 0;
    let result = loop {
        tokio::select! {
            biased;
            () = link.over.cancelled() => break Ok(()),
            read = reading.read_buf(&mut input) => {
                match read {
                    Ok(0) => break Ok(()),
                    Ok(_) => {}
                    Err(error) => break Err(error),
                }
                loop {
                    match Operation::take(&mut input, &mut from) {
                        Ok(Some(operation)) => talk.hear(operation),
                        Ok(None) => break,
                        Err(error) => {
                            state.violation(error);
                            link.cut();
                            break;
                        }
                    }
                }
            }
            () = link.wake.notified() => {}
        }
        let output = link.take_output();
        if !output.is_empty() && writing.write_all(&output).await.is_err() {
            break Ok(());
        }
        if link.over.is_cancelled() {
            break Ok(());
        }
    };
    let mut book = state.book();
    book.links.remove(&number);
    book.answers.retain(|(link, _), _| *link != number);
    result
}

/// What is said on a link.
struct Talk<'a> {
    state: &'a State,
    link: &'a Link,
    number: usize,
    /// All that came on it.
    sequences: HashSet<u32>,
}

impl Talk<'_> {
    fn hear(&mut self, operation: Operation) {
        if operation.command & ANSWER != 0 {
            let waiting = self
                .state
                .book()
                .answers
                .remove(&(self.number, operation.sequence));
            if let Some(waiting) = waiting {
                // Whoever asked may have given up.
                drop(waiting.send(operation));
            }
            return;
        }
        if operation.status != 0 {
            self.state.violation("a request with a status");
        }
        let sequence = operation.sequence;
        if !(1..=0x7fff_ffff).contains(&sequence) || !self.sequences.insert(sequence) {
            self.state.violation(format!("sequence number {sequence}"));
        }
        match operation.command {
            RECEIVER | TRANSMITTER | TRANSCEIVER => self.bind(&operation),
            SUBMIT => self.submit(&operation),
            ENQUIRE_LINK => {
                let mut book = self.state.book();
                book.enquiries += 1;
                let deaf = book.deaf;
                drop(book);
                if !deaf {
                    self.answer(&operation, 0, &[]);
                }
            }
            UNBIND => {
                self.state.book().unbinds += 1;
                self.answer(&operation, 0, &[]);
            }
            other => {
                self.state.violation(format!("operation {other:#x}"));
                self.answer(&operation, 3, &[]);
            }
        }
    }

    fn answer(&self, operation: &Operation, status: u32, body: &[u8]) {
        let answer = Operation {
            command: operation.command | ANSWER,
            status,
            sequence: operation.sequence,
            body: body.to_vec(),
        };
        self.link.send(answer.bytes());
    }

    fn bind(&self, operation: &Operation) {
        let status = match self.read_bind(&operation.body) {
            Ok(status) => status,
            Err(wrong) => {
                self.state.violation(format!("bind: {wrong}"));
                0x0d
            }
        };
        self.state.book().binds.push(Bound {
            at: Instant::now(),
            command: operation.command,
            status,
        });
        if status == 0 {
            self.link.bound.store(operation.command, Ordering::Release);
            self.answer(operation, 0, b"standin\0\x02\x10\x00\x01\x34");
        } else {
            self.answer(operation, status, &[]);
        }
    }

    fn read_bind(&self, body: &[u8]) -> Result<u32, String> {
        let mut body = Body(body);
        let system_id = body.text("system_id", 16)?;
        let password = body.text("password", 9)?;
        body.text("system_type", 13)?;
        if body.octet("interface_version")? != 0x34 {
            return Err("the version is not 3.4".to_owned());
        }
        body.octets("addr_ton and addr_npi", 2)?;
        body.text("address_range", 41)?;
        if !body.0.is_empty() {
            return Err("octets after the bind".to_owned());
        }
        let book = self.state.book();
        if let Some(status) = book.refuse_binds {
            return Ok(status);
        }
        let known = system_id == SYSTEM_ID;
        Ok(if !known {
            0x0f
        } else if password != book.password {
            0x0e
        } else {
            0
        })
    }

    fn submit(&mut self, operation: &Operation) {
        if ![TRANSMITTER, TRANSCEIVER].contains(&self.link.bound.load(Ordering::Acquire)) {
            self.state
                .violation("a submit on a link that is not bound for it");
            self.answer(operation, 4, &[]);
            return;
        }
        let mut submitted = match Submitted::read(&operation.body) {
            Ok(submitted) => submitted,
            Err(wrong) => {
                self.state.violation(format!("submit: {wrong}"));
                self.answer(operation, 1, &[]);
                return;
            }
        };
        let mut book = self.state.book();
        book.submits += 1;
        let throttled = book
            .throttle_every
            .is_some_and(|nth| book.submits.is_multiple_of(nth));
        let manner = match book.next.pop_front() {
            Some(manner) => manner,
            None if throttled => Manner::Refuse(0x58),
            None => Manner::Take,
        };
        let receipts = book.receipts;
        let (id, receipt_id) = receipts.ids.write(book.submits);
        let takes = !matches!(manner, Manner::Refuse(_) | Manner::Cut);
        let wants_receipt = takes && receipts.state.is_some();
        let of_receipt = wants_receipt.then(|| submitted.clone());
        if takes {
            submitted.id.clone_from(&id);
            submitted.link = self.number;
            book.submitted.push(submitted);
            book.arrived.push(Instant::now());
        }
        let (hold, window) = (book.hold, book.window);
        drop(book);
        let receipt = || {
            if let Some(submitted) = &of_receipt {
                self.receipt(submitted, &receipt_id, receipts);
            }
        };
        if receipts.early {
            receipt();
        }
        match manner {
            Manner::Take if hold => {
                let answer = Operation {
                    command: SUBMIT | ANSWER,
                    status: 0,
                    sequence: operation.sequence,
                    body: format!("{id}\0").into_bytes(),
                };
                let unanswered = self.link.hold(answer.bytes());
                if unanswered > window {
                    self.state
                        .violation(format!("{unanswered} unanswered in a window of {window}"));
                }
            }
            Manner::Take => self.answer(operation, 0, format!("{id}\0").as_bytes()),
            Manner::TakeWithoutId => self.answer(operation, 0, &[]),
            Manner::Refuse(status) => self.answer(operation, status, &[]),
            Manner::TakeSilently => {}
            Manner::Cut | Manner::TakeAndCut => self.link.cut(),
        }
        if !receipts.early {
            receipt();
        }
    }

    fn receipt(&self, submitted: &Submitted, id: &str, receipts: Receipts) {
        let Some(state) = receipts
            .state
            .filter(|_| submitted.registered_delivery & 1 == 1)
        else {
            return;
        };
        let (source, destination) = (&submitted.destination.2, &submitted.source.2);
        let delivered = u8::from(state == "DELIVRD");
        let error = if delivered == 1 { "000" } else { "045" };
        let mut deliver = match receipts.form {
            ReceiptForm::Parameters => Deliver::receipt(source, destination, ""),
            _ => Deliver::receipt(
                source,
                destination,
                &format!(
                    "id:{id} sub:001 dlvrd:00{delivered} submit date:2611221200 done date:2611221201 \
                     stat:{state} err:{error} text:stat:REJECTD id:x"
                ),
            ),
        };
        if receipts.form != ReceiptForm::Text {
            deliver
                .parameters
                .push((0x001e, format!("{id}\0").into_bytes()));
            deliver.parameters.push((0x0427, vec![state_number(state)]));
        }
        for _ in 0..=u8::from(receipts.twice) {
            let sequence = self.state.next_sequence.fetch_add(1, Ordering::Relaxed);
            let operation = Operation {
                command: 5,
                status: 0,
                sequence: u32::try_from(sequence).expect("few"),
                body: deliver.body(),
            };
            self.link.send(operation.bytes());
        }
    }
}
