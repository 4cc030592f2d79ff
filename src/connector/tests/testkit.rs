//! The kit finds what is wrong with a careless connector: otherwise its silence about the others
//! would say nothing.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use langnghe_connector::{
    Checkup, Connector, FetchError, Hint, Manner, Outgoing, QuotaRule, QuotaScope, QuotaUnit,
    Received, Rejection, SendError, Sent, WebhookRequest,
    testkit::{self, Subject},
};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Problem,
    event::{Media, Message},
};
use serde_json::{Value, json};

const TOKEN: &str = "careless-token";

/// Takes every webhook, signs its ids with the time, tells everything to everyone, sends nothing.
#[derive(Debug)]
struct Careless {
    capabilities: Capabilities,
    token: &'static str,
}

#[async_trait]
impl Connector for Careless {
    fn kind(&self) -> &'static str {
        "careless"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        let body: Value =
            serde_json::from_slice(request.body).map_err(|_| Rejection::Malformed("no JSON"))?;
        let citizen = body["from"]
            .as_str()
            .ok_or(Rejection::Malformed("no sender"))?;
        tracing::info!("{citizen} wrote");
        let channel = ChannelId::new("page").expect("a good id");
        let message = Message {
            text: body["text"].as_str().map(Into::into),
            ..Message::default()
        };
        let event = Event {
            id: EventId::new(format!(
                "{citizen}-{}",
                request.received_at.as_milliseconds()
            )),
            conversation: ConversationId::new(channel, CitizenId::new(citizen)),
            sent_at: request.received_at,
            received_at: request.received_at,
            kind: EventKind::Message(message),
        };
        Ok(Received {
            events: vec![event],
            ..Received::default()
        })
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let phone = match outgoing.manner {
            Manner::Free => None,
            Manner::Template { phone, .. } => phone,
        };
        Err(SendError::Rejected {
            code: format!("to {}", phone.unwrap_or(outgoing.citizen.as_str())),
        })
    }

    fn quotas(&self) -> Vec<QuotaRule> {
        vec![QuotaRule {
            name: "channel",
            scope: QuotaScope::Channel,
            unit: QuotaUnit::Messages,
            limit: 80,
            per: Duration::from_secs(1),
            burst: 1,
        }]
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::Used {
            allowance: "app",
            percent: 81,
        }]
    }

    async fn fetch(&self, media: &Media, _most: u64) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused {
            reason: format!("it lies at {}", media.url),
        })
    }

    async fn check(&self) -> Checkup {
        Checkup {
            account: Some(self.token.to_owned()),
            ..Checkup::default()
        }
    }

    async fn set_webhook(&self, _url: &str) -> Result<Vec<String>, Box<Problem>> {
        Ok(vec![self.token.to_owned()])
    }
}

struct Page;

impl Subject for Page {
    fn connector(&self, _api_base: &str) -> Arc<dyn Connector> {
        Arc::new(Careless {
            capabilities: Capabilities::text_only(100),
            token: TOKEN,
        })
    }

    fn sign(&self, _body: &[u8]) -> Vec<(&'static str, String)> {
        vec![("x-signature", "signed".to_owned())]
    }

    fn credentials(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn unknown(&self) -> Value {
        json!({"telepathy": true})
    }
}

#[test]
fn everything_that_a_careless_connector_does_is_found() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/careless");
    let found = catch_unwind(AssertUnwindSafe(|| testkit::check(&Page, &fixtures)));
    let found = found.expect_err("findings");
    let found = found.downcast_ref::<String>().expect("words");
    for finding in [
        "incoming/cases: a text: the event's id holds the citizen's id",
        "incoming/cases: a text: event",
        "incoming/cases: a text: ids of a redelivery",
        "incoming/cases: a text: with a wrong signature: Ok",
        "incoming/cases: a text: with a missing signature: Ok",
        "incoming/cases: a text: with a cut short signature: Ok",
        "incoming: an event of a kind that does not exist yet: malformed body",
        "incoming: Debug of the connector: Debug shows \"careless-token\"",
        "outgoing/cases: a text: the error shows \"7001700170017001\"",
        "outgoing/cases: a text: this request did not come",
        "outgoing/cases: a template: the error shows \"+84912345678\"",
        "outgoing/cases: a medium: the error shows \"http://127.0.0.1:",
        "outgoing/cases: who we are: the checkup shows \"careless-token\"",
        "outgoing/cases: the webhook: what was said shows \"careless-token\"",
        "outgoing/cases: quotas: quotas",
        "outgoing/cases: hints: hints",
        "what was logged: the log shows \"7001700170017001\"",
    ] {
        assert!(found.contains(finding), "not found: {finding}\n\n{found}");
    }
    assert!(
        !found.contains("no JSON") && !found.contains("that are right"),
        "what is right is no finding:\n{found}"
    );
}
