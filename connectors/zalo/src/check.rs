//! "Who am I": the account as Zalo knows it, and how its tokens stand.

use langnghe_connector::{Checkup, SendError};
use langnghe_model::{Problem, Timestamp};
use serde_json::Value;

use crate::{
    Config, lenient,
    send::Api,
    tokens::{State, Tokens},
};

/// Asks Zalo for the account; changes nothing, and renews nothing.
pub(crate) async fn check(config: &Config, api: &Api, tokens: &Tokens) -> Checkup {
    let mut checkup = Checkup::default();
    let state = match tokens.state().await {
        Ok(state) => state,
        Err(error) => {
            checkup.problems.push(
                Problem::error(
                    "zalo::tokens",
                    format!("the tokens cannot be read: {error}"),
                )
                .help("they lie in the store: it must be reachable"),
            );
            return checkup;
        }
    };
    if let Some(problem) = trouble(config, &state) {
        checkup.problems.push(problem);
    } else if let Some(pair) = &state.pair {
        let now = tokens.now().unwrap_or_default();
        match &pair.access {
            Some(access) => checkup
                .facts
                .push(format!("access token: {}", ends(access.until, now))),
            None => checkup.facts.push("access token: none yet".to_owned()),
        }
        checkup.facts.push(format!(
            "refresh token: {}; each renewal brings a new one",
            ends(pair.refresh_until, now)
        ));
    }
    if state.pair.as_ref().is_none_or(|pair| pair.access.is_none()) {
        return checkup;
    }
    match api.get("/v2.0/oa/getoa", None).await {
        Ok(answer) => account(config, &answer, &mut checkup),
        Err(error) => checkup.problems.push(refused(&error, &authorize(config))),
    }
    checkup
}

/// What is wrong with the tokens, and what to do: without it nothing can be sent.
pub(crate) fn trouble(config: &Config, state: &State) -> Option<Problem> {
    let authorize = authorize(config);
    match (&state.pair, &state.lost) {
        (None, _) if config.refresh_token.is_some() => Some(
            Problem::warning(
                "zalo::not-taken-up",
                "the refresh token of the configuration is not taken up yet",
            )
            .help("`langnghe serve` takes it up when it starts"),
        ),
        (None, _) => Some(
            Problem::error(
                "zalo::not-authorised",
                "the account has not authorised the app yet",
            )
            .help(authorize),
        ),
        (Some(_), Some(lost)) => Some(
            Problem::error(
                "zalo::grant-lost",
                format!(
                    "Zalo does not take the refresh token any more ({})",
                    lost.code
                ),
            )
            .help(format!(
                "an administrator of the account must authorise again; {authorize}"
            )),
        ),
        (Some(_), None) => None,
    }
}

/// What an operator runs.
fn authorize(config: &Config) -> String {
    format!(
        "run: langnghe zalo authorize --config FILE {}",
        config.channel
    )
}

/// When something ends, in words that need no clock beside them.
pub(crate) fn ends(until: Timestamp, now: Timestamp) -> String {
    if until <= now {
        return "ended".to_owned();
    }
    let left = until.since(now).as_secs();
    let (days, hours, minutes) = (left / 86_400, left / 3600 % 24, left / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("ends in {minutes} min"),
        (0, _) => format!("ends in {hours} h {minutes} min"),
        _ => format!("ends in {days} days {hours} h"),
    }
}

/// What Zalo says of the account.
fn account(config: &Config, answer: &Value, checkup: &mut Checkup) {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| lenient::text(answer.get(*name)?))
    };
    let id = text(&["oaid", "oa_id"]);
    let name = text(&["name"]).unwrap_or_else(|| "without a name".to_owned());
    checkup.account = Some(match &id {
        Some(id) => format!("{name} ({id})"),
        None => name,
    });
    if let (Some(configured), Some(id)) = (&config.oa_id, &id)
        && configured != id
    {
        checkup.problems.push(
            Problem::error(
                "zalo::other-account",
                "the tokens are of another account than `oa_id` says",
            )
            .help("authorise again as an administrator of the right account, or correct `oa_id`"),
        );
    }
    if let Some(package) = text(&["package_name"]) {
        let until = text(&["package_valid_through_date"]);
        let until = until.map_or_else(String::new, |until| format!(", until {until}"));
        checkup.facts.push(format!("package: {package}{until}"));
    }
    if let Some(followers) = text(&["num_follower"]) {
        checkup.facts.push(format!("followers: {followers}"));
    }
    let yes = |name: &str| match answer.get(name) {
        Some(Value::Bool(yes)) => Some(*yes),
        Some(Value::String(text)) => Some(text == "true" || text == "1"),
        Some(Value::Number(number)) => Some(number.as_i64() == Some(1)),
        _ => None,
    };
    match yes("is_verified") {
        Some(true) => checkup.facts.push("verified: yes".to_owned()),
        Some(false) => checkup.problems.push(
            Problem::warning(
                "zalo::not-verified",
                "the account is not verified: templates, and some other calls, are refused",
            )
            .help("verify it in the Official Account manager"),
        ),
        None => {}
    }
    let linked = text(&["linked_ZCA", "linked_zca"]);
    match linked.filter(|linked| linked != "false" && linked != "0") {
        Some(linked) => checkup.facts.push(format!("Zalo Cloud account: {linked}")),
        None if config.templates.is_empty() => checkup.facts.push(
            "Zalo Cloud account: none linked, so that messages later than 48 hours after the citizen's are refused".to_owned(),
        ),
        None => checkup.problems.push(
            Problem::warning("zalo::no-cloud-account", "no Zalo Cloud (ZBS) account is linked: templates are refused")
                .help("link one in the Official Account manager, with a balance"),
        ),
    }
}

fn refused(error: &SendError, authorize: &str) -> Problem {
    let message = format!("Zalo does not answer who we are: {error}");
    let problem = Problem::error("zalo::refused", message);
    match error {
        SendError::Credentials { .. } => problem.help(format!(
            "the app must be active, have the permission for Official Accounts, and be authorised; {authorize}"
        )),
        SendError::Transport { .. } => problem.help("this machine must reach openapi.zalo.me"),
        _ => problem,
    }
}
