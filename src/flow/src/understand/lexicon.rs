//! Yes, no and politeness, as Vietnamese citizens write them. All words are folded.

use super::trim;

const YES: &[&str] = &[
    "co", "c", "y", "yes", "yeah", "yep", "ok", "oke", "okie", "oki", "okla", "okay", "u", "uh",
    "uk", "um", "uhm", "ukm", "ukie", "vang", "vg", "da", "dung", "dung roi", "dc", "duoc", "dk",
    "dong y", "chuan", "phai", "roi", "xong", "co chu", "i agree", "agree", "sure", "👍", "✅",
    "👌", "🆗",
];
const NO: &[&str] = &[
    "khong",
    "ko",
    "k",
    "kh",
    "hong",
    "hok",
    "hk",
    "hem",
    "k0",
    "kg",
    "khg",
    "kco",
    "chua",
    "chua xong",
    "thoi",
    "sai",
    "ko dc",
    "khong dc",
    "khong duoc",
    "khong dong y",
    "tu choi",
    "huy",
    "no",
    "n",
    "nope",
    "i do not agree",
    "i don't agree",
    "disagree",
    "👎",
    "❌",
];
const NEGATIONS: &[&str] = &[
    "khong", "ko", "k", "kh", "hong", "khg", "kg", "chua", "not", "don't",
];
const POLITE: &[&str] = &[
    "da", "vang", "a", "ah", "nha", "nhe", "nhi", "ak", "em", "anh", "chi", "co", "chu", "bac",
    "ad", "admin", "bot", "shop", "oi", "cam", "on", "thanks", "please", "thank", "you",
];

/// Yes, no, or neither. `folded` is a whole message.
pub(crate) fn yes_no(folded: &str) -> Option<bool> {
    let question = folded.ends_with('?');
    // Pictures are trimmed as punctuation, so they are looked at first.
    if let Some(found) = exact(folded.trim()) {
        return Some(found);
    }
    if let Some(first) = folded
        .trim()
        .chars()
        .next()
        .filter(|first| !first.is_alphanumeric())
    {
        let mut buffer = [0; 4];
        if let Some(found) = exact(first.encode_utf8(&mut buffer)) {
            let rest = folded
                .trim_matches(|character: char| character == first || !character.is_alphanumeric());
            if rest.is_empty() {
                return Some(found);
            }
        }
    }
    let text = trim(folded);
    if text.is_empty() || question && text.split(' ').count() > 1 {
        return None;
    }
    if let Some(found) = exact(text) {
        return Some(found);
    }
    let rest = strip_politeness(text);
    if rest.is_empty() {
        let has = |words: &[&str]| text.split(' ').any(|part| words.contains(&trim(part)));
        return (has(&["da", "vang"]) && !has(&["cam", "on", "thanks", "thank"])).then_some(true);
    }
    if let Some(found) = exact(rest) {
        return Some(found);
    }
    let words: Vec<&str> = rest
        .split(' ')
        .map(trim)
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() > 6 {
        return None;
    }
    // "có … không" is a question even without its mark.
    let asks = words.len() > 1 && words.last().is_some_and(|word| NEGATIONS.contains(word));
    if asks {
        return None;
    }
    if words.iter().any(|word| NEGATIONS.contains(word)) {
        return Some(false);
    }
    let opening = words.first().copied().unwrap_or_default();
    let sure = |list: &[&str]| opening.chars().count() > 1 && list.contains(&opening);
    let pair = words
        .get(..2)
        .map(|pair| pair.join(" "))
        .unwrap_or_default();
    if YES.contains(&pair.as_str()) || sure(YES) {
        return Some(true);
    }
    sure(NO).then_some(false)
}

fn exact(text: &str) -> Option<bool> {
    if YES.contains(&text) {
        Some(true)
    } else if NO.contains(&text) {
        Some(false)
    } else {
        None
    }
}

/// A folded text without the polite words at its ends.
pub(crate) fn strip_politeness(text: &str) -> &str {
    let mut rest = trim(text);
    loop {
        let before = rest;
        // "có chứ ạ": what is left when it says yes or no is the answer, not a form of address.
        if exact(rest).is_some() && rest.contains(' ') {
            return rest;
        }
        if let Some((first, after)) = rest.split_once(' ')
            && POLITE.contains(&trim(first))
            && first != "co"
        {
            rest = trim(after);
        }
        if exact(rest).is_some() && rest.contains(' ') {
            return rest;
        }
        if let Some((front, last)) = rest.rsplit_once(' ')
            && POLITE.contains(&trim(last))
        {
            rest = trim(front);
        }
        if !rest.contains(' ') && POLITE.contains(&rest) {
            // One word is left: "dạ có em" leaves "co", which is the answer and no form of address.
            return if exact(rest).is_some() && rest != "da" && rest != "vang" {
                rest
            } else {
                ""
            };
        }
        if rest == before {
            return rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use langnghe_model::fold::fold;

    use super::*;

    #[test]
    fn yes_and_no_as_people_write_them() {
        for (text, expected) in [
            ("Có", Some(true)),
            ("dạ có em", Some(true)),
            ("Dạ", Some(true)),
            ("dạ vâng", Some(true)),
            ("vâng ạ", Some(true)),
            ("ok ạ", Some(true)),
            ("đúng rồi", Some(true)),
            ("đồng ý nhé", Some(true)),
            ("👍", Some(true)),
            ("👍🏽", Some(true)),
            ("ừ", Some(true)),
            ("đc", Some(true)),
            ("Có chứ ạ", Some(true)),
            ("Không", Some(false)),
            ("dạ không ạ", Some(false)),
            ("ko", Some(false)),
            ("k", Some(false)),
            ("không đồng ý", Some(false)),
            ("chưa được", Some(false)),
            ("ko dc đâu", Some(false)),
            ("không có", Some(false)),
            ("thôi", Some(false)),
            ("👎", Some(false)),
            ("cảm ơn", None),
            ("có đau không?", None),
            ("có được không", None),
            ("0", None),
            ("1", None),
            ("", None),
            ("😀", None),
            ("tôi thấy ổ gà rất sâu trên đường này", None),
        ] {
            assert_eq!(yes_no(&fold(text)), expected, "{text:?}");
        }
    }
}
