//! Levels: how much is recorded, of the process and of each type.
//!
//! Every hook starts with [`hottest`]: one load and one branch that goes the same way every time
//! while recording is off.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::runtime::Runtime;
use crate::threads::fast_path;
use segment::atomic;
use segment::layout::{Level, AS_THE_PROCESS};
use segment::Part;

/// The highest level that any type has now. A hint: it only says whether to look closer, so
/// `Relaxed` suffices.
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
    atomic!(AtomicU8, runtime.segment().header(), level)
        .store(level.min(Level::Stacks as u8), Ordering::SeqCst);
    find_hottest(runtime);
}

/// Sets a type's level, or `AS_THE_PROCESS`; false when there is no such type.
pub fn set_type_level(runtime: &Runtime, type_id: u16, level: u8) -> bool {
    if type_id == 0 || u32::from(type_id) >= runtime.segment().used(Part::Types) {
        return false;
    }
    let level = if level == AS_THE_PROCESS { level } else { level.min(Level::Stacks as u8) };
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(type_id)), level)
        .store(level, Ordering::SeqCst);
    find_hottest(runtime);
    true
}

/// Lets all types follow the process's level again.
pub fn reset_type_levels(runtime: &Runtime) {
    for index in 1..runtime.segment().used(Part::Types) {
        atomic!(AtomicU8, runtime.segment().type_slot(index), level)
            .store(AS_THE_PROCESS, Ordering::Relaxed);
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
        fast_path::set_history(hottest >= Level::History as u8);
        if highest_level(runtime) == hottest {
            return;
        }
    }
}

fn highest_level(runtime: &Runtime) -> u8 {
    let own =
        |index| atomic!(AtomicU8, runtime.segment().type_slot(index), level).load(Ordering::SeqCst);
    let of_types = (1..runtime.segment().used(Part::Types))
        .map(own)
        .filter(|&own| own != AS_THE_PROCESS)
        .max();
    let of_process = atomic!(AtomicU8, runtime.segment().header(), level).load(Ordering::SeqCst);
    of_types.map_or(of_process, |own| own.max(of_process))
}

/// The level in force for a type.
#[inline]
pub fn level_of(runtime: &Runtime, type_id: u16) -> u8 {
    if hottest() == Level::Off as u8 {
        return Level::Off as u8;
    }
    match atomic!(AtomicU8, runtime.segment().type_slot(u32::from(type_id)), level)
        .load(Ordering::Relaxed)
    {
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
