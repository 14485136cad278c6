//! Hashing of addresses: they differ in their middle bits, and no attacker chooses them to collide.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// 2^64 over the golden ratio: spreads neighbouring addresses over all bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiplies and folds, one step a word.
#[derive(Clone, Copy, Default)]
pub struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_ne_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// A table by address.
pub type Places<K, V> = HashMap<K, V, BuildHasherDefault<PlaceHasher>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_addresses_spread_over_the_low_bits() {
        let mut seen = [0u32; 256];
        for at in 0..4096u64 {
            let mut hasher = PlaceHasher::default();
            hasher.write_u64(0x7F00_0000_0000 + at * 64);
            seen[(hasher.finish() & 255) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 0 && count < 64), "{seen:?}");
    }
}
