//! `kind = "sms"`: a number, a short code or a brandname, whoever carries it.

mod http;
mod provider;
mod smpp;

use langnghe_model::capabilities::Encoding;
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
    /// Whether the provider may lie at a private address.
    pub(crate) allow_private: bool,
    /// Who carries it.
    pub(crate) provider: SmsProvider,
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
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(SmsConfig {
        encoding,
        max_segments,
        keyword,
        parts_per_second,
        allow_private,
        provider: read_provider(reading)?,
    })
}
