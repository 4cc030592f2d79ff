//! What citizens' reports have to have come to: a ticket each at the agency, and every reply once and in
//! order at Meta.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::values;
use crate::{
    agency::KeptTicket,
    graph::{Said, Taken},
};

/// How many messages one report has, and so how many replies.
pub const MESSAGES: usize = 4;

/// What a citizen answers in one report.
pub fn answers(citizen: usize, report: usize) -> [String; 3] {
    ["một", "hai", "ba"].map(|question| format!("người {citizen} lần {report} câu {question}"))
}

/// What a citizen writes for one report, message by message.
pub fn messages(citizen: usize, report: usize) -> [String; MESSAGES] {
    let [one, two, three] = answers(citizen, report);
    ["báo sự cố".to_owned(), one, two, three]
}

/// Every report is exactly one ticket, and its answers are those that were given. `reports` says how
/// many each citizen made.
///
/// # Errors
/// What is wrong.
pub fn check_tickets(
    tickets: &BTreeMap<String, KeptTicket>,
    reports: &[usize],
) -> Result<(), String> {
    let mut expected: BTreeSet<Vec<String>> = BTreeSet::new();
    for (citizen, count) in reports.iter().enumerate() {
        expected.extend((0..*count).map(|report| answers(citizen, report).to_vec()));
    }
    let mut codes = BTreeSet::new();
    for (id, kept) in tickets {
        let answers = values(kept);
        if !expected.remove(&answers) {
            return Err(format!(
                "ticket {id} is no report, or its second: {answers:?}"
            ));
        }
        if !codes.insert(kept.ticket["code"].as_str()) {
            return Err(format!("ticket {id} has the code of another"));
        }
    }
    if expected.is_empty() {
        Ok(())
    } else {
        Err(format!("reports without a ticket: {expected:?}"))
    }
}

/// What a citizen was told, sorted into replies and their repetitions.
#[derive(Clone, Debug, Default)]
pub struct Told<'a> {
    /// Each reply at its first coming, in order.
    pub replies: Vec<&'a Taken>,
    /// How many were repeated before the next reply came.
    pub repeated: usize,
    /// How many were repeated after a later reply had come.
    pub late: usize,
}

impl<'a> Told<'a> {
    /// Sorts what was taken for one citizen; actions ("typing") are left out.
    pub fn new(taken: &'a [Taken]) -> Self {
        let mut told = Self::default();
        let mut seen = HashSet::new();
        for reply in taken.iter().filter(|reply| !reply.message_id.is_empty()) {
            let first = reply.metadata.is_none() || seen.insert(&reply.metadata);
            let last = told.replies.last();
            if first {
                told.replies.push(reply);
            } else if last.is_some_and(|last| last.metadata == reply.metadata) {
                told.repeated += 1;
            } else {
                told.late += 1;
            }
        }
        told
    }

    /// The replies are those to the messages of so many reports, in order, and no more.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, citizen: usize, reports: usize) -> Result<(), String> {
        let texts: Vec<String> = self.replies.iter().map(|reply| words(reply)).collect();
        for report in 0..reports {
            for (place, expected) in due(citizen, report).iter().enumerate() {
                let text = texts
                    .get(report * MESSAGES + place)
                    .map_or("nothing", String::as_str);
                if !text.contains(expected) {
                    return Err(format!(
                        "citizen {citizen}, report {report}, reply {place}: {expected:?} was due, \
                         {text:?} came"
                    ));
                }
            }
        }
        if texts.len() == reports * MESSAGES {
            Ok(())
        } else {
            Err(format!(
                "citizen {citizen} got {} replies, {} were due",
                texts.len(),
                reports * MESSAGES
            ))
        }
    }
}

/// What the replies to one report say.
fn due(citizen: usize, report: usize) -> [String; MESSAGES] {
    let [one, two, three] = answers(citizen, report);
    [
        "Một?".to_owned(),
        format!("Hai? ({one})"),
        format!("Ba? ({two})"),
        format!("Xong: {one}, {two}, {three}."),
    ]
}

fn words(reply: &Taken) -> String {
    match &reply.said {
        Said::Text { text, .. } | Said::Buttons { text, .. } => text.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(id: &str, text: &str) -> Taken {
        Taken {
            recipient: "7".to_owned(),
            message_id: format!("m_{id}"),
            metadata: Some(id.to_owned()),
            said: Said::Text {
                text: text.to_owned(),
                quick_replies: Vec::new(),
            },
        }
    }

    #[test]
    fn repetitions_are_told_from_replies_and_the_late_from_the_others() {
        let [one, two, three, done] = due(3, 0);
        let taken = [
            reply("1", &one),
            reply("1", &one),
            reply("2", &two),
            reply("3", &three),
            reply("2", &two),
            reply("4", &done),
        ];
        let told = Told::new(&taken);
        assert_eq!((told.repeated, told.late), (1, 1));
        assert_eq!(told.check(3, 1), Ok(()));
        assert!(told.check(3, 2).is_err());
        assert!(Told::new(&taken[..5]).check(3, 1).is_err());
        assert!(Told::new(&taken[3..]).check(3, 1).is_err());
    }
}
