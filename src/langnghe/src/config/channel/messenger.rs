//! `kind = "messenger"`: a Facebook page.

use std::collections::BTreeMap;

use langnghe_messenger::{App, ChoicePresentation, TemplateForm};

use super::{Reading, meta};

/// A Facebook page.
#[derive(Debug)]
pub(crate) struct MessengerConfig {
    /// The app, with the page's token.
    pub(crate) app: App,
    /// The page's id; where it is given, events of other pages are set aside.
    pub(crate) page_id: Option<String>,
    /// The app's id.
    pub(crate) app_id: Option<String>,
    /// How choices are shown.
    pub(crate) choices: ChoicePresentation,
    /// Utility templates.
    pub(crate) templates: BTreeMap<String, TemplateForm>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<MessengerConfig> {
    let section = reading.section;
    let app = meta::app(reading);
    let text = |key| section.text(key).map(|text| text.value);
    let (page_id, app_id) = (text("page_id"), text("app_id"));
    let words = [
        ("quick_replies", ChoicePresentation::QuickReplies),
        ("buttons", ChoicePresentation::Buttons),
    ];
    let choices = section.one_of("choices", &words).unwrap_or_default();
    let templates = meta::templates(section);
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(MessengerConfig {
        app: app?,
        page_id,
        app_id,
        choices,
        templates: templates?,
        allow_private,
    })
}
