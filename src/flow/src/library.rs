//! All flows and locales of one configuration, checked.

use std::{collections::HashMap, sync::Arc};

use langnghe_model::{BackendId, Event, Problem, problem::Source};

use crate::{
    Context, Session, Step, check, flow::Flow, session::Form, turn, understand::phrases::Phrases,
    words::Words,
};

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
    /// `{privacy_url}`: its privacy notice; the hotline stands in for it where there is none.
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
pub struct Library {
    flows: HashMap<String, Flow>,
    /// Earlier versions by id and hash.
    archived: HashMap<(String, String), Flow>,
    /// Ids in the order of the files.
    order: Vec<String>,
    /// What starts flows, with the number of the flow.
    pub(crate) phrases: Phrases<usize>,
    pub(crate) words: Words,
    pub(crate) settings: Settings,
}

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
        check::load(flows, locales, archived, settings)
    }

    pub(crate) fn new(
        flows: Vec<Flow>,
        archived: HashMap<(String, String), Flow>,
        words: Words,
        settings: Settings,
    ) -> Self {
        let phrases = flows.iter().enumerate().flat_map(|(index, flow)| {
            flow.triggers
                .phrases
                .iter()
                .map(move |phrase| (phrase.clone(), index))
        });
        let phrases = Phrases::new(phrases);
        let order = flows.iter().map(|flow| flow.id.clone()).collect();
        let flows = flows
            .into_iter()
            .map(|flow| (flow.id.clone(), flow))
            .collect();
        Self {
            flows,
            archived,
            order,
            phrases,
            words,
            settings,
        }
    }

    /// The texts of all current flows under names that change with their content, to be kept with
    /// the sessions.
    pub fn versions(&self) -> Vec<(String, String)> {
        self.flows()
            .map(|flow| (format!("{}@{}", flow.id, flow.hash), flow.text.clone()))
            .collect()
    }

    /// One turn. Pure, and never fails: what cannot be understood is answered with help.
    pub fn step(&self, session: Option<Session>, event: &Event, context: &Context<'_>) -> Step {
        turn::step(self, session, event, context)
    }

    /// The current flows in the order of their files.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.order.iter().filter_map(|id| self.flows.get(id))
    }

    /// The current flow with this id.
    pub(crate) fn flow(&self, id: &str) -> Option<&Flow> {
        self.flows.get(id)
    }

    /// The very version that a form began on.
    pub(crate) fn version_of(&self, form: &Form) -> Option<&Flow> {
        let current = self
            .flows
            .get(&form.flow)
            .filter(|flow| flow.hash == form.hash);
        // Most conversations are on the current version: no key is built for them.
        current.or_else(|| self.archived.get(&(form.flow.clone(), form.hash.clone())))
    }
}
