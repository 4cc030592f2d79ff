//! Which operation a frame is (SMPP 3.4, 5.1.2.1).

use std::fmt;

/// What an answer adds to the number of the operation that it answers.
const ANSWER: u32 = 0x8000_0000;

/// The number of an operation. Any number can come in, so it is no enumeration.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Command(pub(crate) u32);

impl Command {
    pub(crate) const BIND_RECEIVER: Self = Self(0x01);
    pub(crate) const BIND_TRANSMITTER: Self = Self(0x02);
    pub(crate) const SUBMIT_SM: Self = Self(0x04);
    pub(crate) const DELIVER_SM: Self = Self(0x05);
    pub(crate) const UNBIND: Self = Self(0x06);
    pub(crate) const BIND_TRANSCEIVER: Self = Self(0x09);
    pub(crate) const OUTBIND: Self = Self(0x0b);
    pub(crate) const ENQUIRE_LINK: Self = Self(0x15);
    pub(crate) const ALERT_NOTIFICATION: Self = Self(0x102);
    pub(crate) const DATA_SM: Self = Self(0x103);
    pub(crate) const GENERIC_NACK: Self = Self(ANSWER);

    /// The answer to this operation.
    pub(crate) const fn answer(self) -> Self {
        Self(self.0 | ANSWER)
    }

    /// Whether it is an answer, `generic_nack` included.
    pub(crate) const fn is_answer(self) -> bool {
        self.0 & ANSWER != 0
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match Self(self.0 & !ANSWER) {
            _ if *self == Self::GENERIC_NACK => "generic_nack",
            Self::BIND_RECEIVER => "bind_receiver",
            Self::BIND_TRANSMITTER => "bind_transmitter",
            Self::SUBMIT_SM => "submit_sm",
            Self::DELIVER_SM => "deliver_sm",
            Self::UNBIND => "unbind",
            Self::BIND_TRANSCEIVER => "bind_transceiver",
            Self::OUTBIND => "outbind",
            Self::ENQUIRE_LINK => "enquire_link",
            Self::ALERT_NOTIFICATION => "alert_notification",
            Self::DATA_SM => "data_sm",
            _ => return write!(formatter, "command {:#x}", self.0),
        };
        let answer = if self.is_answer() && *self != Self::GENERIC_NACK {
            "_resp"
        } else {
            ""
        };
        write!(formatter, "{name}{answer}")
    }
}
