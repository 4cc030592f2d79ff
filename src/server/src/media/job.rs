//! A medium that is still to be fetched, as the store keeps it: written before the turn that names
//! it is committed, removed once the medium is here or given up.

use std::fmt;

use langnghe_model::{
    ChannelId, Event, EventKind, Timestamp,
    event::{Attachment, Media},
};
use serde::{Deserialize, Serialize};

use super::names::{Keys, Name};

/// What the names of jobs begin with in the store.
pub(super) const JOBS: &str = "media/job/";

/// A medium to be fetched.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FetchJob {
    /// Under what name it is kept.
    pub(crate) name: Name,
    /// Whose connector fetches it.
    pub(crate) channel: ChannelId,
    /// The conversation's tag, for erasure.
    pub(crate) tag: String,
    /// What the provider said of it.
    pub(crate) media: Media,
    /// When the message came. Always the same for the same job.
    pub(crate) since: Timestamp,
}

impl fmt::Debug for FetchJob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FetchJob({}, {})", self.channel, self.tag)
    }
}

impl FetchJob {
    /// Under what the store keeps it.
    pub(super) fn document(name: &Name) -> String {
        format!("{JOBS}{}", name.as_str())
    }
}

/// Gives the provider's media of an event names of ours, in place; what is ours already stays.
pub(crate) fn take_over(keys: &Keys, public_url: &str, event: &mut Event) -> Vec<FetchJob> {
    let EventKind::Message(message) = &mut event.kind else {
        return Vec::new();
    };
    let channel = &event.conversation.channel;
    let mut jobs = Vec::new();
    for (index, attachment) in message.attachments.iter_mut().enumerate() {
        let Attachment::Media(media) = attachment else {
            continue;
        };
        if is_ours(&media.url, public_url) {
            continue;
        }
        let name = keys.name(channel, &event.id, index, &media.url);
        let provided = media.clone();
        media.url = name.reference();
        jobs.push(FetchJob {
            name,
            channel: channel.clone(),
            tag: event.conversation.tag(),
            media: provided,
            since: event.received_at,
        });
    }
    jobs
}

/// Whether a medium's address is one of ours: by name, or as versions before names wrote uploads.
pub(super) fn is_ours(url: &str, public_url: &str) -> bool {
    Name::of_reference(url).is_some() || older_upload(url, public_url).is_some()
}

/// The file name in the link to an upload as versions before names wrote it.
pub(super) fn older_upload<'u>(url: &'u str, public_url: &str) -> Option<&'u str> {
    let path = url.strip_prefix(public_url.trim_end_matches('/'))?;
    path.strip_prefix("/media/").filter(|file| is_older(file))
}

/// Whether a file has a name as versions before names gave it: 32 digits and an extension.
pub(super) fn is_older(file: &str) -> bool {
    let Some((name, extension)) = file.split_once('.') else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    Name::parse(name).is_some()
        && (1..=8).contains(&extension.len())
        && extension.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use langnghe_model::{
        CitizenId, ConversationId, EventId,
        event::{MediaKind, Message},
    };

    use super::*;

    fn picture(url: &str) -> Attachment {
        Attachment::Media(Media {
            kind: MediaKind::Image,
            url: url.to_owned(),
            content_type: None,
            bytes: None,
            name: None,
        })
    }

    #[test]
    fn the_providers_media_get_names_and_ours_keep_theirs() {
        let keys = Keys::new(b"secret");
        let ours = "https://gop-y.example.vn/media/5f1d7a84db8d2cce90b1c2d3e4f50617.jpg";
        let named = Name::random().reference();
        let links = [
            "telegram:AgAC",
            ours,
            &named,
            "https://gop-y.example.vn/media/../x",
        ];
        let channel = ChannelId::new("bot").expect("an id");
        let event = || Event {
            id: EventId::new("m_1"),
            conversation: ConversationId::new(channel.clone(), CitizenId::new("24601")),
            sent_at: Timestamp::from_seconds(1),
            received_at: Timestamp::from_seconds(2),
            kind: EventKind::Message(Message {
                attachments: links.map(picture).to_vec(),
                ..Message::default()
            }),
        };
        let mut once = event();
        let public_url = "https://gop-y.example.vn/";
        let jobs = take_over(&keys, public_url, &mut once);
        let EventKind::Message(message) = &once.kind else {
            panic!("a message");
        };
        let urls: Vec<_> = message
            .attachments
            .iter()
            .map(|attachment| match attachment {
                Attachment::Media(media) => media.url.as_str(),
                _ => "",
            })
            .collect();
        let [first, second] = jobs.as_slice() else {
            panic!("two jobs");
        };
        let expected = [
            &*first.name.reference(),
            ours,
            &named,
            &second.name.reference(),
        ];
        assert_eq!(urls, expected);
        assert_eq!(first.media.url, "telegram:AgAC");
        assert!(!format!("{first:?}").contains("AgAC"));
        let mut again = event();
        assert_eq!(take_over(&keys, public_url, &mut again), jobs);
        assert_eq!(again, once);
    }
}
