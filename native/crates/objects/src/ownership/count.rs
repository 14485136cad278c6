//! The count of a thin object: the lower half of word 2 of its row. It never leaves 0 again, and
//! exactly one reference takes it there.

use crate::primitive::{fence, AtomicU64, Ordering};
use segment::layout::STRONG_UNKNOWN;

/// Why a reference could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncountable {
    /// The last reference is gone.
    Gone,
    /// There are as many as can be counted.
    Full,
}

/// References now. Relaxed: it is a number for people.
pub fn strong(counts: &AtomicU64) -> u64 {
    u64::from(counts.load(Ordering::Relaxed) as u32)
}

/// Another reference. Relaxed, as in `Arc`: the caller has a reference or a pin already.
pub fn count_up(counts: &AtomicU64) -> Result<(), Uncountable> {
    let next = |word: u64| match word as u32 {
        0 => None,
        count if count >= STRONG_UNKNOWN - 1 => None,
        _ => Some(word + 1),
    };
    counts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map(drop).map_err(|word| {
        match word as u32 {
            0 => Uncountable::Gone,
            _ => Uncountable::Full,
        }
    })
}

/// One reference less; the count afterwards, None when it was 0. Release, and an acquiring fence
/// for the last: all use of the object comes before its end.
pub fn count_down(counts: &AtomicU64) -> Option<u32> {
    let next = |word: u64| (word as u32 != 0).then(|| word - 1);
    let left = (counts.fetch_update(Ordering::Release, Ordering::Relaxed, next).ok()? - 1) as u32;
    if left == 0 {
        fence(Ordering::Acquire);
    }
    Some(left)
}
