//! The whole road in one place: Meta on one side, the agency on the other, and an installation with a
//! small flow between them.

pub mod account;

use std::time::Duration;

use crate::{
    Graph, Installation,
    agency::{Agency, KeptTicket},
    citizen::Citizen,
    installation::BACKEND_SECRET,
    wait,
};

/// A flow with three questions for words; its ticket goes to `ioc`.
pub const FLOW: &str = include_str!("su-co.toml");

/// Meta, the agency, and an installation between them.
#[derive(Debug)]
pub struct Road {
    /// The Graph API.
    pub graph: Graph,
    /// The agency's endpoint, the backend `ioc`.
    pub agency: Agency,
    /// A Messenger channel `page`, the small flow, and retries that tests can wait for.
    pub installation: Installation,
}

impl Road {
    /// A new one; no replica runs yet.
    pub async fn new() -> Self {
        let mut road = Self::with_own_flows().await;
        road.installation
            .flows(&[("su-co.toml", FLOW)])
            .set("flows.start", "su-co");
        road
    }

    /// One with the repository's own flows; the agency is the backend that they name.
    pub async fn with_own_flows() -> Self {
        let graph = Graph::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        installation
            .messenger("page", &graph.api_base())
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            graph,
            agency,
            installation,
        }
    }

    /// A citizen who has not written yet.
    pub fn citizen(&self) -> Citizen {
        Citizen::new(&self.installation)
    }

    /// Lets a citizen make a whole report with these answers, waiting for each question; gives the
    /// texts that came.
    pub async fn report(&self, citizen: &Citizen, answers: [&str; 3]) -> Vec<String> {
        let before = self.graph.texts_for(&citizen.id).len();
        citizen.says("báo sự cố").await;
        self.graph.wait_for_texts(&citizen.id, before + 1).await;
        for (number, answer) in answers.into_iter().enumerate() {
            self.installation.private(answer);
            citizen.says(answer).await;
            self.graph
                .wait_for_texts(&citizen.id, before + 2 + number)
                .await;
        }
        self.graph.texts_for(&citizen.id).split_off(before)
    }

    /// Waits for the ticket that has these answers.
    ///
    /// # Panics
    /// When it does not come soon.
    pub async fn ticket(&self, answers: [&str; 3]) -> KeptTicket {
        self.ticket_within(answers, wait::SOON).await
    }

    /// Waits for the ticket that has these answers, at most for `limit`.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn ticket_within(&self, answers: [&str; 3], limit: Duration) -> KeptTicket {
        wait::for_some("the ticket is at the agency", limit, async || {
            self.agency
                .tickets()
                .into_values()
                .find(|kept| values(kept) == answers)
        })
        .await
    }
}

/// The values of a ticket's answers, in order.
pub fn values(kept: &KeptTicket) -> Vec<String> {
    let answers = kept.ticket["answers"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let value = |answer: &serde_json::Value| answer["value"].as_str().map(str::to_owned);
    answers
        .iter()
        .map(|answer| value(answer).unwrap_or_default())
        .collect()
}
