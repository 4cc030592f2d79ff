//! Why a reply was not sent: each variant is a decision of what happens next.

use std::time::Duration;

use langnghe_http::HttpError;
use langnghe_model::event::LateFailure;

/// Why a reply was not sent. Never holds a token, a citizen's id or words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The provider wants us slower: try again, not before `after` if it is given. Uses up no attempt.
    #[error("throttled by the provider ({code})")]
    Throttled {
        /// For how long the provider asks us to wait.
        after: Option<Duration>,
        /// What is to be paused.
        scope: ThrottleScope,
        /// The provider's code.
        code: String,
    },
    /// The time in which we may write freely is over: kept until the citizen writes again.
    #[error("the messaging window is closed ({code})")]
    WindowClosed {
        /// The provider's code.
        code: String,
    },
    /// The citizen is not there now (web chat closed, another program holds the thread): kept until
    /// they come back. Uses up no attempt.
    #[error("the recipient is away")]
    Away,
    /// The citizen cannot be reached any more: they blocked us or closed the account. Not tried again.
    #[error("the recipient is gone ({code})")]
    RecipientGone {
        /// The provider's code.
        code: String,
    },
    /// Our token, permission or account is not in order: the channel is paused, an operator must act.
    #[error("our credentials or permissions are refused ({code})")]
    Credentials {
        /// The provider's code.
        code: String,
    },
    /// There is no line to the provider, or no token, just now: nothing was asked of them. The channel rests;
    /// it is no attempt, and its pace stays as it is.
    #[error("not ready ({reason})")]
    NotReady {
        /// When it is worth another look.
        after: Duration,
        /// A short phrase.
        reason: String,
    },
    /// The provider will never take this message. Goes to the dead letters.
    #[error("rejected by the provider ({code})")]
    Rejected {
        /// The provider's code.
        code: String,
    },
    /// No usable answer: refused connection, time-out, 5xx. Tried again.
    #[error("transport failure ({reason})")]
    Transport {
        /// A short word: `timeout`, `connect`, `status 502`.
        reason: String,
    },
}

impl SendError {
    /// A short word for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::WindowClosed { .. } => "window_closed",
            Self::Away => "away",
            Self::RecipientGone { .. } => "recipient_gone",
            Self::Credentials { .. } => "credentials",
            Self::NotReady { .. } => "not_ready",
            Self::Rejected { .. } => "rejected",
            Self::Transport { .. } => "transport",
        }
    }

    /// What the same error means where it comes after the send, as a receipt: so that a provider's codes
    /// are in one table.
    pub fn later(&self) -> LateFailure {
        match self {
            Self::Throttled { after, scope, .. } => LateFailure::Again {
                after: after.map(|after| after.as_secs()),
                channel: *scope == ThrottleScope::Channel,
            },
            Self::WindowClosed { .. } | Self::Away => LateFailure::WindowClosed,
            Self::RecipientGone { .. } => LateFailure::RecipientGone,
            Self::Credentials { .. } => LateFailure::Again {
                after: Some(60),
                channel: true,
            },
            Self::NotReady { after, .. } => LateFailure::Again {
                after: Some(after.as_secs()),
                channel: true,
            },
            Self::Rejected { .. } => LateFailure::Never,
            Self::Transport { .. } => LateFailure::Again {
                after: None,
                channel: false,
            },
        }
    }
}

/// A request that brought no whole answer. What no waiting mends is for the operator.
///
/// A time-out is ambiguous: the provider may have taken the message, and mostly has no key by which it
/// would know a repetition. It is tried again all the same: a citizen who reads one answer twice is
/// better off than one who never gets it.
impl From<HttpError> for SendError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Url | HttpError::PrivateAddress | HttpError::Client | HttpError::Request => {
                Self::Credentials {
                    code: error.to_string(),
                }
            }
            other => Self::Transport {
                reason: other.to_string(),
            },
        }
    }
}

/// Why a medium was not fetched. Never holds a token, a link or a citizen's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is no longer there. Not tried again.
    #[error("the provider no longer has it ({code})")]
    Gone {
        /// The provider's code.
        code: String,
    },
    /// It is larger than we take. Not tried again.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// It lies where we do not fetch from, or is nothing that can be fetched. Not tried again.
    #[error("not fetched: {reason}")]
    Refused {
        /// A short phrase.
        reason: String,
    },
    /// No usable answer, throttled, or our credentials are refused just now. Tried again.
    #[error("failed ({reason})")]
    Transient {
        /// A short word: `timeout`, `connect`, `status 502`.
        reason: String,
        /// Not before that, where the provider says so.
        after: Option<Duration>,
    },
}

/// What a throttling answer pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrottleScope {
    /// The whole channel.
    Channel,
    /// This citizen only.
    Recipient,
}
