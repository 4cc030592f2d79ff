//! `[notices]`, and what a channel says about them: when and how citizens are told what they did not
//! just ask for.

use std::ops::Range;

use langnghe_model::{ChannelId, Purpose};
use langnghe_server::{NoticePolicy, QuietHours, QuietHoursError};

use super::{channel::ChannelConfig, reader::Section};

/// Good manners in Vietnam, where it is one hour everywhere.
const HOURS: &str = "21:00-07:00";
const ZONE: &str = "Asia/Ho_Chi_Minh";
/// What stands for no hours.
const NONE: &str = "off";

/// What holds for channels that say nothing themselves.
#[derive(Debug)]
pub(super) struct Defaults {
    hours: Option<QuietHours>,
    zone: String,
}

/// Reads the section.
pub(super) fn read(section: Section<'_>) -> Defaults {
    let zone = section.text("timezone");
    let name = zone
        .as_ref()
        .map_or_else(|| ZONE.to_owned(), |zone| zone.value.clone());
    let hours = section.text("quiet_hours");
    let text = hours.as_ref().map_or(HOURS, |hours| hours.value.as_str());
    let read = if text == NONE {
        Ok(None)
    } else {
        QuietHours::new(text, &name).map(Some)
    };
    let hours = read.unwrap_or_else(|error| {
        let place = match error {
            QuietHoursError::Zone => zone.as_ref(),
            _ => hours.as_ref(),
        };
        say(&section, error, place.map(|place| place.span.clone()));
        None
    });
    section.finish();
    Defaults { hours, zone: name }
}

/// Reads what a channel says. The web chat disturbs nobody, so it has no hours of its own accord.
pub(super) fn of_channel(section: &Section<'_>, kind: &str, defaults: &Defaults) -> NoticePolicy {
    let mut policy = NoticePolicy {
        quiet_hours: defaults.hours.clone().filter(|_| kind != "webchat"),
        ..NoticePolicy::default()
    };
    if let Some(text) = section.text("quiet_hours") {
        policy.quiet_hours = if text.value == NONE {
            None
        } else {
            QuietHours::new(&text.value, &defaults.zone)
                .map_err(|error| say(section, error, Some(text.span.clone())))
                .ok()
        };
    }
    let words = [
        ("nothing", &[][..]),
        ("answers", &[Purpose::Answer]),
        ("notices", &[Purpose::Answer, Purpose::Notice]),
        ("all", &Purpose::ALL),
    ];
    if let Some(billed) = section.one_of("billed", &words) {
        policy.billed = billed.to_vec();
    }
    policy.fallback = section.text("fallback").and_then(|text| {
        let id = ChannelId::new(&text.value);
        id.map_err(|error| section.not_an_id(&error, text.span))
            .ok()
    });
    policy
}

fn say(section: &Section<'_>, error: QuietHoursError, span: Option<Range<usize>>) {
    section.error(
        "config::quiet-hours",
        "`quiet_hours` cannot be kept",
        span.unwrap_or_else(|| section.span.clone()),
        error.to_string(),
        "write \"21:00-07:00\", or \"off\" to tell citizens at any hour",
    );
}

/// Finds channels that fall back to one that is not there.
pub(super) fn check_fallbacks(root: &Section<'_>, channels: &[ChannelConfig]) {
    for channel in channels {
        let Some(other) = &channel.notices.fallback else {
            continue;
        };
        let wrong = if *other == channel.id {
            Some("a channel cannot stand in for itself".to_owned())
        } else if channels.iter().all(|channel| channel.id != *other) {
            Some(format!("there is no [[channel]] with id = \"{other}\""))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            root.error(
                "config::fallback",
                format!("the channel `{}` falls back to nothing", channel.id),
                channel.place.clone(),
                wrong,
                "name the channel of kind \"sms\" that brings notices instead",
            );
        }
    }
}
