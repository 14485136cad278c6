//! Finds words in another process's memory that lead into given ranges: the holders of objects.
//!
//! A holder keeps the address of an object, or an address within it, in a word of its own.

use std::io;

use crate::outside::search::{walk, Hit, Searched};

const WORD: usize = 8;
/// Addresses with the same bits above these share an entry of the table.
const GRANULE_BITS: u32 = 12;
const TABLE_BITS: u32 = 16;
/// Ranges of more granules than this are told apart by their bounds alone.
const MOST_GRANULES: u64 = 4096;

/// Addresses from `low` up to `high`, without `high`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The first address.
    pub low: u64,
    /// The address behind the last one.
    pub high: u64,
}

/// Looks through the addresses from `low` up to `high` for words that lead into one of `ranges`.
/// The ranges do not overlap.
///
/// # Errors
/// The system's: the process has ended, or may not be read.
pub fn references(
    pid: u32,
    low: u64,
    high: u64,
    ranges: &[Bounds],
    out: &mut [Hit],
) -> io::Result<Searched> {
    let (wanted, mut hits) = (Wanted::new(ranges), 0_u64);
    let mut searched = walk(pid, low, high, |address, bytes| {
        for (number, chunk) in bytes.chunks_exact(WORD).enumerate() {
            let word = u64::from_le_bytes(std::array::from_fn(|place| chunk[place]));
            if wanted.has(word) {
                if let Some(place) = out.get_mut(hits as usize) {
                    *place = Hit { at: address + (number * WORD) as u64, word };
                }
                hits += 1;
            }
        }
    })?;
    searched.hits = hits;
    Ok(searched)
}

struct Wanted {
    sorted: Vec<Bounds>,
    table: Vec<u64>,
    lowest: u64,
    highest: u64,
}

impl Wanted {
    fn new(ranges: &[Bounds]) -> Self {
        let mut sorted: Vec<Bounds> =
            ranges.iter().copied().filter(|range| range.low < range.high).collect();
        sorted.sort_unstable_by_key(|range| range.low);
        let mut table = vec![0; 1 << (TABLE_BITS - 6)];
        for range in &sorted {
            let (first, last) = (range.low >> GRANULE_BITS, (range.high - 1) >> GRANULE_BITS);
            if last - first >= MOST_GRANULES {
                table.fill(u64::MAX);
                break;
            }
            for granule in first..=last {
                let bit = bit_of(granule);
                table[bit >> 6] |= 1 << (bit & 63);
            }
        }
        let lowest = sorted.first().map_or(u64::MAX, |range| range.low);
        let highest = sorted.iter().map(|range| range.high - 1).max().unwrap_or(0);
        Self { sorted, table, lowest, highest }
    }

    fn has(&self, word: u64) -> bool {
        if word < self.lowest || word > self.highest {
            return false;
        }
        let bit = bit_of(word >> GRANULE_BITS);
        if self.table[bit >> 6] & (1 << (bit & 63)) == 0 {
            return false;
        }
        let behind = self.sorted.partition_point(|range| range.low <= word);
        behind > 0 && word < self.sorted[behind - 1].high
    }
}

fn bit_of(granule: u64) -> usize {
    (granule.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - TABLE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[u64], ranges: &[Bounds], room: usize) -> (Vec<usize>, u64) {
        let low = words.as_ptr() as u64;
        let mut out = vec![Hit::default(); room];
        let searched = references(
            std::process::id(),
            low,
            low + std::mem::size_of_val(words) as u64,
            ranges,
            &mut out,
        )
        .expect("our own memory");
        let hits = out.iter().filter(|hit| (low..low + 8 * words.len() as u64).contains(&hit.at));
        (hits.map(|hit| ((hit.at - low) / 8) as usize).collect(), searched.hits)
    }

    #[test]
    fn words_that_lead_into_a_range_are_found_wherever_they_lie() {
        let base = 0x5500_1234_0000;
        let words = [0, base, base + 63, base + 64, base - 1, base + 0x10_0000, 7];
        let ranges = [
            Bounds { low: base + 0x10_0000, high: base + 0x10_0001 },
            Bounds { low: base, high: base + 64 },
        ];
        let (places, _) = found(&words, &ranges, 64);
        assert_eq!(places, [1, 2, 5]);
    }

    #[test]
    fn a_large_range_has_all_its_words() {
        let base = 0x5500_0000_0000;
        let words = [base + (40 << 30), base + 1, base - 8];
        let (places, _) = found(&words, &[Bounds { low: base, high: base + (1 << 40) }], 64);
        assert_eq!(places, [0, 1]);
    }

    #[test]
    fn no_range_and_empty_ranges_have_no_word() {
        let words = [1, 2, 3];
        assert_eq!(found(&words, &[], 4).1, 0);
        assert_eq!(found(&words, &[Bounds { low: 2, high: 2 }], 4).1, 0);
    }

    #[test]
    fn more_hits_than_fit_are_counted() {
        let words = [0x5500_0000_1000_u64; 32];
        let range = Bounds { low: 0x5500_0000_1000, high: 0x5500_0000_1008 };
        let (places, hits) = found(&words, &[range], 4);
        assert!(places.len() <= 4);
        assert!(hits >= 32);
    }
}
