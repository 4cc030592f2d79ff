//! Keeps one line to a message centre: opens it, binds, asks whether the other side is there, and opens
//! it again when it was lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use secrecy::ExposeSecret;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Connector, Line,
    reader::{Ended, Incoming, Reader},
};
use crate::smpp::{
    config::SmppConfig,
    wire::{Bind, BindAnswer, BindKind, Class, Command, Status},
};

/// How long answers are waited for when a line is given up in order. The whole of it takes less than
/// the five seconds that the program gives a connector.
const EMPTY: Duration = Duration::from_millis(1_500);
/// How long taking leave may take.
const LEAVE: Duration = Duration::from_millis(1_500);
/// The shortest wait between two attempts, so that a jitter of zero does not make a busy loop.
const SHORTEST: Duration = Duration::from_millis(200);

/// What a line is for.
pub(crate) type Role = BindKind;

/// Whether messages can be submitted.
#[derive(Clone, Debug)]
pub(crate) enum LineState {
    /// They can, on this line.
    Up(Arc<Line>),
    /// There is no line.
    Down {
        /// When the next attempt is made; `None` while one is under way.
        again: Option<Instant>,
    },
    /// The account's name or password is refused.
    Refused {
        /// The message centre's word for it.
        code: String,
    },
}

/// Keeps one line.
pub(crate) struct Keeper<'a> {
    pub(crate) config: &'a SmppConfig,
    pub(crate) connector: &'a Connector,
    pub(crate) role: Role,
    /// Where whoever submits looks; a receiver's line is nobody's.
    pub(crate) state: &'a watch::Sender<LineState>,
    pub(crate) incoming: mpsc::Sender<Incoming>,
    pub(crate) numbers: &'a AtomicU64,
    /// A number from 0 up to 1.
    pub(crate) random: fn() -> f64,
}

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be opened.
    Connect(std::io::Error),
    /// The bind was refused.
    Refused(Status),
    /// The bind was not answered.
    NoAnswer,
}

