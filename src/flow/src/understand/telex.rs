//! Vietnamese typed with the keyboard's composer off: `nguwowif`, `nu7o7c1`.

/// What a folded word folds to when its Telex keys are taken as such; `None` when it holds none.
pub(crate) fn telex(word: &str) -> Option<String> {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) || word.len() < 3 {
        return None;
    }
    let mut plain = String::with_capacity(word.len());
    let mut seen_vowel = false;
    for character in word.chars() {
        let last = plain.chars().next_back();
        match character {
            's' | 'f' | 'r' | 'x' | 'j' | 'z' if seen_vowel => {}
            'a' | 'e' | 'o' | 'd' if last == Some(character) => {}
            'w' if matches!(last, Some('a' | 'o' | 'u')) => {}
            'w' => {
                plain.push('u');
                seen_vowel = true;
            }
            _ => {
                seen_vowel |= "aeiouy".contains(character);
                plain.push(character);
            }
        }
    }
    (plain != word).then_some(plain)
}

/// The same for VNI, where digits after letters are the marks.
pub(crate) fn vni(word: &str) -> Option<String> {
    let mixed = word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    mixed.then(|| {
        word.chars()
            .filter(|character| !character.is_ascii_digit())
            .collect()
    })
}

/// `folded` with every word decoded whose decoding is `known`; `None` when there is none.
pub(crate) fn decode(folded: &str, known: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut changed = false;
    let decoded: Vec<String> = folded
        .split(' ')
        .map(|word| {
            if known(word) {
                return word.to_owned();
            }
            match [telex(word), vni(word)]
                .into_iter()
                .flatten()
                .find(|plain| known(plain))
            {
                Some(plain) => {
                    changed = true;
                    plain
                }
                None => word.to_owned(),
            }
        })
        .collect();
    changed.then(|| decoded.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_typed_with_the_composer_off() {
        for (typed, meant) in [
            ("dduwowngf", "duong"),
            ("nguwowif", "nguoi"),
            ("khoong", "khong"),
            ("ddieenj", "dien"),
            ("nuwowcs", "nuoc"),
            ("racs", "rac"),
            ("ngaapj", "ngap"),
            ("ddoongf", "dong"),
        ] {
            assert_eq!(telex(typed).as_deref(), Some(meant));
        }
        for (typed, meant) in [
            ("d9u7o7ng2", "duong"),
            ("nguo72i", "nguoi"),
            ("kho6ng", "khong"),
            ("nu7o7c1", "nuoc"),
            ("ra1c", "rac"),
            ("nga65p", "ngap"),
        ] {
            assert_eq!(vni(typed).as_deref(), Some(meant));
        }
        assert_eq!(
            decode("racs nhieeu", &|word| word == "rac").as_deref(),
            Some("rac nhieeu")
        );
        assert_eq!(decode("rac", &|word| word == "rac"), None);
    }
}
