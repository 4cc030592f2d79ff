//! `kind = "zalo"`: an Official Account on Zalo.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use langnghe_model::ChannelId;
use langnghe_zalo::{ChoicePresentation, Config, ContactRequest, TemplateSetting};
use secrecy::SecretString;
use url::Url;

use super::Reading;
use crate::config::reader::Section;

/// How the file writes templates.
const TEMPLATES: &str = "[[channel.template]]";
/// How the file writes what a question for contact details shows.
const CONTACT: &str = "[channel.contact_request]";

/// An Official Account.
#[derive(Debug)]
pub(crate) struct ZaloConfig {
    /// The account, but for who exchanges tokens.
    pub(crate) account: Config,
    /// The callback address that the console has, for the first authorisation.
    pub(crate) redirect_uri: Option<Url>,
    /// The folder for answers to token exchanges, where it is said.
    pub(crate) answers: Option<PathBuf>,
    /// The same where the store has no folder of its own.
    pub(crate) usual_answers: PathBuf,
    /// Whether addresses may be private.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<ZaloConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let app_id = section.required("app_id", "\"1234567890123456789\"");
    let app_secret = section.secret("app_secret", surroundings);
    let oa_secrets = section.secrets("oa_secret", surroundings);
    let refresh_token = section
        .has("refresh_token")
        .then(|| section.secret("refresh_token", surroundings));
    let channel = section
        .text("id")
        .and_then(|id| ChannelId::new(&id.value).ok());
    let templates = templates(section);
    let contact_request = contact_request(section);
    let text = |key| section.text(key).map(|text| text.value);
    let base = |key| {
        let url = section.url(key)?;
        Some(url.value.as_str().trim_end_matches('/').to_owned())
    };
    let (oa_id, api_base, oauth_base, zns_base) = (
        text("oa_id"),
        base("api_base"),
        base("oauth_base"),
        base("zns_base"),
    );
    let words = [
        ("numbered", ChoicePresentation::Numbered),
        ("buttons", ChoicePresentation::Buttons),
        ("list", ChoicePresentation::List),
    ];
    let choices = section.one_of("choices", &words).unwrap_or_default();
    let yes = |key| section.boolean(key).unwrap_or(false);
    let [
        template_tests,
        upload_images,
        prove_secret,
        setup,
        allow_private,
    ] = [
        "template_tests",
        "upload_images",
        "appsecret_proof",
        "setup",
        "allow_private",
    ]
    .map(yes);
    let media_hosts = section.texts("media_hosts").into_iter();
    let media_hosts = media_hosts.map(|host| host.value).collect();
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_secs(20));
    let answers = section.path("answers", surroundings.folder);
    let redirect_uri = section.url("redirect_uri").map(|url| url.value);

    // The first of them is checked by the connector, as the others are.
    let mut account = Config::new(
        channel?,
        &app_id?.value,
        app_secret?,
        SecretString::default(),
    );
    account.oa_secrets = oa_secrets?.value;
    account.refresh_token = match refresh_token {
        Some(token) => Some(token?),
        None => None,
    };
    account.oa_id = oa_id;
    account.api_base = api_base.unwrap_or(account.api_base);
    account.oauth_base = oauth_base.unwrap_or(account.oauth_base);
    account.zns_base = zns_base.unwrap_or(account.zns_base);
    account.choices = choices;
    account.contact_request = contact_request;
    account.templates = templates?;
    account.template_tests = template_tests;
    account.upload_images = upload_images;
    account.media_hosts = media_hosts;
    account.prove_secret = prove_secret;
    account.setup = setup;
    account.timeout = timeout.unwrap_or(account.timeout);
    Some(ZaloConfig {
        account,
        redirect_uri,
        answers,
        usual_answers: surroundings.folder.join("data/zalo"),
        allow_private,
    })
}

fn contact_request(section: &Section<'_>) -> Option<ContactRequest> {
    if !section.has("contact_request") {
        return None;
    }
    let section = section.section("contact_request", CONTACT);
    let title = section.required("title", "\"UBND phường Cái Khế\"");
    let image_url = section.required_url("image_url", "\"https://gop-y.example.vn/logo.png\"");
    section.finish();
    Some(ContactRequest {
        title: title?.value,
        image_url: image_url?.value.into(),
    })
}

/// The templates, by our names of them.
fn templates(section: &Section<'_>) -> Option<BTreeMap<String, TemplateSetting>> {
    let mut templates = BTreeMap::new();
    let mut good = true;
    for section in section.sections("template", TEMPLATES) {
        match template(&section) {
            Some((id, _)) if templates.contains_key(&id) => {
                good = false;
                section.error(
                    "config::template",
                    "this template is there twice",
                    section.span.clone(),
                    "the second with this id",
                    "",
                );
            }
            Some((id, template)) => {
                templates.insert(id, template);
            }
            None => good = false,
        }
        section.finish();
    }
    good.then_some(templates)
}

fn template(section: &Section<'_>) -> Option<(String, TemplateSetting)> {
    let id = section.required("id", "\"status\"");
    let template_id = section.required("template_id", "\"123456\"");
    let texts = |key| {
        let texts = section.texts(key).into_iter();
        texts.map(|text| text.value).collect::<Vec<String>>()
    };
    let (ours, theirs) = (texts("parameters"), texts("gaps"));
    let by_user = section.boolean("by_user").unwrap_or(false);
    let theirs = if section.has("gaps") {
        theirs
    } else {
        ours.clone()
    };
    if ours.len() != theirs.len() {
        section.error(
            "config::template",
            "`parameters` and `gaps` are not of the same length",
            section.span.clone(),
            format!("{} of ours, {} of Zalo's", ours.len(), theirs.len()),
            "`parameters` are our names, `gaps` Zalo's, in the same order",
        );
        return None;
    }
    let setting = TemplateSetting {
        id: template_id?.value,
        parameters: ours.into_iter().zip(theirs).collect(),
        by_user,
    };
    Some((id?.value, setting))
}
