//! One normalised inbound thing: what a connector makes of a provider's webhook.

use serde::{Deserialize, Serialize};

use crate::{ConversationId, DedupKey, EventId, Notice, Timestamp};

/// One normalised inbound thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The provider's id, or one the connector derived; a redelivery has the same.
    pub id: EventId,
    /// Who wrote, and where.
    pub conversation: ConversationId,
    /// When it happened by the provider's clock.
    pub sent_at: Timestamp,
    /// When we received it.
    pub received_at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// The key by which a redelivery is recognised.
    pub fn dedup_key(&self) -> DedupKey {
        self.id.dedup_key(&self.conversation.channel)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// The citizen sent something.
    Message(Message),
    /// The citizen pressed a button of an earlier message, a menu or "Get started".
    Postback {
        /// What the button carries; `None` where the provider hides it from us.
        payload: Option<String>,
        /// What the citizen saw on it.
        title: Option<String>,
        /// Where they came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        referral: Option<Referral>,
    },
    /// The citizen came (back) through a link, a QR code or an advertisement.
    Referral(Referral),
    /// The citizen changed a message that they had sent.
    Edit {
        /// The message.
        message: EventId,
        /// Its new text.
        text: String,
    },
    /// The citizen took a message back.
    Deleted {
        /// The message.
        message: EventId,
    },
    /// The citizen reacted to a message.
    Reaction {
        /// The message.
        message: EventId,
        /// The emoji, or the provider's word where it gives none; `None` when taken back.
        emoji: Option<String>,
    },
    /// The citizen subscribed to the account.
    Follow,
    /// The citizen unsubscribed from, or blocked, the account.
    Unfollow,
    /// The citizen wants no notices on this channel any more; what they ask is still answered. The
    /// law knows words for it, which connectors of SMS recognise.
    OptOut {
        /// What they wrote, as one of the words (`HUY`) means less while a form is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The citizen takes an [`OptOut`](Self::OptOut) back.
    OptIn,
    /// The citizen asks how to write to us: a keyword of a short code with nothing after it.
    Help,
    /// What the citizen thinks of a notice, given in a form of the provider's own: stars, words, a button.
    Feedback(Box<Feedback>),
    /// News of the account that asks nothing of us and is no citizen's word: logged and counted, not kept.
    AccountNews {
        /// The provider's word for it, one of those that the connector knows.
        name: String,
    },
    /// News of messages that we sent.
    Receipt(Receipt),
    /// The account's own message, seen from outside: our own send or one that staff typed.
    Echo {
        /// True when a person typed it in the provider's inbox.
        by_staff: bool,
        /// What we attached to our own send, if it was ours.
        metadata: Option<String>,
    },
    /// Who may answer in this conversation changed.
    Control {
        /// True when we may answer from now on; false when a person or another program holds it.
        ours: bool,
    },
    /// One of our own timers came due; its name is what the flow gave it.
    Timer {
        /// The name.
        name: String,
    },
    /// Something to say to the citizen, put among the events so that it keeps its place among them.
    Notice(Box<Notice>),
    /// We cut this citizen's flood of messages; they are to be told once.
    Flood,
    /// Something that the connector does not know: kept raw, counted, never an error.
    Unknown {
        /// The provider's word for it.
        name: String,
        /// The provider's JSON, whole.
        raw: serde_json::Value,
    },
}

impl EventKind {
    /// A short word for logs and metrics; never holds anything that a citizen wrote.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Postback { .. } => "postback",
            Self::Referral(_) => "referral",
            Self::Edit { .. } => "edit",
            Self::Deleted { .. } => "deleted",
            Self::Reaction { .. } => "reaction",
            Self::Follow => "follow",
            Self::Unfollow => "unfollow",
            Self::OptOut { .. } => "opt_out",
            Self::OptIn => "opt_in",
            Self::Help => "help",
            Self::Feedback(_) => "feedback",
            Self::AccountNews { .. } => "account_news",
            Self::Receipt(_) => "receipt",
            Self::Echo { .. } => "echo",
            Self::Control { .. } => "control",
            Self::Timer { .. } => "timer",
            Self::Notice(_) => "notice",
            Self::Flood => "flood",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What a citizen sent: any mixture of text, a chosen payload and attachments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The text, exactly as the provider gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The payload of the choice that was tapped; `text` then holds what the citizen saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Attachments, in the provider's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<EventId>,
    /// Where the citizen came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// The provider's id of the album that it is a part of: parts that come one by one become one
    /// message before the engine sees them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
}

/// Something that came with, or instead of, text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attachment {
    /// A picture, film, recording or file.
    Media(Media),
    /// A place.
    Location(Location),
    /// A contact card.
    Contact(Contact),
    /// A sticker; a "like" is one too.
    Sticker {
        /// The provider's id.
        id: Option<String>,
        /// Where its picture lies.
        url: Option<String>,
    },
    /// A shared link or post.
    Link {
        /// Where it points; not to be fetched without a guard.
        url: Option<String>,
        /// What the provider shows for it.
        title: Option<String>,
    },
    /// A kind that the connector does not know, kept raw.
    Other {
        /// The provider's word for it.
        name: String,
        /// The provider's JSON.
        raw: serde_json::Value,
    },
}

