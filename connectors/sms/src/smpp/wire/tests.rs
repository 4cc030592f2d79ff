use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio_util::codec::Decoder;

use super::{fields::Defect, *};

/// A message as octets of the standard, put together by hand: service type, source 1/1, destination
/// 0/0, then what follows the flags.
fn deliver(source: &[u8], schedule: &[u8], length: u8, rest: &[u8]) -> Bytes {
    let parts: [&[u8]; 10] = [
        b"\0\x01\x01",
        source,
        b"\0\0\0",
        b"8088\0",
        b"\0\0\0",
        schedule,
        b"\0\0",
        b"\0\0\0\0",
        &[length],
        rest,
    ];
    parts.concat().into()
}

#[test]
fn a_message_is_read_octet_by_octet() {
    let body = deliver(b"84912345678", b"", 3, b"PA!\x02\x04\x00\x02\x00\x07");
    let (message, defects) = ShortMessage::read(body.clone());
    assert_eq!(defects, []);
    let source = &message.source;
    assert_eq!(
        (source.ton, source.npi, source.text.as_str()),
        (1, 1, "84912345678")
    );
    assert_eq!(
        (message.destination.text.as_str(), &message.text[..]),
        ("8088", &b"PA!"[..])
    );
    assert_eq!(message.optional.number(Tag(0x0204)), Some(7));
    assert_eq!(message.write(), Ok(body));
}

#[test]
fn what_is_out_of_order_is_read_as_far_as_it_goes() {
    let long = [b'1'; 25];
    for (name, body, text, defect) in [
        (
            "no NUL in receipted_message_id",
            deliver(b"84", b"", 1, b"x\x00\x1e\x00\x02ab"),
            "x",
            None,
        ),
        (
            "network_error_code of 4 octets",
            deliver(b"84", b"", 1, b"x\x04\x23\x00\x04\x01\x02\x03\x04"),
            "x",
            Some(Defect::ParameterLength(0x0423)),
        ),
        (
            "user_message_reference of 1 octet",
            deliver(b"84", b"", 1, b"x\x02\x04\x00\x01\x07"),
            "x",
            None,
        ),
        (
            "2 stray octets",
            deliver(b"84", b"", 1, b"x\x01\x02"),
            "x",
            Some(Defect::StrayOctets(2)),
        ),
        (
            "a parameter past the end",
            deliver(b"84", b"", 1, b"x\x04\x24\x00\x09ab"),
            "x",
            Some(Defect::CutParameter(0x0424)),
        ),
        (
            "a source beyond ASCII",
            deliver(b"8\xe91", b"", 1, b"x"),
            "x",
            Some(Defect::AddressCharacters("source_addr")),
        ),
        (
            "a source of 25 characters",
            deliver(&long, b"", 1, b"x"),
            "x",
            Some(Defect::TooLong("source_addr")),
        ),
        (
            "a time of 10 characters",
            deliver(b"84", b"2611211823", 1, b"x"),
            "x",
            None,
        ),
        (
            "sm_length too large",
            deliver(b"84", b"", 200, b"xyz"),
            "xyz",
            Some(Defect::ShortText),
        ),
        (
            "sm_length too small",
            deliver(b"84", b"", 1, b"xyz"),
            "x",
            Some(Defect::StrayOctets(2)),
        ),
        (
            "a parameter of no length",
            deliver(b"84", b"", 1, b"x\x04\x24\x00\x00"),
            "x",
            None,
        ),
        (
            "a vendor's parameter",
            deliver(b"84", b"", 1, b"x\x14\x00\x00\x01z"),
            "x",
            None,
        ),
        (
            "the same parameter twice",
            deliver(b"84", b"", 1, b"x\x04\x27\x00\x01\x02\x04\x27\x00\x01\x05"),
            "x",
            None,
        ),
        ("no text", deliver(b"84", b"", 0, b""), "", None),
    ] {
        let (message, defects) = ShortMessage::read(body);
        assert_eq!(&message.text[..], text.as_bytes(), "{name}");
        assert_eq!(defects.first().copied(), defect, "{name}");
    }
    // A body that ends anywhere.
    let whole = deliver(b"84912345678", b"", 3, b"PA!");
    for end in 0..whole.len() {
        let (message, defects) = ShortMessage::read(whole.slice(..end));
        assert!(!defects.is_empty(), "cut at {end}");
        assert!(message.text.len() < 3);
    }
    assert_eq!(ShortMessage::read(Bytes::new()).0.source.text, "");
}

