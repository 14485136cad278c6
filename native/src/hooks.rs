//! The record of each creation, clone, borrow, release, close and drop of a handle, and the levels
//! that say how much is recorded.
//!
//! Everything starts with [`hottest`]: one load and one branch that takes the same way every time
//! while recording is off.

use std::sync::atomic::{AtomicU64, AtomicU8, Ordering};

use crate::atomic;
use crate::clock;
use crate::layout::{EventKind, Level, TypeShard, TYPE_SHARDS};
use crate::registry::{generation_of, Change, Moment};
use crate::ring::{self, Entry};
use crate::runtime::{existing, Runtime};
use crate::segment::Part;
use crate::stacks;
use crate::status::Status;
use crate::threads::{self, local, Local};

/// `TypeSlot::level` of a type that follows the process's level.
pub const AS_THE_PROCESS: u8 = 255;

/// The highest level that any type has now. A hint: it only says whether to look closer, so `Relaxed` suffices.
static HOTTEST: AtomicU8 = AtomicU8::new(Level::Off as u8);

/// The highest level that any type has now.
#[inline]
pub fn hottest() -> u8 {
    HOTTEST.load(Ordering::Relaxed)
}

/// The process's level.
pub fn level(runtime: &Runtime) -> u8 {
    atomic!(AtomicU8, runtime.segment().header(), level).load(Ordering::Relaxed)
}

/// Sets the process's level; too high means the highest. Any thread, at any time.
pub fn set_level(runtime: &Runtime, level: u8) {
    // SeqCst: see `find_hottest`
    atomic!(AtomicU8, runtime.segment().header(), level).store(level.min(Level::Stacks as u8), Ordering::SeqCst);
    find_hottest(runtime);
}

/// Sets a type's level, or `AS_THE_PROCESS`; false when there is no such type.
pub fn set_type_level(runtime: &Runtime, type_id: u16, level: u8) -> bool {
    if type_id == 0 || u32::from(type_id) >= runtime.segment().used(Part::Types) {
        return false;
    }
    let level = if level == AS_THE_PROCESS { level } else { level.min(Level::Stacks as u8) };
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(type_id)), level).store(level, Ordering::SeqCst);
    find_hottest(runtime);
    true
}

/// Lets all types follow the process's level again.
pub fn reset_type_levels(runtime: &Runtime) {
    for index in 1..runtime.segment().used(Part::Types) {
        atomic!(AtomicU8, runtime.segment().type_slot(index), level).store(AS_THE_PROCESS, Ordering::Relaxed);
    }
    find_hottest(runtime);
}

/// Brings the hint up to date.
///
/// Two threads may do that at a time, and one may use a level that the other has changed meanwhile.
/// So each reads the levels again after its store (all SeqCst): the thread with the last store sees
/// every level that was set before it.
pub fn find_hottest(runtime: &Runtime) {
    loop {
        let hottest = highest_level(runtime);
        HOTTEST.store(hottest, Ordering::SeqCst);
        threads::plain::set_history(hottest >= Level::History as u8);
        if highest_level(runtime) == hottest {
            return;
        }
    }
}

fn highest_level(runtime: &Runtime) -> u8 {
    let own = |index| atomic!(AtomicU8, runtime.segment().type_slot(index), level).load(Ordering::SeqCst);
    let of_types = (1..runtime.segment().used(Part::Types)).map(own).filter(|&own| own != AS_THE_PROCESS).max();
    let of_process = atomic!(AtomicU8, runtime.segment().header(), level).load(Ordering::SeqCst);
    of_types.map_or(of_process, |own| own.max(of_process))
}

/// The level in force for a type.
#[inline]
pub fn level_of(runtime: &Runtime, type_id: u16) -> u8 {
    if hottest() == Level::Off as u8 {
        return Level::Off as u8;
    }
    match atomic!(AtomicU8, runtime.segment().type_slot(u32::from(type_id)), level).load(Ordering::Relaxed) {
        AS_THE_PROCESS => level(runtime),
        own => own,
    }
}

