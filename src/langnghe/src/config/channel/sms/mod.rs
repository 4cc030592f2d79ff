//! `kind = "sms"`: a number, a short code or a brandname, whoever carries it.

mod provider;
mod smpp;

use langnghe_flow::reader::At;
use langnghe_model::capabilities::{Encoding, QuietHours};
use langnghe_sms::Keyword;

pub(crate) use self::provider::SmsProvider;
use self::provider::read as read_provider;
use super::Reading;

/// A number, a short code or a brandname.
#[derive(Debug)]
pub(crate) struct SmsConfig {
    /// Whether texts keep their accents.
    pub(crate) encoding: Option<Encoding>,
    /// The most parts of one message.
    pub(crate) max_segments: Option<u8>,
    /// What citizens put before their words.
    pub(crate) keyword: Option<Keyword>,
    /// The most parts a second.
    pub(crate) parts_per_second: Option<u32>,
    /// When notices rest.
    pub(crate) rest: Rest,
    /// Whether the provider may lie at a private address.
    pub(crate) allow_private: bool,
    /// Who carries it.
    pub(crate) provider: SmsProvider,
}

/// When notices rest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rest {
    /// As usual.
    Usual,
    /// Never.
    Never,
    /// In these hours.
    In(QuietHours),
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<SmsConfig> {
    let section = reading.section;
    let words = [
        ("unicode", Encoding::Unicode),
        ("unaccented", Encoding::Unaccented),
        ("auto", Encoding::Auto),
    ];
    let encoding = section.one_of("encoding", &words);
    let max_segments = section
        .count("max_segments", 1, 10)
        .and_then(|number| u8::try_from(number).ok());
    let parts_per_second = section
        .count("parts_per_second", 1, 10_000)
        .and_then(|number| u32::try_from(number).ok());
    let keyword = section.text("keyword").and_then(|text| {
        let keyword = Keyword::new(&text.value);
        if keyword.is_none() {
            section.error(
                "config::keyword",
                "a keyword is one word of letters and digits",
                text.span,
                "not a keyword",
                "for example: keyword = \"PA\"",
            );
        }
        keyword
    });
    let rest = section.text("quiet_hours").and_then(|text| {
        let rest = rest(&text);
        if rest.is_none() {
            section.error(
                "config::quiet-hours",
                "these are no hours",
                text.span,
                "not two times of a day",
                "for example: quiet_hours = \"21:00-07:00\", or \"off\"",
            );
        }
        rest
    });
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(SmsConfig {
        encoding,
        max_segments,
        keyword,
        parts_per_second,
        rest: rest.unwrap_or(Rest::Usual),
        allow_private,
        provider: read_provider(reading)?,
    })
}

/// `21:00-07:00`, or `off`.
fn rest(text: &At<String>) -> Option<Rest> {
    if text.value == "off" {
        return Some(Rest::Never);
    }
    let minutes = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, until) = text.value.split_once('-')?;
    Some(Rest::In(QuietHours {
        from: minutes(from)?,
        until: minutes(until)?,
    }))
}
