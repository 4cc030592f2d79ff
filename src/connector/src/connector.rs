//! The trait that every connector implements, and the requests and answers it deals in.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use langnghe_model::{
    Capabilities, CitizenId, Event, EventId, Problem, Profile, Reply, Template, Timestamp,
    event::Media,
};
use tokio_util::sync::CancellationToken;

use crate::{FetchError, Hint, Host, QuotaRule, SendError, signature::equal_in_constant_time};

/// The code for one configured channel.
#[async_trait]
pub trait Connector: fmt::Debug + Send + Sync {
    /// The word for its kind in the configuration (`messenger`).
    fn kind(&self) -> &'static str;

    /// What the channel can show and carry.
    fn capabilities(&self) -> &Capabilities;

    /// Verifies a webhook and normalises every item in it. Pure: same request, same result.
    ///
    /// The answer is sent only after the events are stored.
    ///
    /// # Errors
    /// [`Rejection`] when the request is not the provider's or cannot be read; nothing of it is kept.
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection>;

    /// Sends one rendered reply. Bounded in time by the connector's own timeout.
    ///
    /// The future may be dropped at any of its steps, where this replica loses the right to send on the
    /// channel; nothing may be sent after that. So nothing is sent by a task of its own, HTTP goes
    /// through `langnghe_http`, whose requests can be called back until they are written, and any
    /// other line is written to within this future.
    ///
    /// # Errors
    /// [`SendError`], which says what the sender does next.
    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError>;

    /// How many sends may be under way at once, where waiting costs nothing and one slow recipient
    /// must not hold up others; `None` leaves it to the configuration.
    fn sends_at_once(&self) -> Option<usize> {
        None
    }

    /// Whether the provider may say of a message that it took that it failed. What is needed to send such
    /// a one again is then kept for a day under the id in [`Sent`].
    fn fails_later(&self) -> bool {
        false
    }

    /// The citizen whom the channel reaches under a telephone number in E.164; `None` where it knows
    /// people by other ids.
    fn citizen_of(&self, _phone: &str) -> Option<CitizenId> {
        None
    }

    /// Looks up what the messenger tells of a citizen. Best effort.
    ///
    /// # Errors
    /// [`SendError`] when the provider could not be asked.
    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        let _unused: &CitizenId = citizen;
        Ok(Profile::default())
    }

    /// Is told once, when a replica starts and before anything else, what it may ask of the program.
    fn attach(&self, host: Arc<dyn Host>) {
        drop(host);
    }

    /// What has to be done on the channel besides webhooks and sends, while this replica owns it:
    /// polling, keeping a line open, renewing tokens. Ends soon after `over`, and not before; is called
    /// again with the next reign.
    async fn tend(&self, host: Arc<dyn Host>, over: CancellationToken) {
        drop(host);
        over.cancelled().await;
    }

    /// The limits that the provider sets on what we send, as it documents them. The configuration
    /// may change them.
    fn quotas(&self) -> Vec<QuotaRule> {
        Vec::new()
    }

    /// How much of a quota that counts [`QuotaUnit::Parts`](crate::QuotaUnit::Parts) a rendered reply
    /// uses.
    fn parts(&self, _reply: &Reply) -> u32 {
        1
    }

    /// What the provider has told of our allowance since the last call. Asked after each send.
    fn hints(&self) -> Vec<Hint> {
        Vec::new()
    }

    /// Fetches a medium that a citizen sent, with the credentials that it needs, from the provider's
    /// hosts only, up to `most` bytes.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn fetch(&self, media: &Media, most: u64) -> Result<Bytes, FetchError> {
        let _unused: (&Media, u64) = (media, most);
        Err(FetchError::Refused {
            reason: "this channel has no media to fetch".to_owned(),
        })
    }

    /// What keeps the channel from sending that only an operator can mend, with what to do, as far as it is
    /// known without asking the provider. The same at every replica.
    async fn trouble(&self) -> Option<Problem> {
        None
    }

    /// Asks the provider the harmless question who we are. Bounded in time.
    async fn check(&self) -> Checkup {
        Checkup::default()
    }

    /// Tells the provider where our webhook lies; gives back what it said, a line each.
    ///
    /// # Errors
    /// A problem that says what is wrong or, where the provider has no call for it, where an operator
    /// sets it.
    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let _unused: &str = url;
        let message = format!(
            "a channel of the kind `{}` has no webhook to set",
            self.kind()
        );
        Err(Box::new(Problem::error("channel::set-webhook", message)))
    }

    /// Routes of the channel's own beside the webhook, for a channel whose provider we are.
    fn routes(&self, host: Arc<dyn Host>) -> Option<axum::Router> {
        drop(host);
        None
    }
}

