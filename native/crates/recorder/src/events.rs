//! The record of each creation, clone, borrow, release, close and drop of a handle: counters, times
//! and events.

use std::sync::atomic::{fence, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::levels::{has_history, hottest, level_of};
use crate::runtime::{existing, lost, Runtime};
use crate::stacks;
use crate::threads::{local, Local};
use segment::atomic;
use segment::clock;
use segment::layout::{
    self, Event, EventKind, Level, RingHeader, TypeShard, EVENT_COUNT_UNKNOWN, RING_EVENTS,
    TYPE_SHARDS,
};
use segment::registry::{generation_of, Change, Moment};
use segment::status::Status;
use segment::Part;

/// Adds 1 to a counter of a type: `bump(runtime, type_id, |shard| addr_of_mut!((*shard).closed))`.
pub fn bump(runtime: &Runtime, type_id: u16, field: impl FnOnce(*mut TypeShard) -> *mut u64) {
    local(|local| bump_by(runtime, local, type_id, 1, field));
}

/// The shards that threads without a shard of their own share.
const COMMON_SHARDS: [u8; 4] = [0, 5, 6, 7];

#[inline(always)]
fn bump_by(
    runtime: &Runtime,
    local: &Local,
    type_id: u16,
    change: u64,
    field: impl FnOnce(*mut TypeShard) -> *mut u64,
) {
    if type_id == 0 {
        return;
    }
    let own = local.own_shard.get();
    let shard = if own == 0 {
        COMMON_SHARDS[usize::from(local.index.get()) % COMMON_SHARDS.len()]
    } else {
        own
    };
    let slot = runtime.segment().type_slot(u32::from(type_id));
    // SAFETY: the shard lies in the mapping; `field` only takes an address within it, of an aligned
    // u64.
    let counter = unsafe {
        AtomicU64::from_ptr(field(std::ptr::addr_of_mut!((*slot).shards[usize::from(shard)])))
    };
    if own == 0 {
        counter.fetch_add(change, Ordering::Relaxed);
    } else {
        // no other thread writes it
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(change), Ordering::Relaxed);
    }
}

/// Counts a handle of a type as living (`1`) or ended (`-1`), at every level.
#[inline(always)]
pub fn count_live(runtime: &Runtime, local: &Local, type_id: u16, change: i64) {
    bump_by(runtime, local, type_id, change as u64, |shard| {
        // SAFETY: only the field's address is taken; the shard lies in the mapping.
        unsafe { std::ptr::addr_of_mut!((*shard).live) }
    });
}

/// Handles that are live now, of all types.
pub fn live_handles(runtime: &Runtime) -> u64 {
    let mut live =
        atomic!(AtomicU64, runtime.segment().header(), live_handles).load(Ordering::Relaxed);
    for index in 1..runtime.segment().used(Part::Types) {
        for shard in 0..TYPE_SHARDS {
            live = live.wrapping_add(
                atomic!(AtomicU64, runtime.segment().type_slot(index), shards[shard].live)
                    .load(Ordering::Relaxed),
            );
        }
    }
    live
}

/// Adds 1 to a counter of a type's shard, by the counter's name.
#[macro_export]
macro_rules! count_one {
    ($runtime:expr, $type_id:expr, $field:ident) => {
        // SAFETY: only the field's address is taken; the shard lies in the mapping.
        $crate::events::bump($runtime, $type_id, |shard| unsafe {
            std::ptr::addr_of_mut!((*shard).$field)
        })
    };
}

/// The thread, time and site of a change of a row, as far as the type's level records them.
#[inline(always)]
pub fn change(runtime: &Runtime, type_id: u16, is_request: bool) -> Change {
    Change { moment: moment(level_of(runtime, type_id)), is_request }
}

/// The present time, thread and site, as far as a level records them.
#[inline(always)]
pub fn moment(level: u8) -> Moment {
    if level < Level::Count as u8 {
        Moment::UNRECORDED
    } else {
        moment_here(level)
    }
}

#[inline(never)]
fn moment_here(level: u8) -> Moment {
    local(|local| {
        let site = if level >= Level::History as u8 { local.site.get() } else { 0 };
        Moment::new(clock::ticks(), local.index.get(), site)
    })
}

/// An event without time and thread.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `EventKind`.
    pub kind: u8,
    /// Type of the object, 0: not known.
    pub type_id: u16,
    /// Handle, 0: none.
    pub handle: u64,
    /// Heap address of the object, 0: not known.
    pub address: u64,
    /// Strong count afterwards; `EVENT_COUNT_UNKNOWN`.
    pub count: u32,
}

impl Entry {
    fn count_kind(&self) -> u32 {
        let count = if self.count == EVENT_COUNT_UNKNOWN {
            self.count
        } else {
            self.count.min(EVENT_COUNT_UNKNOWN - 1)
        };
        count << 8 | u32::from(self.kind)
    }
}

fn event_at(ring: *mut RingHeader, number: u64) -> *mut Event {
    // SAFETY: a ring's record has room for RING_EVENTS events behind its header.
    unsafe { ring.add(1).cast::<Event>().add((number % u64::from(RING_EVENTS)) as usize) }
}

/// Writes an event of the calling thread, now.
pub fn write(runtime: &Runtime, entry: &Entry) {
    write_at(runtime, clock::ticks(), entry);
}

/// Writes an event of the calling thread with a time that was read before: reading the clock is
/// most of an event's cost.
///
/// The count of written events is stored last, with Release: a reader that sees it sees the event,
/// unless it was overwritten since, which the count shows as well. The event numbered
/// `written - RING_EVENTS` may be half overwritten at any time.
pub fn write_at(runtime: &Runtime, at_ticks: u64, entry: &Entry) {
    write_from(runtime, at_ticks, entry, local(|local| local.site.get()));
}

