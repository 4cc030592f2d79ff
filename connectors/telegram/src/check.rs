//! "Who am I", and where updates go.

use langnghe_connector::Checkup;
use langnghe_model::Problem;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use teloxide::payloads::{DeleteWebhook, GetMe, GetWebhookInfo, SetWebhook, SetWebhookSetters};
use url::Url;

use crate::{
    Config, Mode,
    api::{BotApi, CallError},
    poll::UPDATES,
    receive::id_of,
    send::classify,
};

/// teloxide's type wants fields that newer answers may lack.
#[derive(Deserialize)]
struct Me {
    id: Value,
    username: Option<String>,
    first_name: Option<String>,
}

#[derive(Deserialize)]
struct WebhookInfo {
    #[serde(default)]
    url: String,
    #[serde(default)]
    pending_update_count: Value,
    #[serde(default)]
    last_error_date: Value,
    last_error_message: Option<String>,
    allowed_updates: Option<Vec<String>>,
}

pub(crate) async fn check(config: &Config, api: &BotApi) -> Checkup {
    let mut checkup = Checkup::default();
    let me: Me = match api.call(&GetMe::new()).await {
        Ok(me) => me,
        Err(error) => {
            checkup.problems.push(problem(&error));
            return checkup;
        }
    };
    let name = me.username.map(|name| format!("@{name}")).or(me.first_name);
    let id = id_of(&me.id).unwrap_or_default();
    checkup.account = Some(format!("{} ({id})", name.unwrap_or_default()));
    match api.call::<_, WebhookInfo>(&GetWebhookInfo::new()).await {
        Ok(info) => judge(config, &info, &mut checkup),
        Err(error) => checkup.problems.push(problem(&error)),
    }
    checkup
}

fn judge(config: &Config, info: &WebhookInfo, checkup: &mut Checkup) {
    let waiting = id_of(&info.pending_update_count).unwrap_or(0);
    checkup.facts.push(format!("{waiting} updates wait"));
    match (&config.mode, info.url.is_empty()) {
        (Mode::Polling, true) => checkup.facts.push("updates are polled".to_owned()),
        (Mode::Polling, false) => checkup.problems.push(
            Problem::error(
                "telegram::webhook-set",
                "a webhook is set for this bot, so it cannot be polled",
            )
            .help("`langnghe channel set-webhook` removes it for a channel that polls"),
        ),
        (Mode::Webhook { .. }, true) => checkup.problems.push(
            Problem::error("telegram::no-webhook", "no webhook is set for this bot")
                .help("set it: `langnghe channel set-webhook`"),
        ),
        (Mode::Webhook { .. }, false) => {
            // The whole address is the operator's; the host says enough.
            let host = Url::parse(&info.url).ok();
            let host = host.as_ref().and_then(Url::host_str).unwrap_or("unknown");
            checkup.facts.push(format!("updates go to {host}"));
        }
    }
    if let Some(message) = &info.last_error_message {
        let when = id_of(&info.last_error_date).unwrap_or(0);
        let text = format!("the last delivery that failed ({when} s since 1970): {message}");
        checkup
            .problems
            .push(Problem::warning("telegram::delivery", text));
    }
    let missing: Vec<&str> = UPDATES
        .into_iter()
        .filter(|kind| {
            let allowed = info.allowed_updates.as_ref();
            allowed.is_some_and(|allowed| {
                !allowed.is_empty() && !allowed.iter().any(|one| one == kind)
            })
        })
        .collect();
    if matches!(config.mode, Mode::Webhook { .. }) && !missing.is_empty() {
        let text = format!("Telegram does not deliver {}", missing.join(", "));
        checkup.problems.push(
            Problem::warning("telegram::updates", text)
                .help("set the webhook again: `langnghe channel set-webhook`"),
        );
    }
}

/// Sets the webhook; for a channel that polls, removes the one that is in its way. Nothing but this
/// command of an operator ever does: a replica that stops leaves the webhook to the others.
pub(crate) async fn set_webhook(
    config: &Config,
    api: &BotApi,
    url: &str,
) -> Result<Vec<String>, Box<Problem>> {
    let Mode::Webhook { secret } = &config.mode else {
        let removed: Result<bool, CallError> = api.call(&DeleteWebhook::new()).await;
        removed.map_err(|error| Box::new(problem(&error)))?;
        return Ok(vec![
            "this channel polls: Telegram has no webhook for it any more".to_owned(),
        ]);
    };
    let address = Url::parse(url).map_err(|_| {
        let message = "the webhook's address is no web address";
        Box::new(Problem::error("telegram::webhook", message).help("see [server] public_url"))
    })?;
    let call = SetWebhook::new(address)
        .secret_token(secret.expose_secret())
        .max_connections(config.max_connections)
        .allowed_updates(UPDATES.map(allowed));
    let set: Result<bool, CallError> = api.call(&call).await;
    set.map_err(|error| Box::new(problem(&error)))?;
    Ok(vec![format!(
        "Telegram delivers to {url}, at most {} at once",
        config.max_connections
    )])
}

fn allowed(kind: &str) -> teloxide::types::AllowedUpdate {
    use teloxide::types::AllowedUpdate;
    match kind {
        "edited_message" => AllowedUpdate::EditedMessage,
        "callback_query" => AllowedUpdate::CallbackQuery,
        "my_chat_member" => AllowedUpdate::MyChatMember,
        _ => AllowedUpdate::Message,
    }
}

fn problem(error: &CallError) -> Problem {
    use teloxide::ApiError;
    let reason = classify(error);
    let problem = Problem::error("telegram::refused", format!("Telegram: {reason}"));
    let CallError::Refused(refusal) = error else {
        return problem.help("is `api_base` right, and can this machine reach it?");
    };
    match refusal.error {
        ApiError::InvalidToken => problem.help("the token is wrong or was revoked; see BotFather"),
        ApiError::WebhookRequireHttps => {
            problem.help("[server] public_url must begin with https://")
        }
        ApiError::BadWebhookPort => problem.help("Telegram calls ports 443, 80, 88 and 8443 only"),
        ApiError::UnknownHost => problem.help("Telegram does not find the host of public_url"),
        _ => problem,
    }
}
