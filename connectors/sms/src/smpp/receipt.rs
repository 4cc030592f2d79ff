//! Delivery receipts: the text that everybody writes (SMPP 3.4, appendix B), and optional parameters.

use serde::{Deserialize, Serialize};

use super::{
    alphabet,
    wire::{ShortMessage, Tag},
};

/// The kinds of message in `esm_class` of a `deliver_sm`.
const KIND: u8 = 0x3c;
const RECEIPT: u8 = 0x04;
/// Sent while a message is still on its way. Shaped as a receipt.
const INTERMEDIATE: u8 = 0x20;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// It reached the phone.
    Delivered,
    /// It will not: expired, deleted, undeliverable, rejected.
    Failed,
    /// Still on its way, or the message centre does not know.
    Pending,
}

/// News of one part of a message that we submitted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DeliveryReceipt {
    /// The message centre's id of it, as it is written here.
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
    /// The state and the network's error as they were told: `UNDELIV 045`.
    pub(crate) code: String,
}

impl std::fmt::Debug for DeliveryReceipt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DeliveryReceipt")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Whether a `deliver_sm` is news of a message of ours, and no citizen's words.
pub(crate) fn is_receipt(message: &ShortMessage) -> bool {
    matches!(message.esm_class & KIND, RECEIPT | INTERMEDIATE)
}

/// Reads a receipt; optional parameters go before the text. `None` where it names no message.
pub(crate) fn read(message: &ShortMessage) -> Option<DeliveryReceipt> {
    let text = text(message);
    let told = Told::read(&text);
    let by_parameter = message.optional.text(Tag::RECEIPTED_MESSAGE_ID);
    let by_parameter = by_parameter
        .map(|id| {
            id.iter()
                .map(|octet| char::from(*octet))
                .collect::<String>()
        })
        .filter(|id| !id.trim().is_empty());
    let id = by_parameter.or_else(|| told.id.map(str::to_owned))?;
    let by_parameter = message.optional.number(Tag::MESSAGE_STATE).and_then(state);
    let state = by_parameter
        .or_else(|| told.state.map(str::to_ascii_uppercase))
        .unwrap_or_default();
    let mut outcome = match state.get(..5).unwrap_or(&state) {
        "DELIV" => Outcome::Delivered,
        "EXPIR" | "DELET" | "UNDEL" | "REJEC" => Outcome::Failed,
        _ => Outcome::Pending,
    };
    if message.esm_class & KIND == INTERMEDIATE {
        outcome = Outcome::Pending;
    }
    // The network's error is a number of its own, after an octet for the kind of network (5.3.2.31).
    let network = message.optional.number(Tag::NETWORK_ERROR);
    let network = network.map(|error| format!("{:03}", error & 0xffff));
    let error = told
        .error
        .or(network.as_deref())
        .filter(|error| error.chars().any(|digit| digit != '0'));
    let code = match error {
        Some(error) => format!("{state} {error}"),
        None => state,
    };
    Some(DeliveryReceipt {
        id: id.trim().to_owned(),
        outcome,
        code: code
            .chars()
            .filter(|character| matches!(character, ' '..='~'))
            .take(40)
            .collect::<String>(),
    })
}

/// The text of a receipt. It is ASCII whatever `data_coding` says, but for UCS-2, which some write.
fn text(message: &ShortMessage) -> String {
    let octets = message.content();
    let wide = message.data_coding == alphabet::UCS2 && octets.first() == Some(&0);
    let step = if wide { 2 } else { 1 };
    let low = octets.iter().skip(step - 1).step_by(step);
    low.map(|octet| char::from(*octet)).collect()
}

/// The words for `message_state` (5.2.28).
fn state(number: u32) -> Option<String> {
    let word = match number {
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        7 => "UNKNOWN",
        8 => "REJECTD",
        _ => return None,
    };
    Some(word.to_owned())
}

/// What the text says, by key: in any order, any of them missing, and `text:` last, which can hold
/// anything.
#[derive(Debug, Default)]
struct Told<'a> {
    id: Option<&'a str>,
    state: Option<&'a str>,
    error: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn read(text: &'a str) -> Self {
        let end = find(text, "text:").unwrap_or(text.len());
        let before = &text[..end];
        Self {
            id: value(before, "id:"),
            state: value(before, "stat:"),
            error: value(before, "err:"),
        }
    }
}

/// Where a key begins, at the start of the text or after a blank. Case does not matter.
fn find(text: &str, key: &str) -> Option<usize> {
    let places = text.char_indices().map(|(place, _)| place);
    let mut begins = true;
    for place in places {
        let here = text.get(place..place + key.len());
        if begins && here.is_some_and(|word| word.eq_ignore_ascii_case(key)) {
            return Some(place);
        }
        begins = text[place..].starts_with(|character: char| !character.is_ascii_alphanumeric());
    }
    None
}

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let after = &text[find(text, key)? + key.len()..];
    let value = after.split_whitespace().next()?;
    // `id: sub:001` has no id.
    (!value.contains(':')).then_some(value)
}

/// How ids in receipts are written beside those in the answers to what we submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiptIds {
    /// The same, but for upper and lower case and zeros at the front.
    #[default]
    Same,
    /// Hexadecimal in answers, decimal in receipts.
    HexDecimal,
    /// Decimal in answers, hexadecimal in receipts.
    DecimalHex,
}

