//! How the stand-in meets what it is sent.

/// How a `submit_sm` is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Taken.
    #[default]
    Take,
    /// Refused with this status.
    Refuse(u32),
    /// Taken, and never answered.
    TakeSilently,
    /// The link is cut; it was not taken.
    Cut,
    /// Taken, and the link is cut before the answer.
    TakeAndCut,
    /// Taken, and answered without a body.
    TakeWithoutId,
}

/// How receipts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// What they say (`DELIVRD`); `None` sends none.
    pub state: Option<&'static str>,
    /// By which form.
    pub form: ReceiptForm,
    /// How ids are written.
    pub ids: Ids,
    /// Before the answer to what they are of.
    pub early: bool,
    /// Twice.
    pub twice: bool,
}

/// The form of a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiptForm {
    /// The text of appendix B.
    #[default]
    Text,
    /// Optional parameters, and no text.
    Parameters,
    /// Both.
    Both,
}

/// How ids are written in answers and in receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// `m-1` in both.
    #[default]
    Words,
    /// Hexadecimal in answers, decimal in receipts.
    HexDecimal,
    /// Decimal in answers, hexadecimal in receipts.
    DecimalHex,
}

impl Ids {
    /// The id of the `number`th message in the answer, and in receipts.
    pub(super) fn write(self, number: u64) -> (String, String) {
        match self {
            Self::Words => (format!("m-{number}"), format!("m-{number}")),
            Self::HexDecimal => (format!("{number:X}"), format!("{number:010}")),
            Self::DecimalHex => (format!("{number:010}"), format!("{number:x}")),
        }
    }
}

/// The state of a message as a number, by its word.
pub(super) fn state_number(word: &str) -> u8 {
    let words = [
        "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD",
    ];
    let place = words
        .iter()
        .position(|other| *other == word)
        .expect("a state");
    u8::try_from(place + 1).expect("small")
}