/// A request that came to `/webhooks/{channel}`.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRequest<'a> {
    /// GET for verifications, POST for events.
    pub method: &'a Method,
    /// What follows the channel's id in the path, without a slash at its ends; mostly empty.
    pub path: &'a str,
    /// The raw query, without `?`.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// When it came.
    pub received_at: Timestamp,
}

impl WebhookRequest<'_> {
    /// Whether the request shows `secret` in this header, as bots' platforms do in the place of a signature;
    /// takes as long when it is wrong.
    pub fn shows(&self, header: &str, secret: &str) -> bool {
        let shown = self.headers.get(header);
        let shown = shown.and_then(|value| value.to_str().ok());
        equal_in_constant_time(shown.unwrap_or_default(), secret)
    }
}

/// What a connector made of a webhook.
#[derive(Debug, Default)]
pub struct Received {
    /// What to answer once the events are stored.
    pub answer: Answer,
    /// Everything in the request, in its order.
    pub events: Vec<Event>,
}

/// An answer to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/plain; charset=utf-8",
            body: Bytes::new(),
        }
    }
}

/// Why a webhook was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature is missing, malformed or wrong: a constant 401 with an empty body.
    #[error("wrong signature")]
    Signature,
    /// The verification token is wrong: 403.
    #[error("wrong verification token")]
    Verification,
    /// The method is none that this channel's webhook takes: 405.
    #[error("method not allowed")]
    Method,
    /// Signed, but unreadable: 400. The text says what, and quotes nothing of the body.
    #[error("malformed body: {0}")]
    Malformed(&'static str),
}

impl Rejection {
    /// The status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Signature => StatusCode::UNAUTHORIZED,
            Self::Verification => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// A short word for metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Verification => "verification",
            Self::Method => "method",
            Self::Malformed(_) => "malformed",
        }
    }
}

/// One rendered reply on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Names the reply over all attempts; connectors pass it on where the provider can hold it, so
    /// that a repetition can be recognised.
    pub id: &'a str,
    /// To whom.
    pub citizen: &'a CitizenId,
    /// What.
    pub reply: &'a Reply,
    /// How.
    pub manner: Manner<'a>,
}

/// How a reply is to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner<'a> {
    /// As it is.
    #[default]
    Free,
    /// As a template that the provider approved, since we may not write freely.
    Template {
        /// The template, by our names.
        template: &'a Template,
        /// The citizen's phone number in E.164, where the channel addresses templates by it and the
        /// citizen agreed.
        phone: Option<&'a str>,
        /// The code of the ticket that it is about, for a provider that gives back what goes with a
        /// template: see [`Feedback`](langnghe_model::event::Feedback).
        ticket: Option<&'a str>,
    },
}

/// What asking the provider who we are brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkup {
    /// The account as the provider calls it, with its id; `None` when it was not told.
    pub account: Option<String>,
    /// Facts worth showing, a line each: packages, quotas, when a token ends.
    pub facts: Vec<String>,
    /// What is wrong, with what to do.
    pub problems: Vec<Problem>,
}

/// A reply that the provider took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The provider's id of it, where it gives one.
    pub message: Option<EventId>,
}
