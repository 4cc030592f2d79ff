//! An account at a message centre as a provider of SMS.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use langnghe_connector::{Checkup, SendError, Sent, Unavailable};
use langnghe_model::{CitizenId, EventId, Problem};
use secrecy::ExposeSecret;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    book::Book,
    config::{BindMode, SmppConfig, SmppConfigError},
    inbox::Inbox,
    journal::Journal,
    ledger::Ledger,
    line::{Connector, Failure, Incoming, Keeper, LineState, Role},
    submit::Submitter,
    tracking::Tracking,
    wire::Class,
};
use crate::provider::{Intake, OutgoingText, Provider};

/// How many messages may wait between the lines and the store.
const INCOMING: usize = 512;
/// How long to wait before the store is asked again for what waits in it.
const STORE: Duration = Duration::from_secs(1);

/// An account at a message centre.
pub struct Smpp {
    config: Arc<SmppConfig>,
    connector: Connector,
    state: watch::Sender<LineState>,
    submitter: Submitter,
    tracking: Arc<Mutex<Tracking>>,
    /// Numbers of lines.
    numbers: AtomicU64,
}

impl fmt::Debug for Smpp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Smpp")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Smpp {
    /// Takes a configuration.
    ///
    /// # Errors
    /// [`SmppConfigError`].
    pub fn new(config: SmppConfig) -> Result<Self, SmppConfigError> {
        let texts = [
            ("system_id", config.system_id.as_str(), 15),
            ("password", config.password.expose_secret(), 8),
            ("sender", &config.sender.text, 20),
            ("system_type", &config.system_type, 12),
        ];
        for (name, text, most) in texts {
            if text.is_empty() && name != "system_type" {
                return Err(SmppConfigError::Empty(name));
            }
            if text.len() > most || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                return Err(SmppConfigError::TooLong(name, most));
            }
        }
        let connector = Connector::new(&config)?;
        let config = Arc::new(config);
        // As long as an answer that names it can come.
        let parked_for = config.response_timeout + Duration::from_secs(1);
        let (state, watched) = watch::channel(LineState::Down { again: None });
        Ok(Self {
            submitter: Submitter::new(Arc::clone(&config), watched),
            config,
            connector,
            state,
            tracking: Arc::new(Mutex::new(Tracking::new(parked_for))),
            numbers: AtomicU64::new(1),
        })
    }

    fn keeper(&self, role: Role, incoming: mpsc::Sender<Incoming>) -> Keeper<'_> {
        Keeper {
            config: &self.config,
            connector: &self.connector,
            role,
            state: &self.state,
            incoming,
            numbers: &self.numbers,
            random: rand::random,
        }
    }

    /// Reads what was written down.
    async fn open(&self, intake: &Intake) -> Result<(Journal<Book>, Book, Ledger), Unavailable> {
        let host = intake.host();
        let (journal, book) = Journal::open(Arc::clone(&host), "smpp-inbox".to_owned()).await?;
        let (tracking, started) = (Arc::clone(&self.tracking), self.submitter.started());
        let ledger = Ledger::open(&host, tracking, started, intake.now()).await?;
        Ok((journal, book, ledger))
    }

    /// What waits in the store for further parts. Without it nothing may be taken.
    async fn open_inbox(&self, intake: &Intake, over: &CancellationToken) -> Option<Inbox> {
        loop {
            if let Ok((journal, book, ledger)) = self.open(intake).await {
                return Some(Inbox {
                    config: Arc::clone(&self.config),
                    intake: intake.clone(),
                    tracking: Arc::clone(&self.tracking),
                    book,
                    journal,
                    ledger,
                    unanswered: self.submitter.unanswered(),
                    whole: Vec::new(),
                    news: Vec::new(),
                    unmatched: 0,
                });
            }
            tracing::warn!("a message centre is not called while the store cannot be read");
            tokio::select! {
                () = sleep(STORE) => {}
                () = over.cancelled() => return None,
            }
        }
    }
}

#[async_trait]
impl Provider for Smpp {
    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        // Until what it was taken under is noted: a receipt that comes before waits.
        let _waiting = self.submitter.wait();
        let ids = self.submitter.submit(text).await?;
        // By what receipts are matched is also what we call the message, so that one that nobody
        // remembers can still be told of.
        let named = ids.iter().filter(|id| !id.is_empty());
        let keys: Vec<String> = named
            .map(|id| self.config.receipt_ids.of_answer(id))
            .collect();
        let message = keys.first().map(EventId::new);
        if self.config.receipts && keys.len() == ids.len() {
            let tracking = self.tracking.lock();
            let mut tracking = tracking.unwrap_or_else(PoisonError::into_inner);
            tracking.sent(keys, &CitizenId::new(text.to));
        }
        Ok(Sent { message })
    }

    fn sends_at_once(&self) -> Option<usize> {
        Some(self.config.window)
    }

    async fn tend(&self, intake: Intake, over: CancellationToken) {
        let Some(inbox) = self.open_inbox(&intake, &over).await else {
            return;
        };
        let (sender, receiver) = mpsc::channel(INCOMING);
        let lines = async {
            match self.config.bind {
                BindMode::Transceiver => {
                    self.keeper(Role::Transceiver, sender).run(&over).await;
                }
                BindMode::Separate => {
                    let transmitter = self.keeper(Role::Transmitter, sender.clone());
                    let receiver = self.keeper(Role::Receiver, sender);
                    tokio::join!(transmitter.run(&over), receiver.run(&over));
                }
            }
        };
        tokio::join!(lines, inbox.run(receiver));
    }

    async fn check(&self) -> Checkup {
        let (sender, _receiver) = mpsc::channel(1);
        // The one kind of bind that brings us no citizen's message, which nobody would store here.
        let keeper = self.keeper(Role::Transmitter, sender);
        let lies = format!("{}:{}", self.config.host, self.config.port);
        let failure = match keeper.try_once().await {
            Ok(version) => {
                let version = version.map_or("of no stated version".to_owned(), |version| {
                    format!("of version {}.{}", version >> 4, version & 15)
                });
                return Checkup {
                    account: Some(self.config.system_id.clone()),
                    facts: vec![format!("bound to a message centre {version} at {lies}")],
                    problems: Vec::new(),
                };
            }
            Err(failure) => failure,
        };
        let (message, help) = match failure {
            Failure::Connect(error) => (
                format!("{lies} cannot be reached ({})", error.kind()),
                "is the VPN up, the port right, and our address on the operator's list?",
            ),
            Failure::NoAnswer => (
                format!("{lies} does not answer a bind"),
                "is it the port for SMPP, and `tls` as the operator has it?",
            ),
            Failure::Refused(status) if status.class() == Class::Credentials => (
                format!("the account's name or password is refused ({status})"),
                "`system_id` and `password` as the operator gave them; accounts are locked after some tries",
            ),
            Failure::Refused(status) => (
                format!("the bind is refused ({status})"),
                "the operator allows so many binds at once: a running `langnghe serve` may hold the last",
            ),
        };
        Checkup {
            problems: vec![Problem::error("channel::check", message).help(help)],
            ..Checkup::default()
        }
    }

    async fn set_webhook(&self, _url: &str) -> Result<Vec<String>, Box<Problem>> {
        let message = "a message centre calls no webhook: messages come over the line that we open";
        Err(Box::new(Problem::error("channel::set-webhook", message)))
    }
}
