//! What becomes of messages and receipts that come in.
//!
//! In batches, as the store makes many durable in the time of one: first what has to survive a crash is
//! written down, then whole messages are handed over, and only then the answers go out. What could not
//! be stored is answered "try again".

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use langnghe_connector::{Unavailable, signature::encode_hex};
use langnghe_model::{EventId, Timestamp, phone};
use sha2::{Digest, Sha256};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    alphabet,
    book::Book,
    config::SmppConfig,
    header::{self, Join},
    journal::Journal,
    ledger::Ledger,
    line::{Incoming, Line},
    reassembly::{Joined, Place, SetKey},
    receipt,
    redelivery::Fingerprint,
    tracking::{Heard, Matched, News, Tracking},
    wire::{Command, Frame, ShortMessage, Status, Tag},
};
use crate::provider::{Inbound, IncomingMessage, Intake, Report, ReportState};

/// How many are taken in one go.
const BATCH: usize = 128;
/// The longest that the store is waited for: message centres wait for 10 s and more.
const ACCEPT: Duration = Duration::from_secs(8);
/// How often what waits is looked at.
const TICK: Duration = Duration::from_secs(1);
/// What stands for parts that are missing.
const GAP: &str = "[…]";
/// News of our own messages that the store did not take yet; past it the oldest are left out.
const NEWS: usize = 1_000;

/// When a message may be answered with "taken".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    /// Nothing of it is to be kept, or never will be.
    Now(Status),
    /// When the book is written.
    Written,
    /// When what is known of our own messages is written.
    Noted,
    /// When the message centre's message, or all parts of it, is handed over.
    HandedOver,
}

/// One that is to be answered.
struct Asked {
    line: Arc<Line>,
    frame: Frame,
    ready: Ready,
    fingerprint: Option<Fingerprint>,
}

/// Takes in what comes over the lines of an account.
pub(crate) struct Inbox {
    pub(crate) config: Arc<SmppConfig>,
    pub(crate) intake: Intake,
    pub(crate) tracking: Arc<Mutex<Tracking>>,
    pub(crate) book: Book,
    pub(crate) journal: Journal<Book>,
    pub(crate) ledger: Ledger,
    /// How many of our messages wait for their answers.
    pub(crate) unanswered: Arc<AtomicUsize>,
    /// Whole messages that came in this batch.
    pub(crate) whole: Vec<Inbound>,
    /// News of our own messages.
    pub(crate) news: Vec<Inbound>,
    /// Receipts so far that matched none of our messages.
    pub(crate) unmatched: usize,
}