impl ReceiptIds {
    /// What an id in an answer is looked up by.
    pub(crate) fn of_answer(self, id: &str) -> String {
        match self {
            Self::Same => plain(id),
            Self::HexDecimal => number(id, 16),
            Self::DecimalHex => number(id, 10),
        }
    }

    /// What an id in a receipt is looked up by.
    pub(crate) fn of_receipt(self, id: &str) -> String {
        match self {
            Self::Same => plain(id),
            Self::HexDecimal => number(id, 10),
            Self::DecimalHex => number(id, 16),
        }
    }
}

fn plain(id: &str) -> String {
    let id = id.trim().to_ascii_lowercase();
    let short = id.trim_start_matches('0');
    if short.is_empty() {
        id
    } else {
        short.to_owned()
    }
}

fn number(id: &str, radix: u32) -> String {
    u128::from_str_radix(id.trim(), radix).map_or_else(|_| plain(id), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn receipt(text: &str) -> ShortMessage {
        ShortMessage {
            esm_class: RECEIPT,
            text: Bytes::copy_from_slice(text.as_bytes()),
            ..ShortMessage::default()
        }
    }

    #[test]
    fn the_text_is_read_by_key() {
        use Outcome::{Delivered, Failed, Pending};
        for (text, id, outcome, code) in [
            (
                "id:sim-1 sub:001 dlvrd:001 submit date:2611211823 done date:2611211823 stat:DELIVRD err:000 text:first 20",
                "sim-1",
                Delivered,
                "DELIVRD",
            ),
            ("stat:UNDELIV err:045 id:7", "7", Failed, "UNDELIV 045"),
            ("ID:7 STAT:delivrd", "7", Delivered, "DELIVRD"),
            ("id:7 text:stat:DELIVRD", "7", Pending, ""),
            (
                "id:7 done date:261121182359 stat:EXPIRED Text: id:9 stat:DELIVRD",
                "7",
                Failed,
                "EXPIRED",
            ),
            ("id:7 stat:ACCEPTD err:0", "7", Pending, "ACCEPTD"),
            ("id:7 stat:ENROUTE", "7", Pending, "ENROUTE"),
            ("id:7 stat:REJECTD", "7", Failed, "REJECTD"),
            ("id:7 stat:DELETED", "7", Failed, "DELETED"),
            ("id: 7 stat: DELIVRD", "7", Delivered, "DELIVRD"),
            ("id:7;stat:DELIVRD", "7;stat", Pending, ""),
        ] {
            let Some(is) = read(&receipt(text)) else {
                // The last one: what stands between blanks is one value, which names no message.
                assert!(text.contains(';'), "{text}");
                continue;
            };
            assert_eq!(
                (is.id.as_str(), is.outcome, is.code.as_str()),
                (id, outcome, code),
                "{text}"
            );
        }
        for nothing in [
            "",
            "hello",
            "id:",
            "id: sub:001 stat:DELIVRD",
            "text:id:7 stat:DELIVRD",
        ] {
            assert_eq!(read(&receipt(nothing)), None, "{nothing}");
        }
    }

    #[test]
    fn optional_parameters_go_first() {
        let mut both = receipt("id:8 stat:UNDELIV err:001");
        let id = Bytes::from_static(b"7\0");
        both.optional.0.push((Tag::RECEIPTED_MESSAGE_ID, id));
        both.optional.push_octet(Tag::MESSAGE_STATE, 2);
        let is = read(&both).expect("a receipt");
        assert_eq!((is.id.as_str(), is.outcome), ("7", Outcome::Delivered));
        let mut alone = receipt("");
        // Without the NUL that it should end with.
        let id = Bytes::from_static(b"7");
        alone.optional.0.push((Tag::RECEIPTED_MESSAGE_ID, id));
        alone.optional.push_octet(Tag::MESSAGE_STATE, 5);
        let is = read(&alone).expect("a receipt");
        assert_eq!((is.id.as_str(), is.outcome), ("7", Outcome::Failed));
    }

    #[test]
    fn news_on_the_way_is_not_final() {
        let mut message = receipt("id:7 stat:DELIVRD");
        message.esm_class = INTERMEDIATE;
        assert!(is_receipt(&message));
        assert_eq!(read(&message).expect("news").outcome, Outcome::Pending);
        message.esm_class = 0x08;
        assert!(!is_receipt(&message));
    }

    #[test]
    fn ids_are_compared_as_the_setting_says() {
        for (ids, answer, receipt, same) in [
            (ReceiptIds::Same, "0a1F", "A1f", true),
            (ReceiptIds::Same, "0", "0", true),
            (ReceiptIds::Same, "10", "16", false),
            (ReceiptIds::HexDecimal, "1F", "31", true),
            (ReceiptIds::HexDecimal, "1F", "0000000031", true),
            (ReceiptIds::HexDecimal, "31", "31", false),
            (ReceiptIds::DecimalHex, "31", "1f", true),
            (ReceiptIds::DecimalHex, "0000000031", "1F", true),
            (ReceiptIds::DecimalHex, "sim-1", "SIM-1", true),
        ] {
            let is = ids.of_answer(answer) == ids.of_receipt(receipt);
            assert_eq!(is, same, "{ids:?} {answer} {receipt}");
        }
    }
}
