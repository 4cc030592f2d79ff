//! Texts of other people on a terminal.

/// A text on one line without control characters, so that what somebody wrote elsewhere cannot drive
/// the operator's terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nobody_drives_the_operators_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\u{9b}"), "a [2Jb  c ");
        assert_eq!(clean("Đường ngập"), "Đường ngập");
    }
}
