//! Replies, the requests that they become, and what comes of the answers.

use std::path::Path;

use langnghe_model::{CitizenId, Profile, Reply};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Findings, Subject,
    double::{Double, Exchange, ProviderAnswer, ProviderRequest},
    tables,
};
use crate::{Connector, Manner, Outgoing, SendError, Sent, ThrottleScope, render};

/// A file: cases, and what they share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What a case that does not say otherwise has.
    #[serde(default)]
    pub defaults: Case,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case. The reply is rendered for the channel first, as it is in the program; the parts have
/// the ids `out-1`, `out-2` and so on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    #[serde(default)]
    pub name: String,
    /// To whom.
    #[serde(default)]
    pub citizen: Option<String>,
    /// What is said.
    #[serde(default)]
    pub reply: Option<Reply>,
    /// The citizen's profile is asked for, nothing is said.
    #[serde(default)]
    pub profile: bool,
    /// The only request; what it does not name is as in the defaults.
    #[serde(default)]
    pub request: Option<ProviderRequest>,
    /// The answer to the only request.
    #[serde(default)]
    pub answer: Option<ProviderAnswer>,
    /// Several requests and answers, in the place of the two above.
    #[serde(default)]
    pub exchanges: Option<Vec<Exchange>>,
    /// The result of each part.
    #[serde(default)]
    pub expect: Vec<Value>,
}

/// Runs all cases of a folder.
pub(super) fn check(subject: &dyn Subject, folder: &Path, findings: &mut Findings) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the tests");
    let mut count = 0;
    for (file, table) in tables::<Table>(folder) {
        for case in &table.cases {
            findings.case = format!("outgoing/{file}: {}", case.name);
            runtime.block_on(check_case(subject, &table.defaults, case, findings));
            count += 1;
        }
    }
    count
}

async fn check_case(subject: &dyn Subject, defaults: &Case, case: &Case, findings: &mut Findings) {
    let citizen = case.citizen.as_ref().or(defaults.citizen.as_ref());
    let citizen = CitizenId::new(citizen.map_or("7001", String::as_str));
    let double = Double::start(exchanges(defaults, case)).await;
    let connector = subject.connector(&double.address());
    let mut results = Vec::new();
    if case.profile || defaults.profile {
        results.push(match connector.profile(&citizen).await {
            Ok(profile) => describe_profile(&profile),
            Err(error) => describe_error(&error),
        });
    } else {
        let reply = case
            .reply
            .clone()
            .or_else(|| defaults.reply.clone())
            .expect("a reply");
        findings.private.push(words(&reply));
        send(
            subject,
            &*connector,
            &citizen,
            reply,
            &mut results,
            findings,
        )
        .await;
    }
    findings.private.push(citizen.as_str().to_owned());
    if results != case.expect {
        findings.add(format!(
            "\n      is {}\n  not {}",
            json!(results),
            json!(case.expect)
        ));
    }
    for finding in double.findings() {
        findings.add(finding);
    }
}

async fn send(
    subject: &dyn Subject,
    connector: &dyn Connector,
    citizen: &CitizenId,
    reply: Reply,
    results: &mut Vec<Value>,
    findings: &mut Findings,
) {
    let mut private = subject.credentials();
    private.extend([citizen.as_str().to_owned(), words(&reply)]);
    for (number, reply) in (1..).zip(render(reply, connector.capabilities())) {
        let id = format!("out-{number}");
        let sent = connector
            .send(&Outgoing {
                id: &id,
                citizen,
                reply: &reply,
                manner: Manner::Free,
            })
            .await;
        if let Err(error) = &sent {
            findings.leaks("the error", &format!("{error} {error:?}"), &private);
        }
        results.push(match sent {
            Ok(Sent { message }) => json!({ "sent": message.map(|id| id.as_str().to_owned()) }),
            Err(error) => describe_error(&error),
        });
    }
}

fn exchanges(defaults: &Case, case: &Case) -> Vec<Exchange> {
    let fill = |exchange: Exchange| Exchange {
        request: exchange.request.over(defaults.request.as_ref()),
        answer: exchange.answer.or_else(|| defaults.answer.clone()),
    };
    match &case.exchanges {
        Some(exchanges) => exchanges.iter().cloned().map(fill).collect(),
        None => vec![fill(Exchange {
            request: case.request.clone().unwrap_or_default(),
            answer: case.answer.clone(),
        })],
    }
}

fn words(reply: &Reply) -> String {
    match reply {
        Reply::Text { text }
        | Reply::Choices { text, .. }
        | Reply::AskLocation { text, .. }
        | Reply::AskContact { text, .. } => text.clone(),
        Reply::Media { caption, .. } => caption.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

fn describe_profile(profile: &Profile) -> Value {
    json!({ "profile": { "name": profile.name, "language": profile.language } })
}

fn describe_error(error: &SendError) -> Value {
    let mut description = json!({ "error": error.class() });
    match error {
        SendError::Throttled { after, scope, code } => {
            description["code"] = code.as_str().into();
            description["after"] = after.map(|after| after.as_secs()).into();
            description["scope"] = match scope {
                ThrottleScope::Channel => "channel",
                ThrottleScope::Recipient => "recipient",
            }
            .into();
        }
        SendError::WindowClosed { code }
        | SendError::RecipientGone { code }
        | SendError::Credentials { code }
        | SendError::Rejected { code } => description["code"] = code.as_str().into(),
        SendError::Transport { reason } => description["reason"] = reason.as_str().into(),
        SendError::Away => {}
    }
    description
}
