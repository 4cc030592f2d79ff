//! What must hold for any webhook of any connector.

use http::StatusCode;
use langnghe_model::{Event, EventKind, Timestamp};

use super::{
    Findings, RECEIVED_AT, Subject,
    request::{Request, header},
};
use crate::{Connector, Received, Rejection};

/// The same webhook later, at another replica: the same ids, or it would count twice.
pub(super) fn check_replay(
    subject: &dyn Subject,
    request: &Request,
    events: &[Event],
    findings: &mut Findings,
) {
    let keys = |events: &[Event]| events.iter().map(Event::dedup_key).collect::<Vec<_>>();
    let first = keys(events);
    let other = subject.connector("http://127.0.0.1:9");
    let later = Timestamp::from_milliseconds(RECEIVED_AT.as_milliseconds() + 3_600_000);
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
    request: &Request,
    findings: &mut Findings,
) {
    let signature = subject.sign(&request.body);
    let mut other_body = request.body.clone();
    other_body.push(b' ');
    for (name, value) in &signature {
        let wrong = subject.sign(&other_body);
        let wrong = wrong
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.clone());
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
            let forged = Request {
                headers,
                ..request.clone()
            };
            let rejection = forged.receive(connector, RECEIVED_AT).map(|_| ());
            if rejection != Err(Rejection::Signature) {
                findings.add(format!("with a {what} signature: {rejection:?}"));
            }
        }
    }
    let status = Rejection::Signature.status();
    findings.equal(
        "status for a wrong signature",
        &status,
        &StatusCode::UNAUTHORIZED,
    );
}

pub(super) fn check_unknown(
    subject: &dyn Subject,
    connector: &dyn Connector,
    findings: &mut Findings,
) {
    let mut request = Request::post(&subject.unknown().to_string());
    request.sign(subject);
    match request.receive(connector, RECEIVED_AT) {
        Ok(Received { events, answer }) => {
            findings.equal("status", &answer.status, &StatusCode::OK);
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
