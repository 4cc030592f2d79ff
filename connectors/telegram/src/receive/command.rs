//! Commands: `/start`, `/help@a_bot`.

use langnghe_model::event::Referral;

/// What a command is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// The citizen came through a link, or pressed "Start".
    Start(Referral),
    /// A word, as it would be written without the slash.
    Word(String),
}

/// Commands whose words alone mean less than is meant here: what a flow understands anywhere.
const WORDS: [(&str, &str); 7] = [
    ("lang", "change language"),
    ("language", "change language"),
    ("agent", "talk to staff"),
    ("giup", "trợ giúp"),
    ("huy", "hủy bỏ"),
    ("restart", "start over"),
    ("lamlai", "làm lại từ đầu"),
];

/// The command that a whole message is; `None` for one that says more than a command, which is the
/// citizen's text like any other.
pub(super) fn read(text: &str) -> Option<Command> {
    let command = text.trim().strip_prefix('/')?;
    let (name, rest) = match command.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (command, ""),
    };
    let name = name.split_once('@').map_or(name, |(name, _bot)| name);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !(1..=32).contains(&name.len()) || !name.chars().all(plain) {
        return None;
    }
    if name.eq_ignore_ascii_case("start") {
        let reference = Some(rest).filter(|rest| is_payload(rest));
        return Some(Command::Start(Referral {
            reference: reference.map(str::to_owned),
            source: Some("start".to_owned()),
        }));
    }
    if !rest.is_empty() {
        return None;
    }
    let known = WORDS
        .iter()
        .find(|(command, _)| name.eq_ignore_ascii_case(command));
    Some(Command::Word(known.map_or_else(
        || name.replace('_', " "),
        |(_, words)| (*words).to_owned(),
    )))
}

/// What `https://t.me/<bot>?start=<payload>` can carry.
fn is_payload(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words_without_their_slash() {
        let word = |text: &str| match read(text) {
            Some(Command::Word(word)) => Some(word),
            _ => None,
        };
        assert_eq!(word("/help@gop_y_bot").as_deref(), Some("help"));
        assert_eq!(word("/phan_anh").as_deref(), Some("phan anh"));
        assert_eq!(word("/Language ").as_deref(), Some("change language"));
        for text in ["/phan_anh đèn hỏng", "12/3", "/", "/đèn", "help", "/a/b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn start_brings_what_the_link_carries() {
        let reference = |text: &str| match read(text) {
            Some(Command::Start(referral)) => referral.reference,
            other => panic!("{other:?}"),
        };
        assert_eq!(reference("/start qr_17-B").as_deref(), Some("qr_17-B"));
        assert_eq!(reference("/START@gop_y_bot x").as_deref(), Some("x"));
        for text in ["/start", "/start ", "/start a b", "/start đ"] {
            assert_eq!(reference(text), None, "{text}");
        }
        assert_eq!(reference(&format!("/start {}", "a".repeat(65))), None);
    }
}