// an event holds the index of its site in 16 bits
const _: () = assert!(layout::MAX_SITES <= 1 << u16::BITS && layout::MAX_TYPES <= 1 << u16::BITS);

/// As `write_at`, from a site of its own.
pub fn write_from(runtime: &Runtime, at_ticks: u64, entry: &Entry, site: u32) {
    local(|local| {
        let mut ring = local.ring.get();
        if ring.is_null() {
            ring = runtime.rings.find(runtime.segment(), local);
        }
        if ring.is_null() {
            atomic!(AtomicU64, lost(), events).fetch_add(1, Ordering::Relaxed);
            return;
        }
        let written = atomic!(AtomicU64, ring, written);
        let number = written.load(Ordering::Relaxed);
        // Release: a reader that sees a word of this event sees that the event before it was
        // counted, and so that the event it overwrites is lost
        fence(Ordering::Release);
        let event = event_at(ring, number);
        atomic!(AtomicU64, event, at_ticks).store(at_ticks, Ordering::Relaxed);
        atomic!(AtomicU64, event, handle).store(entry.handle, Ordering::Relaxed);
        atomic!(AtomicU64, event, address).store(entry.address, Ordering::Relaxed);
        atomic!(AtomicU32, event, count_kind).store(entry.count_kind(), Ordering::Relaxed);
        atomic!(AtomicU16, event, site).store(site as u16, Ordering::Relaxed);
        atomic!(AtomicU16, event, type_id).store(entry.type_id, Ordering::Relaxed);
        written.store(number + 1, Ordering::Release);
    });
}

/// Adds the stack of a refused use to its event, if that is the newest event of the calling thread:
/// only the host language knows the stack, and reads it when a call was refused. A reader that was
/// faster shows the event without a stack.
#[cold]
pub fn add_site_to_misuse(site: u32) {
    local(|local| {
        let ring = local.ring.get();
        if ring.is_null() {
            return;
        }
        // Relaxed: this thread alone writes the ring
        let written = atomic!(AtomicU64, ring, written).load(Ordering::Relaxed);
        let event = event_at(ring, written.wrapping_sub(1));
        let kind = atomic!(AtomicU32, event, count_kind).load(Ordering::Relaxed) & 0xFF;
        if written > 0 && kind == EventKind::Misuse as u32 {
            atomic!(AtomicU16, event, site).store(site as u16, Ordering::Relaxed);
        }
    });
}

/// Writes an event when the type has a history. `count` is the strong count after it.
#[inline]
pub fn event(
    runtime: &Runtime,
    kind: EventKind,
    type_id: u16,
    handle: u64,
    address: u64,
    count: u32,
) {
    if has_history(runtime, type_id) {
        write(runtime, &Entry { kind: kind as u8, type_id, handle, address, count });
    }
}

/// Counts a refused use under its status, and writes it to the history.
#[cold]
pub fn misuse(runtime: &Runtime, status: Status, handle: u64) {
    let header = runtime.segment().header();
    let counter = match status {
        Status::ZeroHandle => atomic!(AtomicU64, header, lost.misuse_zero),
        Status::StaleHandle => atomic!(AtomicU64, header, lost.misuse_stale),
        Status::WrongType => atomic!(AtomicU64, header, lost.misuse_type),
        Status::UnknownHandle => atomic!(AtomicU64, header, lost.misuse_unknown),
        Status::Closed => atomic!(AtomicU64, header, lost.misuse_closed),
        _ => return,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    if hottest() >= Level::History as u8 {
        let entry = Entry {
            kind: EventKind::Misuse as u8,
            type_id: type_of(runtime, handle),
            handle,
            address: 0,
            count: status as u32,
        };
        write(runtime, &entry);
    }
}

/// Type of the object that a handle names or named, 0: not known any more.
fn type_of(runtime: &Runtime, handle: u64) -> u16 {
    let word = runtime.table.slot_of(handle).map(|slot| slot.word0());
    word.filter(|word| word.generation() == generation_of(handle)).map_or(0, |word| word.type_id())
}

/// The hook of a raw count that has no handle: see `ownership::Traced`. Cold, so that the branch
/// before it costs nothing while off.
#[cold]
#[inline(never)]
pub fn raw_count(kind: EventKind, type_id: u16, address: u64, count: usize) {
    let Some(runtime) = existing() else { return };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if hottest() == Level::Stacks as u8 && level_of(runtime, type_id) == Level::Stacks as u8 {
        let site = stacks::site_of_caller(runtime, raw_count as *const () as usize);
        write_from(
            runtime,
            clock::ticks(),
            &Entry { kind: kind as u8, type_id, handle: 0, address, count },
            site,
        );
    } else {
        event(runtime, kind, type_id, 0, address, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_does_not_fit_into_an_event_is_the_largest_and_not_unknown() {
        let packed =
            |count| Entry { kind: 3, type_id: 1, handle: 1, address: 8, count }.count_kind();
        let most = EVENT_COUNT_UNKNOWN - 1;
        for (count, shown) in [
            (0, 0),
            (7, 7),
            (most - 1, most - 1),
            (most, most),
            (EVENT_COUNT_UNKNOWN, EVENT_COUNT_UNKNOWN),
        ] {
            assert_eq!((packed(count) >> 8, packed(count) & 0xFF), (shown, 3));
        }
        for count in [EVENT_COUNT_UNKNOWN + 1, u32::MAX] {
            assert_eq!((packed(count) >> 8, packed(count) & 0xFF), (most, 3));
        }
    }
}
