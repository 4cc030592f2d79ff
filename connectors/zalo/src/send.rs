//! From a rendered reply to Zalo's requests.

mod api;
mod encode;
mod failure;
mod hints;
mod template;
mod upload;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use langnghe_connector::{Manner, Outgoing, SendError, Sent};
use langnghe_model::{
    CitizenId, EventId, Profile, Reply,
    event::MediaKind,
    reply::{Choice, ChoiceStyle, ContactField},
};
use serde_json::{Value, json};

pub(crate) use self::{
    api::Api,
    upload::{LARGEST_FILE, LARGEST_IMAGE},
};
use self::{
    api::{Base, Refusal, Table},
    encode::nfc,
};
use crate::{
    ChoicePresentation, Config,
    citizen::{Addressee, addressee},
    lenient, tracking,
};

/// What the payloads of our own buttons begin with: a press comes back as a text.
pub(crate) const CHOICE: &str = "#ln:";
/// For how long choices go out as numbers after Zalo refused them in another form.
const REFUSED_FOR: Duration = Duration::from_hours(6);

/// Sends replies of one account.
pub(crate) struct Sender {
    config: Config,
    api: Api,
    /// When Zalo last refused a form that we were not sure of.
    choices_refused: Mutex<Option<Instant>>,
}

impl Sender {
    pub(crate) fn new(config: Config, api: Api) -> Self {
        Self {
            config,
            api,
            choices_refused: Mutex::default(),
        }
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Sends one reply: one message to the citizen.
    pub(crate) async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let to = addressee(outgoing.citizen);
        if let Manner::Template {
            template,
            phone,
            ticket,
        } = outgoing.manner
        {
            let tracking = tracking::name(ticket, outgoing.id);
            return template::send(&self.config, &self.api, tracking, to, template, phone).await;
        }
        let recipient = recipient(to)?;
        match outgoing.reply {
            Reply::Text { text } => self.text(&recipient, text).await,
            Reply::Choices {
                text,
                choices,
                style,
            } => self.choices(&recipient, text, choices, *style).await,
            Reply::Media {
                media,
                url,
                caption,
            } => {
                self.media(&recipient, *media, url, caption.as_deref())
                    .await
            }
            Reply::AskContact {
                text,
                field: ContactField::Phone,
                ..
            } => self.ask_contact(&recipient, text).await,
            Reply::AskContact { text, .. } | Reply::AskLocation { text, .. } => {
                self.text(&recipient, text).await
            }
            // Zalo has neither for accounts; rendering leaves them out.
            _ => Ok(Sent::default()),
        }
    }

    async fn text(&self, recipient: &Recipient, text: &str) -> Result<Sent, SendError> {
        let message = json!({ "text": nfc(text) });
        Ok(self.message(recipient, message).await?)
    }

    /// Choices in the form that the configuration says, and as numbers where Zalo does not take it: a
    /// refusal is an answer, so nothing of it reached the citizen.
    async fn choices(
        &self,
        recipient: &Recipient,
        text: &str,
        choices: &[Choice],
        style: ChoiceStyle,
    ) -> Result<Sent, SendError> {
        let numbered = encode::numbered(text, choices, style);
        let form = self.config.choices;
        if form == ChoicePresentation::Numbered || recipient.anonymous || self.were_refused() {
            return self.text(recipient, &numbered).await;
        }
        let message = encode::choices(form, text, choices);
        self.or_in_words(recipient, message, &numbered).await
    }

    async fn ask_contact(&self, recipient: &Recipient, text: &str) -> Result<Sent, SendError> {
        let request = self.config.contact_request.as_ref();
        let Some(request) = request.filter(|_| !recipient.anonymous && !self.were_refused()) else {
            return self.text(recipient, text).await;
        };
        let message = encode::contact_request(request, text);
        self.or_in_words(recipient, message, text).await
    }

