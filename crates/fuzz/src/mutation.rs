//! Small changes to an input, from a seed: the same seed makes the same changes on every machine.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// An input doesn't grow beyond this.
const BYTES_MAX: usize = 64 * 1024;

/// Pieces that readers stumble over.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\n---\n",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"-0",
    b"0.1",
    b"79228162514264337593543950335",
    b"9223372036854775808",
    b"\\u0000",
    b"\xff",
    b"\xf0\x9f\x92\xb8",
    b"\xe2\x80\xae",
    b"''",
    b"--",
    b"/*",
    b"..",
    b"%00",
    b"T",
    b"9999-12-31",
    b"0000-00-00",
    b"lost",
    b"500",
    b"401",
];

/// Changes inputs.
#[derive(Debug)]
pub struct Mutation(SmallRng);

impl Mutation {
    /// Changes decided by this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// One of the seeds, changed in one to eight places.
    pub fn next(&mut self, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = self.one_of(seeds);
        for _ in 0..self.0.random_range(1..=8) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn one_of(&mut self, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
        if seeds.is_empty() {
            return Vec::new();
        }
        seeds[self.0.random_range(0..seeds.len())].1.clone()
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[(String, Vec<u8>)]) {
        let at = self.0.random_range(0..=bytes.len());
        let end = self.0.random_range(at..=bytes.len().min(at + 32));
        match self.0.random_range(0..7) {
            0 => drop(bytes.splice(at..at, [self.0.random()])),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = PIECES[self.0.random_range(0..PIECES.len())];
                drop(bytes.splice(at..end, piece.iter().copied()));
            }
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = self.0.random_range(0..=bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            4 => {
                let other = self.one_of(seeds);
                let cut = self.0.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[cut..]);
            }
            5 if at < bytes.len() => bytes[at] ^= 1 << self.0.random_range(0..8),
            _ => {
                let piece = PIECES[self.0.random_range(0..PIECES.len())];
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
        }
    }
}
