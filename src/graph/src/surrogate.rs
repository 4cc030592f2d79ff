//! Halves of characters: an emoji that a citizen's device cut in two comes as one lone surrogate
//! escape, which is no Unicode and which serde_json refuses. The rest of the message is worth more
//! than the half.

/// Replaces lone surrogate escapes by the replacement character; everything else stays.
pub fn repair(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (unit(escape), unit(escape.get(6..).unwrap_or_default())) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                repaired.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            (Some(_), _) => 6,
            // `\\`, `\"` and the like: a backslash and one character.
            (None, _) => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        repaired.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The code unit of a `\uXXXX` escape that `text` begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(())?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_halves_are_replaced() {
        for (json, repaired) in [
            (r#""Y\u00ea\ud83d""#, r#""Y\u00ea\ufffd""#),
            (r#""\ude21 x""#, r#""\ufffd x""#),
            (r#""\ud83d\ud83d\ude21""#, r#""\ufffd\ud83d\ude21""#),
            (r#""\\ud83d \" \n đ""#, r#""\\ud83d \" \n đ""#),
            (r#""\ud83"#, r#""\ud83"#),
            (r"\", r"\"),
        ] {
            assert_eq!(repair(json), repaired);
        }
    }
}
