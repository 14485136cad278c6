//! One row of the segment, read: the facts that counts and columns are made of.

use segment::layout::{
    HandleSlot, ReferenceState, ResourceState, BUSY, COUNT_UNKNOWN, FOREIGN_BIT, RUNNING_ARGUMENT,
    RUNNING_BORROWS, STRONG_UNKNOWN,
};

/// Handles of this kind carry the foreign bit.
pub const KIND_FOREIGN: u16 = 1;
/// The objects may have a number instead of an address.
pub const KIND_NUMBERED: u16 = 2;
/// Rows are calls, and no handles.
pub const KIND_CALL: u16 = 4;
/// Rows are calls that run on the thread that `data` names.
pub const KIND_RUNS: u16 = 8;
/// An object has an inner and perhaps an outer count.
pub const KIND_TRAIT: u16 = 16;
/// Handles of the trait point into an outer `Arc`.
pub const KIND_OUTER: u16 = 32;
/// Proxies and native code share a row.
pub const KIND_SHARES: u16 = 64;
/// Each call shows in its thread's record.
pub const KIND_PINS: u16 = 128;
/// Bits of a number's name that hold the number.
const NUMBER_BITS: u32 = 47;

/// The kind of each type, by index: a sum of `KIND_…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub Vec<u16>);

impl Kinds {
    /// The kind of a row; a type that is not there has none.
    pub fn of(&self, row: &HandleSlot) -> u16 {
        self.0.get(usize::from(row.type_id)).copied().unwrap_or(0)
    }
}

/// The threads of a moment, as far as the rows need them.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    /// Handles that threads use now; 0: none.
    pub calls: Vec<u64>,
    /// Numbers of the living threads in the system, and the index of each.
    pub indices: Vec<(u32, u32)>,
    /// Records of threads; a thread without a record gets an index from here on.
    pub records: u32,
}

/// The states that a sound row has.
pub struct Limits;

impl Limits {
    /// Whether the row was used at some time.
    pub fn is_used(row: &HandleSlot) -> bool {
        row.reference_state != ReferenceState::Free as u8
    }

    /// Whether the row has states that the layout knows. A damaged segment has other states.
    pub fn is_readable(row: &HandleSlot) -> bool {
        let reference = reference(row);
        reference >= ReferenceState::Live as u8
            && reference <= ReferenceState::Dropped as u8
            && row.resource_state <= ResourceState::Freed as u8
    }
}

/// The state of the reference, without `BUSY`.
pub fn reference(row: &HandleSlot) -> u8 {
    row.reference_state & !BUSY
}

/// Whether the row is no tombstone.
pub fn is_live(row: &HandleSlot) -> bool {
    let state = reference(row);
    state == ReferenceState::Live as u8 || state == ReferenceState::ReleaseRequested as u8
}

/// The number of the handle in the row at `position`.
pub fn id(position: u32, row: &HandleSlot, kind: u16) -> u64 {
    let foreign = if kind & KIND_FOREIGN == 0 { 0 } else { FOREIGN_BIT };
    u64::from(row.generation) << 32 | (u64::from(position) + 1) << 1 | foreign
}

/// The name of the row's object; 0: it has none. A tombstone names no object: its address may be
/// another object's by now.
pub fn object(row: &HandleSlot, kind: u16) -> u64 {
    if !is_live(row) {
        return 0;
    }
    if row.address != 0 {
        return row.address;
    }
    let is_named = kind & KIND_NUMBERED != 0 && row.data != 0 && row.data >> NUMBER_BITS == 0;
    if is_named {
        1 << 63 | u64::from(row.type_id) << NUMBER_BITS | row.data
    } else {
        0
    }
}

/// Whether the row is a handle: live, and no call.
pub fn is_handle(row: &HandleSlot, kind: u16) -> bool {
    is_live(row) && kind & KIND_CALL == 0
}

/// Whether the row is a handle that points into an outer `Arc`.
pub fn has_outer(row: &HandleSlot, kind: u16) -> bool {
    is_handle(row, kind) && kind & KIND_TRAIT != 0 && kind & KIND_OUTER != 0
}

/// Whether the row is a call that runs, or an argument of such a call.
pub fn is_use(row: &HandleSlot, kind: u16) -> bool {
    is_live(row) && kind & KIND_RUNS != 0
}

/// Whether the object counts a reference for this use.
pub fn is_counted_use(row: &HandleSlot, kind: u16) -> bool {
    is_use(row, kind) && row.data & RUNNING_BORROWS == 0
}

/// Whether the use is the call itself.
pub fn is_running_call(row: &HandleSlot, kind: u16) -> bool {
    is_use(row, kind) && row.data & RUNNING_ARGUMENT == 0
}

/// The sampled strong count, as if the row were the only handle. None: it was not sampled.
pub fn sampled(count: u32) -> Option<i64> {
    (count != STRONG_UNKNOWN).then(|| i64::from(count as i32))
}

/// A short count; -1: it is not known.
pub fn short(count: u16) -> i64 {
    if count == COUNT_UNKNOWN {
        -1
    } else {
        i64::from(count)
    }
}

/// A row as the columns take it.
#[derive(Clone, Copy)]
pub struct HandleSlotView<'a> {
    /// The row of the segment.
    pub slot: &'a HandleSlot,
    /// Kind of its type.
    pub kind: u16,
    /// Its object's counts.
    pub counts: crate::counts::Counts,
    /// The thread of its birth, or the thread that the call runs on.
    pub created_thread: u16,
}
