//! How citizens are named, beyond Zalo's own ids.

use langnghe_model::CitizenId;

/// Marks someone who writes without an account.
const ANONYMOUS: &str = "anonymous:";
/// Marks someone whom a template reached by phone number.
const PHONE: &str = "phone:";
/// Marks what happened to the account itself: no citizen, nobody to answer.
const ACCOUNT: &str = "oa:";

/// Someone who writes without an account: both ids are needed to answer. The conversation's id is given
/// with its length, as either id may hold any character.
pub(crate) fn anonymous(conversation: &str, id: &str) -> CitizenId {
    CitizenId::new(&format!(
        "{ANONYMOUS}{}:{conversation}{id}",
        conversation.len()
    ))
}

/// Someone whom a template reached by phone number, or by its hash.
pub(crate) fn by_phone(phone: &str) -> CitizenId {
    CitizenId::new(&format!("{PHONE}{phone}"))
}

/// Nobody: the account itself.
pub(crate) fn account(oa: Option<&str>) -> CitizenId {
    CitizenId::new(&format!("{ACCOUNT}{}", oa.unwrap_or("unknown")))
}

/// How a citizen is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressee<'a> {
    /// A user of Zalo.
    User(&'a str),
    /// Someone who writes without an account.
    Anonymous { conversation: &'a str, id: &'a str },
    /// Nobody who can be written to.
    Nobody,
}

/// How a citizen is addressed.
pub(crate) fn addressee(citizen: &CitizenId) -> Addressee<'_> {
    let text = citizen.as_str();
    if text.starts_with(PHONE) || text.starts_with(ACCOUNT) {
        return Addressee::Nobody;
    }
    let Some(rest) = text.strip_prefix(ANONYMOUS) else {
        return Addressee::User(text);
    };
    let split = rest.split_once(':').and_then(|(length, both)| {
        both.split_at_checked(length.parse().ok()?)
            .filter(|(conversation, id)| !conversation.is_empty() && !id.is_empty())
    });
    match split {
        Some((conversation, id)) => Addressee::Anonymous { conversation, id },
        None => Addressee::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_of_the_anonymous_come_back_whatever_they_hold() {
        for (conversation, id) in [("conv-0001", "anon-0001"), ("a:b", ":c"), ("ồ", "ơi:")] {
            let citizen = anonymous(conversation, id);
            let expected = Addressee::Anonymous { conversation, id };
            assert_eq!(addressee(&citizen), expected);
        }
        assert_eq!(addressee(&CitizenId::new("2000")), Addressee::User("2000"));
        for nobody in ["phone:84900000000", "oa:1", "anonymous:9:x", "anonymous:x"] {
            assert_eq!(addressee(&CitizenId::new(nobody)), Addressee::Nobody);
        }
    }
}
