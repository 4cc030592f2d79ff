//! The User Profile API.

use langnghe_connector::SendError;
use langnghe_graph::GraphClient;
use langnghe_model::{CitizenId, Profile};
use serde::Deserialize;

use super::classify;
use crate::{PAGE, USER_REF};

#[derive(Deserialize)]
struct WireProfile {
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    locale: Option<String>,
}

/// Asks for name and locale. Accounts made from a phone number have no profile, and without the
/// feature Meta answers with an empty object: both are a profile in which nothing is known.
pub(crate) async fn profile(
    graph: &GraphClient,
    citizen: &CitizenId,
) -> Result<Profile, SendError> {
    let id = citizen.as_str();
    if id.is_empty() || id.starts_with(PAGE) || id.starts_with(USER_REF) {
        return Ok(Profile::default());
    }
    // The locale needs a permission of its own; without it the whole request is refused.
    let ask = async |fields: &str| {
        let answer = graph.get(&[id], &[("fields", fields)]).await;
        answer.map_err(|failure| classify(&failure))
    };
    let asked = match ask("name,first_name,last_name,locale").await {
        Err(error) if is_about_permission(&error) => ask("first_name,last_name").await,
        answer => answer,
    };
    match asked {
        Ok(answer) => read(answer),
        Err(error) if is_unknown_person(&error) => Ok(Profile::default()),
        Err(error) => Err(error),
    }
}

fn read(answer: serde_json::Value) -> Result<Profile, SendError> {
    let wire: WireProfile = serde_json::from_value(answer).map_err(|_| SendError::Transport {
        reason: "unreadable answer".to_owned(),
    })?;
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let name = some(wire.name).or_else(|| {
        let parts: Vec<String> = [wire.first_name, wire.last_name]
            .into_iter()
            .flatten()
            .collect();
        some(Some(parts.join(" ").trim().to_owned()))
    });
    // Meta writes `vi_VN`.
    let language = some(wire.locale).map(|locale| locale.replace('_', "-"));
    Ok(Profile { name, language })
}

/// Codes 10, 100 and 200 without a subcode: something that was asked for is not allowed.
fn is_about_permission(error: &SendError) -> bool {
    match error {
        SendError::Credentials { code } | SendError::Rejected { code } => {
            matches!(code.as_str(), "10" | "100" | "200")
        }
        _ => false,
    }
}

fn is_unknown_person(error: &SendError) -> bool {
    match error {
        SendError::Rejected { code } => code
            .split('/')
            .any(|number| matches!(number, "2018218" | "2018247")),
        _ => false,
    }
}
