//! User data headers (3GPP TS 23.040, 9.2.3.24): what stands before the text of a part.

use bytes::{Buf, Bytes};
use serde::{Deserialize, Serialize};

use super::wire::{ShortMessage, Tag};

/// Says in `esm_class` that the text begins with a header.
pub(crate) const HEADER_INDICATOR: u8 = 0x40;
/// Elements that join parts: by a reference of eight bits, of sixteen.
const JOINED_8: u8 = 0x00;
const JOINED_16: u8 = 0x08;

/// How the parts of a message are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum JoinKind {
    /// A header with a reference of eight bits.
    Header8,
    /// A header with a reference of sixteen bits.
    Header16,
    /// Optional parameters of SMPP.
    Parameters,
}

/// Which part of which message this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) reference: u16,
    /// How many parts there are: at least 2.
    pub(crate) total: u8,
    /// Which one this is: 1 to `total`.
    pub(crate) number: u8,
}

impl Join {
    /// `None` for numbers that make no sense, and for a "joined" message of one part.
    fn new(kind: JoinKind, reference: u16, total: u8, number: u8) -> Option<Self> {
        let good = total >= 2 && (1..=total).contains(&number);
        good.then_some(Self {
            kind,
            reference,
            total,
            number,
        })
    }
}

/// The octets of a message's text without its header, and which part it is if it is one.
pub(crate) fn unwrap(message: &ShortMessage) -> (Bytes, Option<Join>) {
    let mut text = message.content().clone();
    let mut join = None;
    if message.esm_class & HEADER_INDICATOR != 0 && !text.is_empty() {
        let length = usize::from(text[0]);
        // A header that says it is longer than all there is: then there is none.
        if length < text.len() {
            text.advance(1);
            let header = text.split_to(length);
            join = joined(&header);
        }
    }
    (text, join.or_else(|| by_parameters(message)))
}

/// Walks the elements, of which there can be several.
fn joined(header: &[u8]) -> Option<Join> {
    let mut rest = header;
    while let [kind, length, after @ ..] = rest {
        let length = usize::from(*length).min(after.len());
        let (value, next) = after.split_at(length);
        rest = next;
        let join = match (*kind, value) {
            (JOINED_8, [reference, total, number]) => {
                Join::new(JoinKind::Header8, u16::from(*reference), *total, *number)
            }
            (JOINED_16, [high, low, total, number]) => {
                let reference = u16::from_be_bytes([*high, *low]);
                Join::new(JoinKind::Header16, reference, *total, *number)
            }
            _ => None,
        };
        if join.is_some() {
            return join;
        }
    }
    None
}

fn by_parameters(message: &ShortMessage) -> Option<Join> {
    let number = |tag| message.optional.number(tag);
    // Whatever width they were sent in, the low bits are what is meant.
    let octet = |tag| number(tag).map(|value| value.to_be_bytes()[3]);
    let reference = number(Tag::SAR_REFERENCE)?.to_be_bytes();
    let reference = u16::from_be_bytes([reference[2], reference[3]]);
    let (total, number) = (octet(Tag::SAR_TOTAL)?, octet(Tag::SAR_NUMBER)?);
    Join::new(JoinKind::Parameters, reference, total, number)
}

/// The header of a part that we send, by a reference of eight bits or of sixteen.
pub(crate) fn header(join: Join) -> Vec<u8> {
    let [high, low] = join.reference.to_be_bytes();
    match join.kind {
        JoinKind::Header8 => vec![5, JOINED_8, 3, low, join.total, join.number],
        JoinKind::Header16 => vec![6, JOINED_16, 4, high, low, join.total, join.number],
        JoinKind::Parameters => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(esm_class: u8, text: &'static [u8]) -> ShortMessage {
        ShortMessage {
            esm_class,
            text: Bytes::from_static(text),
            ..ShortMessage::default()
        }
    }

    #[test]
    fn both_widths_are_found_wherever_they_stand() {
        for (text, reference, kind) in [
            (&b"\x05\x00\x03\x2a\x03\x02xin"[..], 42, JoinKind::Header8),
            (b"\x06\x08\x04\x01\x2a\x03\x02xin", 298, JoinKind::Header16),
            // Behind ports and a national table.
            (
                b"\x0e\x05\x04\x00\x00\x00\x00\x24\x01\x01\x00\x03\x2a\x03\x02xin",
                42,
                JoinKind::Header8,
            ),
        ] {
            let (rest, join) = unwrap(&message(0x40, text));
            let join = join.expect("a part");
            assert_eq!((join.kind, join.reference), (kind, reference));
            assert_eq!((join.total, join.number, &rest[..]), (3, 2, &b"xin"[..]));
        }
    }

    #[test]
    fn a_header_that_makes_no_sense_joins_nothing() {
        for (text, left) in [
            (&b"\x05\x00\x03\x2a\x03\x00xin"[..], &b"xin"[..]),
            (b"\x05\x00\x03\x2a\x03\x04xin", b"xin"),
            (b"\x05\x00\x03\x2a\x01\x01xin", b"xin"),
            (b"\x00xin", b"xin"),
            (b"\x04\x00\xff\x01\x02xin", b"xin"),
            (b"\xffxin", b"\xffxin"),
            (b"", b""),
        ] {
            let (rest, join) = unwrap(&message(0x40, text));
            assert_eq!((&rest[..], join), (left, None));
        }
        // Without the indicator it is text.
        assert_eq!(unwrap(&message(0, b"\x00xin")).0, &b"\x00xin"[..]);
    }

    #[test]
    fn optional_parameters_join_as_well() {
        let mut part = message(0, b"xin");
        part.optional.push_number(Tag::SAR_REFERENCE, 700);
        part.optional.push_octet(Tag::SAR_TOTAL, 2);
        part.optional.push_octet(Tag::SAR_NUMBER, 1);
        let join = unwrap(&part).1.expect("a part");
        assert_eq!((join.kind, join.reference), (JoinKind::Parameters, 700));
    }

    #[test]
    fn what_we_write_is_what_the_standard_says() {
        let join = |kind, reference| Join::new(kind, reference, 3, 2).expect("good numbers");
        assert_eq!(
            header(join(JoinKind::Header8, 42)),
            b"\x05\x00\x03\x2a\x03\x02"
        );
        assert_eq!(
            header(join(JoinKind::Header16, 298)),
            b"\x06\x08\x04\x01\x2a\x03\x02"
        );
    }
}
