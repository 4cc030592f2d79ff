//! What the connector needs of whoever carries the messages: an HTTP gateway, a message centre.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Answer, Checkup, FetchError, Hint, Host, QuotaRule, Rejection, SendError, Sent, Unavailable,
    WebhookRequest,
};
use langnghe_model::{
    EventId, Problem, Timestamp,
    event::Media,
    segments::{self, Segments},
};
use tokio_util::sync::CancellationToken;

use crate::inbound::Reading;

/// Carries messages between us and the citizens' phones.
///
/// It speaks of numbers as it is given them and gives them as it has them; what they are, the keyword
/// and the words of the law are the connector's.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// Verifies a webhook and takes it apart. Pure.
    ///
    /// # Errors
    /// [`Rejection`] when the request is not the provider's or cannot be read.
    fn receive(&self, _request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        Err(Rejection::Method)
    }

    /// Sends one text, in as many parts as it takes. The same holds as for
    /// [`Connector::send`](langnghe_connector::Connector::send): everything within this future.
    ///
    /// # Errors
    /// [`SendError`].
    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError>;

    /// As [`Connector::sends_at_once`](langnghe_connector::Connector::sends_at_once).
    fn sends_at_once(&self) -> Option<usize> {
        None
    }

    /// Keeps a line open while this replica owns the channel; what comes over it goes to `intake`.
    /// Ends soon after `over`, and not before.
    async fn tend(&self, intake: Intake, over: CancellationToken) {
        drop(intake);
        over.cancelled().await;
    }

    /// Limits of the provider beside the parts a second of the channel's configuration.
    fn quotas(&self) -> Vec<QuotaRule> {
        Vec::new()
    }

    /// What the provider has told of our allowance since the last call.
    fn hints(&self) -> Vec<Hint> {
        Vec::new()
    }

    /// Fetches a medium that a citizen sent, up to `most` bytes.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        let _unused: (&Media, u64) = (media, most);
        Err(FetchError::Refused {
            reason: "this provider carries no media".to_owned(),
        })
    }

    /// Asks the provider who we are and what is left.
    async fn check(&self) -> Checkup;

    /// Tells the provider where our webhook lies, if it has a call for that.
    ///
    /// # Errors
    /// A problem that says what is wrong, or where an operator sets it.
    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>>;
}

/// A text on its way to a citizen.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingText<'a> {
    /// Names the message over all attempts.
    pub id: &'a str,
    /// The citizen's number in E.164, with `+`.
    pub to: &'a str,
    /// The text, rendered: what it costs is what `segments` says.
    pub text: &'a str,
    /// How it is written, and in how many parts.
    pub segments: Segments,
}

impl<'a> OutgoingText<'a> {
    /// Counts a text.
    pub fn new(id: &'a str, to: &'a str, text: &'a str) -> Self {
        Self {
            id,
            to,
            text,
            segments: segments::count(text),
        }
    }

    /// A name of the message that any provider takes: 32 hexadecimal digits, the same for all attempts.
    pub fn short_id(&self) -> String {
        use sha2::{Digest, Sha256};
        langnghe_connector::signature::encode_hex(&Sha256::digest(self.id)[..16])
    }
}

/// A number as Vietnamese gateways like it best: `0912345678`; one of another country without `+`.
pub(crate) fn national(number: &str) -> String {
    match number.strip_prefix("+84") {
        Some(rest) => format!("0{rest}"),
        None => number.trim_start_matches('+').to_owned(),
    }
}

/// What a provider made of a webhook.
#[derive(Debug, Default)]
pub struct Delivery {
    /// What to answer once everything is stored.
    pub answer: Answer,
    /// Everything in it, in its order.
    pub items: Vec<Inbound>,
}

/// One thing that came from a provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// A message of a citizen.
    Message(IncomingMessage),
    /// News of one of ours.
    Report(Report),
    /// Something that the provider's code does not know.
    Unknown {
        /// Names it; a redelivery has the same. Holds no number.
        id: EventId,
        /// The provider's word for it.
        name: String,
        /// All of it.
        raw: serde_json::Value,
    },
}

/// A message of a citizen, all parts of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingMessage {
    /// The provider's id, or one derived from what does not change when it is delivered again. Holds no
    /// number: see [`derived_id`].
    pub id: EventId,
    /// Who sent it, as the provider writes it.
    pub from: String,
    /// The text as it came, keyword included.
    pub text: String,
    /// Pictures and the like (MMS).
    pub media: Vec<Media>,
    /// When it was sent, where the provider says; else when it came.
    pub sent_at: Timestamp,
}

/// News of a message that we sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Names this news; another state of the same message is another one. Holds no number.
    pub id: EventId,
    /// The provider's id of the message, as `send` gave it.
    pub message: EventId,
    /// To whom it was, as the provider writes it, where it says.
    pub to: Option<String>,
    /// What became of it.
    pub state: ReportState,
    /// When, where the provider says; else when the report came.
    pub at: Timestamp,
}

/// What became of a message that we sent. States on the way there are not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportState {
    /// It reached the phone.
    Delivered,
    /// It never will.
    Failed {
        /// The provider's code.
        code: Option<String>,
    },
}

/// Takes in what comes over a provider's line.
#[derive(Clone, Debug)]
pub struct Intake {
    host: Arc<dyn Host>,
    reading: Arc<Reading>,
}

impl Intake {
    pub(crate) fn new(host: Arc<dyn Host>, reading: Arc<Reading>) -> Self {
        Self { host, reading }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// What else may be asked of the program: what the channel keeps over crashes.
    pub(crate) fn host(&self) -> Arc<dyn Host> {
        Arc::clone(&self.host)
    }

    /// Takes in what came. When it returns, all of it is durable or was there before, and may be
    /// acknowledged.
    ///
    /// # Errors
    /// [`Unavailable`] when nothing could be stored: it must not be acknowledged.
    pub async fn accept(&self, items: Vec<Inbound>) -> Result<(), Unavailable> {
        let events = self.reading.events(items, self.host.now());
        self.host.accept(events).await?;
        Ok(())
    }
}

/// An id made of what stays the same when a provider delivers something again; says nothing of it.
/// `what` tells kinds of things apart (`message`, `report`).
pub fn derived_id(what: &str, parts: &[&str]) -> EventId {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let digest = langnghe_connector::signature::encode_hex(&digest.finalize()[..16]);
    EventId::new(format!("{what}:{digest}"))
}
