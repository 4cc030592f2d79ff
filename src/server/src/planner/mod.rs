//! What is to be done with a reply now: send it and how, bring it another way, keep it, or give up.
//!
//! Pure: the same situation always has the same one plan. The order of the rules is the order of the
//! code of [`plan`]; `docs/windows.md` tells it to operators.

mod quiet;
#[cfg(test)]
mod tests;

use std::time::Duration;

use langnghe_model::{Capabilities, Purpose, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::quiet::{QuietHours, QuietHoursError};
use crate::setback::Setback;

/// Who wrote so lately is awake and at the telephone: the hours of rest hold no news back from them.
const AT_IT: Duration = Duration::from_mins(15);

/// Everything that decides about a reply.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Situation<'a> {
    pub(crate) now: Timestamp,
    pub(crate) purpose: Purpose,
    /// After this moment the reply is worth nothing.
    pub(crate) deadline: Option<Timestamp>,
    /// When the citizen was last heard from.
    pub(crate) heard_at: Option<Timestamp>,
    pub(crate) capabilities: &'a Capabilities,
    /// Whether it is worth nothing either once the citizen wrote, and they did.
    pub(crate) answered: bool,
    /// Whether it has a template.
    pub(crate) template: bool,
    /// Whether it may go out in the time for which the provider bills it.
    pub(crate) billed: bool,
    /// Whether the citizen agreed to be told on another channel, and there is one.
    pub(crate) fallback: bool,
    /// Whether the citizen refused notices.
    pub(crate) opted_out: bool,
    /// When nobody is to be disturbed.
    pub(crate) quiet_hours: Option<&'a QuietHours>,
    /// What the provider refused in this situation.
    pub(crate) refused: Refused,
}

/// What the provider refused since the citizen was last heard from, whatever our clock says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    /// To be written to as we like, billed or not.
    pub(crate) free: bool,
    /// The template.
    pub(crate) template: bool,
    /// Everything: the citizen cannot be reached on this channel any more.
    pub(crate) gone: bool,
}

impl Refused {
    /// What one or the other says.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            free: self.free || other.free,
            template: self.template || other.template,
            gone: self.gone || other.gone,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Send it so.
    Send(Way),
    /// Bring it on the other channel that the citizen agreed to.
    FallBack(Reason),
    /// Keep it until the citizen writes; give up at the deadline.
    KeepUntilHeard(Reason),
    /// Keep it until this moment, or until the citizen writes.
    KeepUntil(Timestamp, Reason),
    /// It is worth nothing any more, or must not be sent.
    GiveUp(Reason),
}

/// How a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it is, within the messaging window.
    Free,
    /// As it is, in the time after it, which is billed.
    Billed,
    /// As a template.
    Template,
}

/// Why a reply is not sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// We may not write freely, and there is no other way.
    WindowClosed,
    /// We may not write freely, and the provider does not take the template.
    TemplateRefused,
    /// The citizen cannot be reached on this channel any more.
    RecipientGone,
    /// Nobody is to be disturbed now.
    QuietHours,
    /// Its time is over.
    Deadline,
    /// Its time is over before anybody may be disturbed.
    DeadlineInQuietHours,
    /// The citizen refused notices.
    OptedOut,
    /// It reminded of something that the citizen has done.
    Answered,
}

impl Plan {
    /// The word for metrics, logs and the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::FallBack(_) => "fall_back",
            Self::KeepUntilHeard(_) | Self::KeepUntil(..) => "keep",
            Self::GiveUp(_) => "give_up",
        }
    }

    /// The word for how or why.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Send(Way::Free) => "free",
            Self::Send(Way::Billed) => "billed",
            Self::Send(Way::Template) => "template",
            Self::FallBack(reason)
            | Self::KeepUntilHeard(reason)
            | Self::KeepUntil(_, reason)
            | Self::GiveUp(reason) => reason.name(),
        }
    }
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::TemplateRefused => "template_refused",
            Self::RecipientGone => "recipient_gone",
            Self::QuietHours => "quiet_hours",
            Self::Deadline => "deadline",
            Self::DeadlineInQuietHours => "deadline_in_quiet_hours",
            Self::OptedOut => "opted_out",
            Self::Answered => "answered",
        }
    }
}

/// What is to be done in a situation.
pub(crate) fn plan(situation: &Situation<'_>) -> Plan {
    let asked_for = situation.purpose == Purpose::Answer;
    if situation.deadline.is_some_and(|end| end < situation.now) {
        return Plan::GiveUp(Reason::Deadline);
    }
    if situation.opted_out && !asked_for {
        return Plan::GiveUp(Reason::OptedOut);
    }
    if situation.answered {
        return Plan::GiveUp(Reason::Answered);
    }
    let has_template = situation.template && situation.capabilities.templates;
    let shut_out = if situation.refused.gone {
        Reason::RecipientGone
    } else if has_template && situation.refused.template {
        Reason::TemplateRefused
    } else {
        Reason::WindowClosed
    };
    let way = if situation.refused.gone && !situation.fallback {
        return Plan::GiveUp(shut_out);
    } else if situation.refused.gone {
        Plan::FallBack(shut_out)
    } else if situation.is_open() {
        Plan::Send(Way::Free)
    } else if situation.billed && situation.is_extended() {
        Plan::Send(Way::Billed)
    } else if has_template && !situation.refused.template {
        Plan::Send(Way::Template)
    } else if situation.fallback {
        Plan::FallBack(shut_out)
    } else {
        return Plan::KeepUntilHeard(shut_out);
    };
    match situation.rest_ends() {
        None => way,
        Some(end) if situation.deadline.is_some_and(|deadline| deadline < end) => {
            Plan::GiveUp(Reason::DeadlineInQuietHours)
        }
        Some(end) => Plan::KeepUntil(end, Reason::QuietHours),
    }
}

impl Situation<'_> {
    /// The same after what happened at earlier sends of the reply.
    pub(crate) fn after(mut self, setback: Option<&Setback>, heard_at: Option<Timestamp>) -> Self {
        if let Some(setback) = setback {
            self.refused = self.refused.and(setback.refused(heard_at));
        }
        self
    }

    /// Whether we may write freely.
    fn is_open(&self) -> bool {
        let within = |window| self.is_within(window);
        !self.refused.free && self.capabilities.window.is_none_or(within)
    }

    /// Whether we may still write at a price.
    fn is_extended(&self) -> bool {
        let within = |window| self.is_within(window);
        !self.refused.free && self.capabilities.extended_window.is_some_and(within)
    }

    fn is_within(&self, window: Duration) -> bool {
        self.heard_at
            .is_some_and(|heard| self.now <= heard + window)
    }

    /// When the hours of rest end that hold this reply back now.
    fn rest_ends(&self) -> Option<Timestamp> {
        let at_it = |heard: Timestamp| self.now.since(heard) < AT_IT;
        let exempt = match self.purpose {
            Purpose::Answer => true,
            Purpose::Notice => self.heard_at.is_some_and(at_it),
            Purpose::Broadcast => false,
        };
        if exempt {
            return None;
        }
        self.quiet_hours?.end_of_those_around(self.now)
    }
}
