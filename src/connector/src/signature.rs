//! HMAC signatures as providers use them, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key prepared once for many HMAC-SHA256 computations.
#[derive(Clone)]
pub struct HmacSha256Key(Hmac<Sha256>);

impl std::fmt::Debug for HmacSha256Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("HmacSha256Key(…)")
    }
}

impl HmacSha256Key {
    /// Prepares `key`, of any length.
    pub fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The 32 bytes over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// The signature as lower-case hexadecimal.
    pub fn sign_hex(&self, message: &[u8]) -> String {
        encode_hex(&self.sign(message))
    }

    /// Whether `signature` is the one over `message`; takes as long when it is wrong.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.verify_slice(signature).is_ok()
    }

    /// As [`Self::verify`], for a signature in hexadecimal.
    pub fn verify_hex(&self, message: &[u8], signature: &str) -> bool {
        decode_hex_32(signature).is_some_and(|bytes| self.verify(message, &bytes))
    }
}

/// Whether two secrets are equal; takes as long when they differ.
pub fn equal_in_constant_time(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq;
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Lower-case hexadecimal.
pub fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn decode_hex_32(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the provider reference, confirmed there with an independent client.
    const SECRET: &[u8] = b"example-app-secret";

    #[test]
    fn the_reference_vector_verifies_and_nothing_else() {
        let key = HmacSha256Key::new(SECRET);
        let proof = "24f0d12042cb414261446e82064eeb340a54ec5908eeedd2ea5cf3cfd23a4627";
        assert_eq!(key.sign_hex(b"EXAMPLETOKEN"), proof);
        assert!(key.verify_hex(b"EXAMPLETOKEN", proof));
        assert!(!key.verify_hex(b"EXAMPLETOKENX", proof));
        assert!(!key.verify_hex(b"EXAMPLETOKEN", &proof[..62]));
        assert!(!key.verify_hex(b"EXAMPLETOKEN", &proof.replace('2', "g")));
        assert!(!HmacSha256Key::new(b"other").verify_hex(b"EXAMPLETOKEN", proof));
    }
}