impl Inbox {
    /// Runs until no line can bring anything any more.
    pub(crate) async fn run(mut self, mut incoming: mpsc::Receiver<Incoming>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                count = incoming.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.take(&mut batch).await;
                }
                _ = tick.tick() => self.look_around().await,
            }
        }
        // Whoever owns the channel next goes on from here.
        self.ledger.write().await;
    }

    /// Takes a batch in, and answers it.
    async fn take(&mut self, batch: &mut Vec<Incoming>) {
        let now = self.intake.now();
        let mut asked = Vec::with_capacity(batch.len());
        for incoming in batch.drain(..) {
            match incoming {
                Incoming::Ended(number) => self.book.redelivery.link_ended(number, now),
                Incoming::Message(line, frame) => {
                    let (ready, fingerprint) = self.one(&line, &frame, now);
                    asked.push(Asked {
                        line,
                        frame,
                        ready,
                        fingerprint,
                    });
                }
            }
        }
        let messages = asked.iter().any(|one| one.fingerprint.is_some());
        let written = !messages || self.write().await;
        let noted = asked.iter().any(|one| one.ready == Ready::Noted);
        let noted = !noted || self.ledger.write().await;
        let handed_over = written && self.hand_over(now).await;
        self.whole.clear();
        self.answer(asked, written, noted, handed_over).await;
    }

    /// Gives on what waited for too long, and forgets what cannot come again.
    async fn look_around(&mut self) {
        let now = self.intake.now();
        let (early, unmatched) = {
            let mut tracking = lock(&self.tracking);
            let unmatched = tracking.expire(now);
            (tracking.early(), unmatched)
        };
        self.news
            .extend(early.into_iter().map(|news| report(news, now)));
        if unmatched > 0 {
            self.unmatched += unmatched;
            tracing::info!(
                unmatched,
                total = self.unmatched,
                "receipts of messages that are not remembered here; always all of them: is `receipt_ids` as the operator writes them?"
            );
        }
        let mut changed = self.book.redelivery.forget(now);
        if self.book.waiting.expire(now, &self.config.waiting) {
            tracing::info!("messages are given on without their missing parts");
        }
        let due = !self.book.waiting.due().is_empty() || !self.news.is_empty();
        if due && self.hand_over(now).await {
            changed = true;
        }
        self.ledger.write().await;
        if changed {
            // Words that were handed over are not kept twice for longer than that.
            self.write().await;
        }
    }

    /// Sorts one in; says when it may be answered.
    fn one(&mut self, line: &Line, frame: &Frame, now: Timestamp) -> (Ready, Option<Fingerprint>) {
        let (message, defects) = if frame.command == Command::DATA_SM {
            ShortMessage::read_data(frame.body.clone())
        } else {
            ShortMessage::read(frame.body.clone())
        };
        if !defects.is_empty() {
            tracing::warn!(line = line.number, command = %frame.command, ?defects,
                "a message centre sent something that is not in order");
        }
        if receipt::is_receipt(&message) {
            return (self.receipt(&message, now), None);
        }
        if message.source.text.is_empty() {
            // From nobody: it would come again for days.
            return (Ready::Now(Status::PERMANENT), None);
        }
        let fingerprint = fingerprint(&message);
        let id = || {
            format!(
                "{:x}-{}",
                now.as_milliseconds(),
                encode_hex(&fingerprint.0[..6])
            )
        };
        let (id, new) = self.book.redelivery.meet(fingerprint, line.number, now, id);
        let (octets, join) = header::unwrap(&message);
        let ready = match join {
            Some(join) => self.part(&message, &octets, join, &id, new, now),
            None => {
                let pieces = [(message.data_coding, octets)];
                self.whole
                    .push(self.inbound(&id, &message.source.text, &pieces, now));
                Ready::HandedOver
            }
        };
        (ready, Some(fingerprint))
    }

    fn part(
        &mut self,
        message: &ShortMessage,
        octets: &Bytes,
        join: Join,
        id: &str,
        new: bool,
        now: Timestamp,
    ) -> Ready {
        let waiting = &mut self.book.waiting;
        let key = SetKey::new(&message.source.text, &message.destination.text, join);
        match waiting.find(&key, join.number, octets) {
            Place::Nowhere if new => {}
            Place::Due => return Ready::HandedOver,
            // Or its message was given on, and our answer was not heard.
            Place::Waits | Place::Nowhere => return Ready::Written,
        }
        let part = (message.data_coding, octets.as_ref());
        waiting.take(
            key.clone(),
            join.number,
            part,
            id,
            now,
            &self.config.waiting,
        );
        match waiting.find(&key, join.number, octets) {
            Place::Due => Ready::HandedOver,
            Place::Waits | Place::Nowhere => Ready::Written,
        }
    }

    fn receipt(&mut self, message: &ShortMessage, now: Timestamp) -> Ready {
        let Some(receipt) = receipt::read(message) else {
            tracing::info!("a receipt names no message");
            return Ready::Now(Status::OK);
        };
        let key = self.config.receipt_ids.of_receipt(&receipt.id);
        let heard = Heard::new(key, receipt, self.recipient(message), now);
        let answers_come = self.unanswered.load(Ordering::Acquire) > 0;
        let matched = lock(&self.tracking).receipt(heard, answers_come);
        match matched {
            Matched::News(news) => {
                self.news.push(report(news, now));
                Ready::HandedOver
            }
            Matched::Partial | Matched::Parked => Ready::Noted,
        }
    }

    /// To whom the message went that a receipt speaks of: its addresses are those of the message the
    /// other way round, unless the message centre leaves them as they were.
    fn recipient<'a>(&self, message: &'a ShortMessage) -> &'a str {
        let (source, destination) = (&message.source.text, &message.destination.text);
        let ours = *source == self.config.sender.text || phone::sender(source).is_none();
        if ours { destination } else { source }
    }

    /// Makes a message of what came, or keeps it raw where it is no text.
    fn inbound(&self, id: &str, from: &str, pieces: &[(u8, Bytes)], now: Timestamp) -> Inbound {
        let id = EventId::new(format!("smpp:{id}"));
        match alphabet::read(pieces, self.config.default_alphabet) {
            Some(text) => Inbound::Message(IncomingMessage {
                id,
                from: from.to_owned(),
                text,
                media: Vec::new(),
                sent_at: now,
            }),
            None => Inbound::Unknown {
                id,
                name: "binary".to_owned(),
                raw: serde_json::json!({
                    "data_coding": pieces.first().map(|(coding, _)| *coding),
                    "octets": pieces.iter().map(|(_, octets)| encode_hex(octets)).collect::<String>(),
                }),
            },
        }
    }

    fn joined(&self, joined: &Joined) -> Inbound {
        if let ([run], (false, false)) = (joined.runs.as_slice(), joined.open) {
            return self.inbound(&joined.id, &joined.source, run, joined.began);
        }
        let read = |run: &Vec<_>| alphabet::read(run, self.config.default_alphabet);
        let runs: Vec<String> = joined.runs.iter().filter_map(read).collect();
        let gap = |open| if open { GAP } else { "" };
        let between = runs.join(GAP);
        Inbound::Message(IncomingMessage {
            id: EventId::new(format!("smpp:{}", joined.id)),
            from: joined.source.clone(),
            text: format!("{}{between}{}", gap(joined.open.0), gap(joined.open.1)),
            media: Vec::new(),
            sent_at: joined.began,
        })
    }

    async fn write(&mut self) -> bool {
        let written = self.journal.write(&mut self.book).await;
        if let Err(Unavailable { .. }) = written {
            tracing::warn!("messages are not taken: what waits of them could not be written down");
        }
        written.is_ok()
    }

    /// Hands over all that is whole; says whether it is durable now.
    async fn hand_over(&mut self, now: Timestamp) -> bool {
        let due = self.book.waiting.due();
        let mut items = self.whole.clone();
        items.extend(due.iter().map(|joined| self.joined(joined)));
        items.extend(self.news.iter().cloned());
        if items.is_empty() {
            return true;
        }
        let done = matches!(timeout(ACCEPT, self.intake.accept(items)).await, Ok(Ok(())));
        if done {
            let ids: Vec<String> = due.into_iter().map(|joined| joined.id).collect();
            self.book.waiting.given_on(&ids, now);
            self.news.clear();
        } else {
            let surplus = self.news.len().saturating_sub(NEWS);
            self.news.drain(..surplus);
        }
        done
    }

    async fn answer(&mut self, asked: Vec<Asked>, written: bool, noted: bool, handed_over: bool) {
        let mut lines: Vec<(Arc<Line>, Vec<Frame>, Vec<Fingerprint>)> = Vec::new();
        for one in asked {
            let status = match one.ready {
                Ready::Now(status) => status,
                Ready::Written if written => Status::OK,
                Ready::Noted if noted => Status::OK,
                Ready::HandedOver if handed_over => Status::OK,
                Ready::Written | Ready::Noted | Ready::HandedOver => Status::TEMPORARY,
            };
            let answer = one.frame.answer(status);
            let taken = one.fingerprint.filter(|_| status == Status::OK);
            match lines
                .iter_mut()
                .find(|(line, _, _)| line.number == one.line.number)
            {
                Some((_, frames, fingerprints)) => {
                    frames.push(answer);
                    fingerprints.extend(taken);
                }
                None => lines.push((one.line, vec![answer], taken.into_iter().collect())),
            }
        }
        for (line, frames, fingerprints) in lines {
            if line.write(&frames).await {
                let now = self.intake.now();
                for fingerprint in fingerprints {
                    self.book.redelivery.answered(fingerprint, line.number, now);
                }
            }
        }
    }
}

