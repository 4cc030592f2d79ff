//! How the octets of a text are read and written, by `data_coding` (SMPP 3.4, 5.2.19).

use bytes::Bytes;
use langnghe_model::{gsm, segments::Alphabet};

/// `data_coding` of the message centre's own alphabet.
pub(crate) const DEFAULT: u8 = 0x00;
/// `data_coding` of UCS-2, which is UTF-16 with the high octet first.
pub(crate) const UCS2: u8 = 0x08;

/// What a message centre means by `data_coding` 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultAlphabet {
    /// GSM's alphabet, one septet an octet, not packed.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
}

/// How octets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Gsm7,
    /// ASCII is read as this too, as octets above 127 are something then, and not nothing.
    Latin1,
    Utf16,
    Binary,
}

fn reading(data_coding: u8, default: DefaultAlphabet) -> Reading {
    let by_default = match default {
        DefaultAlphabet::Gsm7 => Reading::Gsm7,
        DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii => Reading::Latin1,
    };
    match data_coding {
        0x01 | 0x03 => Reading::Latin1,
        0x02 | 0x04 | 0xf4..=0xf7 | 0xfc..=0xff => Reading::Binary,
        UCS2 | 0xe0..=0xef => Reading::Utf16,
        // GSM's own coding groups, which some message centres pass on as they are (TS 23.038, 4).
        0x10..=0x3f => match data_coding >> 2 & 3 {
            1 => Reading::Binary,
            2 => Reading::Utf16,
            _ => by_default,
        },
        _ => by_default,
    }
}

/// Reads pieces of a text that belong together, each with its `data_coding`. Pieces of one coding are
/// joined before they are read, since networks cut through the two halves of a character. `None` when
/// there is nothing but binary data.
pub(crate) fn read(pieces: &[(u8, Bytes)], default: DefaultAlphabet) -> Option<String> {
    let mut text = String::new();
    let mut any = false;
    for run in
        pieces.chunk_by(|(one, _), (other, _)| reading(*one, default) == reading(*other, default))
    {
        let octets: Vec<u8> = run.iter().flat_map(|(_, octets)| octets.to_vec()).collect();
        match reading(run[0].0, default) {
            Reading::Gsm7 => text.push_str(&read_gsm(&octets)),
            Reading::Latin1 => text.extend(octets.iter().map(|octet| char::from(*octet))),
            Reading::Utf16 => text.push_str(&read_utf16(&octets)),
            Reading::Binary => continue,
        }
        any = true;
    }
    any.then_some(text)
}

fn read_gsm(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut rest = octets.iter().copied();
    while let Some(code) = rest.next() {
        let character = if code == gsm::ESCAPE {
            rest.next().and_then(gsm::extension)
        } else if code < 128 {
            gsm::character(code)
        } else {
            // No septet: whoever wrote it meant Latin-1.
            Some(char::from(code))
        };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

fn read_utf16(octets: &[u8]) -> String {
    let units = octets
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        // Some write a byte order mark where none belongs.
        .filter(|character| *character != '\u{feff}');
    text.collect()
}

/// Writes a text; gives its `data_coding` and octets. What the message centre's own alphabet does not
/// carry goes as UCS-2 (`alphabet`).
pub(crate) fn write(text: &str, alphabet: Alphabet, default: DefaultAlphabet) -> (u8, Vec<u8>) {
    if alphabet == Alphabet::Gsm7
        && let Some(octets) = write_default(text, default)
    {
        return (DEFAULT, octets);
    }
    (
        UCS2,
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    )
}

fn write_default(text: &str, default: DefaultAlphabet) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for character in text.chars() {
        match default {
            DefaultAlphabet::Gsm7 => match gsm::code(character)? {
                gsm::Code::Default(code) => octets.push(code),
                gsm::Code::Extension(code) => octets.extend([gsm::ESCAPE, code]),
            },
            DefaultAlphabet::Latin1 => octets.push(u8::try_from(character).ok()?),
            DefaultAlphabet::Ascii => {
                octets.push(u8::try_from(character).ok().filter(u8::is_ascii)?);
            }
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(
        data_coding: u8,
        octets: &'static [u8],
        default: DefaultAlphabet,
    ) -> Option<String> {
        read(&[(data_coding, Bytes::from_static(octets))], default)
    }

    #[test]
    fn each_coding_is_read_as_what_it_is() {
        use DefaultAlphabet::{Ascii, Gsm7, Latin1};
        for (coding, octets, default, text) in [
            (0, &b"PA \x00 \x1b\x65 \x02"[..], Gsm7, "PA @ € $"),
            (0, b"caf\xe9", Latin1, "café"),
            (0, b"PA @", Ascii, "PA @"),
            (1, b"PA $", Gsm7, "PA $"),
            (3, b"\xe0", Gsm7, "à"),
            (8, b"\x01\x11\x01\xb0\x1e\xdd\x00n\x00g", Gsm7, "đường"),
            (8, b"\xfe\xff\x00n\x00", Gsm7, "n"),
            (0x18, b"\x01\x11", Gsm7, "đ"),
            (0xf1, b"\x04", Gsm7, "è"),
            (0x11, b"\x04", Gsm7, "è"),
        ] {
            let is = read_one(coding, octets, default);
            assert_eq!(is.as_deref(), Some(text), "{coding} {octets:?}");
        }
        assert_eq!(read_one(4, b"\x01\x02", Gsm7), None);
        assert_eq!(read_one(0xf5, b"\x01\x02", Gsm7), None);
    }

    #[test]
    fn a_character_that_was_cut_in_two_comes_together() {
        let halves: Vec<u8> = "😡".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let pieces = [
            (8, Bytes::copy_from_slice(&halves[..2])),
            (8, Bytes::copy_from_slice(&halves[2..])),
            (0, Bytes::from_static(b"ok")),
        ];
        let text = read(&pieces, DefaultAlphabet::Gsm7);
        assert_eq!(text.as_deref(), Some("😡ok"));
    }

    #[test]
    fn what_the_default_alphabet_lacks_goes_as_ucs2() {
        let written = |text, default| write(text, Alphabet::of(text), default);
        assert_eq!(
            written("a@€", DefaultAlphabet::Gsm7),
            (0, b"a\0\x1b\x65".to_vec())
        );
        assert_eq!(written("đ", DefaultAlphabet::Gsm7), (8, vec![1, 0x11]));
        assert_eq!(written("é", DefaultAlphabet::Latin1), (0, vec![0xe9]));
        assert_eq!(written("é", DefaultAlphabet::Ascii), (8, vec![0, 0xe9]));
        assert_eq!(written("€", DefaultAlphabet::Latin1).0, 8);
    }
}
