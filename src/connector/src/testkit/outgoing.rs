//! Replies and whatever else a connector asks of its provider, the requests that they become, and
//! what comes of the answers.

use std::path::Path;

use langnghe_model::{CitizenId, Reply, Template, event::Media};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Findings, RECEIVED_AT, Subject, Webhook, describe,
    double::{API_BASE, Double, Exchange, ProviderAnswer, ProviderRequest, with_address},
    tables,
};
use crate::{Connector, Manner, Outgoing, render};

/// The most bytes of a medium that are fetched where a case does not say.
const MOST: u64 = 1024 * 1024;

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

/// One case: one thing that is done, which is the first that is named of `quotas`, `profile`, `fetch`,
/// `check`, `set_webhook`, `template` and `reply`.
///
/// A reply is rendered for the channel first, as it is in the program; the parts have the ids `out-1`,
/// `out-2` and so on. In requests and answers, in what is fetched or linked to and in what is expected, `{api_base}`
/// stands for the address of the provider's double.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    #[serde(default)]
    pub name: String,
    /// This webhook comes first: the citizen wrote.
    #[serde(default)]
    pub received: Option<Value>,
    /// To whom.
    #[serde(default)]
    pub citizen: Option<String>,
    /// What is said.
    #[serde(default)]
    pub reply: Option<Reply>,
    /// The citizen's profile is asked for, nothing is said.
    #[serde(default)]
    pub profile: bool,
    /// The reply goes out as this template, not rendered. The words of the reply may be left out.
    #[serde(default)]
    pub template: Option<Template>,
    /// The phone number that goes with a template.
    #[serde(default)]
    pub phone: Option<String>,
    /// The code of the ticket that the template is about.
    #[serde(default)]
    pub ticket: Option<String>,
    /// This medium is fetched; the result is `{"fetched": {"bytes": …, "sha256": …}}` or an error.
    #[serde(default)]
    pub fetch: Option<Media>,
    /// The most bytes that are fetched; a mebibyte unless said.
    #[serde(default)]
    pub most: Option<u64>,
    /// The provider is asked who we are; the result is `{"checkup": {…}}`.
    #[serde(default)]
    pub check: bool,
    /// The webhook is set to this address; the result is `{"webhook": [lines]}` or a problem.
    #[serde(default)]
    pub set_webhook: Option<String>,
    /// The quotas that the channel declares; nothing is sent.
    #[serde(default)]
    pub quotas: Option<Vec<Value>>,
    /// What the provider has told of our allowance, after all of it.
    #[serde(default)]
    pub hints: Option<Vec<Value>>,
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
    let address = double.address();
    let connector = subject.connector(&address);
    findings.private.push(citizen.as_str().to_owned());
    if let Some(body) = &case.received {
        let mut webhook = Webhook::json(subject.secret_path(), &body.to_string());
        webhook.sign(subject);
        let received = webhook.receive(&*connector, RECEIVED_AT);
        findings.equal("what came first is taken", &received.is_ok(), &true);
    }
    let mut private = subject.credentials();
    private.push(citizen.as_str().to_owned());
    let mut results = Vec::new();
    if let Some(quotas) = &case.quotas {
        let declared: Vec<Value> = connector.quotas().iter().map(describe::quota).collect();
        differ("quotas", &declared, quotas, findings);
    } else if case.profile || defaults.profile {
        results.push(match connector.profile(&citizen).await {
            Ok(profile) => describe::profile(&profile),
            Err(error) => {
                findings.leaks("the error", &format!("{error} {error:?}"), &private);
                describe::error(&error)
            }
        });
    } else if let Some(media) = &case.fetch {
        let media = Media {
            url: media.url.replace(API_BASE, &address),
            ..media.clone()
        };
        private.push(media.url.clone());
        results.push(
            match connector.fetch(&media, case.most.unwrap_or(MOST)).await {
                Ok(bytes) => describe::fetched(&bytes),
                Err(error) => {
                    findings.leaks("the error", &format!("{error} {error:?}"), &private);
                    describe::fetch_error(&error)
                }
            },
        );
    } else if case.check {
        let checkup = connector.check().await;
        findings.leaks("the checkup", &format!("{checkup:?}"), &private);
        results.push(describe::checkup(&checkup));
    } else if let Some(url) = &case.set_webhook {
        let said = connector.set_webhook(url).await;
        findings.leaks("what was said", &format!("{said:?}"), &private);
        results.push(match said {
            Ok(lines) => json!({ "webhook": lines }),
            Err(problem) => describe::problem(&problem),
        });
    } else {
        send(
            &*connector,
            &citizen,
            (defaults, case),
            &address,
            &mut results,
            (&private, findings),
        )
        .await;
    }
    let expected: Vec<Value> = case
        .expect
        .iter()
        .map(|expected| with_address(expected, &address))
        .collect();
    differ("", &results, &expected, findings);
    if let Some(hints) = &case.hints {
        let told: Vec<Value> = connector.hints().iter().map(describe::hint).collect();
        differ("hints", &told, hints, findings);
    }
    for finding in double.findings() {
        findings.add(finding);
    }
}

fn differ(what: &str, is: &[Value], expected: &[Value], findings: &mut Findings) {
    if is != expected {
        findings.add(format!(
            "{what}\n      is {}\n  not {}",
            json!(is),
            json!(expected)
        ));
    }
}

async fn send(
    connector: &dyn Connector,
    citizen: &CitizenId,
    (defaults, case): (&Case, &Case),
    address: &str,
    results: &mut Vec<Value>,
    (private, findings): (&[String], &mut Findings),
) {
    let reply = case.reply.clone().or_else(|| defaults.reply.clone());
    let reply = reply.map(|reply| match reply {
        Reply::Media {
            media,
            url,
            caption,
        } => Reply::Media {
            media,
            url: url.replace(API_BASE, address),
            caption,
        },
        other => other,
    });
    let mut private = private.to_vec();
    private.extend(reply.as_ref().map(describe::words));
    private.extend(case.phone.clone());
    let template = case.template.as_ref().or(defaults.template.as_ref());
    let (manner, replies) = match template {
        Some(template) => {
            private.extend(template.parameters.values().cloned());
            let reply = reply.unwrap_or_else(|| Reply::Text {
                text: "what the template says".to_owned(),
            });
            let phone = case.phone.as_deref().or(defaults.phone.as_deref());
            let ticket = case.ticket.as_deref();
            let manner = Manner::Template {
                template,
                phone,
                ticket,
            };
            (manner, vec![reply])
        }
        None => (
            Manner::Free,
            render(reply.expect("a reply"), connector.capabilities()),
        ),
    };
    for (number, reply) in (1..).zip(&replies) {
        let id = format!("out-{number}");
        let sent = connector
            .send(&Outgoing {
                id: &id,
                citizen,
                reply,
                manner,
            })
            .await;
        if let Err(error) = &sent {
            findings.leaks("the error", &format!("{error} {error:?}"), &private);
        }
        results.push(describe::sent(&sent));
    }
    findings.private.extend(private);
}

fn exchanges(defaults: &Case, case: &Case) -> Vec<Exchange> {
    let fill = |exchange: Exchange| Exchange {
        request: exchange.request.over(defaults.request.as_ref()),
        answer: exchange.answer.or_else(|| defaults.answer.clone()),
    };
    match &case.exchanges {
        Some(exchanges) => exchanges.iter().cloned().map(fill).collect(),
        None if case.quotas.is_some() && case.request.is_none() => Vec::new(),
        None => vec![fill(Exchange {
            request: case.request.clone().unwrap_or_default(),
            answer: case.answer.clone(),
        })],
    }
}
