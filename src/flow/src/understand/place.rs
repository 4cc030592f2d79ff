//! Places in text: coordinates, links to maps, addresses.

/// The coordinates that a text or a link to a map holds.
pub(crate) fn coordinates(text: &str) -> Option<(f64, f64)> {
    let is_link = text.contains("://") || text.starts_with("geo:");
    if is_link {
        let marks = [
            "!3d",
            "@",
            "q=",
            "query=",
            "ll=",
            "destination=",
            "geo:",
            "place/",
        ];
        return marks
            .iter()
            .flat_map(|mark| {
                text.match_indices(mark)
                    .map(|(at, _)| &text[at + mark.len()..])
            })
            .find_map(|rest| pair(&rest.replace("%2C", ",").replace("!4d", ",")));
    }
    let trimmed = text.trim().trim_matches(['(', ')']);
    pair(trimmed).filter(|_| !trimmed.contains(|character: char| character.is_alphabetic()))
}

/// Two decimal numbers at the beginning of a text.
fn pair(text: &str) -> Option<(f64, f64)> {
    let (latitude, rest) = degrees(text)?;
    let rest = rest.trim_start_matches([',', ';', ' ', '+']);
    let (longitude, _) = degrees(rest)?;
    valid(latitude, longitude).then_some((latitude, longitude))
}

fn degrees(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|character: char| {
            !(character.is_ascii_digit() || character == '.' || character == '-')
        })
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    // Without decimals it is a house number or a date.
    (number.contains('.') && number.len() <= 24).then_some(())?;
    Some((number.parse().ok()?, rest))
}

/// True for coordinates on the earth.
pub(crate) fn valid(latitude: f64, longitude: f64) -> bool {
    (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
}

/// True when a text can be an address: a few characters with a word in them.
pub(crate) fn is_address(folded: &str) -> bool {
    let letters = folded
        .chars()
        .filter(|character| character.is_alphabetic())
        .count();
    letters >= 3 && folded.chars().count() >= 5 && !folded.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_text() {
        let can_tho = Some((10.0341, 105.7883));
        for (text, expected) in [
            ("10.0341,105.7883", can_tho),
            ("(10.0341, 105.7883)", can_tho),
            ("https://maps.google.com/?q=10.0341,105.7883", can_tho),
            ("https://www.google.com/maps/@10.0341,105.7883,17z", can_tho),
            (
                "https://www.google.com/maps/place/A/data=!3d10.0341!4d105.7883",
                can_tho,
            ),
            ("https://maps.apple.com/?ll=10.0341%2C105.7883", can_tho),
            ("12, 14", None),
            ("91.5,200.1", None),
            ("12 Nguyễn Trãi", None),
            ("20", None),
        ] {
            assert_eq!(coordinates(text), expected, "{text:?}");
        }
        assert!(is_address("truoc so 12 nguyen trai"));
        assert!(!is_address("20"));
        assert!(!is_address("😀😀😀😀😀😀"));
    }
}