/// As `level_of`; for a type that there is not, the process's.
pub fn level_of_any(runtime: &Runtime, type_id: u16) -> u8 {
    if type_id == 0 || u32::from(type_id) >= runtime.segment().used(Part::Types) {
        return level(runtime);
    }
    level_of(runtime, type_id)
}

/// Whether times, threads and counts of this type are recorded.
#[inline]
pub fn counts(runtime: &Runtime, type_id: u16) -> bool {
    level_of(runtime, type_id) >= Level::Count as u8
}

/// Whether events of this type are recorded.
#[inline]
pub fn has_history(runtime: &Runtime, type_id: u16) -> bool {
    hottest() >= Level::History as u8 && level_of(runtime, type_id) >= Level::History as u8
}

/// Adds 1 to a counter of a type: `bump(runtime, type_id, |shard| addr_of_mut!((*shard).closed))`.
pub fn bump(runtime: &Runtime, type_id: u16, field: impl FnOnce(*mut TypeShard) -> *mut u64) {
    local(|local| bump_by(runtime, local, type_id, 1, field));
}

/// The shards that threads without a shard of their own share.
const COMMON_SHARDS: [u8; 4] = [0, 5, 6, 7];

#[inline(always)]
fn bump_by(runtime: &Runtime, local: &Local, type_id: u16, change: u64, field: impl FnOnce(*mut TypeShard) -> *mut u64) {
    if type_id == 0 {
        return;
    }
    let own = local.own_shard.get();
    let shard = if own == 0 { COMMON_SHARDS[usize::from(local.index.get()) % COMMON_SHARDS.len()] } else { own };
    let slot = runtime.segment().type_slot(u32::from(type_id));
    // SAFETY: the shard lies in the mapping; `field` only takes an address within it, of an aligned u64.
    let counter = unsafe { AtomicU64::from_ptr(field(std::ptr::addr_of_mut!((*slot).shards[usize::from(shard)]))) };
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
    let mut live = atomic!(AtomicU64, runtime.segment().header(), live_handles).load(Ordering::Relaxed);
    for index in 1..runtime.segment().used(Part::Types) {
        for shard in 0..TYPE_SHARDS {
            live = live.wrapping_add(atomic!(AtomicU64, runtime.segment().type_slot(index), shards[shard].live).load(Ordering::Relaxed));
        }
    }
    live
}

/// Adds 1 to a counter of a type's shard, by the counter's name.
#[macro_export]
macro_rules! count_one {
    ($runtime:expr, $type_id:expr, $field:ident) => {
        // SAFETY: only the field's address is taken; the shard lies in the mapping.
        $crate::hooks::bump($runtime, $type_id, |shard| unsafe { std::ptr::addr_of_mut!((*shard).$field) })
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

/// Writes an event when the type has a history. `count` is the strong count after it.
#[inline]
pub fn event(runtime: &Runtime, kind: EventKind, type_id: u16, handle: u64, address: u64, count: u32) {
    if has_history(runtime, type_id) {
        ring::write(runtime, &Entry { kind: kind as u8, type_id, handle, address, count });
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
        let entry = Entry { kind: EventKind::Misuse as u8, type_id: type_of(runtime, handle), handle, address: 0, count: status as u32 };
        ring::write(runtime, &entry);
    }
}

/// Type of the object that a handle names or named, 0: not known any more.
fn type_of(runtime: &Runtime, handle: u64) -> u16 {
    let word = runtime.table.slot_of(handle).map(|slot| slot.word0());
    word.filter(|word| word.generation() == generation_of(handle)).map_or(0, |word| word.type_id())
}

/// The hook of a raw count that has no handle: see `ownership::Traced`. Cold, so that the branch before it costs nothing while off.
#[cold]
#[inline(never)]
pub fn raw_count(kind: EventKind, type_id: u16, address: u64, count: usize) {
    let Some(runtime) = existing() else { return };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if hottest() == Level::Stacks as u8 && level_of(runtime, type_id) == Level::Stacks as u8 {
        let site = stacks::site_of_caller(runtime, raw_count as *const () as usize);
        ring::write_from(runtime, clock::ticks(), &Entry { kind: kind as u8, type_id, handle: 0, address, count }, site);
    } else {
        event(runtime, kind, type_id, 0, address, count);
    }
}
