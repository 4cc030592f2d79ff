//! How an operation went (SMPP 3.4, 5.1.3), and what that means for us.

use std::fmt;

/// The status in an answer. Any number can come in, so it is no enumeration.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Status(pub(crate) u32);

/// What an answer other than 0 means for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// All is well.
    Done,
    /// We are too fast: the same again later, and slower.
    SlowDown,
    /// Something of theirs failed: a few more tries.
    Later,
    /// It will never be taken like this.
    Permanent,
    /// The link is not in the state that we think it is in: bind anew.
    Session,
    /// The account's name or password is refused.
    Credentials,
}

impl Status {
    pub(crate) const OK: Self = Self(0x00);
    /// No such operation.
    pub(crate) const INVALID_COMMAND: Self = Self(0x03);
    /// "Application: try again", for what cannot be stored just now.
    pub(crate) const TEMPORARY: Self = Self(0x64);
    /// "Application: do not try again", for what can never be stored.
    pub(crate) const PERMANENT: Self = Self(0x65);

    /// What it means for a message that was submitted, or a bind that was asked for.
    pub(crate) const fn class(self) -> Class {
        match self.0 {
            0 => Class::Done,
            // RTHROTTLED, RMSGQFUL, and the range that is the vendors' own.
            0x58 | 0x14 | 0x400..=0x4ff => Class::SlowDown,
            // Wrong command, wrong bind state, already bound.
            0x03..=0x05 => Class::Session,
            // The password, the account's name.
            0x0e | 0x0f => Class::Credentials,
            // Length, priority and registration flags, source, destination, service type, lists and
            // classes, times, "do not try again", optional parameters, delivery failure; and
            // RUNKNOWNERR, which gateways say for whatever their own rules refuse.
            0x01
            | 0x02
            | 0x06
            | 0x07
            | 0x0a
            | 0x0b
            | 0x15
            | 0x33
            | 0x34
            | 0x40
            | 0x42..=0x44
            | 0x48..=0x4a
            | 0x50
            | 0x51
            | 0x53..=0x55
            | 0x61..=0x63
            | 0x65
            | 0x66
            | 0xc0..=0xc4
            | 0xfe
            | 0xff => Class::Permanent,
            // RSYSERR, RBINDFAIL, RSUBMITFAIL, "try again", and what nobody documented.
            _ => Class::Later,
        }
    }

    /// The standard's name for it, as operators of message centres know it; empty for others.
    pub(crate) const fn name(self) -> &'static str {
        match self.0 {
            0x00 => "ESME_ROK",
            0x01 => "ESME_RINVMSGLEN",
            0x02 => "ESME_RINVCMDLEN",
            0x03 => "ESME_RINVCMDID",
            0x04 => "ESME_RINVBNDSTS",
            0x05 => "ESME_RALYBND",
            0x06 => "ESME_RINVPRTFLG",
            0x07 => "ESME_RINVREGDLVFLG",
            0x08 => "ESME_RSYSERR",
            0x0a => "ESME_RINVSRCADR",
            0x0b => "ESME_RINVDSTADR",
            0x0d => "ESME_RBINDFAIL",
            0x0e => "ESME_RINVPASWD",
            0x0f => "ESME_RINVSYSID",
            0x14 => "ESME_RMSGQFUL",
            0x15 => "ESME_RINVSERTYP",
            0x33 => "ESME_RINVNUMDESTS",
            0x34 => "ESME_RINVDLNAME",
            0x40 => "ESME_RINVDESTFLAG",
            0x42 => "ESME_RINVSUBREP",
            0x43 => "ESME_RINVESMCLASS",
            0x44 => "ESME_RCNTSUBDL",
            0x45 => "ESME_RSUBMITFAIL",
            0x48 => "ESME_RINVSRCTON",
            0x49 => "ESME_RINVSRCNPI",
            0x50 => "ESME_RINVDSTTON",
            0x51 => "ESME_RINVDSTNPI",
            0x53 => "ESME_RINVSYSTYP",
            0x54 => "ESME_RINVREPFLAG",
            0x55 => "ESME_RINVNUMMSGS",
            0x58 => "ESME_RTHROTTLED",
            0x61 => "ESME_RINVSCHED",
            0x62 => "ESME_RINVEXPIRY",
            0x63 => "ESME_RINVDFTMSGID",
            0x64 => "ESME_RX_T_APPN",
            0x65 => "ESME_RX_P_APPN",
            0x66 => "ESME_RX_R_APPN",
            0xc0 => "ESME_RINVOPTPARSTREAM",
            0xc1 => "ESME_ROPTPARNOTALLWD",
            0xc2 => "ESME_RINVPARLEN",
            0xc3 => "ESME_RMISSINGOPTPARAM",
            0xc4 => "ESME_RINVOPTPARAMVAL",
            0xfe => "ESME_RDELIVERYFAILURE",
            0xff => "ESME_RUNKNOWNERR",
            _ => "",
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "0x{:02X}", self.0)?;
        if !self.name().is_empty() {
            write!(formatter, " {}", self.name())?;
        }
        Ok(())
    }
}
