//! The web chat as a connector.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use langnghe_connector::{
    Connector, Host, Outgoing, Received, Rejection, SendError, Sent, WebhookRequest,
};
use langnghe_model::{
    Capabilities, CitizenId, Profile, Reply,
    capabilities::{ChoiceLimit, MediaLimit},
    event::MediaKind,
};

use crate::{
    Config, ConfigError,
    frame::{PAYLOAD_CHARACTERS, TEXT_CHARACTERS, ToPage},
    hub::Hub,
    offer::Silence,
    relay::Relay,
    routes,
};

/// One configured web chat.
#[derive(Debug)]
pub struct WebChat {
    config: Arc<Config>,
    hub: Arc<Hub>,
    /// The line to other replicas' visitors, once the routes are served and where there is one.
    relay: OnceLock<Arc<Relay>>,
    capabilities: Capabilities,
}

impl WebChat {
    /// Makes a web chat.
    ///
    /// # Errors
    /// [`ConfigError`] says what of the configuration cannot work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let hub = Arc::new(Hub::new(config.connections_a_visitor, config.grace));
        Ok(Self {
            config: Arc::new(config),
            hub,
            relay: OnceLock::new(),
            capabilities: capabilities(),
        })
    }

    /// Hands a reply over and waits until the page acknowledges it.
    async fn hand_over(&self, citizen: &CitizenId, id: &str, frame: &str) -> Result<(), Silence> {
        if let Some(relay) = self.relay.get() {
            return relay.send(citizen, id, frame).await;
        }
        let offer = self.hub.offer(citizen, id, frame).ok_or(Silence::Away)?;
        offer.acknowledged(self.config.ack_time).await
    }
}

/// What the page shows.
pub fn capabilities() -> Capabilities {
    let kinds = [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Audio,
        MediaKind::File,
    ];
    Capabilities {
        quick_replies: Some(ChoiceLimit::in_characters(
            20,
            80,
            PAYLOAD_CHARACTERS,
            TEXT_CHARACTERS,
        )),
        // The page only links to them, so there is no size that it could not carry.
        media: kinds
            .map(|kind| MediaLimit {
                kind,
                bytes: u64::MAX,
                caption: TEXT_CHARACTERS,
            })
            .to_vec(),
        ask_location: true,
        typing: true,
        ..Capabilities::text_only(TEXT_CHARACTERS)
    }
}

/// A send only waits for a browser's word, so many may wait at once.
const SENDS_AT_ONCE: usize = 1024;

#[async_trait]
impl Connector for WebChat {
    fn kind(&self) -> &'static str {
        "webchat"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// There is no webhook: the page speaks to the channel's own routes.
    fn receive(&self, _request: &WebhookRequest<'_>) -> Result<Received, Rejection> {
        Err(Rejection::Method)
    }

    /// Visitors whose line went dead without a word hold up nobody else.
    fn sends_at_once(&self) -> Option<usize> {
        Some(SENDS_AT_ONCE)
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        match outgoing.reply {
            Reply::Typing => {
                let frame = ToPage::Typing.encode();
                if !self.hub.whisper(outgoing.citizen, &frame)
                    && let Some(relay) = self.relay.get()
                {
                    relay.whisper(outgoing.citizen, frame);
                }
                return Ok(Sent::default());
            }
            Reply::HandOver => {
                return Err(SendError::Rejected {
                    code: "no hand-over here".to_owned(),
                });
            }
            _ => {}
        }
        let frame = ToPage::Reply {
            id: outgoing.id,
            reply: outgoing.reply,
        }
        .encode();
        match self.hand_over(outgoing.citizen, outgoing.id, &frame).await {
            Ok(()) => Ok(Sent::default()),
            Err(Silence::Away) => Err(SendError::Away),
            Err(Silence::Slow) => Err(SendError::Transport {
                reason: "timeout".to_owned(),
            }),
        }
    }

    /// The web knows no name; the language is that of the interface.
    async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        Ok(match (self.hub.profile(citizen), self.relay.get()) {
            (Some(profile), _) => profile,
            (None, Some(relay)) => relay.profile(citizen).await,
            (None, None) => Profile::default(),
        })
    }

    fn routes(&self, host: Arc<dyn Host>) -> Option<axum::Router> {
        let relay = Relay::open(&self.config, &self.hub, &host);
        if let Some(relay) = &relay {
            // Routes are asked for once; a second time they would share the first line.
            let _first: Result<(), Arc<Relay>> = self.relay.set(relay.clone());
        }
        Some(routes::router(&self.config, self.hub.clone(), relay, host))
    }
}
