//! The common part of all strategies over the table: the way from a handle to an object, and the
//! entries of a handle map.
//!
//! A map is a type of its own in the segment. Its rows carry its index, so that a handle of another
//! map is refused by the same check of word 0 that tells a dead handle from a living handle.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::Arc;

use super::closing::Closing;
use crate::lifecycle;
use crate::object::index_of;
use crate::object::Life;
use crate::object::{Operations, TypeSpec};
use recorder::events;
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::{runtime, Runtime};
use recorder::threads::{local, Pin};
use segment::clock;
use segment::layout::{EventKind, Kind, ResourceState};
use segment::registry::{is_current, Slot, Word0};
use segment::status::{Error, Result};

/// A handle in use by a call: while the pin lives, no thread releases the row's reference.
pub(super) struct InUse {
    /// Ends the use.
    pub pin: Pin,
    /// The row.
    pub slot: Slot<'static>,
}

impl InUse {
    /// Ends the use: the effect of dropping the pin, but faster.
    #[inline(always)]
    pub fn end(self) {
        self.pin.end(&self.slot);
    }
}

/// Lets a call of this thread use a handle of the type `spec`. Refused when the handle is not live,
/// is of another type, or its resource is closed or asked to close.
///
/// The plain case is here; all other cases, including refused handles, start again in
/// [`enter_unusual`]. Error and result fit into two registers.
#[inline(always)]
pub(super) fn enter(
    spec: &'static TypeSpec,
    handle: u64,
) -> std::result::Result<InUse, Box<Error>> {
    let type_id = spec.index.load(Ordering::Relaxed);
    if let Some((pin, slot)) = Pin::plain(handle) {
        if slot.word0().is_plain(handle, type_id) {
            return Ok(InUse { pin, slot });
        }
    }
    enter_unusual(spec, handle)
}

#[inline(never)]
fn enter_unusual(spec: &'static TypeSpec, handle: u64) -> std::result::Result<InUse, Box<Error>> {
    let runtime = runtime();
    lifecycle::drain_here();
    let type_id = spec.index.load(Ordering::Relaxed);
    let pin = Pin::new(runtime, handle);
    let Some(slot) = runtime.table.slot_of(handle) else { return Err(refuse(runtime, spec, &pin)) };
    if !is_usable(slot.word0(), handle, type_id) {
        return Err(refuse(runtime, spec, &pin));
    }
    if levels::has_history(runtime, type_id) {
        record_borrow(runtime, &slot, handle);
    }
    Ok(InUse { pin, slot })
}

#[cold]
#[inline(never)]
fn record_borrow(runtime: &Runtime, slot: &Slot<'_>, handle: u64) {
    let began = local(|local| {
        // the level may have risen since the call was shown, and its end is recorded too
        local.end_with_record();
        local.began.get()
    });
    let at_ticks = if began == 0 { clock::ticks() } else { began };
    let entry = events::Entry {
        kind: EventKind::Borrow as u8,
        type_id: slot.word0().type_id(),
        handle,
        address: slot.address(),
        count: 0,
    };
    events::write_at(runtime, at_ticks, &entry);
}

fn is_usable(word: Word0, handle: u64, type_id: u16) -> bool {
    let is_ours = is_current(word, handle) && word.type_id() == type_id && type_id != 0;
    let is_open = word.resource() <= ResourceState::Open as u8
        || word.resource() == ResourceState::CloseFailed as u8;
    is_ours && word.is_live() && is_open
}

/// Names the type that was wanted also when no object of it was ever handed out.
#[cold]
fn refuse(runtime: &Runtime, spec: &'static TypeSpec, pin: &Pin) -> Box<Error> {
    let wanted = index_of(runtime, spec).unwrap_or(0);
    let error = lifecycle::refusal(runtime, pin.handle(), wanted);
    events::misuse(runtime, error.status, pin.handle());
    Box::new(error)
}

/// An object of a map, with the runtime's record of it.
pub(super) struct Entry<V> {
    /// The object's own.
    pub life: Life,
    /// The map's own: the object, or the object in its mutex.
    pub value: V,
}

