//! Links to media: signed, and good until a moment that stands in them.

use std::time::Duration;

use langnghe_model::Timestamp;

use super::names::{Keys, Name};

/// Makes a link to a medium that is good for `lifetime`.
pub(crate) fn link(
    keys: &Keys,
    public_url: &str,
    name: &Name,
    lifetime: Duration,
    now: Timestamp,
) -> String {
    let until = (now + lifetime).as_seconds();
    let signature = keys.links.sign_hex(&message(name, until));
    let base = public_url.trim_end_matches('/');
    format!(
        "{base}/media/{}?until={until}&signature={signature}",
        name.as_str()
    )
}

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkRefused {
    /// It is not one that we made.
    Wrong,
    /// Its time is over.
    Expired,
}

/// Checks what came with a request for a medium.
pub(crate) fn check(
    keys: &Keys,
    name: &Name,
    query: &str,
    now: Timestamp,
) -> Result<(), LinkRefused> {
    let value = |key: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    let until: i64 = value("until")
        .and_then(|text| text.parse().ok())
        .ok_or(LinkRefused::Wrong)?;
    let signature = value("signature").ok_or(LinkRefused::Wrong)?;
    if !keys.links.verify_hex(&message(name, until), signature) {
        return Err(LinkRefused::Wrong);
    }
    if now.as_seconds() > until {
        return Err(LinkRefused::Expired);
    }
    Ok(())
}

fn message(name: &Name, until: i64) -> Vec<u8> {
    format!("{}\n{until}", name.as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_link_leads_to_the_medium_and_only_for_its_time() {
        let keys = Keys::new(b"secret");
        let now = Timestamp::from_seconds(1_795_246_200);
        let day = Duration::from_hours(24);
        let name = Name::random();
        let link = link(&keys, "https://gop-y.example.vn/", &name, day, now);
        let start = format!("https://gop-y.example.vn/media/{}?", name.as_str());
        let query = link.strip_prefix(&start).expect("our address");
        assert_eq!(check(&keys, &name, query, now), Ok(()));
        assert_eq!(check(&keys, &name, query, now + day), Ok(()));
        let late = now + day + Duration::from_secs(1);
        assert_eq!(check(&keys, &name, query, late), Err(LinkRefused::Expired));

        let wrong = Err(LinkRefused::Wrong);
        assert_eq!(check(&keys, &Name::random(), query, now), wrong);
        assert_eq!(check(&Keys::new(b"other"), &name, query, now), wrong);
        let longer = query.replace("until=1795332600", "until=1895332600");
        assert_ne!(longer, query);
        let cut = &query[..query.len() - 1];
        let until_only = "until=1795332600";
        for query in [longer.as_str(), cut, until_only, "", "until=x&signature="] {
            assert_eq!(check(&keys, &name, query, now), wrong, "{query}");
        }
    }
}
