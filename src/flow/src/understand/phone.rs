//! Vietnamese telephone numbers, from every way of writing them to E.164.

use langnghe_model::phone::vietnamese;

/// The number in E.164 (`+84912345678`), found in a text that holds just one.
pub(crate) fn parse(text: &str) -> Option<String> {
    let mut found = None;
    for candidate in candidates(text) {
        if let Some(number) = vietnamese(&candidate) {
            if found.as_ref().is_some_and(|other| *other != number) {
                return None;
            }
            found = Some(number);
        }
    }
    found
}

/// Runs of digits with what people put between them.
fn candidates(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        match character {
            '0'..='9' => current.push(character),
            '+' if current.is_empty() => current.push(character),
            ' ' | '.' | '-' | '(' | ')' | '\u{a0}' => {}
            _ => {
                if current.len() >= 9 {
                    all.push(std::mem::take(&mut current));
                }
                current.clear();
            }
        }
    }
    all
}

/// A number as people read it: `0912 345 678`.
pub(crate) fn show(number: &str) -> String {
    let Some(rest) = number.strip_prefix("+84") else {
        return number.to_owned();
    };
    if rest.len() == 9 && rest.is_ascii() {
        return format!("0{} {} {}", &rest[..3], &rest[3..6], &rest[6..]);
    }
    format!("0{rest}")
}

/// True for an e-mail address that could exist; gives it without what stood around it.
pub(crate) fn email(text: &str) -> Option<String> {
    let mut found = text
        .split(|character: char| {
            character.is_whitespace() || matches!(character, ',' | ';' | '<' | '>')
        })
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| word.contains('@'));
    let address = found.next()?;
    if found.next().is_some() || address.len() > 254 || !address.is_ascii() {
        return None;
    }
    let (name, domain) = address.split_once('@')?;
    let name_good = !name.is_empty()
        && name.len() <= 64
        && !name.contains("..")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_good = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        && labels.last().is_some_and(|last| {
            last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
    (name_good && domain_good).then(|| format!("{name}@{}", domain.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0912345678", Some("+84912345678")),
            ("091.234.5678", Some("+84912345678")),
            ("84912345678", Some("+84912345678")),
            ("+84 91 234 56 78", Some("+84912345678")),
            ("0084912345678", Some("+84912345678")),
            ("số của tôi là 0912-345-678 ạ", Some("+84912345678")),
            ("01201234567", Some("+84701234567")),
            ("01691234567", Some("+84391234567")),
            ("02923812345", Some("+842923812345")),
            ("01111234567", None),
            ("091234567", None),
            ("1022", None),
            ("0412345678", None),
            ("0912345678 hoặc 0987654321", None),
            ("chín một hai", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(show("+84912345678"), "0912 345 678");
        assert_eq!(email("mail: A.b@Vidu.VN.").as_deref(), Some("A.b@vidu.vn"));
        for bad in [
            "a@b",
            "@vidu.vn",
            "a b",
            "a@vidu..vn",
            "a@b@c.vn",
            "á@vidu.vn",
        ] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
    }
}
