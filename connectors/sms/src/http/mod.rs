//! Any gateway over HTTP, by configuration: an address, headers and a body with gaps for a message, what
//! an answer means, and where in its webhooks things lie. So a new aggregator needs no code.

mod answer;
mod field;
mod receive;
mod template;

use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use async_trait::async_trait;
use langnghe_connector::{Checkup, Rejection, SendError, Sent, WebhookRequest};
use langnghe_http::{GuardedClient, HttpError, RequestBuilder};
use langnghe_model::Problem;
use secrecy::SecretString;
use url::Url;

pub use self::{
    answer::{Answers, Meaning, Taken},
    field::{Field, FieldError},
    receive::{Encoding, Incoming, Reports, Signature},
    template::{Template, TemplateError, Values},
};
use crate::{
    api::{ConfigError, check_token, unchecked},
    provider::{Delivery, OutgoingText, Provider, national},
};

/// The longest answer that is read, in bytes.
const ANSWER: usize = 256 * 1024;

/// What has to be known of a gateway.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// How a message is asked for.
    pub method: Method,
    /// Where.
    pub url: Template,
    /// With which headers.
    pub headers: Vec<(HeaderName, Template)>,
    /// With which body.
    pub body: Option<Template>,
    /// What the gateway answers.
    pub answers: Answers,
    /// Messages of citizens; `None` where the gateway has none.
    pub incoming: Option<Incoming>,
    /// States of our messages.
    pub reports: Option<Reports>,
    /// The last part of our webhook's path.
    pub webhook_token: Option<SecretString>,
    /// What signs the webhooks.
    pub signature: Option<Signature>,
    /// A harmless address that says whether our credentials hold.
    pub check: Option<Template>,
    /// What fills the gaps beside the message: `user`, `password`, `key`, `sender`.
    pub values: Values,
    /// The longest that one request may take.
    pub timeout: Duration,
}

/// A gateway.
#[derive(Debug)]
pub struct HttpGateway {
    config: HttpConfig,
    client: GuardedClient,
}

impl HttpGateway {
    /// Takes a configuration, and the client to send with.
    ///
    /// # Errors
    /// [`ConfigError`]: with webhooks, a token or a signature has to tell the gateway from others.
    pub fn new(config: HttpConfig, client: GuardedClient) -> Result<Self, ConfigError> {
        use secrecy::ExposeSecret;
        if let Some(token) = &config.webhook_token {
            check_token("webhook_token", token.expose_secret())?;
        } else if config.signature.is_none()
            && (config.incoming.is_some() || config.reports.is_some())
        {
            return Err(ConfigError::Empty("webhook_token"));
        }
        let gateway = Self { config, client };
        let request = gateway.request(&OutgoingText::new("sample", "+84912345678", "Mẫu"));
        drop(request.map_err(ConfigError::Address)?);
        Ok(gateway)
    }

    /// The request for a message.
    fn request(&self, text: &OutgoingText<'_>) -> Result<RequestBuilder, HttpError> {
        let config = &self.config;
        let message = template::Message {
            id: text.short_id(),
            to: text.to.to_owned(),
            international: text.to.trim_start_matches('+').to_owned(),
            national: national(text.to),
            text: text.text.to_owned(),
            unicode: text.segments.alphabet == langnghe_model::segments::Alphabet::Ucs2,
            parts: text.segments.parts,
        };
        let fill = |template: &Template| {
            template
                .fill(&config.values, &message)
                .map_err(|_| HttpError::Request)
        };
        let url = Url::parse(&fill(&config.url)?).map_err(|_| HttpError::Url)?;
        self.client.check(&url)?;
        let mut request = self.client.request(config.method.clone(), url.as_str())?;
        for (name, template) in &config.headers {
            let mut value =
                HeaderValue::try_from(fill(template)?).map_err(|_| HttpError::Request)?;
            value.set_sensitive(name != CONTENT_TYPE);
            request = request.header(name, value);
        }
        if let Some(body) = &config.body {
            request = request.body(fill(body)?);
        }
        Ok(request.timeout(config.timeout))
    }
}

#[async_trait]
impl Provider for HttpGateway {
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Delivery, Rejection> {
        receive::receive(&self.config, request)
    }

    async fn send(&self, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
        let request = self.request(text)?;
        let answer = self.client.fetch(request, ANSWER).await?;
        self.config.answers.read(&answer)
    }

    async fn check(&self) -> Checkup {
        let Some(check) = &self.config.check else {
            return Checkup {
                facts: vec!["no address to check is configured (`check`)".to_owned()],
                ..Checkup::default()
            };
        };
        let help = "see `check` and the credentials in the channel's configuration";
        let url = match check.fill(&self.config.values, &template::Message::default()) {
            Ok(url) => url,
            Err(error) => return unchecked(error, help),
        };
        let request = match self.client.get(&url) {
            Ok(request) => request.timeout(self.config.timeout),
            Err(error) => return unchecked(error, help),
        };
        match self.client.fetch(request, ANSWER).await {
            Ok(answer) if answer.status.is_success() => Checkup {
                facts: vec![format!("the gateway answers {}", answer.status.as_u16())],
                ..Checkup::default()
            },
            Ok(answer) => unchecked(format!("status {}", answer.status.as_u16()), help),
            Err(error) => unchecked(error, help),
        }
    }

    async fn set_webhook(&self, url: &str) -> Result<Vec<String>, Box<Problem>> {
        let end = if self.config.webhook_token.is_some() {
            "/<webhook_token>"
        } else {
            ""
        };
        let help = format!(
            "give the gateway this address: {}{end}",
            url.trim_end_matches('/')
        );
        let message = "how this gateway is told of a webhook is not known here";
        Err(Box::new(
            Problem::error("channel::set-webhook", message).help(help),
        ))
    }
}