#[test]
fn what_breaks_a_limit_is_not_written() {
    let good = ShortMessage::default();
    assert!(good.write().is_ok());
    let address = |text: &str| Address {
        text: text.to_owned(),
        ..Address::default()
    };
    for (name, message) in [
        (
            "source_addr",
            ShortMessage {
                source: address(&"1".repeat(21)),
                ..good.clone()
            },
        ),
        (
            "source_addr",
            ShortMessage {
                source: address("đ"),
                ..good.clone()
            },
        ),
        (
            "destination_addr",
            ShortMessage {
                destination: address("8\09"),
                ..good.clone()
            },
        ),
        (
            "short_message",
            ShortMessage {
                text: vec![0; 255].into(),
                ..good.clone()
            },
        ),
        (
            "service_type",
            ShortMessage {
                service_type: Bytes::from_static(b"toolong"),
                ..good.clone()
            },
        ),
        (
            "validity_period",
            ShortMessage {
                validity: Bytes::from_static(b"2611"),
                ..good.clone()
            },
        ),
    ] {
        assert_eq!(message.write(), Err(Malformed(name)));
    }
    let bind = |password: &str| Bind {
        system_id: "congdan".to_owned(),
        password: password.to_owned(),
        system_type: String::new(),
        address_range: String::new(),
    };
    let written = bind("matkhau1").write().expect("it fits");
    assert_eq!(&written[..], b"congdan\0matkhau1\0\0\x34\0\0\0");
    assert_eq!(bind("matkhau12").write(), Err(Malformed("password")));
    assert!(!format!("{:?}", bind("matkhau1")).contains("matkhau1"));
}

#[test]
fn answers_are_read_with_and_without_their_bodies() {
    let answer = BindAnswer::read(Bytes::from_static(b"smsc\0\x02\x10\x00\x01\x34"));
    assert_eq!(
        (answer.system_id.as_str(), answer.version),
        ("smsc", Some(0x34))
    );
    assert_eq!(BindAnswer::read(Bytes::new()).version, None);
    assert_eq!(
        message_id(Bytes::from_static(b"1a2b\0")),
        Some("1a2b".to_owned())
    );
    assert_eq!(
        message_id(Bytes::from_static(b"1a2b")),
        Some("1a2b".to_owned())
    );
    assert_eq!(message_id(Bytes::new()), None);
    assert_eq!(message_id(Bytes::from_static(b"\0")), None);
}

