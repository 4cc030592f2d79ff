//! `kind = "whatsapp"`: a number on WhatsApp's Cloud API.

use std::collections::BTreeMap;

use langnghe_whatsapp::{App, TemplateForm};

use super::{Reading, meta};

/// A number on WhatsApp's Cloud API.
#[derive(Debug)]
pub(crate) struct WhatsappConfig {
    /// The app, with a system user's token.
    pub(crate) app: App,
    /// The number, as Meta names it.
    pub(crate) phone_number_id: String,
    /// The WhatsApp Business Account, for `langnghe channel set-webhook`.
    pub(crate) account_id: Option<String>,
    /// Templates that Meta approved.
    pub(crate) templates: BTreeMap<String, TemplateForm>,
    /// What stands on the button that opens a list.
    pub(crate) list_button: Option<String>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<WhatsappConfig> {
    let section = reading.section;
    let app = meta::app(reading);
    let phone_number_id = section.required("phone_number_id", "\"106540352242922\"");
    let account_id = section.text("account_id").map(|text| text.value);
    let list_button = section.text("list_button").map(|text| text.value);
    let templates = meta::templates(section);
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(WhatsappConfig {
        app: app?,
        phone_number_id: phone_number_id?.value,
        account_id,
        templates: templates?,
        list_button,
        allow_private,
    })
}
