//! Binds: how an account is opened on a link (SMPP 3.4, 4.1).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    Command, Optional, Tag,
    fields::{Fields, Malformed, put_text},
};

/// Version 3.4, which operators run.
pub(crate) const VERSION: u8 = 0x34;

/// What may be done on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BindKind {
    /// Both.
    Transceiver,
    /// Submit only.
    Transmitter,
    /// Be delivered to only.
    Receiver,
}

impl BindKind {
    pub(crate) const fn command(self) -> Command {
        match self {
            Self::Transceiver => Command::BIND_TRANSCEIVER,
            Self::Transmitter => Command::BIND_TRANSMITTER,
            Self::Receiver => Command::BIND_RECEIVER,
        }
    }
}

/// What opens an account on a link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bind {
    /// The account.
    pub(crate) system_id: String,
    /// Its password; up to eight characters.
    pub(crate) password: String,
    /// What some operators want to hear of the account's kind.
    pub(crate) system_type: String,
    /// Which short codes are meant, as a pattern; mostly empty.
    pub(crate) address_range: String,
}

impl fmt::Debug for Bind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bind").finish_non_exhaustive()
    }
}

impl Bind {
    /// The body.
    pub(crate) fn write(&self) -> Result<Bytes, Malformed> {
        let mut body = BytesMut::new();
        put_text(&mut body, "system_id", self.system_id.as_bytes(), 16)?;
        put_text(&mut body, "password", self.password.as_bytes(), 9)?;
        put_text(&mut body, "system_type", self.system_type.as_bytes(), 13)?;
        body.put_u8(VERSION);
        body.put_u8(0);
        body.put_u8(0);
        put_text(
            &mut body,
            "address_range",
            self.address_range.as_bytes(),
            41,
        )?;
        Ok(body.freeze())
    }
}

/// What the message centre says of itself when it opened the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BindAnswer {
    /// Its name; often empty.
    pub(crate) system_id: String,
    /// Its version, where it tells.
    pub(crate) version: Option<u32>,
}

impl BindAnswer {
    /// Reads the body, which is often missing.
    pub(crate) fn read(body: Bytes) -> Self {
        let mut fields = Fields::new(body);
        let system_id = fields.text("system_id", 16);
        let optional = Optional::read(&mut fields);
        Self {
            system_id: String::from_utf8_lossy(&system_id).into_owned(),
            version: optional.number(Tag::INTERFACE_VERSION),
        }
    }
}
