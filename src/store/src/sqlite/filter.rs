//! A blocked Bloom filter over hashes: one cache line is touched a look-up.

const WORDS: usize = 8;
const BLOCK_BITS: u64 = 512;
/// Bits for one mark. With [`PROBES`] about one look-up in 25 says "perhaps" in vain.
const BITS_A_MARK: u64 = 7;
const PROBES: u32 = 5;

/// Says "surely not" or "perhaps".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// An empty filter with room for so many marks.
    pub(super) fn new(marks: u64) -> Self {
        let blocks = usize::try_from(marks * BITS_A_MARK / BLOCK_BITS + 1).unwrap_or(usize::MAX);
        Self {
            words: vec![0; blocks * WORDS],
        }
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let whole = rest.is_empty() && !words.is_empty() && words.len() % WORDS == 0;
        whole.then(|| Self {
            words: words.iter().map(|word| u64::from_le_bytes(*word)).collect(),
        })
    }

    /// The filter as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// Adds a hash.
    pub(super) fn insert(&mut self, hash: u128) {
        let (start, mut bits) = self.place(hash);
        for _ in 0..PROBES {
            let (word, mask) = probe(&mut bits);
            self.words[start + word] |= mask;
        }
    }

    /// False when the hash was surely never added.
    pub(super) fn perhaps(&self, hash: u128) -> bool {
        let (start, mut bits) = self.place(hash);
        (0..PROBES).all(|_| {
            let (word, mask) = probe(&mut bits);
            self.words[start + word] & mask != 0
        })
    }

    /// The block of a hash, and the bits that choose within it. The hash is SHA-256, so its bits
    /// are as good as any; the low half chooses, as the high half sorts the pages.
    fn place(&self, hash: u128) -> (usize, u64) {
        let bytes = hash.to_le_bytes();
        let [low @ .., _, _, _, _, _, _, _, _] = bytes;
        let low = u64::from_le_bytes(low);
        let blocks = (self.words.len() / WORDS) as u128;
        // The upper bits of the product are a number below `blocks`.
        let block = usize::try_from((u128::from(low.rotate_left(19)) * blocks) >> 64).unwrap_or(0);
        (block * WORDS, low)
    }
}

fn probe(bits: &mut u64) -> (usize, u64) {
    let bit = *bits % BLOCK_BITS;
    *bits >>= 9;
    (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn hash(number: u64) -> u128 {
        let digest = Sha256::digest(number.to_le_bytes());
        u128::from_be_bytes(digest[..16].try_into().expect("16 bytes"))
    }

    #[test]
    fn what_was_added_is_always_found_and_little_else() {
        let mut filter = Filter::new(20_000);
        (0..20_000).for_each(|number| filter.insert(hash(number)));
        let filter = Filter::from_bytes(&filter.to_bytes()).expect("its own bytes");
        assert!((0..20_000).all(|number| filter.perhaps(hash(number))));
        let wrong = (20_000..40_000)
            .filter(|number| filter.perhaps(hash(*number)))
            .count();
        assert!(wrong < 20_000 / 10, "{wrong} of 20,000 wrongly found");
    }
}
