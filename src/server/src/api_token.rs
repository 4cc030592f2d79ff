//! Who may use `/api/v1`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// A token that opens `/api/v1`, kept only as its digest.
#[derive(Clone)]
pub struct ApiToken([u8; 32]);

impl ApiToken {
    /// The shortest that is taken, in bytes: 128 random bits as hexadecimal digits are twice that.
    pub const SHORTEST: usize = 16;

    /// Remembers a token.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether `presented` is one of `tokens`; how long that takes says nothing of any of them.
    pub(crate) fn is_among(tokens: &[Self], presented: &str) -> bool {
        let presented = Self::new(presented);
        let any = tokens.iter().fold(Choice::from(0), |any, token| {
            any | token.0.ct_eq(&presented.0)
        });
        any.into()
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_tokens_opens_and_nothing_else_does() {
        let tokens = ["0123456789abcdef", "fedcba9876543210"].map(ApiToken::new);
        assert!(ApiToken::is_among(&tokens, "0123456789abcdef"));
        assert!(ApiToken::is_among(&tokens, "fedcba9876543210"));
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789abcdef ",
            "0123456789ABCDEF",
        ] {
            assert!(!ApiToken::is_among(&tokens, wrong), "{wrong}");
        }
        assert!(!ApiToken::is_among(&[], ""));
        assert!(!format!("{tokens:?}").contains("0123"));
    }
}
