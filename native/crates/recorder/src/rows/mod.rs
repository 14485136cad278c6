//! The birth of rows of every kind, and the rows that adapters keep for objects that live
//! elsewhere.

mod resource;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::count_one;
use crate::events;
use crate::levels;
use crate::runtime::{lost, Runtime};
use crate::threads::{local, mutate, mutate_on, this, Local};
use crate::types;
use segment::atomic;
use segment::layout::{EventKind, Kind, Level, ReferenceState, ResourceState, EVENT_COUNT_UNKNOWN};
use segment::registry::{generation_of, index_of, shown, Birth, Moment, Slot, Word0};
use segment::status::{Error, Result, Status};
use segment::Part;

pub use resource::*;

/// A row to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewRow {
    /// Index of its type.
    pub type_id: u16,
    /// The allocation, 0: not known.
    pub address: u64,
    /// The handle's value: a data pointer, a key.
    pub data: u64,
    /// Thread that alone may close, 0: any.
    pub owner: u16,
    /// Whether it stands for an object of the host language.
    pub is_foreign: bool,
    /// False: the object is older than the recording, so time, thread and site stay unknown.
    pub is_born_now: bool,
}

/// Takes a place for a row; to be given to [`publish`]. Takes a lock at times.
#[inline(always)]
pub fn take(runtime: &Runtime) -> Result<u32> {
    match runtime.table.take(&this().magazine) {
        Some(index) => Ok(index),
        None => Err(full()),
    }
}

#[cold]
fn full() -> Error {
    atomic!(AtomicU64, lost(), untracked_handles).fetch_add(1, Ordering::Relaxed);
    Error::new(Status::TableFull, "the handle table is full")
}

/// Makes the row live and records its birth. Returns the handle.
#[inline(always)]
pub fn publish(runtime: &Runtime, index: u32, row: &NewRow, resource: ResourceState) -> u64 {
    let level =
        if row.is_born_now { levels::level_of(runtime, row.type_id) } else { Level::Off as u8 };
    publish_at(runtime, index, row, resource, level, events::moment(level))
}

#[inline(always)]
fn publish_at(
    runtime: &Runtime,
    index: u32,
    row: &NewRow,
    resource: ResourceState,
    level: u8,
    moment: Moment,
) -> u64 {
    let birth = row.birth(resource, moment);
    let local = this();
    if let Some(user) = runtime.table.user(index) {
        // Relaxed: published with the row
        user.store(local.user(), Ordering::Relaxed);
    }
    let handle = mutate_on(&local, || runtime.table.publish(index, &birth));
    events::count_live(runtime, &local, row.type_id, 1);
    if level >= Level::Count as u8 || !runtime.table.is_tracked(index) {
        record(runtime, &local, row.type_id, index, level);
    }
    handle
}

impl NewRow {
    #[inline(always)]
    fn birth(&self, resource: ResourceState, moment: Moment) -> Birth {
        let Self { type_id, address, data, owner, is_foreign, .. } = *self;
        Birth { type_id, resource_state: resource as u8, is_foreign, address, data, owner, moment }
    }
}