impl<V: Send + Sync + 'static> Entry<V> {
    /// An object of the map `spec`.
    pub fn new(spec: &'static TypeSpec, value: V) -> Self {
        Self { life: Life::new(spec), value }
    }

    /// The specification of a map of such entries. Its operations take a pointer that
    /// `Arc::<Entry<V>>::into_raw` gave.
    pub const fn spec(
        name: &'static str,
        origin: &'static str,
        kind: Kind,
        closing: Option<Closing>,
    ) -> TypeSpec {
        let counts = 2 * size_of::<usize>();
        TypeSpec {
            name,
            origin,
            kind,
            close: Closing::spec(closing.as_ref()),
            size_bytes: size_of::<V>() as u64,
            data_offset: counts.next_multiple_of(align_of::<Self>()) as u64,
            operations: Operations {
                clone: Self::clone_raw,
                release: Self::release_raw,
                counts: Self::counts_raw,
                life: Self::life_raw,
                close: Closing::operation(closing.as_ref()),
            },
            report: None,
            index: AtomicU16::new(0),
            upward: &lifecycle::UPWARD,
        }
    }

    /// # Safety
    /// `data` came from `Arc::<Self>::into_raw`, and that reference lives through the call.
    unsafe fn clone_raw(data: u64) {
        // SAFETY: the caller's promise.
        unsafe { Arc::increment_strong_count(data as *const Self) };
    }

    /// # Safety
    /// As for `clone_raw`; the reference is given up.
    unsafe fn release_raw(data: u64) -> bool {
        // SAFETY: the caller's promise.
        unsafe { Arc::into_inner(Arc::from_raw(data as *const Self)) }.is_some()
    }

    /// # Safety
    /// As for `clone_raw`.
    unsafe fn counts_raw(data: u64) -> (u64, u64) {
        // SAFETY: the caller's promise; not dropped, so the count stays.
        let arc = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data as *const Self) });
        (Arc::strong_count(&arc) as u64, Arc::weak_count(&arc) as u64)
    }

    /// # Safety
    /// As for `clone_raw`.
    unsafe fn life_raw(data: u64) -> *const Life {
        // SAFETY: the caller's promise.
        &raw const unsafe { &*(data as *const Self) }.life
    }
}

/// Hands an entry out under a handle of its own. On failure the reference is dropped.
pub(super) fn lower<V: Send + Sync + 'static>(
    spec: &'static TypeSpec,
    entry: Arc<Entry<V>>,
) -> Result<u64> {
    let runtime = runtime();
    let type_id = index_of(runtime, spec)?;
    let index = rows::take(runtime)?;
    let strong = Arc::strong_count(&entry);
    let data = Arc::into_raw(entry) as u64;
    let address = data - spec.data_offset;
    // SAFETY: the reference just given up keeps the entry at least until its handle is handed out.
    let life = unsafe { &(*(data as *const Entry<V>)).life };
    let row = NewRow {
        type_id,
        address,
        data,
        owner: life.owner(),
        is_foreign: false,
        is_born_now: true,
    };
    let handle = publish(runtime, index, &row, life);
    events::event(
        runtime,
        EventKind::Create,
        type_id,
        handle,
        address,
        u32::try_from(strong).unwrap_or(u32::MAX),
    );
    Ok(handle)
}

/// Makes the row of a new handle, which shows the resource's present state.
#[inline(always)]
pub(super) fn publish(runtime: &Runtime, index: u32, row: &NewRow, life: &Life) -> u64 {
    life.set_address(row.address);
    if life.closes() {
        return publish_closable(runtime, index, row, life);
    }
    let handle = rows::publish(runtime, index, row, ResourceState::None);
    if life.can_be_poisoned() {
        lifecycle::show_poison(runtime, life, handle);
    }
    handle
}

#[inline(never)]
fn publish_closable(runtime: &Runtime, index: u32, row: &NewRow, life: &Life) -> u64 {
    lifecycle::lives()
        .enter(life, row.address, row.data, |state| rows::publish(runtime, index, row, state))
}

/// The entry that a handle in use names.
///
/// # Safety
/// `used` was entered with the specification of a map of `Entry<V>`.
#[inline(always)]
pub(super) unsafe fn entry<V>(used: &InUse) -> &Entry<V> {
    // SAFETY: the row is of the map, so `lower` put the pointer there; the pin was shown before the
    // row was found alive, so a thread that releases the handle meanwhile leaves the reference to
    // us.
    unsafe { &*(used.slot.data() as *const Entry<V>) }
}