    /// Sends a message of a form that may be refused; then the words go in its place, once.
    async fn or_in_words(
        &self,
        recipient: &Recipient,
        message: Value,
        words: &str,
    ) -> Result<Sent, SendError> {
        let refusal = match self.message(recipient, message).await {
            Err(refusal @ Refusal { of_form: true, .. }) => refusal,
            other => return Ok(other?),
        };
        let sent = self.text(recipient, words).await?;
        // The words were taken, so it was the form.
        *self
            .choices_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        tracing::warn!(channel = %self.config.channel, error = %refusal.error,
            "Zalo refuses messages with choices of this account; they go out as numbered text for some hours");
        Ok(sent)
    }

    fn were_refused(&self) -> bool {
        let refused = *self
            .choices_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|at| at.elapsed() < REFUSED_FOR)
    }

    async fn media(
        &self,
        recipient: &Recipient,
        media: MediaKind,
        url: &str,
        caption: Option<&str>,
    ) -> Result<Sent, SendError> {
        let words = [caption, Some(url)].into_iter().flatten();
        let link = words.collect::<Vec<_>>().join("\n");
        let refusal = match self.as_media(recipient, media, url, caption).await {
            Err(refusal @ SendError::Rejected { .. }) => refusal,
            other => return other,
        };
        // Too large, of a kind that Zalo does not take, or refused: the citizen gets the link.
        tracing::info!(channel = %self.config.channel, error = %refusal, "a medium goes out as a link");
        self.text(recipient, &link).await
    }

    async fn as_media(
        &self,
        recipient: &Recipient,
        media: MediaKind,
        url: &str,
        caption: Option<&str>,
    ) -> Result<Sent, SendError> {
        let message = match media {
            MediaKind::Image if upload::is_gif(url) => {
                encode::image(caption, &upload::gif(&self.api, url).await?)
            }
            MediaKind::Image if self.config.upload_images => {
                encode::image(caption, &upload::image(&self.api, url).await?)
            }
            MediaKind::Image => {
                encode::image(caption, &json!({ "media_type": "image", "url": url }))
            }
            MediaKind::File => {
                let token = upload::file(&self.api, url).await?;
                json!({ "attachment": { "type": "file", "payload": { "token": token } } })
            }
            // Accounts cannot send these.
            MediaKind::Video | MediaKind::Audio => {
                return Err(SendError::Rejected {
                    code: "neither picture nor file".to_owned(),
                });
            }
        };
        Ok(self.message(recipient, message).await?)
    }

    async fn message(&self, recipient: &Recipient, message: Value) -> Result<Sent, Refusal> {
        let path = if recipient.anonymous {
            "/v2.0/oa/message"
        } else {
            "/v3.0/oa/message/cs"
        };
        let body = json!({ "recipient": recipient.json, "message": message });
        let data = self
            .api
            .post(Base::Api, Table::Account, path, &body)
            .await?;
        Ok(Sent {
            message: message_id(&data),
        })
    }

    /// What Zalo tells of a user.
    pub(crate) async fn profile(&self, citizen: &CitizenId) -> Result<Profile, SendError> {
        let Addressee::User(user) = addressee(citizen) else {
            return Ok(Profile::default());
        };
        let data = json!({ "user_id": user });
        let answer = self.api.get("/v3.0/oa/user/detail", Some(&data)).await?;
        let name = answer.get("display_name").and_then(lenient::text);
        Ok(Profile {
            name: name
                .map(|name| nfc(&name))
                .filter(|name| !name.trim().is_empty()),
            language: None,
        })
    }
}

/// To whom a message goes, as Zalo writes it.
struct Recipient {
    json: Value,
    anonymous: bool,
}

fn recipient(to: Addressee<'_>) -> Result<Recipient, SendError> {
    match to {
        Addressee::User(id) => Ok(Recipient {
            json: json!({ "user_id": id }),
            anonymous: false,
        }),
        Addressee::Anonymous { conversation, id } => Ok(Recipient {
            json: json!({ "anonymous_id": id, "conversation_id": conversation }),
            anonymous: true,
        }),
        Addressee::Nobody => Err(SendError::Rejected {
            code: "no user".to_owned(),
        }),
    }
}

/// The id that Zalo gave a message.
fn message_id(data: &Value) -> Option<EventId> {
    let id = ["message_id", "msg_id"]
        .iter()
        .find_map(|name| lenient::text(data.get(*name)?));
    id.map(EventId::new)
}
