//! The reference code that a citizen keeps.

/// Makes a code from 64 random bits.
pub fn from_random(random: u64) -> String {
    format!("{random:016X}")
}
