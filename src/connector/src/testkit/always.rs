//! What must hold for any webhook of any connector.

use http::StatusCode;
use langnghe_model::{Event, EventKind};

use super::{
    Findings, RECEIVED_AT, Subject,
    request::{Webhook, header},
};
use crate::{Connector, Received, Rejection};

/// The same webhook later, at another replica: the same ids, or it would count twice.
pub(super) fn check_replay(
    subject: &dyn Subject,
    request: &Webhook,
    events: &[Event],
    findings: &mut Findings,
) {
    let keys = |events: &[Event]| events.iter().map(Event::dedup_key).collect::<Vec<_>>();
    let first = keys(events);
    let other = subject.connector("http://127.0.0.1:9");
    let later = RECEIVED_AT + subject.redelivered_after();
    let again = request
        .receive(&*other, later)
        .map(|received| keys(&received.events));
    findings.equal("ids of a redelivery", &again, &Ok(first.clone()));
    let mut distinct = first;
    distinct.sort_unstable();
    distinct.dedup();
    findings.equal(
        "distinct ids in one webhook",
        &distinct.len(),
        &events.len(),
    );
}

/// A webhook whose signature is wrong, missing or cut short is not the provider's.
pub(super) fn check_signatures(
    subject: &dyn Subject,
    connector: &dyn Connector,
    request: &Webhook,
    findings: &mut Findings,
) {
    let mut other = request.clone();
    if other.body.is_empty() {
        other.query.push_str("&more=1");
    } else {
        other.body.push(b' ');
    }
    let wrong = other.signature(subject);
    for (name, value) in &request.signature(subject) {
        let wrong = wrong
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, wrong)| wrong.clone())
            // A secret that is the same for every body.
            .map(|wrong| {
                if wrong == *value {
                    value.chars().rev().collect()
                } else {
                    wrong
                }
            });
        let cut = value[..value.len() - 1].to_owned();
        for (what, value) in [
            ("wrong", wrong),
            ("missing", None),
            ("cut short", Some(cut)),
            ("too long", Some(format!("{value}0"))),
            ("empty", Some(String::new())),
        ] {
            let mut headers = request.headers.clone();
            headers.remove(*name);
            headers.extend(value.map(|value| header(name, &value)));
            let forged = Webhook {
                headers,
                ..request.clone()
            };
            let rejection = forged.receive(connector, RECEIVED_AT).map(|_| ());
            if rejection != Err(Rejection::Signature) {
                findings.add(format!("with a {what} signature: {rejection:?}"));
            }
        }
    }
    check_paths(connector, subject.secret_path(), request, findings);
    let status = Rejection::Signature.status();
    findings.equal(
        "status for a wrong signature",
        &status,
        &StatusCode::UNAUTHORIZED,
    );
}

/// Where the secret lies in the path, no other path will do.
fn check_paths(
    connector: &dyn Connector,
    secret: &str,
    request: &Webhook,
    findings: &mut Findings,
) {
    let Some(last) = secret
        .chars()
        .next_back()
        .filter(|_| request.path == secret)
    else {
        return;
    };
    let cut = &secret[..secret.len() - last.len_utf8()];
    let other = if last == '0' { '1' } else { '0' };
    for (what, path) in [
        ("wrong", format!("{cut}{other}")),
        ("missing", String::new()),
        ("cut short", cut.to_owned()),
        ("too long", format!("{secret}0")),
        ("longer", format!("{secret}/more")),
    ] {
        let forged = Webhook {
            path,
            ..request.clone()
        };
        let rejection = forged.receive(connector, RECEIVED_AT).map(|_| ());
        if rejection != Err(Rejection::Signature) {
            findings.add(format!("with a {what} secret in the path: {rejection:?}"));
        }
    }
}

pub(super) fn check_unknown(
    subject: &dyn Subject,
    connector: &dyn Connector,
    findings: &mut Findings,
) {
    let mut request = subject.unknown_webhook();
    request.sign(subject);
    match request.receive(connector, RECEIVED_AT) {
        Ok(Received { events, answer }) => {
            findings.equal("status", &answer.status, &StatusCode::OK);
            findings.equal("answer", &&answer.body[..], &subject.answer().as_bytes());
            if !matches!(
                &events[..],
                [Event {
                    kind: EventKind::Unknown { .. },
                    ..
                }]
            ) {
                findings.add(format!("{events:?}"));
            }
        }
        Err(rejection) => findings.add(rejection),
    }
}