/// A picture, film, recording or file that lies at a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where it lies: the provider's link, which can expire, a reference that only the connector
    /// understands (`telegram:…`), or our own link.
    pub url: String,
    /// Its media type (`image/jpeg`), where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Its size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its file name, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture, moving ones (GIF) included.
    Image,
    /// A film.
    Video,
    /// A recording.
    Audio,
    /// Any other file.
    File,
}

impl MediaKind {
    /// The word used in flow files, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }
}

/// A place on the earth, as shared by a device or a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north, WGS 84, -90 to 90.
    pub latitude: f64,
    /// Degrees east, WGS 84, -180 to 180.
    pub longitude: f64,
    /// Uncertainty in metres, where the device told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// A name or address that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A contact card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The name on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its phone numbers, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Its e-mail addresses, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
}

/// Where a citizen came from: a link, a QR code, an advertisement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The text that the link carries, for example the `ref` of an m.me link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The provider's word for the kind of source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What a citizen thinks of a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// The provider's id of the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<EventId>,
    /// The code of the ticket that the notice was about, where what came back tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Stars, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
    /// What the citizen chose among the words shown, or the button that they pressed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What they wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// News of messages that we sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    /// They reached the device.
    Delivered {
        /// The provider's ids of the messages, where it names them.
        messages: Vec<EventId>,
        /// Everything sent up to this moment is meant, where the provider says so.
        up_to: Option<Timestamp>,
    },
    /// They were read.
    Read {
        /// Everything sent up to this moment.
        up_to: Option<Timestamp>,
    },
    /// One could not be delivered after all.
    Failed {
        /// The provider's id of the message.
        message: EventId,
        /// The provider's code, for the operator.
        code: Option<String>,
        /// What that means for the message.
        #[serde(default, skip_serializing_if = "LateFailure::is_final")]
        means: LateFailure,
    },
}

/// What it means for a message that a provider took it and failed to bring it: the same decisions as
/// about an error in the answer to a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateFailure {
    /// We may not write so now: another way is taken, or it waits until the citizen writes.
    WindowClosed,
    /// Nothing is wrong with the message: again later.
    Again {
        /// Not before so many seconds, where the provider wants that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        /// Whether the whole channel is to rest for so long, or that citizen only.
        #[serde(default)]
        channel: bool,
    },
    /// The citizen cannot be reached here any more.
    RecipientGone,
    /// This message will never be brought.
    #[default]
    Never,
}

impl LateFailure {
    /// A short word for metrics and histories.
    pub fn name(self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::Again { .. } => "again_later",
            Self::RecipientGone => "recipient_gone",
            Self::Never => "rejected",
        }
    }

    fn is_final(&self) -> bool {
        *self == Self::Never
    }
}
