//! From a text to the bodies of `submit_sm`, one a part.

use std::time::Duration;

use bytes::Bytes;
use langnghe_model::segments::{self, Alphabet, Joined};

use super::{
    alphabet::{self, UCS2},
    config::{LongMessages, SmppConfig},
    header::{self, HEADER_INDICATOR, Join, JoinKind},
    wire::{Address, Malformed, ShortMessage, Tag},
};
use crate::provider::OutgoingText;

/// The longest payload of `message_payload`, in octets.
const PAYLOAD: usize = 65_535;

/// The bodies, in the order of the parts.
pub(crate) fn bodies(
    config: &SmppConfig,
    text: &OutgoingText<'_>,
    reference: u16,
) -> Result<Vec<Bytes>, Malformed> {
    let message = addressed(config, text.to)?;
    let joined = match config.long_messages {
        LongMessages::Header16 => Joined::Reference16,
        _ => Joined::Reference8,
    };
    let (data_coding, whole) =
        alphabet::write(text.text, text.segments.alphabet, config.default_alphabet);
    let parts: Vec<Vec<u8>> = if config.long_messages == LongMessages::Payload {
        vec![whole]
    } else if data_coding == UCS2 && text.segments.alphabet == Alphabet::Gsm7 {
        // The message centre's own alphabet lacks a letter that GSM's has.
        pieces(text.text, joined)
    } else {
        let parts = segments::parts(text.text, joined);
        let write = |part| alphabet::write(part, text.segments.alphabet, config.default_alphabet).1;
        parts.into_iter().map(write).collect()
    };
    let total = u8::try_from(parts.len()).map_err(|_| Malformed("short_message"))?;
    let parts = (1..=total).zip(parts);
    let body = |(number, octets): (u8, Vec<u8>)| {
        let mut message = message.clone();
        message.data_coding = data_coding;
        let join = |kind| Join {
            kind,
            reference,
            total,
            number,
        };
        let mut header = Vec::new();
        match config.long_messages {
            LongMessages::Payload if octets.len() > 140 => {
                if octets.len() > PAYLOAD {
                    return Err(Malformed("message_payload"));
                }
                message
                    .optional
                    .0
                    .push((Tag::MESSAGE_PAYLOAD, octets.into()));
                return message.write();
            }
            _ if total == 1 => {}
            LongMessages::Header8 => header = header::header(join(JoinKind::Header8)),
            LongMessages::Header16 => header = header::header(join(JoinKind::Header16)),
            LongMessages::Parameters => {
                message.optional.push_number(Tag::SAR_REFERENCE, reference);
                message.optional.push_octet(Tag::SAR_TOTAL, total);
                message.optional.push_octet(Tag::SAR_NUMBER, number);
            }
            LongMessages::Payload => {}
        }
        if !header.is_empty() {
            message.esm_class |= HEADER_INDICATOR;
        }
        header.extend(octets);
        message.text = header.into();
        message.write()
    };
    parts.map(body).collect()
}

fn addressed(config: &SmppConfig, to: &str) -> Result<ShortMessage, Malformed> {
    let digits = to.strip_prefix('+');
    let text = digits.unwrap_or(to);
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed("destination_addr"));
    }
    // E.164 is an international number; anything else is the operator's own.
    let kind = u8::from(digits.is_some());
    Ok(ShortMessage {
        source: Address {
            ton: config.sender.ton,
            npi: config.sender.npi,
            text: config.sender.text.clone(),
        },
        destination: Address {
            ton: kind,
            npi: kind,
            text: text.to_owned(),
        },
        validity: config.keep.map(relative).unwrap_or_default(),
        registered_delivery: u8::from(config.receipts),
        ..ShortMessage::default()
    })
}

/// A time from now on, as `YYMMDDhhmmss000R` (SMPP 3.4, 7.1.1.2): days at most, as months differ in length.
fn relative(time: Duration) -> Bytes {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = time.as_secs().clamp(1, 32 * DAY - 1);
    let (days, rest) = (seconds / DAY, seconds % DAY);
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R").into()
}

