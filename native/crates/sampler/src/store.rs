//! Writes counts into rows that may be given out again at any moment.

use std::sync::atomic::{fence, AtomicU64, Ordering};

use super::census::Entry;
use segment::layout::{word, COUNT_UNKNOWN, OUTER_UNKNOWN, STRONG_UNKNOWN};

/// Word 2 is complete in one word; its order after the row's state is explained at the store.
const COUNTS: Ordering = Ordering::Relaxed;
/// Word 2 of a row of which nothing is known.
const UNKNOWN: u64 =
    STRONG_UNKNOWN as u64 | (COUNT_UNKNOWN as u64) << 32 | (COUNT_UNKNOWN as u64) << 48;

/// Word 2. `strong`: as `HandleSlot::strong` has it; `weak` as std keeps it: including a reference
/// shared by all strongs, and all bits set while `get_mut` checks it.
pub fn counts_word(strong: i32, weak: u64, in_flight: u16) -> u64 {
    let weak =
        if weak == u64::MAX { COUNT_UNKNOWN } else { saturating_u16(weak.saturating_sub(1)) };
    u64::from(strong as u32) | u64::from(weak) << 32 | u64::from(in_flight) << 48
}

/// A count as far as a row has room for it.
pub fn saturating_u16(count: u64) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX).min(COUNT_UNKNOWN - 1)
}

/// The outer count that the row shows, `None`: none.
pub fn outer_of(words: &[AtomicU64; 8]) -> Option<i32> {
    Some((words[word::SITES].load(COUNTS) >> 32) as u32)
        .filter(|&outer| outer != OUTER_UNKNOWN)
        .map(|outer| outer as i32)
}

/// Store that nothing is known.
pub fn forget(words: &[AtomicU64; 8], generation: u32) {
    store(words, generation, UNKNOWN, None);
}

/// Store word 2 and the outer count. When a reference has moved between them, both change: then the
/// outer count is unknown meanwhile, so that a reader of both words never combines an old count
/// with a new count.
pub fn store(words: &[AtomicU64; 8], generation: u32, counts: u64, outer: Option<i32>) {
    let is_other_strong = words[word::COUNTS].load(COUNTS) as u32 != counts as u32;
    if is_other_strong && outer_of(words) != outer {
        store_outer(words, generation, None);
    }
    store_counts(words, generation, counts);
    store_outer(words, generation, outer);
}

/// Store the outer count, the upper half of word 6, in a row that was of `generation` a moment ago;
/// as `store_counts` does.
fn store_outer(words: &[AtomicU64; 8], generation: u32, outer: Option<i32>) {
    let word = |outer: Option<i32>, before: u64| {
        before & 0xFFFF_FFFF | u64::from(outer.map_or(OUTER_UNKNOWN, |outer| outer as u32)) << 32
    };
    let before = words[word::SITES].load(COUNTS);
    let after = word(outer, before);
    if before == after
        || words[word::SITES].compare_exchange(before, after, COUNTS, COUNTS).is_err()
    {
        return;
    }
    fence(Ordering::SeqCst);
    if (words[word::STATE].load(Ordering::Relaxed) >> 32) as u32 != generation {
        let _ = words[word::SITES].compare_exchange(after, word(None, before), COUNTS, COUNTS);
    }
}

/// Store counts in a row that was of `generation` a moment ago.
///
/// By compare-exchange, so that a birth between the look and the store is not overwritten with the
/// counts of the row's last occupant, unless nothing was known of either; the second look takes
/// that back. The fence keeps it behind the store and pairs with the Release fence in the row's
/// publication.
fn store_counts(words: &[AtomicU64; 8], generation: u32, counts: u64) {
    let before = words[word::COUNTS].load(COUNTS);
    if before == counts
        || words[word::COUNTS].compare_exchange(before, counts, COUNTS, COUNTS).is_err()
    {
        return;
    }
    fence(Ordering::SeqCst);
    if (words[word::STATE].load(Ordering::Relaxed) >> 32) as u32 != generation {
        // a later store is newer
        let _ = words[word::COUNTS].compare_exchange(counts, UNKNOWN, COUNTS, COUNTS);
    }
}

/// Whether the row still is that handle's.
pub fn is_of(words: &[AtomicU64; 8], entry: &Entry) -> bool {
    let word = words[word::STATE].load(Ordering::Acquire);
    super::census::is_held(word) && (word >> 32) as u32 == entry.generation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(generation: u64, counts: u64) -> [AtomicU64; 8] {
        [generation << 32 | 1, 0, counts, 0, 0, 0, u64::from(OUTER_UNKNOWN) << 32, 0]
            .map(AtomicU64::new)
    }

    #[test]
    fn counts_of_a_row_of_that_generation_are_stored() {
        let row = words(4, UNKNOWN);
        store_counts(&row, 4, counts_word(2, 1, COUNT_UNKNOWN));
        assert_eq!(row[2].load(COUNTS), counts_word(2, 1, COUNT_UNKNOWN));
    }

    #[test]
    fn counts_stored_in_a_row_that_was_used_again_just_then_are_taken_back() {
        let row = words(5, UNKNOWN);
        store_counts(&row, 4, counts_word(2, 1, COUNT_UNKNOWN));
        assert_eq!(row[2].load(COUNTS), UNKNOWN);
    }

    #[test]
    fn a_weak_count_leaves_out_the_one_of_all_strongs_and_is_unknown_while_it_is_locked() {
        let weak = |weak| (counts_word(1, weak, 0) >> 32) as u16;
        assert_eq!(
            [weak(1), weak(3), weak(0), weak(u64::MAX), weak(1 << 40)],
            [0, 2, 0, COUNT_UNKNOWN, COUNT_UNKNOWN - 1]
        );
    }

    #[test]
    fn an_outer_count_goes_beside_the_sites_and_is_taken_back_from_a_row_that_was_used_again() {
        let row = words(4, UNKNOWN);
        row[6].store(u64::from(OUTER_UNKNOWN) << 32 | 0x0007_0003, COUNTS);
        store(&row, 4, counts_word(2, 1, 0), Some(5));
        assert_eq!(
            (row[2].load(COUNTS), row[6].load(COUNTS)),
            (counts_word(2, 1, 0), 5 << 32 | 0x0007_0003)
        );
        store(&row, 3, counts_word(3, 1, 0), Some(6));
        assert_eq!((outer_of(&row), row[6].load(COUNTS) as u32), (None, 0x0007_0003));
    }
}
