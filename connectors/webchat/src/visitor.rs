//! Who a visitor is, without knowing their secret for longer than a request.

use langnghe_model::{ChannelId, CitizenId, EventId};
use sha2::{Digest, Sha256};

/// The citizen that a browser's secret names on a channel; `None` when it is no secret of our page:
/// 32 to 128 letters, digits, `-` and `_`, which is 128 bits at the least.
pub(crate) fn citizen(channel: &ChannelId, secret: &str) -> Option<CitizenId> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((32..=128).contains(&secret.len()) && secret.bytes().all(plain))
        .then(|| CitizenId::new(&digest(channel.as_str(), secret)))
}

/// The id of a message. It belongs to its visitor, so nobody can take another's ids away by using
/// them first; and it is a hash, so it names nobody.
pub(crate) fn event_id(citizen: &CitizenId, message: &str) -> EventId {
    EventId::new(digest(citizen.as_str(), message))
}

/// 128 bits as hexadecimal: the ids are as unguessable as the secret, and short.
fn digest(one: &str, other: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(one.as_bytes());
    digest.update([0]);
    digest.update(other.as_bytes());
    langnghe_connector::signature::encode_hex(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_one_citizen_a_channel_and_is_not_in_it() {
        let [web, other] = ["web", "other"].map(|id| ChannelId::new(id).unwrap());
        let secret = "0123456789abcdef0123456789abcdef";
        let named = citizen(&web, secret).unwrap();
        assert_eq!(citizen(&web, secret), Some(named.clone()));
        assert_ne!(citizen(&other, secret), Some(named.clone()));
        assert!(!named.as_str().contains(&secret[..8]));
        for bad in [
            "",
            "short",
            &"a".repeat(129),
            "0123456789abcdef 123456789abcdef",
        ] {
            assert_eq!(citizen(&web, bad), None, "{bad}");
        }
    }

    #[test]
    fn two_visitors_may_use_the_same_message_id() {
        let [one, two] = ["one", "two"].map(CitizenId::new);
        assert_eq!(event_id(&one, "m1"), event_id(&one, "m1"));
        assert_ne!(event_id(&one, "m1"), event_id(&two, "m1"));
    }
}