/// The pieces of a text in UCS-2, none of which ends within a character.
fn pieces(text: &str, joined: Joined) -> Vec<Vec<u8>> {
    let units: usize = text.chars().map(char::len_utf16).sum();
    let room = if units <= Alphabet::Ucs2.alone() {
        Alphabet::Ucs2.alone()
    } else {
        Alphabet::Ucs2.in_part(joined)
    };
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for character in text.chars() {
        let mut units = [0; 2];
        let octets: Vec<u8> = character
            .encode_utf16(&mut units)
            .iter()
            .flat_map(|unit| unit.to_be_bytes())
            .collect();
        match pieces.last_mut() {
            Some(piece) if piece.len() + octets.len() <= room * 2 => piece.extend(octets),
            _ => pieces.push(octets),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::smpp::alphabet::DefaultAlphabet;

    fn config() -> SmppConfig {
        SmppConfig::new("smsc.example", 2775, "a", SecretString::default(), "8088")
    }

    fn messages(config: &SmppConfig, text: &str) -> Vec<ShortMessage> {
        let text = OutgoingText::new("1", "+84912345678", text);
        let bodies = bodies(config, &text, 0x012a).expect("it can be sent");
        let read = |body| {
            let (message, defects) = ShortMessage::read(body);
            assert_eq!(defects, []);
            message
        };
        bodies.into_iter().map(read).collect()
    }

    #[test]
    fn a_short_text_is_one_plain_message() {
        let one = &messages(&config(), "PA-000123: da nhan @")[0];
        assert_eq!(
            (one.esm_class, one.data_coding, one.registered_delivery),
            (0, 0, 1)
        );
        assert_eq!(&one.text[..], b"PA-000123: da nhan \0");
        let (source, destination) = (&one.source, &one.destination);
        assert_eq!(
            (source.ton, source.npi, source.text.as_str()),
            (0, 0, "8088")
        );
        let to = (destination.ton, destination.npi, destination.text.as_str());
        assert_eq!(to, (1, 1, "84912345678"));
    }

    #[test]
    fn a_long_text_goes_in_parts_as_the_setting_says() {
        let text = "đ".repeat(135);
        let mut config = config();
        for (long_messages, header, lengths) in [
            (
                LongMessages::Header8,
                Some(&b"\x05\x00\x03\x2a\x03"[..]),
                [140, 140, 8],
            ),
            (
                LongMessages::Header16,
                Some(b"\x06\x08\x04\x01\x2a\x03"),
                [139, 139, 13],
            ),
            (LongMessages::Parameters, None, [134, 134, 2]),
        ] {
            config.long_messages = long_messages;
            let parts = messages(&config, &text);
            assert_eq!(parts.len(), 3);
            for (number, (part, length)) in (1..).zip(parts.iter().zip(lengths)) {
                assert_eq!((part.data_coding, part.text.len()), (8, length));
                match header {
                    Some(header) => {
                        assert_eq!(part.esm_class, 0x40);
                        assert_eq!(&part.text[..header.len()], header);
                        assert_eq!(part.text[header.len()], number);
                    }
                    None => {
                        assert_eq!(part.esm_class, 0);
                        let told = |tag| part.optional.number(tag);
                        assert_eq!(told(Tag::SAR_REFERENCE), Some(0x012a));
                        assert_eq!(told(Tag::SAR_TOTAL), Some(3));
                        assert_eq!(told(Tag::SAR_NUMBER), Some(u32::from(number)));
                    }
                }
            }
        }
        config.long_messages = LongMessages::Payload;
        let whole = messages(&config, &text);
        let payload = whole[0].optional.get(Tag::MESSAGE_PAYLOAD).map(Bytes::len);
        assert_eq!(
            (whole.len(), whole[0].text.len(), payload),
            (1, 0, Some(270))
        );
        assert_eq!(messages(&config, "ngắn")[0].text.len(), 8);
    }

    #[test]
    fn a_letter_that_the_message_centre_lacks_turns_all_of_it_into_ucs2() {
        let mut config = config();
        config.default_alphabet = DefaultAlphabet::Ascii;
        let text = format!("{}é", "a".repeat(100));
        let parts = messages(&config, &text);
        assert_eq!(parts.len(), 2);
        assert!(
            parts
                .iter()
                .all(|part| part.data_coding == 8 && part.text.len() <= 140)
        );
    }

    #[test]
    fn no_message_goes_to_what_is_no_number() {
        for to in ["", "+", "Viettel", "+8491a", "84 91"] {
            let text = OutgoingText::new("1", to, "x");
            let refused = bodies(&config(), &text, 1);
            assert_eq!(refused, Err(Malformed("destination_addr")), "{to:?}");
        }
    }
}
