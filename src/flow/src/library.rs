//! All flows and locales of one configuration, checked.

use std::sync::Arc;

use langnghe_model::{BackendId, Event, Problem, problem::Source};

use crate::{Context, Session, Step};

/// What the configuration says about flows.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The flow for a message that triggers none.
    pub start: String,
    /// The language of a citizen of whom nothing is known, BCP 47.
    pub language: String,
    /// The backends that flows may name; `None` when not known (then any name is good).
    pub backends: Option<Vec<BackendId>>,
    /// Words about the agency, for `{agency}` and the like in texts.
    pub agency: Agency,
}

/// Words about the agency that texts can use.
#[derive(Clone, Debug, Default)]
pub struct Agency {
    /// `{agency}`: its name.
    pub name: String,
    /// `{hotline}`: its phone number.
    pub hotline: String,
    /// `{address}`: where it receives citizens.
    pub address: String,
    /// `{privacy_url}`: its privacy notice.
    pub privacy_url: String,
    /// `{retention_months}`: for how many months personal data are kept.
    pub retention_months: u32,
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The library, unless there is an error among the problems.
    pub library: Option<Library>,
    /// Everything that was found, errors and warnings, in the order of files and places.
    pub problems: Vec<Problem>,
}

/// All flows and locales of one configuration, checked.
#[derive(Debug)]
pub struct Library {}

impl Library {
    /// Checks `flows` (`*.toml`), `locales` (`<lang>/*.ftl`) and keeps beside them `archived` texts
    /// of earlier flow versions, for sessions that began on them (an archived text that no longer
    /// checks is left out in silence).
    pub fn load(
        flows: &[Arc<Source>],
        locales: &[Arc<Source>],
        archived: &[Arc<Source>],
        settings: Settings,
    ) -> Loaded {
        drop((flows, locales, archived, settings));
        Loaded {
            library: None,
            problems: Vec::new(),
        }
    }

    /// The texts of all current flows under names that change with their content, to be kept with
    /// the sessions.
    pub fn versions(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// One turn. Pure, and never fails: what cannot be understood is answered with help.
    pub fn step(&self, session: Option<Session>, event: &Event, context: &Context<'_>) -> Step {
        drop((session, event, context));
        Step::default()
    }
}