/// News of a message of ours, for the rest of the program.
fn report(news: News, now: Timestamp) -> Inbound {
    let state = match news.failed {
        None => ReportState::Delivered,
        Some(code) => ReportState::Failed {
            code: Some(code).filter(|code| !code.is_empty()),
        },
    };
    let word = if state == ReportState::Delivered {
        "delivered"
    } else {
        "failed"
    };
    // Message centres use their ids again after months; a day is as long as one is tried.
    let day = now.as_seconds().div_euclid(24 * 60 * 60);
    Inbound::Report(Report {
        id: EventId::new(format!("smpp:{word}:{}:{day}", news.id)),
        message: EventId::new(news.id),
        to: Some(news.citizen.as_str().to_owned()),
        state,
        at: now,
    })
}

/// What of a message is the same when it comes again.
fn fingerprint(message: &ShortMessage) -> Fingerprint {
    let mut digest = Sha256::new();
    let sar = [Tag::SAR_REFERENCE, Tag::SAR_TOTAL, Tag::SAR_NUMBER];
    let sar = sar.map(|tag| {
        message
            .optional
            .number(tag)
            .unwrap_or(u32::MAX)
            .to_be_bytes()
    });
    for part in [
        message.source.text.as_bytes(),
        message.destination.text.as_bytes(),
        &[message.esm_class, message.data_coding],
        message.content(),
        sar.as_flattened(),
    ] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&digest.finalize()[..16]);
    Fingerprint(fingerprint)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
