//! The webhook backend: each ticket as one signed POST, by the Standard Webhooks specification.
//!
//! The body is `{"type": "ticket.created", "timestamp": …, "data": ticket}`; the ticket is described
//! by [`crate::ticket::SCHEMA`]. `webhook-id` is the ticket's id on every attempt, so that an agency
//! keeps one ticket however often it comes.
//!
//! **What an answer means.** The status line decides.
//!
//! | answer | outcome |
//! | --- | --- |
//! | 2xx | delivered; a JSON body may name the agency's reference: `{"reference": "2026-0117"}` |
//! | 410 | the agency wants no more: [`DeliveryError::Disabled`] |
//! | any other status | tried again, not before its `Retry-After` if it has one |
//! | no answer | tried again |
//!
//! Other 4xx are tried again as well, as the specification asks and as Svix does: a wrong path, a
//! secret just being exchanged or a strict firewall are mistakes that people put right, and a ticket
//! must not be lost to them. The schedule ends in a dead letter either way. Only a ticket that we
//! cannot read ourselves is [`DeliveryError::Rejected`].

use std::{fmt, time::Duration};

use async_trait::async_trait;
use http::{StatusCode, header::CONTENT_TYPE};
use langnghe_http::{
    ClientSettings, GuardedClient, HttpError, Response, read_bounded, retry_after,
};
use langnghe_model::{BackendId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{
    Backend, DeliveryError, Handover, Receipt, deliverable,
    standard_webhooks::{
        ID_HEADER, SIGNATURE_HEADER, SecretError, SigningKey, TIMESTAMP_HEADER, signature_header,
    },
    ticket::{Ticket, merge, rfc3339},
};

/// The event that a new ticket is.
pub const TICKET_CREATED: &str = "ticket.created";

/// The most that is read of an agency's answer.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest reference that is kept, in characters.
const REFERENCE_CHARACTERS: usize = 200;

/// What the configuration says of a webhook backend.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Its name.
    pub id: BackendId,
    /// Where tickets go. Kept secret, as such addresses often hold a key.
    pub url: SecretString,
    /// `whsec_…`; several while one is being exchanged.
    pub secrets: Vec<SecretString>,
    /// The longest that one attempt takes; the lease of a delivery is longer.
    pub timeout: Duration,
    /// Whether the address may lie in a private network.
    pub allow_private: bool,
}

/// Why a webhook backend cannot be used as configured. Quotes neither address nor secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no secret.
    #[error("a webhook backend needs a secret")]
    NoSecret,
    /// One is not in the right form.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The address cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// An agency's endpoint.
pub struct WebhookBackend {
    id: BackendId,
    url: SecretString,
    keys: Vec<SigningKey>,
    client: GuardedClient,
}

impl fmt::Debug for WebhookBackend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebhookBackend")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The event as it is sent.
#[derive(Serialize)]
struct TicketEvent {
    r#type: &'static str,
    timestamp: String,
    data: Value,
}

impl WebhookBackend {
    /// Checks the settings and makes the backend. Does no I/O.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn new(settings: WebhookSettings) -> Result<Self, WebhookError> {
        if settings.secrets.is_empty() {
            return Err(WebhookError::NoSecret);
        }
        let keys = settings
            .secrets
            .iter()
            .map(SigningKey::parse)
            .collect::<Result<_, _>>()?;
        let client = GuardedClient::new(&ClientSettings {
            timeout: settings.timeout,
            connect_timeout: settings
                .timeout
                .min(ClientSettings::default().connect_timeout),
            allow_private: settings.allow_private,
            ..ClientSettings::default()
        })?;
        let url = Url::parse(settings.url.expose_secret()).map_err(|_| HttpError::Url)?;
        client.check(&url)?;
        Ok(Self {
            id: settings.id,
            url: settings.url,
            keys,
            client,
        })
    }

    async fn post(
        &self,
        ticket: &Ticket,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<Response, HttpError> {
        let id = ticket.id.as_str();
        let seconds = now.as_seconds();
        let request = self
            .client
            .post(self.url.expose_secret())?
            .header(CONTENT_TYPE, "application/json")
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, seconds)
            .header(
                SIGNATURE_HEADER,
                signature_header(&self.keys, id, seconds, &body),
            )
            .body(body);
        self.client.send(request).await
    }
}

#[async_trait]
impl Backend for WebhookBackend {
    fn id(&self) -> &BackendId {
        &self.id
    }

    async fn deliver(&self, handover: Handover<'_>) -> Result<Receipt, DeliveryError> {
        let Handover {
            delivery,
            media,
            now,
        } = handover;
        let rejected = |reason: String| DeliveryError::Rejected { reason };
        let ticket = merge(&delivery.body, delivery.personal.as_deref())
            .map_err(|error| rejected(error.to_string()))?;
        if !is_usable_id(ticket.id.as_str()) || ticket.id != delivery.ticket {
            return Err(rejected(
                "the ticket's id cannot be used in a header".to_owned(),
            ));
        }
        let event = TicketEvent {
            r#type: TICKET_CREATED,
            timestamp: rfc3339(delivery.created_at),
            data: deliverable(&ticket, media),
        };
        let body = serde_json::to_vec(&event)
            .map_err(|_| rejected("the ticket cannot be written as JSON".to_owned()))?;
        let response =
            self.post(&ticket, body, now)
                .await
                .map_err(|error| DeliveryError::Retry {
                    after: None,
                    reason: error.to_string(),
                })?;
        let status = response.status();
        if status.is_success() {
            return Ok(Receipt {
                reference: reference(response).await,
            });
        }
        let reason = format!("status {}", status.as_u16());
        if status == StatusCode::GONE {
            return Err(DeliveryError::Disabled { reason });
        }
        Err(DeliveryError::Retry {
            after: retry_after(response.headers(), now.as_seconds()),
            reason,
        })
    }
}

/// A full stop would make the signed text ambiguous, by the specification.
fn is_usable_id(id: &str) -> bool {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&id.len()) && id.bytes().all(usable)
}

/// The agency's reference, if its answer names one. The ticket is delivered whatever the body holds,
/// and also when it never comes.
async fn reference(response: Response) -> Option<String> {
    let body = read_bounded(response, ANSWER_BYTES).await.ok()?;
    let answer: Value = serde_json::from_slice(&body).ok()?;
    let text = match answer.get("reference")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text = text.trim();
    let kept = !text.is_empty()
        && text.chars().count() <= REFERENCE_CHARACTERS
        && !text.chars().any(char::is_control);
    kept.then(|| text.to_owned())
}
