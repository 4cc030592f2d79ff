//! "Who am I", and where updates go.

use std::time::Duration;

use langnghe_connector::Checkup;
use langnghe_model::Problem;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::{
    BotConfig, BotMode,
    api::{BotApi, CallError, classify},
};
use crate::lenient::text;

pub(super) async fn check(config: &BotConfig, api: &BotApi) -> Checkup {
    let mut checkup = Checkup::default();
    let me = match api.call("getMe", &json!({}), Duration::ZERO).await {
        Ok(me) => me,
        Err(error) => {
            checkup.problems.push(problem(error));
            return checkup;
        }
    };
    let word = |key: &str| text(&me[key]).unwrap_or_default();
    checkup.account = Some(format!("{} ({})", word("account_name"), word("id")));
    if let Some(kind) = text(&me["account_type"]) {
        checkup.facts.push(format!("package {kind}"));
    }
    match api.call("getWebhookInfo", &json!({}), Duration::ZERO).await {
        Ok(info) => judge(config, &info, &mut checkup),
        Err(error) => checkup.problems.push(problem(error)),
    }
    checkup
}

fn judge(config: &BotConfig, info: &Value, checkup: &mut Checkup) {
    let url = text(&info["url"]);
    let found = match (&config.mode, url) {
        (BotMode::Polling, None) => {
            checkup.facts.push("updates are polled".to_owned());
            Problem::warning(
                "zalo-bot::polling",
                "polling is for trying a bot out: a crash loses what is on its way",
            )
            .help("mode = \"webhook\"")
        }
        (BotMode::Polling, Some(_)) => Problem::error(
            "zalo-bot::webhook-set",
            "a webhook is set for this bot, so it cannot be polled",
        )
        .help("`langnghe channel set-webhook` removes it for a channel that polls"),
        (BotMode::Webhook { .. }, None) => {
            Problem::error("zalo-bot::no-webhook", "no webhook is set for this bot")
                .help("set it: `langnghe channel set-webhook`")
        }
        (BotMode::Webhook { .. }, Some(url)) => {
            let host = Url::parse(&url).ok();
            let host = host.as_ref().and_then(Url::host_str).unwrap_or("unknown");
            checkup.facts.push(format!("updates go to {host}"));
            return;
        }
    };
    checkup.problems.push(found);
}

/// Sets the webhook; for a channel that polls, removes the one that is in its way. The platform saves
/// an address even when it could not reach it, and says which.
pub(super) async fn set_webhook(
    config: &BotConfig,
    api: &BotApi,
    url: &str,
) -> Result<Vec<String>, Box<Problem>> {
    let BotMode::Webhook { secret } = &config.mode else {
        let removed = api.call("deleteWebhook", &json!({}), Duration::ZERO).await;
        removed.map_err(|error| Box::new(problem(error)))?;
        return Ok(vec![
            "this channel polls: Zalo has no webhook for it any more".to_owned(),
        ]);
    };
    if !url.starts_with("https://") {
        let message = "Zalo delivers to public https addresses only";
        let help = "set [server] public_url";
        return Err(Box::new(
            Problem::error("zalo-bot::webhook", message).help(help),
        ));
    }
    let body = json!({ "url": url, "secret_token": secret.expose_secret() });
    let set = api.call("setWebhook", &body, Duration::ZERO).await;
    let set = set.map_err(|error| Box::new(problem(error)))?;
    let verification = &set["verification"];
    if verification["ok"] == false {
        let outcome = text(&verification["outcome"]).unwrap_or_default();
        let message = format!("Zalo keeps the address and could not reach it: {outcome}");
        return Err(Box::new(Problem::error("zalo-bot::webhook", message).help(
            "it must be public, without redirects, with a certificate; set it again then",
        )));
    }
    Ok(vec![format!("Zalo delivers to {url}")])
}

fn problem(error: CallError) -> Problem {
    let problem = Problem::error("zalo-bot::refused", format!("Zalo: {}", classify(error)));
    match error {
        CallError::Refused(401) => {
            problem.help("the token is wrong or was reset; see Zalo Bot Creator")
        }
        CallError::Refused(_) => problem,
        _ => problem.help("is `api_base` right, and can this machine reach it?"),
    }
}
