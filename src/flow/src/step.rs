//! What one turn takes and gives.

use langnghe_model::{
    Capabilities, Profile, Reply, Timestamp,
    ticket::{TicketDraft, TicketSummary},
};

use crate::Session;

/// What one turn takes besides the session and the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// The code for the ticket, should this turn make one.
    pub ticket_code: &'a str,
    /// What the channel can show.
    pub capabilities: &'a Capabilities,
    /// What the messenger tells of the citizen.
    pub profile: Option<&'a Profile>,
    /// The citizen's tickets; given only after a turn asked for them by [`Step::needs_tickets`].
    pub tickets: Option<&'a [TicketSummary]>,
}

/// What one turn gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// The session from now on; `None` when nothing needs to be remembered.
    pub session: Option<Session>,
    /// What to say, in order.
    pub replies: Vec<Reply>,
    /// What a finished flow produced: at most one ticket a turn, under [`Context::ticket_code`].
    pub ticket: Option<TicketDraft>,
    /// Timers to set or cancel.
    pub timers: Vec<TimerRequest>,
    /// What the citizen agreed to or refused.
    pub contact: Vec<ContactChange>,
    /// The citizen asked for everything held of them to be erased: do it before the rest.
    pub erase: bool,
    /// The turn needs the citizen's tickets: nothing else of this counts, not even the session. Take
    /// the turn again from the same session with [`Context::tickets`].
    pub needs_tickets: bool,
    /// Why the event itself is to be set aside for an operator (an unknown kind), if it is.
    pub set_aside: Option<String>,
}

/// What a citizen agreed to or refused, to be kept with the conversation.
#[derive(Clone, PartialEq, Eq)]
pub enum ContactChange {
    /// They want no notices.
    OptedOut,
    /// They want notices again.
    OptedIn,
    /// News may be brought to this telephone.
    Reachable {
        /// In E.164.
        phone: String,
    },
}

impl std::fmt::Debug for ContactChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A number is never printed.
        formatter.write_str(match self {
            Self::OptedOut => "OptedOut",
            Self::OptedIn => "OptedIn",
            Self::Reachable { .. } => "Reachable",
        })
    }
}

/// A timer to set or cancel; when due it comes back as `EventKind::Timer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRequest {
    /// Its name within the conversation; setting it again replaces it.
    pub name: String,
    /// When; `None` cancels it.
    pub at: Option<Timestamp>,
}
