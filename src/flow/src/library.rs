//! All flows and locales of one configuration, checked.

use std::{collections::HashMap, sync::Arc};

use langnghe_model::{BackendId, Event, Problem, problem::Source};

use crate::{
    Context, Session, Step, check,
    flow::Flow,
    session::Form,
    turn,
    understand::phrases::Phrases,
    words::{LocaleFile, Words},
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

/// The most earlier or later versions that a library holds; beyond, they are fetched anew.
const ARCHIVED: usize = 64;

/// All flows and locales of one configuration, checked. A copy shares everything.
#[derive(Clone, Debug)]
pub struct Library {
    flows: Arc<HashMap<String, Flow>>,
    /// Other versions, on which sessions began, by id and hash.
    archived: HashMap<(String, String), Arc<Flow>>,
    /// Ids in the order of the files.
    pub(crate) order: Arc<[String]>,
    /// What starts flows, with the number of the flow.
    pub(crate) phrases: Arc<Phrases<usize>>,
    pub(crate) words: Arc<Words>,
    pub(crate) settings: Arc<Settings>,
    /// For the texts of versions that come later.
    locales: Arc<[LocaleFile]>,
}

impl Library {
    /// Checks `flows` (`*.toml`) and `locales` (`<lang>/*.ftl`).
    pub fn load(flows: &[Arc<Source>], locales: &[Arc<Source>], settings: Settings) -> Loaded {
        check::load(flows, locales, settings)
    }

    pub(crate) fn new(
        flows: Vec<Flow>,
        words: Words,
        locales: Vec<LocaleFile>,
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
        let flows = flows.into_iter().map(|flow| (flow.id.clone(), flow));
        Self {
            flows: Arc::new(flows.collect()),
            archived: HashMap::new(),
            order,
            phrases: Arc::new(phrases),
            words: Arc::new(words),
            settings: Arc::new(settings),
            locales: locales.into(),
        }
    }

    /// The texts of all current flows under names that change with their content, to be kept with
    /// the sessions.
    pub fn versions(&self) -> Vec<(String, String)> {
        self.flows()
            .map(|flow| (version_name(&flow.id, &flow.hash), flow.text.clone()))
            .collect()
    }

    /// The name, as in [`Self::versions`], of the version that a session began on, when it is not
    /// here: an earlier one, or one that another replica has loaded before us.
    pub fn missing_version(&self, session: &Session) -> Option<String> {
        let form = session.form.as_ref()?;
        let missing = self.version_of(form).is_none();
        missing.then(|| version_name(&form.flow, &form.hash))
    }

    /// Whether the version of this name is here.
    pub fn holds_version(&self, name: &str) -> bool {
        let Some((id, hash)) = name.rsplit_once('@') else {
            return false;
        };
        let current = self.flows.get(id).is_some_and(|flow| flow.hash == hash);
        let key = || (id.to_owned(), hash.to_owned());
        current || self.archived.contains_key(&key())
    }

    /// This library with one more version for the sessions that began on it; `None` when the text
    /// does not check here. What starts flows does not change.
    #[must_use]
    pub fn with_version(&self, source: &Arc<Source>) -> Option<Self> {
        let flow = check::read_version(source, &self.words, &self.locales, &self.settings)?;
        let mut library = self.clone();
        if library.archived.len() >= ARCHIVED {
            library.archived.clear();
        }
        let key = (flow.id.clone(), flow.hash.clone());
        library.archived.insert(key, Arc::new(flow));
        Some(library)
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
        current.or_else(|| {
            let key = (form.flow.clone(), form.hash.clone());
            self.archived.get(&key).map(Arc::as_ref)
        })
    }
}

/// The name of one version of a flow.
fn version_name(id: &str, hash: &str) -> String {
    format!("{id}@{hash}")
}
