//! The one schema: every byte that target and viewer share is declared here.
//!
//! cbindgen turns this module into the C header, the C compiler checks it, cffi reads it and Python
//! derives its dtypes and constants from the compiled declarations. There is no second description
//! anywhere. A segment is one sparse file:
//!
//! ```text
//! header | threads | types | sites | frames | strings | handles | rings
//! ```
//!
//! Each section's offset, record size, capacity and high-water mark are in the header, so a reader
//! needs no constant but `LAYOUT_VERSION`. All numbers are little endian, all times are ticks of
//! the header's clock (`0` = not recorded). Index 0 of threads, types, sites, frames and handles is
//! never used: 0 means *none*. Records are written through atomics of the word they lie in; see
//! `registry.rs` for the order.

mod numbers;
mod records;
mod states;
pub mod word;

pub use records::*;
pub use states::*;

/// `TypeSlot::level` of a type that has the level of the process.
pub const AS_THE_PROCESS: u8 = 255;
/// First eight bytes of every segment.
pub const MAGIC: u64 = 0x3147_4553_4943_5241; // "ARCISEG1"
/// Grows with each change of this schema. Both sides name their number when they differ.
pub const LAYOUT_VERSION: u32 = 4;
/// Set in `HandleSlot::reference_state` while a writer changes more than one word of the slot.
pub const BUSY: u8 = 0x80;
/// `HandleSlot::strong`: never sampled, or not readable.
pub const STRONG_UNKNOWN: u32 = 0x8000_0000;
/// `HandleSlot::weak` and `in_flight`: never sampled, not readable, or the kind has none.
pub const COUNT_UNKNOWN: u16 = u16::MAX;
/// The count of an event after which it is not known, in `Event::count_kind`.
pub const EVENT_COUNT_UNKNOWN: u32 = 0x00FF_FFFF;
/// `HandleSlot::outer_strong`: there is none, or it was not read.
pub const OUTER_UNKNOWN: u32 = 0x8000_0000;
/// `HandleSlot::data` of a running call: it borrows the object without a reference of its own.
pub const RUNNING_BORROWS: u64 = 0x1_0000_0000;
/// `HandleSlot::data` of a running call: the object is an argument. The call has another row as
/// well.
pub const RUNNING_ARGUMENT: u64 = 0x2_0000_0000;
/// Bit 0 of a handle: set when the row stands for a foreign object (a Python object held by native
/// code).
pub const FOREIGN_BIT: u64 = 1;
/// Rows that a segment can hold; the file is sparse, unused chunks cost nothing.
pub const MAX_HANDLES: u32 = 1 << 21;
/// Threads that can be named at once, including ended threads that are still referred to.
pub const MAX_THREADS: u32 = 4096;
/// Types.
pub const MAX_TYPES: u32 = 2048;
/// Interned stacks.
pub const MAX_SITES: u32 = 1 << 16;
/// Interned frames.
pub const MAX_FRAMES: u32 = 1 << 16;
/// Bytes of the string arena (UTF-8, each string preceded by its length as `u32`).
pub const MAX_STRING_BYTES: u32 = 1 << 22;
/// Event rings; a thread gets one with its first event.
pub const MAX_RINGS: u32 = 256;
/// Events a ring holds before it overwrites the oldest.
pub const RING_EVENTS: u32 = 4096;
/// Calls in flight that are shown for a thread; deeper calls are counted (`deep_calls`).
pub const CALL_DEPTH: usize = 8;
/// Frames of one site.
pub const SITE_FRAMES: usize = 12;
/// Shards of a type's counters, one cache line each: four belong to one thread each, the rest are
/// common to all threads.
pub const TYPE_SHARDS: usize = 8;
/// Collections that the header remembers.
pub const GC_LOG: usize = 32;
/// Deadlines of pending closes that the header shows; of more, how many.
pub const CLOSE_DEADLINES: usize = 32;

/// Sizes are part of the schema: a line of a table that straddles cache lines would be slow and
/// torn.
const _: () = {
    assert!(size_of::<Header>() <= 4096);
    assert!(size_of::<ThreadSlot>() == 256);
    assert!(size_of::<TypeShard>() == 64);
    assert!(size_of::<TypeSlot>() == 896);
    assert!(size_of::<SiteSlot>() == 64);
    assert!(size_of::<HandleSlot>() == 64);
    assert!(size_of::<RingHeader>() == 64);
    assert!(size_of::<Event>() == 32);
    assert!(MAX_SITES <= 1 << 16, "a row has 16 bits for a site");
};
