//! What Messenger and WhatsApp have in common: an app at Meta, and templates that it approved.

use std::{collections::BTreeMap, time::Duration};

use langnghe_messenger::{App, TemplateForm};
use secrecy::SecretString;

use super::Reading;
use crate::config::reader::Section;

/// How the file writes templates.
const TEMPLATES: &str = "[[channel.template]]";

/// The keys of the app.
pub(super) fn app(reading: &Reading<'_, '_>) -> Option<App> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let secrets = section.secrets("app_secret", surroundings);
    let verify_token = section.secret("verify_token", surroundings);
    let access_token = section.secret("access_token", surroundings);
    let api_base = section.url("api_base");
    let version = section.text("api_version");
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let mut app = App::new(SecretString::default(), verify_token?, access_token?);
    app.secrets = secrets?.value;
    if let Some(api_base) = api_base {
        api_base
            .value
            .as_str()
            .trim_end_matches('/')
            .clone_into(&mut app.api_base);
    }
    if let Some(version) = version {
        app.version = version.value;
    }
    if let Some(timeout) = timeout {
        app.timeout = timeout;
    }
    Some(app)
}

/// The templates, by our names of them.
pub(super) fn templates(section: &Section<'_>) -> Option<BTreeMap<String, TemplateForm>> {
    let mut templates = BTreeMap::new();
    let mut good = true;
    for section in section.sections("template", TEMPLATES) {
        match template(&section) {
            Some((id, form)) if !templates.contains_key(&id) => {
                templates.insert(id, form);
            }
            Some(_) => {
                good = false;
                section.error(
                    "config::template",
                    "this template is there twice",
                    section.span.clone(),
                    "the second with this id",
                    "",
                );
            }
            None => good = false,
        }
        section.finish();
    }
    good.then_some(templates)
}

fn template(section: &Section<'_>) -> Option<(String, TemplateForm)> {
    let id = section.required("id", "\"status\"");
    let name = section.required("name", "\"case_update\"");
    let language = section.required("language", "\"vi\"");
    let texts = |key| -> Vec<String> {
        section
            .texts(key)
            .into_iter()
            .map(|text| text.value)
            .collect()
    };
    let parameters = texts("parameters");
    let named = section.has("gaps").then(|| texts("gaps"));
    let name = name?;
    let form = TemplateForm {
        name: name.value,
        language: language?.value,
        parameters,
        named,
    };
    if let Some(objection) = form.objection() {
        section.error(
            "config::template",
            "Meta takes no such template",
            name.span,
            objection,
            "",
        );
        return None;
    }
    Some((id?.value, form))
}
