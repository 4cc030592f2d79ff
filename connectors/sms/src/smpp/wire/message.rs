//! Short messages: `submit_sm`, `deliver_sm` and `data_sm` (SMPP 3.4, 4.4, 4.6, 4.7).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    Optional, Tag,
    fields::{Defect, Fields, Malformed, put_text},
};

/// The longest text in its own field, in octets; longer ones go in `message_payload`.
pub(crate) const LONGEST_TEXT: usize = 254;
/// An address with its NUL. `data_sm` allows 65.
const ADDRESS: usize = 21;

/// A number, a short code or a name, with what kind of number it says it is. Never printed: it can be
/// a citizen's.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// 0 unknown, 1 international, 2 national, 3 the network's own, 5 alphanumeric, 6 abbreviated.
    pub(crate) ton: u8,
    /// 0 unknown, 1 E.164.
    pub(crate) npi: u8,
    /// The digits or letters.
    pub(crate) text: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Address({}/{}, {} bytes)",
            self.ton,
            self.npi,
            self.text.len()
        )
    }
}

impl Address {
    fn read(fields: &mut Fields, name: &'static str) -> Self {
        let (ton, npi) = (fields.octet(name), fields.octet(name));
        let octets = fields.text(name, ADDRESS);
        if !octets.iter().all(|octet| (0x20..0x7f).contains(octet)) {
            fields.note(Defect::AddressCharacters(name));
        }
        // Octets beyond ASCII are characters of whatever table the sender had: any one that keeps
        // different addresses different will do.
        let text = octets.iter().map(|octet| char::from(*octet)).collect();
        Self { ton, npi, text }
    }

    fn write(&self, output: &mut BytesMut, name: &'static str) -> Result<(), Malformed> {
        output.put_u8(self.ton);
        output.put_u8(self.npi);
        if !self.text.is_ascii() {
            return Err(Malformed(name));
        }
        put_text(output, name, self.text.as_bytes(), ADDRESS)
    }
}

/// One short message, or one part of a longer one.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ShortMessage {
    /// Mostly empty.
    pub(crate) service_type: Bytes,
    /// Who sends it.
    pub(crate) source: Address,
    /// Who is to get it.
    pub(crate) destination: Address,
    /// Receipt or not, with a user data header or not.
    pub(crate) esm_class: u8,
    pub(crate) protocol: u8,
    pub(crate) priority: u8,
    /// Empty, or 16 characters.
    pub(crate) schedule: Bytes,
    /// Empty, or 16 characters.
    pub(crate) validity: Bytes,
    /// Whether receipts are wanted.
    pub(crate) registered_delivery: u8,
    pub(crate) replace: u8,
    /// How the text is written.
    pub(crate) data_coding: u8,
    pub(crate) default_message: u8,
    /// The text, with its user data header if it has one.
    pub(crate) text: Bytes,
    /// The rest.
    pub(crate) optional: Optional,
}

impl fmt::Debug for ShortMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShortMessage")
            .field("esm_class", &self.esm_class)
            .field("data_coding", &self.data_coding)
            .field("octets", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl ShortMessage {
    /// Reads the body of a `deliver_sm` or a `submit_sm`.
    pub(crate) fn read(body: Bytes) -> (Self, Vec<Defect>) {
        let mut fields = Fields::new(body);
        let mut message = Self {
            service_type: fields.text("service_type", 6),
            source: Address::read(&mut fields, "source_addr"),
            destination: Address::read(&mut fields, "destination_addr"),
            esm_class: fields.octet("esm_class"),
            protocol: fields.octet("protocol_id"),
            priority: fields.octet("priority_flag"),
            schedule: fields.text("schedule_delivery_time", 17),
            validity: fields.text("validity_period", 17),
            registered_delivery: fields.octet("registered_delivery"),
            replace: fields.octet("replace_if_present_flag"),
            data_coding: fields.octet("data_coding"),
            default_message: fields.octet("sm_default_msg_id"),
            ..Self::default()
        };
        let length = fields.octet("sm_length");
        message.text = fields.octets(usize::from(length));
        message.optional = Optional::read(&mut fields);
        message.check_lengths(&mut fields);
        (message, fields.into_defects())
    }

    /// Reads the body of a `data_sm`, whose text is always in `message_payload`.
    pub(crate) fn read_data(body: Bytes) -> (Self, Vec<Defect>) {
        let mut fields = Fields::new(body);
        let mut message = Self {
            service_type: fields.text("service_type", 6),
            source: Address::read(&mut fields, "source_addr"),
            destination: Address::read(&mut fields, "destination_addr"),
            esm_class: fields.octet("esm_class"),
            registered_delivery: fields.octet("registered_delivery"),
            data_coding: fields.octet("data_coding"),
            ..Self::default()
        };
        message.optional = Optional::read(&mut fields);
        message.check_lengths(&mut fields);
        (message, fields.into_defects())
    }

    fn check_lengths(&self, fields: &mut Fields) {
        let known = [
            (Tag::SAR_REFERENCE, 2),
            (Tag::SAR_TOTAL, 1),
            (Tag::SAR_NUMBER, 1),
            (Tag::NETWORK_ERROR, 3),
            (Tag::MESSAGE_STATE, 1),
        ];
        for (tag, length) in known {
            if self
                .optional
                .get(tag)
                .is_some_and(|value| value.len() != length)
            {
                fields.note(Defect::ParameterLength(tag.0));
            }
        }
    }

    /// The body of a `submit_sm` or a `deliver_sm`.
    pub(crate) fn write(&self) -> Result<Bytes, Malformed> {
        let mut body = BytesMut::with_capacity(64 + self.text.len());
        put_text(&mut body, "service_type", &self.service_type, 6)?;
        self.source.write(&mut body, "source_addr")?;
        self.destination.write(&mut body, "destination_addr")?;
        body.put_u8(self.esm_class);
        body.put_u8(self.protocol);
        body.put_u8(self.priority);
        for (name, time) in [
            ("schedule_delivery_time", &self.schedule),
            ("validity_period", &self.validity),
        ] {
            if ![0, 16].contains(&time.len()) {
                return Err(Malformed(name));
            }
            put_text(&mut body, name, time, 17)?;
        }
        body.put_u8(self.registered_delivery);
        body.put_u8(self.replace);
        body.put_u8(self.data_coding);
        body.put_u8(self.default_message);
        let length = u8::try_from(self.text.len())
            .ok()
            .filter(|_| self.text.len() <= LONGEST_TEXT)
            .ok_or(Malformed("short_message"))?;
        body.put_u8(length);
        body.extend_from_slice(&self.text);
        self.optional.write(&mut body)?;
        Ok(body.freeze())
    }

    /// The octets of the text, wherever they are.
    pub(crate) fn content(&self) -> &Bytes {
        match self.optional.get(Tag::MESSAGE_PAYLOAD) {
            Some(payload) if self.text.is_empty() => payload,
            _ => &self.text,
        }
    }
}

/// Reads the id that a message centre gave a message, from the body of its answer to `submit_sm`.
/// `None` where there is none, which some leave out.
pub(crate) fn message_id(body: Bytes) -> Option<String> {
    let id = Fields::new(body).text("message_id", 65);
    (!id.is_empty()).then(|| id.iter().map(|octet| char::from(*octet)).collect())
}
