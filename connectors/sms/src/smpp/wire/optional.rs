//! Optional parameters (SMPP 3.4, 5.3.2): a tag, a length, a value. Opaque until somebody asks.

use bytes::{BufMut, Bytes, BytesMut};

use super::fields::{Defect, Fields, Malformed};

/// The number of an optional parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) u16);

impl Tag {
    pub(crate) const RECEIPTED_MESSAGE_ID: Self = Self(0x001e);
    pub(crate) const SAR_REFERENCE: Self = Self(0x020c);
    pub(crate) const SAR_TOTAL: Self = Self(0x020e);
    pub(crate) const SAR_NUMBER: Self = Self(0x020f);
    pub(crate) const INTERFACE_VERSION: Self = Self(0x0210);
    pub(crate) const NETWORK_ERROR: Self = Self(0x0423);
    pub(crate) const MESSAGE_PAYLOAD: Self = Self(0x0424);
    pub(crate) const MESSAGE_STATE: Self = Self(0x0427);
}

/// The optional parameters of an operation, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Optional(pub(crate) Vec<(Tag, Bytes)>);

impl Optional {
    /// Reads what is left of a body. One that says it is longer than what is left is taken as long as
    /// it is; fewer than four octets are nothing.
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let mut found = Vec::new();
        while !fields.is_empty() {
            if fields.remaining() < 4 {
                fields.note(Defect::StrayOctets(fields.remaining()));
                break;
            }
            let mut number = || {
                let octets = [fields.octet("tag"), fields.octet("tag")];
                u16::from_be_bytes(octets)
            };
            let (tag, length) = (number(), usize::from(number()));
            if length > fields.remaining() {
                fields.note(Defect::CutParameter(tag));
            }
            let length = length.min(fields.remaining());
            found.push((Tag(tag), fields.octets(length)));
        }
        Self(found)
    }

    /// The value of the first one of this tag.
    pub(crate) fn get(&self, tag: Tag) -> Option<&Bytes> {
        let found = self.0.iter().find(|(other, _)| *other == tag);
        found.map(|(_, value)| value)
    }

    /// The value as a number, however many octets it was sent in (up to four); `None` when it is
    /// missing or empty.
    pub(crate) fn number(&self, tag: Tag) -> Option<u32> {
        let value = self.get(tag)?;
        let counts = (1..=4).contains(&value.len());
        counts.then(|| {
            value
                .iter()
                .fold(0, |number, octet| number << 8 | u32::from(*octet))
        })
    }

    /// The value as a text, with or without the NUL that it should end with.
    pub(crate) fn text(&self, tag: Tag) -> Option<&[u8]> {
        let value = self.get(tag)?;
        let end = value.iter().position(|octet| *octet == 0);
        Some(&value[..end.unwrap_or(value.len())])
    }

    pub(crate) fn push_octet(&mut self, tag: Tag, value: u8) {
        self.0.push((tag, Bytes::copy_from_slice(&[value])));
    }

    pub(crate) fn push_number(&mut self, tag: Tag, value: u16) {
        self.0
            .push((tag, Bytes::copy_from_slice(&value.to_be_bytes())));
    }

    pub(crate) fn write(&self, output: &mut BytesMut) -> Result<(), Malformed> {
        for (tag, value) in &self.0 {
            let length = u16::try_from(value.len()).map_err(|_| Malformed("optional parameter"))?;
            output.put_u16(tag.0);
            output.put_u16(length);
            output.extend_from_slice(value);
        }
        Ok(())
    }
}
