//! `provider = "smpp"`: an account of our own at an operator's message centre.

use std::time::Duration;

use langnghe_flow::reader::At;
use langnghe_sms::smpp::{
    BindMode, DefaultAlphabet, LongMessages, ReceiptIds, SmppConfig, TlsConfig,
};

use super::super::Reading;

/// The port without TLS, and by custom the one with it.
const PORTS: (u16, u16) = (2775, 3550);

pub(super) fn read(reading: &Reading<'_, '_>) -> Option<SmppConfig> {
    let section = reading.section;
    let host = section.required("host", "\"smsc.example.vn\"");
    let tls = tls(reading);
    let port = section
        .count("port", 1, 65_535)
        .and_then(|port| u16::try_from(port).ok());
    let system_id = section.required("system_id", "\"congdan\"");
    let password = section.secret("password", reading.surroundings);
    let sender = section.required("sender", "\"8088\"");
    let kind = |key| {
        let number = section.count(key, 0, 6);
        number.and_then(|number| u8::try_from(number).ok())
    };
    let (ton, npi) = (kind("sender_ton"), kind("sender_npi"));
    let system_type = section.text("system_type").map(|text| text.value);
    let words = [
        ("transceiver", BindMode::Transceiver),
        ("separate", BindMode::Separate),
    ];
    let bind = section.one_of("bind", &words);
    let window = section.count("window", 1, 1_000);
    let words = [
        ("gsm7", DefaultAlphabet::Gsm7),
        ("latin1", DefaultAlphabet::Latin1),
        ("ascii", DefaultAlphabet::Ascii),
    ];
    let default_alphabet = section.one_of("default_alphabet", &words);
    let words = [
        ("same", ReceiptIds::Same),
        ("hex-decimal", ReceiptIds::HexDecimal),
        ("decimal-hex", ReceiptIds::DecimalHex),
    ];
    let receipt_ids = section.one_of("receipt_ids", &words);
    let receipts = section.boolean("receipts");
    let (minute, week) = (Duration::from_mins(1), Duration::from_hours(24 * 7));
    let keep = section.duration("keep", minute, week);
    let words = [
        ("udh8", LongMessages::Header8),
        ("udh16", LongMessages::Header16),
        ("sar", LongMessages::Parameters),
        ("payload", LongMessages::Payload),
    ];
    let long_messages = section.one_of("long_messages", &words);
    let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
    let enquire_link = section.duration("enquire_link", second, hour);
    // The program waits 90 s for a send: a place in the window and an answer have to fit into it.
    let response_timeout = section.duration("response_timeout", second, Duration::from_secs(30));
    let join_within = section.duration("join_within", second, Duration::from_hours(24));

    let usual = if tls.is_some() { PORTS.1 } else { PORTS.0 };
    let mut config = SmppConfig::new(
        &host?.value,
        port.unwrap_or(usual),
        &system_id?.value,
        password?,
        &sender?.value,
    );
    config.tls = tls;
    config.sender.ton = ton.unwrap_or(config.sender.ton);
    config.sender.npi = npi.unwrap_or(config.sender.npi);
    config.system_type = system_type.unwrap_or_default();
    config.bind = bind.unwrap_or(config.bind);
    config.window = window.unwrap_or(config.window);
    config.default_alphabet = default_alphabet.unwrap_or(config.default_alphabet);
    config.receipt_ids = receipt_ids.unwrap_or(config.receipt_ids);
    config.receipts = receipts.unwrap_or(config.receipts);
    config.keep = keep;
    config.long_messages = long_messages.unwrap_or(config.long_messages);
    config.enquire_link = enquire_link.unwrap_or(config.enquire_link);
    config.response_timeout = response_timeout.unwrap_or(config.response_timeout);
    config.waiting.time = join_within.unwrap_or(config.waiting.time);
    Some(config)
}

fn tls(reading: &Reading<'_, '_>) -> Option<TlsConfig> {
    let section = reading.section;
    let on = section.boolean("tls").unwrap_or(false);
    let authorities = section
        .text("ca")
        .and_then(|path| authorities(reading, &path));
    let server_name = section.text("server_name").map(|text| text.value);
    on.then_some(TlsConfig {
        authorities,
        server_name,
    })
}

/// Reads the file of `ca`; whether there are certificates in it is seen when they are used.
fn authorities(reading: &Reading<'_, '_>, path: &At<String>) -> Option<Vec<u8>> {
    let file = reading.surroundings.folder.join(&path.value);
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            reading.section.error(
                "config::ca",
                "`ca` gives no certificate",
                path.span.clone(),
                format!("cannot read {}: {error}", file.display()),
                "the PEM file of the authority that signed the message centre's certificate",
            );
            None
        }
    }
}
