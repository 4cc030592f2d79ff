//! Who we are on Meta's side, and what it tells us of.

use langnghe_connector::Checkup;
use langnghe_graph::{Failure, GraphClient};
use langnghe_model::Problem;
use serde::Deserialize;

use crate::Config;

/// What a Page has to tell us of. Without the first two, citizens are not heard at all.
const FIELDS: [&str; 9] = [
    "messages",
    "messaging_postbacks",
    "messaging_referrals",
    "message_edits",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "messaging_handovers",
];

/// How many of them a Page cannot do without.
const NEEDED: usize = 2;

#[derive(Deserialize)]
struct Page {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Subscriptions {
    #[serde(default)]
    data: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    id: Option<String>,
    #[serde(default)]
    subscribed_fields: Vec<String>,
}

fn page(config: &Config) -> &str {
    config.page_id.as_deref().unwrap_or("me")
}

/// Asks for the Page's name, and for what it is subscribed to.
pub(crate) async fn check(graph: &GraphClient, config: &Config) -> Checkup {
    let mut checkup = Checkup::default();
    match graph.get(&[page(config)], &[("fields", "id,name")]).await {
        Ok(answer) => {
            if let Ok(Page { id: Some(id), name }) = Page::deserialize(answer) {
                let name = name.unwrap_or_else(|| "a Page".to_owned());
                checkup.account = Some(format!("{name} ({id})"));
            }
        }
        Err(failure) => checkup.problems.push(refused(&failure)),
    }
    if checkup.account.is_none() {
        return checkup;
    }
    match graph.get(&[page(config), "subscribed_apps"], &[]).await {
        Ok(answer) => subscribed(answer, config, &mut checkup),
        Err(failure) => checkup.problems.push(refused(&failure)),
    }
    checkup
}

fn subscribed(answer: serde_json::Value, config: &Config, checkup: &mut Checkup) {
    let subscriptions =
        Subscriptions::deserialize(answer).map_or_else(|_| Vec::new(), |it| it.data);
    // Without the app's id any app counts: mostly there is one.
    let ours = subscriptions.iter().find(|subscription| {
        config.app_id.is_none() || subscription.id.as_deref() == config.app_id.as_deref()
    });
    let Some(ours) = ours else {
        checkup.problems.push(
            Problem::error(
                "messenger::not-subscribed",
                "the Page does not tell the app of anything: no citizen is heard",
            )
            .help("subscribe it: langnghe channel set-webhook"),
        );
        return;
    };
    let fields = &ours.subscribed_fields;
    checkup
        .facts
        .push(format!("subscribed to {}", fields.join(", ")));
    for (place, field) in FIELDS.iter().enumerate() {
        if fields.iter().any(|subscribed| subscribed == field) {
            continue;
        }
        let message = format!("the Page does not tell the app of `{field}`");
        let problem = if place < NEEDED {
            Problem::error("messenger::field-missing", message)
        } else {
            Problem::warning("messenger::field-missing", message)
        };
        let help = "subscribe it: langnghe channel set-webhook";
        checkup.problems.push(problem.help(help));
    }
}

/// Subscribes the app to the Page. Meta has no call for a Page's own address: it is the app's.
pub(crate) async fn subscribe(
    graph: &GraphClient,
    config: &Config,
    url: &str,
) -> Result<Vec<String>, Box<Problem>> {
    let fields = FIELDS.join(",");
    let answer = graph
        .post_query(
            &[page(config), "subscribed_apps"],
            &[("subscribed_fields", fields.as_str())],
        )
        .await
        .map_err(|failure| Box::new(refused(&failure)))?;
    if answer.get("success") != Some(&true.into()) {
        let message = "Meta did not confirm the subscription";
        return Err(Box::new(Problem::error(
            "messenger::not-subscribed",
            message,
        )));
    }
    Ok(vec![
        format!("the Page tells the app of {fields}"),
        format!(
            "the address is the app's: in its dashboard, under Webhooks, Page, the callback URL has \
             to be {url}, with the channel's verify_token"
        ),
    ])
}

fn refused(failure: &Failure) -> Problem {
    let problem = Problem::error(
        "messenger::refused",
        format!("Meta refuses the question: {failure}"),
    );
    match failure.graph_error().map(|error| error.code) {
        Some(190) => {
            problem.help("the access token is wrong or has run out: make a new one for the Page")
        }
        Some(10 | 200) => problem.help(
            "the token lacks a permission: it needs pages_messaging and pages_manage_metadata",
        ),
        Some(_) => problem.help("look the code up in docs/channels/messenger.md"),
        None => problem.help("is `api_base` right, and can this machine reach it?"),
    }
}
