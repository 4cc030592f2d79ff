//! The `tracking_id` that goes with a template to a telephone, and comes back with receipts, ratings and
//! answers. Those name no citizen: what we wrote into it is all that says what they are about.

/// The longest `tracking_id`.
const LONGEST: usize = 48;
/// Stands behind the ticket's code, which never holds it.
const AFTER_TICKET: char = '.';

/// Our name of a message: the code of its ticket, then its own.
pub(crate) fn name(ticket: Option<&str>, id: &str) -> String {
    let mut name = match ticket {
        Some(code) => format!("{code}{AFTER_TICKET}{id}"),
        None => id.to_owned(),
    };
    name.truncate(name.floor_char_boundary(LONGEST));
    name
}

/// The code of the ticket in a name of ours; `None` for a message about no ticket, and for what another
/// program sent.
pub(crate) fn ticket(name: &str) -> Option<&str> {
    let (code, _) = name.split_once(AFTER_TICKET)?;
    (!code.is_empty()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_comes_back_whole_from_the_longest_name() {
        let id = format!("{}-1790000000000", u64::MAX);
        let name = name(Some("22222-22222"), &id);
        assert!(name.len() <= LONGEST && name.ends_with(&id), "{name}");
        assert_eq!(ticket(&name), Some("22222-22222"));
        for other in ["", ".", "17-1790000000000", "order-1001-shipped"] {
            assert_eq!(ticket(other), None, "{other}");
        }
        assert_eq!(super::name(None, &"x".repeat(60)).len(), LONGEST);
    }
}