#[inline(never)]
fn record(runtime: &Runtime, local: &Local, type_id: u16, index: u32, level: u8) {
    if !runtime.table.is_tracked(index) {
        atomic!(AtomicU64, lost(), untracked_handles).fetch_add(1, Ordering::Relaxed);
    }
    if level < Level::Count as u8 {
        return;
    }
    count_one!(runtime, type_id, created);
    if !local.slot.get().is_null() {
        let created = atomic!(AtomicU64, local.slot.get(), created);
        // this thread alone writes it
        created.store(created.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Makes a row for an object that lives elsewhere and whose count is not known here.
pub fn add(runtime: &Runtime, row: &NewRow) -> Result<u64> {
    add_counted(runtime, row, EVENT_COUNT_UNKNOWN)
}

/// Makes a row for an object that lives elsewhere. `strong` is its count with the new reference,
/// for the history.
pub fn add_counted(runtime: &Runtime, row: &NewRow, strong: u32) -> Result<u64> {
    check_type(runtime, row.type_id)?;
    let index = take(runtime)?;
    let resource =
        if types::closes(runtime, row.type_id) { ResourceState::Open } else { ResourceState::None };
    let handle = publish(runtime, index, row, resource);
    if row.is_born_now {
        events::event(runtime, EventKind::Create, row.type_id, handle, row.address, strong);
    }
    Ok(handle)
}

/// Makes a row for something older than the recording that stands at `site`, 0: not known. Its time
/// and thread stay unknown.
pub fn add_standing(runtime: &Runtime, row: &NewRow, site: u32) -> Result<u64> {
    check_type(runtime, row.type_id)?;
    let index = take(runtime)?;
    let moment = Moment::new(0, 0, site);
    Ok(publish_at(runtime, index, row, ResourceState::None, Level::Off as u8, moment))
}

/// Makes a row for a proxy whose reference was released although the host still has it. It names no
/// object, so nothing reads that memory.
pub fn add_freed(runtime: &Runtime, type_id: u16, data: u64) -> Result<u64> {
    check_type(runtime, type_id)?;
    let index = take(runtime)?;
    let row = NewRow { type_id, address: 0, data, owner: 0, is_foreign: false, is_born_now: false };
    Ok(publish(runtime, index, &row, ResourceState::Freed))
}

fn check_type(runtime: &Runtime, type_id: u16) -> Result<()> {
    let is_known = type_id != 0 && u32::from(type_id) < runtime.segment().used(Part::Types);
    if !is_known || runtime.types.is_own(type_id) {
        return Err(Error::new(
            Status::BadArgument,
            format!("not a type of an adapter: {type_id}"),
        ));
    }
    Ok(())
}

/// Whether a type stands for objects of the host language.
pub fn is_foreign(runtime: &Runtime, type_id: u16) -> bool {
    [Kind::Foreign as u8, Kind::UniffiForeign as u8].contains(&types::kind_of(runtime, type_id))
}

/// The row of an adapter, if it is live.
fn adapters_row(runtime: &Runtime, row: u64) -> Result<Slot<'_>> {
    let slot = runtime.table.slot_of(row).filter(|slot| {
        let word = slot.word0();
        word.generation() == generation_of(row)
            && word.is_live()
            && !runtime.types.is_own(word.type_id())
    });
    slot.ok_or_else(|| {
        Error::new(Status::StaleHandle, format!("not a live row of an adapter: {}", shown(row)))
    })
}

/// Ends a row: `Released`, or `Dropped` when the destructor is known to have run.
pub fn end(runtime: &Runtime, row: u64, state: ReferenceState) -> Result<()> {
    end_with(runtime, row, state, Fate::AsItStands)
}

/// Ends a row as `end` does. `left` is the object's strong count without its reference, for the
/// history.
pub fn end_counted(runtime: &Runtime, row: u64, state: ReferenceState, left: u32) -> Result<()> {
    finish(runtime, row, state, &End { fate: Fate::AsItStands, left })
}

/// The strong count after an end, as far as the state shows it.
fn left_by(state: ReferenceState) -> u32 {
    match state {
        ReferenceState::Dropped => 0,
        _ => EVENT_COUNT_UNKNOWN,
    }
}

/// The resource's state at the end of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The state in the row: a resource that is open when its object is dropped was never closed.
    AsItStands,
    /// It was closed.
    Closed,
    /// If it was open, it may have been closed since, unseen.
    Unknown,
}

impl Fate {
    /// The state that a resource ends in.
    fn of(self, before: u8, state: ReferenceState) -> u8 {
        let is_dropped_open =
            state == ReferenceState::Dropped && before == ResourceState::Open as u8;
        match self {
            Self::Closed if before != ResourceState::None as u8 => ResourceState::Closed as u8,
            Self::AsItStands if is_dropped_open => ResourceState::NeverClosed as u8,
            Self::Unknown if is_dropped_open => ResourceState::Unknown as u8,
            _ => before,
        }
    }
}

/// How a row ends.
struct End {
    fate: Fate,
    /// Strong count afterwards.
    left: u32,
}

/// Ends a row as `end` does, with the fate of its resource.
pub fn end_with(runtime: &Runtime, row: u64, state: ReferenceState, fate: Fate) -> Result<()> {
    finish(runtime, row, state, &End { fate, left: left_by(state) })
}

#[inline]
fn finish(runtime: &Runtime, row: u64, state: ReferenceState, end: &End) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    let (type_id, address) = (slot.word0().type_id(), slot.address());
    let change = events::change(runtime, type_id, true);
    let ended = mutate(|| {
        let word = slot.begin_change(generation_of(row), ReferenceState::Live, state)?;
        slot.note(&change);
        let resource = end.fate.of(word.resource(), state);
        slot.end(word.with(state as u8, resource));
        Some(resource)
    });
    let Some(resource) = ended else {
        return Err(Error::new(
            Status::StaleHandle,
            format!("not a live row of an adapter: {}", shown(row)),
        ));
    };
    record_end(runtime, type_id, state, resource == ResourceState::NeverClosed as u8);
    if end.fate == Fate::Closed && levels::counts(runtime, type_id) {
        count_one!(runtime, type_id, closed);
    }
    events::event(runtime, EventKind::Release, type_id, row, address, end.left);
    local(|local| runtime.table.give_back(row, &local.magazine));
    Ok(())
}

