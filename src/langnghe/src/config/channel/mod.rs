//! `[[channel]]`: one account on a messenger, or the web chat; one file a kind.

mod bot;
mod messenger;
mod meta;
mod quotas;
mod sms;
mod telegram;
mod webchat;
mod whatsapp;
mod zalo;
mod zalo_bot;

use std::ops::Range;

use langnghe_flow::reader::nearest;
use langnghe_model::ChannelId;
use langnghe_server::NoticePolicy;

pub(crate) use self::{
    messenger::MessengerConfig,
    quotas::{QuotaChange, QuotaChanges, QuotaTerms},
    sms::{SmsConfig, SmsProvider},
    telegram::TelegramConfig,
    webchat::WebchatConfig,
    whatsapp::WhatsappConfig,
    zalo::ZaloConfig,
    zalo_bot::ZaloBotConfig,
};
use super::{notices, reader::Section, secrets::Surroundings, unique::Unique};

/// One channel.
#[derive(Debug)]
pub(crate) struct ChannelConfig {
    /// Its name; the last part of its webhook's path.
    pub(crate) id: ChannelId,
    /// The most replies a second.
    pub(crate) replies_per_second: Option<u32>,
    /// What is to be otherwise about the limits of its provider.
    pub(crate) quotas: QuotaChanges,
    /// Whether the citizen's name and language are asked of the messenger.
    pub(crate) profile: bool,
    /// How what citizens did not just ask for may be brought to them.
    pub(crate) notices: NoticePolicy,
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
    /// A number, a short code or a brandname.
    Sms(SmsConfig),
    /// A Telegram bot.
    Telegram(TelegramConfig),
    /// Our own web chat.
    Webchat(WebchatConfig),
    /// A number on WhatsApp's Cloud API.
    Whatsapp(WhatsappConfig),
    /// An Official Account on Zalo.
    Zalo(Box<ZaloConfig>),
    /// A bot of the Zalo Bot Platform.
    ZaloBot(ZaloBotConfig),
}

/// How the file writes these sections.
pub(super) const LIST: &str = "[[channel]]";

/// The kinds of this version.
const KINDS: [&str; 7] = [
    "messenger",
    "sms",
    "telegram",
    "webchat",
    "whatsapp",
    "zalo",
    "zalo-bot",
];

/// What the reader of one kind works with.
pub(super) struct Reading<'a, 'b> {
    pub(super) section: &'a Section<'b>,
    pub(super) surroundings: &'a Surroundings<'b>,
    pub(super) unique: &'a mut Unique,
}

pub(super) fn read(
    section: Section<'_>,
    surroundings: &Surroundings<'_>,
    unique: &mut Unique,
    defaults: &notices::Defaults,
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
    let quotas = quotas::read(&section);
    let profile = section.boolean("profile");
    let notices = notices::of_channel(&section, &kind_name.value, defaults);
    let mut reading = Reading {
        section: &section,
        surroundings,
        unique,
    };
    let kind = match kind_name.value.as_str() {
        "messenger" => messenger::read(&mut reading).map(ChannelKind::Messenger),
        "sms" => sms::read(&mut reading).map(ChannelKind::Sms),
        "telegram" => telegram::read(&mut reading).map(ChannelKind::Telegram),
        "whatsapp" => whatsapp::read(&mut reading).map(ChannelKind::Whatsapp),
        "zalo-bot" => zalo_bot::read(&mut reading).map(ChannelKind::ZaloBot),
        "webchat" => Some(ChannelKind::Webchat(webchat::read(&mut reading))),
        "zalo" => zalo::read(&mut reading).map(|zalo| ChannelKind::Zalo(Box::new(zalo))),
        other => {
            let all = KINDS.join(", ");
            let help = if let Some(known) = nearest(other, KINDS) {
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
        quotas,
        profile,
        notices,
        kind,
        place,
    })
}
