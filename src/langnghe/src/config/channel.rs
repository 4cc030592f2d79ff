//! `[[channel]]`: one account on a messenger, or the web chat.

use std::{ops::Range, time::Duration};

use langnghe_flow::reader::{At, nearest};
use langnghe_model::ChannelId;
use secrecy::SecretString;
use url::Url;

use super::{reader::Section, secrets::Surroundings, unique::Unique};

/// One channel.
#[derive(Debug)]
pub(crate) struct ChannelConfig {
    /// Its name; the last part of its webhook's path.
    pub(crate) id: ChannelId,
    /// The most replies a second.
    pub(crate) replies_per_second: Option<u32>,
    /// Whether the citizen's name and language are asked of the messenger.
    pub(crate) profile: bool,
    /// What it is.
    pub(crate) kind: ChannelKind,
    /// Where its section begins in the file.
    pub(crate) place: Range<usize>,
}

/// What a channel is.
#[derive(Debug)]
pub(crate) enum ChannelKind {
    /// A Facebook page.
    Messenger(MessengerConfig),
    /// Our own web chat.
    Webchat(WebchatConfig),
}

/// A Facebook page.
#[derive(Debug)]
pub(crate) struct MessengerConfig {
    /// Sign the webhooks, and the first of them our calls; more than one while it is being changed.
    pub(crate) app_secrets: Vec<SecretString>,
    /// What Facebook repeats when the webhook is set up.
    pub(crate) verify_token: SecretString,
    /// The page's token.
    pub(crate) access_token: SecretString,
    /// The Graph API, or a stand-in.
    pub(crate) api_base: Option<Url>,
    /// The Graph API's version (`v26.0`).
    pub(crate) api_version: Option<String>,
    /// The page's id; where it is given, events of other pages are set aside.
    pub(crate) page_id: Option<String>,
    /// The app's id.
    pub(crate) app_id: Option<String>,
    /// Whether choices are buttons, which stay, and not quick replies, which vanish.
    pub(crate) buttons: bool,
    /// The longest that one call may take.
    pub(crate) timeout: Option<Duration>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

/// Our own web chat.
#[derive(Debug)]
pub(crate) struct WebchatConfig {
    /// Where its page lies.
    pub(crate) path: String,
    /// What stands at its top; `None` is the agency's name.
    pub(crate) title: Option<String>,
    /// Its interface languages, the first to begin with.
    pub(crate) languages: Option<Vec<String>>,
    /// Origins of pages that may show it in a frame.
    pub(crate) allow_frames: Vec<String>,
    /// Further origins under which it is reached.
    pub(crate) origins: Vec<String>,
}

/// How the file writes these sections.
pub(super) const LIST: &str = "[[channel]]";

/// Where the web chat lies unless the file says otherwise.
const WEBCHAT_PATH: &str = "/chat";

/// The kinds of this version.
const KINDS: [&str; 2] = ["messenger", "webchat"];

/// The kinds that the configuration knows and a later version brings.
const LATER_KINDS: [&str; 4] = ["whatsapp", "zalo", "telegram", "sms"];

pub(super) fn read(
    section: Section<'_>,
    surroundings: &Surroundings<'_>,
    unique: &mut Unique,
) -> Option<ChannelConfig> {
    let id = section.required("id", "\"page\"").and_then(|text| {
        unique.note(&section, LIST, "id", &text.value, text.span.clone());
        let id = ChannelId::new(&text.value);
        id.map_err(|error| section.not_an_id(&error, text.span))
            .ok()
    });
    // Which keys are known depends on the kind: without it the rest of the section says nothing.
    let kind_name = section.required("kind", "\"messenger\"")?;
    let replies_per_second = section
        .count("replies_per_second", 1, 10_000)
        .and_then(|number| u32::try_from(number).ok());
    let profile = section.boolean("profile");
    let kind = match kind_name.value.as_str() {
        "messenger" => messenger(&section, surroundings).map(ChannelKind::Messenger),
        "webchat" => Some(ChannelKind::Webchat(webchat(&section, unique))),
        other => {
            let all = KINDS.join(" and ");
            let help = if LATER_KINDS.contains(&other) {
                format!("{other} comes with a later version; this one has {all}")
            } else if let Some(known) = nearest(other, KINDS) {
                format!("did you mean \"{known}\"?")
            } else {
                format!("this version has {all}")
            };
            section.error(
                "config::channel-kind",
                format!("this version has no channel of the kind `{other}`"),
                kind_name.span,
                "not in this version",
                help,
            );
            return None;
        }
    };
    let place = section.span.clone();
    section.finish();
    let kind = kind?;
    let profile = profile.unwrap_or(true);
    Some(ChannelConfig {
        id: id?,
        replies_per_second,
        profile,
        kind,
        place,
    })
}

fn messenger(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<MessengerConfig> {
    let app_secrets = section.secrets("app_secret", surroundings);
    let verify_token = section.secret("verify_token", surroundings);
    let access_token = section.secret("access_token", surroundings);
    let api_base = section.url("api_base").map(|url| url.value);
    let text = |key| section.text(key).map(|text| text.value);
    let (api_version, page_id, app_id) = (text("api_version"), text("page_id"), text("app_id"));
    let words = [("quick_replies", false), ("buttons", true)];
    let buttons = section.one_of("choices", &words).unwrap_or(false);
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(MessengerConfig {
        app_secrets: app_secrets?.value,
        verify_token: verify_token?,
        access_token: access_token?,
        api_base,
        api_version,
        page_id,
        app_id,
        buttons,
        timeout,
        allow_private,
    })
}

fn webchat(section: &Section<'_>, unique: &mut Unique) -> WebchatConfig {
    let texts = |key| {
        section
            .texts(key)
            .into_iter()
            .map(|text| text.value)
            .collect::<Vec<_>>()
    };
    let path = section.text("path").unwrap_or_else(|| At {
        value: WEBCHAT_PATH.to_owned(),
        span: section.span.clone(),
    });
    unique.note(section, LIST, "path", &path.value, path.span);
    WebchatConfig {
        path: path.value,
        title: section.text("title").map(|text| text.value),
        languages: section.has("languages").then(|| texts("languages")),
        allow_frames: texts("allow_frames"),
        origins: texts("origins"),
    }
}
