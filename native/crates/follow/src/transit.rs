//! The library's own clone functions, with an event in the history: which call or holder takes a
//! clone that no proxy owns.
//!
//! All clone functions have one signature, and each caller looks the function up at each call; so
//! another function can replace it: a *stand-in*, from a fixed number of functions of ours, each
//! with a slot that names the original function. A slot is never used for another original: code
//! that kept a stand-in, or runs in it, can use it for ever.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::layout::Layout;
use recorder::events;
use recorder::levels;
use recorder::runtime::existing;
use segment::layout::{EventKind, EVENT_COUNT_UNKNOWN};
use segment::sync::Lock;

/// Number of stand-ins.
pub const SLOTS: usize = 512;
/// `Slot::before`: the allocation is not known.
const HIDDEN: u64 = u64::MAX;
/// `Slot::before`: the handle points to a pair whose first word is the allocation.
const INNER: u64 = u64::MAX - 1;

/// `u64 clone(u64 handle, RustCallStatus *status)`.
type Clone = unsafe extern "C" fn(u64, *mut c_void) -> u64;

struct Slot {
    /// The library's function; 0: the slot is free. Set once.
    original: AtomicUsize,
    before: AtomicU64,
    type_id: AtomicU32,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        original: AtomicUsize::new(0),
        before: AtomicU64::new(HIDDEN),
        type_id: AtomicU32::new(0),
    }
}; SLOTS];
/// Guards giving out slots.
static GIVING: Lock<()> = Lock::new(());

/// The function that can stand in for `original`, an address: 0 when all stand-ins are in use.
pub fn stand_in(original: usize, type_id: u16, layout: Layout) -> usize {
    let _guard = GIVING.lock();
    // Relaxed: read and written under the lock here; stand-ins are handed to their users by the
    // interpreter, which orders.
    let held = TABLE.iter().position(|slot| slot.original.load(Ordering::Relaxed) == original);
    let Some(index) =
        held.or_else(|| TABLE.iter().position(|slot| slot.original.load(Ordering::Relaxed) == 0))
    else {
        return 0;
    };
    let before = match layout {
        Layout::Before(bytes) => bytes,
        Layout::Inner { .. } => INNER,
        Layout::Unknown | Layout::Hidden => HIDDEN,
    };
    TABLE[index].before.store(before, Ordering::Relaxed);
    TABLE[index].type_id.store(u32::from(type_id), Ordering::Relaxed);
    TABLE[index].original.store(original, Ordering::Release);
    STAND_INS[index / ROW][index % ROW] as usize
}

unsafe extern "C" fn through<const N: usize>(handle: u64, status: *mut c_void) -> u64 {
    let slot = &TABLE[N];
    // SAFETY: a stand-in is called only after its slot was filled with a function of this
    // signature.
    let original: Clone = unsafe { std::mem::transmute(slot.original.load(Ordering::Relaxed)) };
    // SAFETY: the caller's arguments, passed on.
    let cloned = unsafe { original(handle, status) };
    note(slot, cloned);
    cloned
}

/// Writes the clone to the history, if its type has a history.
#[inline]
fn note(slot: &Slot, cloned: u64) {
    let Some(runtime) = existing() else { return };
    let type_id = slot.type_id.load(Ordering::Relaxed) as u16;
    if cloned == 0 || type_id == 0 || !levels::has_history(runtime, type_id) {
        return;
    }
    let address = match slot.before.load(Ordering::Relaxed) {
        HIDDEN => 0,
        // SAFETY: the clone just made keeps the pair allocated until it is handed on.
        INNER => unsafe { *(cloned as *const u64) },
        bytes => cloned.wrapping_sub(bytes),
    };
    // SAFETY: the clone keeps the allocation, whose first word is the count; the library changes it
    // with atomic operations as well.
    let strong =
        (address != 0).then(|| unsafe { (*(address as *const AtomicU64)).load(Ordering::Relaxed) });
    let count =
        strong.map_or(EVENT_COUNT_UNKNOWN, |strong| u32::try_from(strong).unwrap_or(u32::MAX));
    events::event(runtime, EventKind::Clone, type_id, 0, address, count);
}

const ROW: usize = 16;

macro_rules! row {
    ($row:literal) => {
        row!($row: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($row:literal: $($at:literal)*) => {
        [$(through::<{ $row * ROW + $at }> as Clone),*]
    };
}

macro_rules! rows {
    ($($row:literal)*) => {
        [$(row!($row)),*]
    };
}

static STAND_INS: [[Clone; ROW]; SLOTS / ROW] =
    rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn plus_one(handle: u64, _: *mut c_void) -> u64 {
        handle + 1
    }

    unsafe extern "C" fn plus_two(handle: u64, _: *mut c_void) -> u64 {
        handle + 2
    }

    fn call(stand_in: usize, handle: u64) -> u64 {
        // SAFETY: a stand-in has this signature.
        let stand_in: Clone = unsafe { std::mem::transmute(stand_in) };
        // SAFETY: neither original touches its status.
        unsafe { stand_in(handle, std::ptr::null_mut()) }
    }

    #[test]
    fn a_stand_in_answers_what_its_original_answers_and_each_original_has_one() {
        let first = stand_in(plus_one as *const () as usize, 0, Layout::Hidden);
        let second = stand_in(plus_two as *const () as usize, 0, Layout::Hidden);
        assert_eq!((call(first, 10), call(second, 10)), (11, 12));
        assert_eq!(stand_in(plus_one as *const () as usize, 0, Layout::Hidden), first);
        assert_ne!(first, second);
    }
}