#[test]
fn frames_are_found_and_only_impossible_lengths_end_a_link() {
    let mut codec = FrameCodec;
    let mut input = BytesMut::from(&b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x07\0\0\0\x12\0"[..]);
    let frame = codec
        .decode(&mut input)
        .expect("a frame")
        .expect("all of it");
    assert_eq!((frame.command, frame.sequence), (Command::ENQUIRE_LINK, 7));
    assert!(codec.decode(&mut input).expect("not yet").is_none());
    for length in [0_u32, 1, 15, 70_001, u32::MAX] {
        let mut input = BytesMut::from(&length.to_be_bytes()[..]);
        assert!(codec.decode(&mut input).is_err(), "{length}");
    }
    for length in [16_u32, 70_000] {
        let mut input = BytesMut::from(&length.to_be_bytes()[..]);
        assert!(codec.decode(&mut input).is_ok(), "{length}");
    }
}

#[test]
fn statuses_are_decisions() {
    for (class, statuses) in [
        (Class::Done, &[0][..]),
        (Class::SlowDown, &[0x58, 0x14, 0x400, 0x4ff]),
        (Class::Later, &[0x08, 0x45, 0x64, 0x0d, 0x500, 0x9999]),
        (
            Class::Permanent,
            &[
                0x01, 0x0a, 0x0b, 0x15, 0x33, 0x43, 0x61, 0x62, 0x65, 0xc0, 0xc4, 0xfe, 0xff,
            ],
        ),
        (Class::Session, &[0x03, 0x04, 0x05]),
        (Class::Credentials, &[0x0e, 0x0f]),
    ] {
        for status in statuses {
            assert_eq!(Status(*status).class(), class, "{status:#x}");
        }
    }
    assert_eq!(Status(0x58).to_string(), "0x58 ESME_RTHROTTLED");
    assert_eq!(Status(0x401).to_string(), "0x401");
    assert_eq!(Command::SUBMIT_SM.answer().to_string(), "submit_sm_resp");
}

#[test]
fn nothing_of_a_citizen_is_printed() {
    let (message, _) = ShortMessage::read(deliver(b"84912345678", b"", 6, b"ho ten"));
    let printed = format!("{message:?} {:?}", message.source);
    assert!(
        !printed.contains("8491") && !printed.contains("104"),
        "{printed}"
    );
}

prop_compose! {
    fn address()(ton in 0..7_u8, npi in 0..2_u8, text in "[0-9A-Za-z]{0,20}") -> Address {
        Address { ton, npi, text }
    }
}

prop_compose! {
    fn message()(
        source in address(),
        destination in address(),
        flags in any::<[u8; 7]>(),
        timed in any::<bool>(),
        text in proptest::collection::vec(any::<u8>(), 0..=254),
        optional in proptest::collection::vec(
            (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..5),
    ) -> ShortMessage {
        let time = if timed { "000000000500000R" } else { "" };
        ShortMessage {
            service_type: Bytes::from_static(b"CMT"),
            source,
            destination,
            esm_class: flags[0],
            protocol: flags[1],
            priority: flags[2],
            schedule: Bytes::new(),
            validity: Bytes::from_static(time.as_bytes()),
            registered_delivery: flags[3],
            replace: flags[4],
            data_coding: flags[5],
            default_message: flags[6],
            text: text.into(),
            optional: Optional(
                optional.into_iter().map(|(tag, value)| (Tag(tag), value.into())).collect(),
            ),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(message in message()) {
        let body = message.write().expect("within the limits");
        let (read, defects) = ShortMessage::read(body);
        let odd = |defect: &Defect| !matches!(defect, Defect::ParameterLength(_));
        prop_assert!(!defects.iter().any(odd), "{defects:?}");
        prop_assert!(read == message);
    }

    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let octets = Bytes::from(octets);
        for (message, _) in [ShortMessage::read(octets.clone()), ShortMessage::read_data(octets.clone())] {
            let (text, _) = crate::smpp::header::unwrap(&message);
            let pieces = [(message.data_coding, text)];
            crate::smpp::alphabet::read(&pieces, crate::smpp::DefaultAlphabet::Gsm7);
            crate::smpp::receipt::read(&message);
        }
        BindAnswer::read(octets.clone());
        message_id(octets.clone());
        let mut input = BytesMut::from(&octets[..]);
        while let Ok(Some(_)) = FrameCodec.decode(&mut input) {}
    }

    #[test]
    fn frames_come_back(sequence in any::<u32>(), command in any::<u32>(), body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let frame = Frame { command: Command(command), status: Status(9), sequence, body: body.into() };
        let mut output = BytesMut::new();
        frame.write(&mut output);
        frame.write(&mut output);
        for _ in 0..2 {
            prop_assert_eq!(FrameCodec.decode(&mut output).expect("good").expect("whole"), frame.clone());
        }
        prop_assert!(output.is_empty());
    }
}