impl Keeper<'_> {
    /// Keeps the line until `over`, and takes leave then.
    pub(crate) async fn run(&self, over: &CancellationToken) {
        let mut failures = 0_u32;
        while !over.is_cancelled() {
            self.tell(LineState::Down { again: None });
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = over.cancelled() => break,
            };
            let (mut credentials, began) = (None, Instant::now());
            match opened {
                Ok((line, reader, _version)) => {
                    let ended = self.serve(&line, reader, over).await;
                    line.end();
                    // Nobody listens any more when our time is over.
                    drop(self.incoming.send(Incoming::Ended(line.number)).await);
                    if matches!(ended, Ended::Over) {
                        break;
                    }
                    tracing::warn!(host = %self.config.host, role = ?self.role, reason = %ended,
                        held_s = began.elapsed().as_secs(), "a line to a message centre ended");
                }
                Err(Failure::Connect(error)) => {
                    tracing::warn!(host = %self.config.host, port = self.config.port,
                        reason = %error.kind(), "a message centre cannot be reached");
                }
                Err(Failure::NoAnswer) => {
                    tracing::warn!(host = %self.config.host, "a message centre does not answer a bind");
                }
                Err(Failure::Refused(status)) if status.class() == Class::Credentials => {
                    tracing::error!(host = %self.config.host, %status,
                        retry_s = self.config.reconnect.refused.as_secs(),
                        "a message centre refuses the account's name or password; check the channel's configuration");
                    credentials = Some(status.to_string());
                }
                Err(Failure::Refused(status)) => {
                    tracing::warn!(host = %self.config.host, %status, role = ?self.role,
                        "a message centre refuses a bind");
                }
            }
            if began.elapsed() >= self.config.reconnect.held {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            let wait = match &credentials {
                Some(_) => self
                    .config
                    .reconnect
                    .refused
                    .mul_f64(1.0 + (self.random)() / 5.0),
                None => wait(self.config, failures, (self.random)()),
            };
            let again = Instant::now() + wait;
            self.tell(match credentials {
                Some(code) => LineState::Refused { code },
                None => LineState::Down { again: Some(again) },
            });
            tokio::select! {
                () = sleep_until(again) => {}
                () = over.cancelled() => {}
            }
        }
        self.tell(LineState::Down { again: None });
    }

    /// Binds and takes leave at once; gives the version that the message centre tells.
    pub(crate) async fn try_once(&self) -> Result<Option<u32>, Failure> {
        let (line, mut reader, version) = self.open().await?;
        tokio::select! {
            () = self.take_leave(&line) => {}
            _ended = reader.run() => {}
        }
        line.end();
        line.shut_down().await;
        Ok(version)
    }

    fn tell(&self, state: LineState) {
        if self.role != Role::Receiver {
            self.state.send_replace(state);
        }
    }

    async fn open(&self) -> Result<(Arc<Line>, Reader, Option<u32>), Failure> {
        let stream = self.connector.connect().await.map_err(Failure::Connect)?;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let line = Line::new(number, stream.write, self.config.window);
        let mut reader = Reader {
            half: stream.read,
            line: Arc::clone(&line),
            incoming: self.incoming.clone(),
            buffer: BytesMut::with_capacity(64 * 1024),
            heard: watch::Sender::new(Instant::now()),
        };
        let bind = Bind {
            system_id: self.config.system_id.clone(),
            password: self.config.password.expose_secret().to_owned(),
            system_type: self.config.system_type.clone(),
            address_range: String::new(),
        };
        // The configuration was checked to be short enough.
        let body = bind.write().map_err(|_| Failure::NoAnswer)?;
        let wait = self.config.response_timeout;
        let answer = tokio::select! {
            answer = line.ask(self.role.command(), body, wait) => answer,
            // Early messages are taken, and answered when the bind is done.
            _ended = reader.run() => return Err(Failure::NoAnswer),
        };
        let answer = answer.map_err(|_| Failure::NoAnswer)?;
        if answer.status != Status::OK {
            line.end();
            return Err(Failure::Refused(answer.status));
        }
        let answer = BindAnswer::read(answer.body);
        tracing::info!(host = %self.config.host, role = ?self.role, line = number,
            version = answer.version, "bound to a message centre");
        Ok((line, reader, answer.version))
    }

    async fn serve(&self, line: &Arc<Line>, mut reader: Reader, over: &CancellationToken) -> Ended {
        self.tell(LineState::Up(Arc::clone(line)));
        let mut heard = reader.heard.subscribe();
        let mut reading = std::pin::pin!(reader.run());
        let ended = tokio::select! {
            ended = &mut reading => ended,
            () = self.ask_whether_there(line, &mut heard) => Ended::Silent,
            () = line.ended() => Ended::Unwritable,
            () = over.cancelled() => Ended::Over,
        };
        self.tell(LineState::Down { again: None });
        if matches!(ended, Ended::Over) {
            let leave = self.take_leave(line);
            tokio::select! {
                () = leave => {}
                _ended = reading => {}
            }
        }
        line.shut_down().await;
        ended
    }

    /// Asks after each silence; returns when there is no answer.
    async fn ask_whether_there(&self, line: &Line, heard: &mut watch::Receiver<Instant>) {
        let wait = self.config.response_timeout;
        loop {
            let next = *heard.borrow_and_update() + self.config.enquire_link;
            // Now and then, also while it talks: places of senders that are gone become free.
            sleep_until(next.min(Instant::now() + wait)).await;
            line.sweep(Instant::now());
            if *heard.borrow() + self.config.enquire_link > Instant::now() {
                continue;
            }
            if line
                .ask(Command::ENQUIRE_LINK, bytes::Bytes::new(), wait)
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// Waits for what is under way, then unbinds.
    async fn take_leave(&self, line: &Line) {
        let empty = async {
            while line.waiting() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        drop(timeout(EMPTY, empty).await);
        drop(line.ask(Command::UNBIND, bytes::Bytes::new(), LEAVE).await);
    }
}

/// The wait after so many failures in a row: anything up to a bound that doubles (full jitter).
fn wait(config: &SmppConfig, failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let bound = config.reconnect.first.saturating_mul(1 << doublings);
    let bound = bound.min(config.reconnect.longest);
    bound
        .mul_f64(random.clamp(0.0, 1.0))
        .max(SHORTEST.min(config.reconnect.first))
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn waits_double_up_to_their_bound_and_are_never_nothing() {
        let config = SmppConfig::new("smsc.example", 2775, "a", SecretString::default(), "8088");
        for (failures, random, expected) in [
            (1, 1.0, 1_000),
            (2, 1.0, 2_000),
            (4, 0.5, 4_000),
            (7, 1.0, 60_000),
            (u32::MAX, 1.0, 60_000),
            (5, 0.0, 200),
        ] {
            let is = wait(&config, failures, random);
            assert_eq!(is, Duration::from_millis(expected), "{failures} {random}");
        }
    }
}