fn record_end(runtime: &Runtime, type_id: u16, state: ReferenceState, is_unclosed: bool) {
    local(|local| events::count_live(runtime, local, type_id, -1));
    if !levels::counts(runtime, type_id) {
        return;
    }
    count_released(runtime, type_id);
    if state == ReferenceState::Dropped {
        count_one!(runtime, type_id, dropped);
    }
    if is_unclosed {
        count_one!(runtime, type_id, never_closed);
    }
}

/// Counts a handle as released, by type and by thread.
pub fn count_released(runtime: &Runtime, type_id: u16) {
    count_one!(runtime, type_id, released);
    local(|local| {
        if !local.slot.get().is_null() {
            let released = atomic!(AtomicU64, local.slot.get(), released);
            // this thread alone writes it
            released.store(released.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    });
}

/// Begins a change of a live row; an ended row is left alone, since it may be given out again at
/// any time.
fn begin_live(slot: &Slot<'_>, row: u64) -> Option<Word0> {
    slot.begin_change(generation_of(row), ReferenceState::Live, ReferenceState::Live)
}

/// Sets the address of a row, found out later.
pub fn set_address(runtime: &Runtime, row: u64, address: u64) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    mutate(|| {
        if let Some(word) = begin_live(&slot, row) {
            slot.set_address(address);
            slot.end(word);
        }
    });
    Ok(())
}

/// Sets the counts of a row as an adapter knows them: one word, one store.
pub fn set_counts(
    runtime: &Runtime,
    row: u64,
    strong: u32,
    weak: u16,
    in_flight: u16,
) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    slot.counts().store(
        u64::from(strong) | u64::from(weak) << 32 | u64::from(in_flight) << 48,
        Ordering::Relaxed,
    );
    Ok(())
}

/// Forgets all live rows of an adapter's type: the adapter stops watching these objects, which says
/// nothing about them.
pub fn clear(runtime: &Runtime, type_id: u16) -> Result<()> {
    check_type(runtime, type_id)?;
    for index in 1..runtime.segment().used(Part::Handles) {
        let Some(slot) = runtime.table.slot(index) else { continue };
        let seen = slot.word0();
        if seen.type_id() == type_id && seen.is_live() {
            clear_row(runtime, index, &slot, seen);
        }
    }
    Ok(())
}

fn clear_row(runtime: &Runtime, index: u32, slot: &Slot<'_>, seen: Word0) {
    let (generation, type_id) = (seen.generation(), seen.type_id());
    let is_cleared = mutate(|| {
        let Some(word) = slot.begin_change(generation, ReferenceState::Live, ReferenceState::Free)
        else {
            return false;
        };
        slot.end(word.with(ReferenceState::Free as u8, ResourceState::None as u8));
        true
    });
    if is_cleared {
        local(|local| events::count_live(runtime, local, type_id, -1));
        let handle = segment::registry::handle_of(generation, index, false);
        debug_assert_eq!(index_of(handle), index);
        local(|local| runtime.table.give_back(handle, &local.magazine));
    }
}
