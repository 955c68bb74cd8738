//! A row of numbers that belongs to a seed: identifiers, keys and tokens.

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many letters and digits an identifier has behind its prefix.
const IDENTIFIER: usize = 16;

/// A row of numbers (Steele, Lea and Flood's `SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts the row of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0xA17E_0A1D)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Letters and digits.
    pub(crate) fn token(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(ALPHABET[usize::from(self.next().to_le_bytes()[0] % 32)]))
            .collect()
    }

    /// An identifier: a prefix for the kind, letters and digits. It ends with a digit, so that the sandbox's count of
    /// calls tells it from a word.
    pub(crate) fn identifier(&mut self, prefix: &str) -> String {
        let rest = self.token(IDENTIFIER - 1);
        let digit = self.next() % 10;
        format!("{prefix}_{rest}{digit}")
    }
}
