//! The words by which citizens refuse notices.
//!
//! Decree 91/2020/NĐ-CP is about advertising; the same words are heeded for whatever we send, as who
//! writes them does not know the difference. Only a whole message is a refusal: "dừng" or "hủy" inside
//! a report is a part of the report.

use langnghe_model::fold::fold;

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No more notices.
    OptOut,
    /// Notices again.
    OptIn,
}

/// What a message without its keyword asks for, if that is all it says.
pub(crate) fn wish(body: &str) -> Option<Wish> {
    // Longer ones are reports; folding them would be for nothing.
    if body.len() > 64 {
        return None;
    }
    let words = fold(body);
    let words = words.trim_matches(|character: char| !character.is_alphanumeric());
    match words {
        "tc" | "tu choi" | "huy" | "stop" | "unsubscribe" => Some(Wish::OptOut),
        "start" | "unstop" => Some(Wish::OptIn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_alone_are_a_wish() {
        for refusal in [
            "TC",
            "tc.",
            "Từ chối",
            "TU CHOI",
            "HỦY",
            "Huỷ!",
            "hu\u{309}y",
            "STOP",
            " stop ",
            "Unsubscribe",
        ] {
            assert_eq!(wish(refusal), Some(Wish::OptOut), "{refusal:?}");
        }
        for other in [
            "dừng",
            "huy dong nhan dan",
            "Xe không dừng đèn đỏ",
            "tc 12",
            "",
            "từ chối thu rác",
        ] {
            assert_eq!(wish(other), None, "{other:?}");
        }
        assert_eq!(wish("Start"), Some(Wish::OptIn));
    }
}
