//! Who we are on Meta's side, and where it sends our webhooks.

use langnghe_connector::Checkup;
use langnghe_graph::{Failure, GraphClient};
use langnghe_model::Problem;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Config;

/// What is asked of a number; the last three are not told to everybody.
const FIELDS: &str = "display_phone_number,verified_name,quality_rating,throughput,whatsapp_business_manager_messaging_limit,status";
const FEWER_FIELDS: &str = "display_phone_number,verified_name,quality_rating";

#[derive(Deserialize)]
struct Number {
    #[serde(rename = "display_phone_number")]
    shown: Option<String>,
    verified_name: Option<String>,
    quality_rating: Option<String>,
    whatsapp_business_manager_messaging_limit: Option<String>,
    throughput: Option<Throughput>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Throughput {
    level: Option<String>,
}

/// Asks for the number's name, quality and limits.
pub(crate) async fn check(graph: &GraphClient, config: &Config) -> Checkup {
    let number = config.phone_number_id.as_str();
    let ask = async |fields| graph.get(&[number], &[("fields", fields)]).await;
    let mut answer = ask(FIELDS).await;
    let is_field = |failure: &Failure| {
        let error = failure.graph_error();
        error.is_some_and(|error| error.code == 100 && error.subcode != Some(33))
    };
    if answer.as_ref().is_err_and(is_field) {
        answer = ask(FEWER_FIELDS).await;
    }
    let mut checkup = Checkup::default();
    let answer = match answer {
        Ok(answer) => Number::deserialize(answer),
        Err(failure) => {
            checkup.problems.push(refused(&failure));
            return checkup;
        }
    };
    let Ok(told) = answer else {
        let message = "the answer is none that Meta gives";
        let problem = Problem::error("whatsapp::answer", message);
        checkup.problems.push(problem.help("is `api_base` right?"));
        return checkup;
    };
    let name = told.verified_name.unwrap_or_else(|| "a number".to_owned());
    let shown = told.shown.unwrap_or_default();
    checkup.account = Some(format!("{name} {shown} ({number})"));
    let mut fact = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            checkup.facts.push(format!("{name}: {value}"));
        }
    };
    fact("quality", &told.quality_rating);
    fact(
        "people that may be written to first in 24 hours",
        &told.whatsapp_business_manager_messaging_limit,
    );
    fact("throughput", &told.throughput.and_then(|it| it.level));
    fact("state", &told.status);
    if told.quality_rating.as_deref() == Some("RED") {
        let problem = Problem::warning(
            "whatsapp::quality",
            "Meta rates the number's quality as low: citizens block or report its messages",
        );
        let help = "send fewer templates, and only those that citizens asked for";
        checkup.problems.push(problem.help(help));
    }
    if let Some(state) = told.status.filter(|state| state != "CONNECTED") {
        let message = format!("the number is {state}, not CONNECTED: it may not send");
        let problem = Problem::error("whatsapp::not-connected", message);
        checkup
            .problems
            .push(problem.help("register it in WhatsApp Manager"));
    }
    checkup
}

/// Has this number's webhooks sent to `url`: the account's subscription with our address where the
/// account is configured, else the number's own.
pub(crate) async fn set_webhook(
    graph: &GraphClient,
    config: &Config,
    url: &str,
) -> Result<Vec<String>, Box<Problem>> {
    let address = json!({
        "override_callback_uri": url,
        "verify_token": config.app.verify_token.expose_secret(),
    });
    let (answer, said) = match &config.account_id {
        Some(account) => (
            graph.post(&[account, "subscribed_apps"], &address).await,
            "the account's messages come to",
        ),
        None => (
            graph
                .post(
                    &[&config.phone_number_id],
                    &json!({ "webhook_configuration": address }),
                )
                .await,
            "the number's messages come to",
        ),
    };
    let answer = answer.map_err(|failure| Box::new(refused(&failure)))?;
    if answer.get("success") != Some(&Value::Bool(true)) {
        let message = "Meta did not confirm the address";
        let problem = Problem::error("whatsapp::webhook", message);
        return Err(Box::new(problem));
    }
    let mut lines = vec![format!("{said} {url}")];
    if config.account_id.is_none() {
        lines.push(
            "without `account_id` the account was not subscribed to the app: that is done once, in the \
             app's dashboard or with `account_id`"
                .to_owned(),
        );
    }
    Ok(lines)
}

fn refused(failure: &Failure) -> Problem {
    let message = format!("Meta refuses: {failure}");
    let problem = Problem::error("whatsapp::refused", message);
    let error = failure.graph_error();
    match error.map(|error| (error.code, error.subcode)) {
        Some((190, _)) => {
            problem.help("the access token is wrong or has run out: make one of a system user")
        }
        Some((100, Some(33))) => problem
            .help("there is no such number, or the token is not for it: compare `phone_number_id`"),
        Some((3 | 10 | 200..=299, _)) => problem.help(
            "the token lacks a permission: it needs whatsapp_business_messaging and \
             whatsapp_business_management",
        ),
        Some(_) => problem.help("look the code up in docs/channels/whatsapp.md"),
        None => problem.help("is `api_base` right, and can this machine reach it?"),
    }
}
