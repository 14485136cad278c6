//! The place of a handle's object in the library's memory, and its counts.

use std::sync::atomic::{AtomicU64, Ordering};

use objects::edges;
use segment::layout::{ReferenceState, EVENT_COUNT_UNKNOWN};

/// Larger numbers are no counts: the words of a freed allocation, which the allocator uses for
/// itself.
const MOST_COUNT: u64 = i32::MAX as u64;
/// std's weak count while `Arc::get_mut` looks at it.
const WEAK_LOCKED: u64 = u64::MAX;
/// Bytes from the start of a trait's outer `Arc` to the pair that it holds.
const OUTER_BYTES: u64 = 16;

/// The place of a handle's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Not known yet: the caller that reports the next proxy is asked for it.
    Unknown,
    /// It cannot be found out; rows have no address.
    Hidden,
    /// The allocation starts so many bytes before the handle's address.
    Before(u64),
    /// The handle points to a pair whose first word is the allocation; `counted`: the pair lies in
    /// an `Arc` of its own.
    Inner {
        /// Otherwise in a `Box`.
        counted: bool,
    },
}

impl Layout {
    /// The allocation of a live handle's object, 0: not known.
    pub fn address(self, handle: u64) -> u64 {
        match self {
            Self::Before(bytes) => handle.wrapping_sub(bytes),
            Self::Inner { .. } => load(handle),
            Self::Unknown | Self::Hidden => 0,
        }
    }

    /// As `address`, of a handle that may have been released: the system reads for us.
    pub fn address_read(self, handle: u64) -> u64 {
        match self {
            Self::Inner { .. } => read(handle).unwrap_or(0),
            _ => self.address(handle),
        }
    }

    /// Whether there is an object with counts at a handle's target; `None`: unknown. `is_seen`: an
    /// object of the class was found by this layout.
    pub fn has_object(self, handle: u64, is_seen: bool) -> Option<bool> {
        let address = match self {
            Self::Hidden => return None,
            // data that is aligned to no more than 16 bytes has its counts right before it
            Self::Unknown if handle % 32 != 16 => return None,
            Self::Unknown => handle - 16,
            Self::Before(_) | Self::Inner { .. } => self.address_read(handle),
        };
        match (read(address), read(address.wrapping_add(8))) {
            (Some(strong), Some(weak)) => {
                Some(is_count(strong) && (is_count(weak) || weak == WEAK_LOCKED))
            }
            // the system may not read for us at all
            _ => is_seen.then_some(false),
        }
    }

    /// Strong count of a live handle's object; `EVENT_COUNT_UNKNOWN`.
    pub fn strong(self, handle: u64) -> u32 {
        match self.address(handle) {
            0 => EVENT_COUNT_UNKNOWN,
            address => u32::try_from(load(address)).unwrap_or(u32::MAX),
        }
    }

    /// The same when the reference of the handle will have been released; `handle` 0: it has none.
    pub fn strong_after_release(self, handle: u64) -> u32 {
        match if handle == 0 { EVENT_COUNT_UNKNOWN } else { self.strong(handle) } {
            EVENT_COUNT_UNKNOWN => EVENT_COUNT_UNKNOWN,
            strong => strong.saturating_sub(1),
        }
    }

    /// The state of a reference after the release of a handle. If two threads release the last two
    /// references at the same instant, both rows may be called released.
    pub fn state_after_release(self, handle: u64) -> ReferenceState {
        if handle == 0 {
            return ReferenceState::Released;
        }
        let is_last = match self {
            Self::Before(bytes) => load(handle.wrapping_sub(bytes)) == 1,
            Self::Inner { counted } => {
                (!counted || load(handle - OUTER_BYTES) == 1) && load(load(handle)) == 1
            }
            Self::Unknown | Self::Hidden => false,
        };
        if is_last {
            ReferenceState::Dropped
        } else {
            ReferenceState::Released
        }
    }
}

fn is_count(word: u64) -> bool {
    (1..=MOST_COUNT).contains(&word)
}

/// A word of this process, `None`: there is none. The system reads, so an address that went stale
/// is no crash.
fn read(address: u64) -> Option<u64> {
    (address != 0 && address % 8 == 0).then(|| edges::word_at(address)).flatten()
}

/// A word that the library itself is about to touch: a live handle keeps it allocated.
fn load(address: u64) -> u64 {
    if address == 0 || address % 8 != 0 {
        return 0;
    }
    // SAFETY: `address` was computed from a live handle of the class by the layout that its library
    // proved; the library changes the word with atomic operations as well. Relaxed: only the number
    // is used.
    unsafe { (*(address as *const AtomicU64)).load(Ordering::Relaxed) }
}
