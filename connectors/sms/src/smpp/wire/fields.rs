//! The mandatory fields of a body: read leniently, written strictly.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Something out of order in an operation that could be read all the same. Says where, and quotes
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// A text is longer than its field allows.
    TooLong(&'static str),
    /// A text has no end: it was taken up to the end of the body.
    Unterminated(&'static str),
    /// The body ends before this field.
    Missing(&'static str),
    /// `sm_length` says more than there is.
    ShortText,
    /// An optional parameter says that it is longer than what is left.
    CutParameter(u16),
    /// So few octets are left that they are no optional parameter.
    StrayOctets(usize),
    /// An optional parameter is not as long as its kind wants it.
    ParameterLength(u16),
    /// An address has characters that addresses do not have.
    AddressCharacters(&'static str),
}

/// A limit of the standard that what was to be written breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is too long or has characters that it cannot have")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Reads fields one after the other, and notes what is out of order.
#[derive(Debug)]
pub(crate) struct Fields {
    rest: Bytes,
    defects: Vec<Defect>,
}

impl Fields {
    pub(crate) fn new(body: Bytes) -> Self {
        Self {
            rest: body,
            defects: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, defect: Defect) {
        // A broken frame can have thousands of them; what they are is seen from the first.
        if self.defects.len() < 8 {
            self.defects.push(defect);
        }
    }

    /// One octet; 0 where the body ends before it.
    pub(crate) fn octet(&mut self, name: &'static str) -> u8 {
        if self.rest.has_remaining() {
            self.rest.get_u8()
        } else {
            self.note(Defect::Missing(name));
            0
        }
    }

    /// A text that ends with NUL; `longest` counts the NUL.
    pub(crate) fn text(&mut self, name: &'static str, longest: usize) -> Bytes {
        if !self.rest.has_remaining() {
            self.note(Defect::Missing(name));
            return Bytes::new();
        }
        let end = self.rest.iter().position(|octet| *octet == 0);
        let Some(end) = end else {
            self.note(Defect::Unterminated(name));
            return std::mem::take(&mut self.rest);
        };
        let text = self.rest.split_to(end);
        self.rest.advance(1);
        if text.len() >= longest {
            self.note(Defect::TooLong(name));
        }
        text
    }

    /// Up to so many octets.
    pub(crate) fn octets(&mut self, length: usize) -> Bytes {
        if length > self.rest.len() {
            self.note(Defect::ShortText);
        }
        self.rest.split_to(length.min(self.rest.len()))
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn into_defects(self) -> Vec<Defect> {
        self.defects
    }
}

/// Writes a text that ends with NUL; `longest` counts the NUL.
pub(crate) fn put_text(
    output: &mut BytesMut,
    name: &'static str,
    text: &[u8],
    longest: usize,
) -> Result<(), Malformed> {
    if text.len() >= longest || text.contains(&0) {
        return Err(Malformed(name));
    }
    output.extend_from_slice(text);
    output.put_u8(0);
    Ok(())
}
