//! Messages of templates that Zalo approved (ZBS, formerly ZNS): to a phone number, or to a user.

use langnghe_connector::{SendError, Sent};
use langnghe_model::Template;
use serde_json::{Map, Value, json};

use super::{
    api::{Api, Base, Table},
    encode::nfc,
    message_id,
};
use crate::{Config, TemplateSetting, citizen::Addressee};

/// Sends a template. `tracking` is our own name of the message: it comes back in receipts and ratings, and
/// Zalo does not promise to know a repetition by it.
pub(super) async fn send(
    config: &Config,
    api: &Api,
    tracking: String,
    to: Addressee<'_>,
    template: &Template,
    phone: Option<&str>,
) -> Result<Sent, SendError> {
    let Some(setting) = config.templates.get(&template.name) else {
        return Err(SendError::Rejected {
            code: "no such template in the configuration".to_owned(),
        });
    };
    let data = parameters(setting, template)?;
    let (base, path, body) = match (phone, to) {
        (Some(phone), _) => {
            let mut body = json!({
                "phone": phone.trim_start_matches('+'),
                "template_id": setting.id,
                "template_data": data,
                "tracking_id": tracking,
            });
            if config.template_tests {
                body["mode"] = "development".into();
            }
            (Base::Zns, "/message/template", body)
        }
        (None, Addressee::User(user)) if setting.by_user => {
            let body = json!({ "user_id": user, "template_id": setting.id, "template_data": data });
            (Base::Api, "/v3.0/oa/message/template", body)
        }
        // It waits until the citizen writes, and then needs no template.
        _ => {
            return Err(SendError::WindowClosed {
                code: "no phone number for the template".to_owned(),
            });
        }
    };
    let data = api.post(base, Table::Template, path, &body).await?;
    Ok(Sent {
        message: message_id(&data),
    })
}

/// The template's parameters under Zalo's names.
fn parameters(setting: &TemplateSetting, template: &Template) -> Result<Value, SendError> {
    let mut data = Map::new();
    for (ours, theirs) in &setting.parameters {
        let value = template.parameters.get(ours);
        let value = value.ok_or_else(|| SendError::Rejected {
            code: format!("the message has no `{ours}` for the template"),
        })?;
        data.insert(theirs.clone(), nfc(value).into());
    }
    Ok(data.into())
}
