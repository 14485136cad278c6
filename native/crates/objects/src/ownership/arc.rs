//! `std::sync::Arc` across the boundary.
//!
//! Lowering gives up an `Arc` with `into_raw`; the row owns that reference from then on. A call
//! borrows it: `from_raw` inside `ManuallyDrop`, so that the count stays the same, behind a pin, so
//! that no thread releases it meanwhile. Releasing takes it back with `from_raw` and drops it.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::atomic::AtomicU16;
use std::sync::Arc;

use super::checked::{self, InUse};
use super::{closing, thin};
use crate::lifecycle;
use crate::object::spec_of;
use crate::object::Life;
use crate::object::{index_of, Object};
use crate::object::{CloseSpec, Operations, TypeSpec};
use crate::object::{Edges, Reports};
use recorder::events;
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::{runtime, Runtime};
use recorder::threads::Pin;
use segment::layout::{EventKind, Kind};
use segment::registry::{is_current, Slot};
use segment::status::Result;

/// The specification of a type that does not close.
pub const fn plain<T: Object>(name: &'static str, origin: &'static str) -> TypeSpec {
    TypeSpec {
        name,
        origin,
        kind: Kind::Arc,
        close: None,
        size_bytes: size_of::<T>() as u64,
        data_offset: data_offset::<T>(),
        operations: Operations {
            clone: clone_raw::<T>,
            release: release_raw::<T>,
            counts: counts_raw::<T>,
            life: life_raw::<T>,
            close: close_raw::<T>,
        },
        report: None,
        index: AtomicU16::new(0),
        upward: &lifecycle::UPWARD,
    }
}

/// The specification of a type that opts in to closing.
pub const fn closable<T: Object>(
    name: &'static str,
    origin: &'static str,
    close: CloseSpec,
) -> TypeSpec {
    TypeSpec { close: Some(close), ..plain::<T>(name, origin) }
}

/// The same type, whose objects also report the objects they hold.
pub const fn reporting<T: Reports>(spec: TypeSpec) -> TypeSpec {
    TypeSpec { report: Some(report_raw::<T>), ..spec }
}

/// # Safety
/// As for `clone_raw`.
unsafe fn report_raw<T: Reports>(data: u64, edges: &mut Edges<'_>) {
    // SAFETY: the caller's promise.
    unsafe { &*(data as *const T) }.report(edges);
}

/// Bytes from the allocation to the value: two counts, then the value at its alignment.
const fn data_offset<T>() -> u64 {
    let counts = 2 * size_of::<usize>();
    counts.next_multiple_of(align_of::<T>()) as u64
}

/// # Safety
/// `data` came from `Arc::<T>::into_raw`, and that reference lives through the call.
unsafe fn clone_raw<T>(data: u64) {
    // SAFETY: the caller's promise.
    unsafe { Arc::increment_strong_count(data as *const T) };
}

/// # Safety
/// As for `clone_raw`; the reference is given up.
unsafe fn release_raw<T>(data: u64) -> bool {
    // SAFETY: the caller's promise. If several threads drop references at the same time,
    // `into_inner` gives the value to exactly one of them: the last.
    unsafe { Arc::into_inner(Arc::from_raw(data as *const T)) }.is_some()
}

/// # Safety
/// As for `clone_raw`.
unsafe fn counts_raw<T>(data: u64) -> (u64, u64) {
    // SAFETY: the caller's promise; not dropped, so the count stays.
    let arc = ManuallyDrop::new(unsafe { Arc::from_raw(data as *const T) });
    (Arc::strong_count(&arc) as u64, Arc::weak_count(&arc) as u64)
}

/// # Safety
/// As for `clone_raw`.
unsafe fn life_raw<T: Object>(data: u64) -> *const Life {
    // SAFETY: the caller's promise.
    unsafe { &*(data as *const T) }.life()
}

/// # Safety
/// As for `clone_raw`.
unsafe fn close_raw<T: Object>(data: u64) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { &*(data as *const T) }.close_with_defaults()
}

/// Hands an object out: the handle owns this reference. On failure the reference is dropped.
pub fn lower<T: Object>(object: Arc<T>) -> Result<u64> {
    let runtime = runtime();
    let type_id = index_of(runtime, T::spec())?;
    let index = rows::take(runtime)?;
    let strong = Arc::strong_count(&object);
    let data = Arc::into_raw(object) as u64;
    let address = data - T::spec().data_offset;
    // SAFETY: the reference just given up keeps the object alive at least until its handle is
    // handed out.
    let life = unsafe { &*(data as *const T) }.life();
    let row = NewRow {
        type_id,
        address,
        data,
        owner: life.owner(),
        is_foreign: false,
        is_born_now: true,
    };
    let handle = checked::publish(runtime, index, &row, life);
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

/// Closes an object by a method of its own, with the caller's arguments. As `lifecycle::request`;
/// refused when the handle is of another type.
pub fn close<T: Object>(
    handle: u64,
    run: impl FnOnce(&T) -> Result<()> + Send + 'static,
) -> Result<()> {
    // SAFETY: a run gets the data pointer of a living object of the handle's type, which is T.
    closing::request(T::spec(), handle, Box::new(move |data| run(unsafe { &*(data as *const T) })))
}

/// An object in use by a call.
pub struct Borrowed<T: Object> {
    // nothing touches the object once the pin is removed: it is dropped without a look at it
    object: ManuallyDrop<Arc<T>>,
    pin: Pin,
}

impl<T: Object> Borrowed<T> {
    /// The reference itself; cloning it counts up and gives a reference that outlives the call.
    pub fn arc(&self) -> &Arc<T> {
        &self.object
    }

    /// The handle.
    pub fn handle(&self) -> u64 {
        self.pin.handle()
    }
}

impl<T: Object> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.object
    }
}

/// Borrows the object that `handle` names for a call of this thread. Refused when the handle is not
/// live, names another type, or its resource is closed or asked to close.
#[inline(always)] // 10 ns of 15 were the result's way through memory
pub fn borrow<T: Object>(handle: u64) -> Result<Borrowed<T>> {
    let InUse { pin, slot } = checked::enter(T::spec(), handle)?;
    // SAFETY: the row is live and of type T, so its data came from `Arc::<T>::into_raw`; the pin
    // was shown before word 0 was loaded, so a thread that releases this handle now leaves the
    // reference to us. `ManuallyDrop`: the reference stays the row's.
    let object = ManuallyDrop::new(unsafe { Arc::from_raw(slot.data() as *const T) });
    Ok(Borrowed { object, pin })
}

/// Calls `body` with the object that `handle` names; refused as [`borrow`] is. The fastest way to
/// use an object once.
#[inline(always)]
pub fn call<T: Object, R>(handle: u64, body: impl FnOnce(&T) -> R) -> Result<R> {
    let used = checked::enter(T::spec(), handle)?;
    // SAFETY: as in `borrow`; the reference ends before the use does.
    let result = body(unsafe { &*(used.slot.data() as *const T) });
    used.end();
    Ok(result)
}

#[cold]
fn refuse<T>(runtime: &Runtime, pin: &Pin, type_id: u16) -> Result<T> {
    let error = lifecycle::refusal(runtime, pin.handle(), type_id);
    events::misuse(runtime, error.status, pin.handle());
    Err(error)
}

/// Uses the reference of a handle of any type of ours, closed or not, by its specification and data
/// pointer.
pub fn with_raw<T>(
    handle: u64,
    body: impl FnOnce(&'static TypeSpec, &Slot<'_>, u64) -> Result<T>,
) -> Result<T> {
    let runtime = runtime();
    let pin = Pin::new(runtime, handle);
    let Some(slot) = runtime.table.slot_of(handle) else { return refuse(runtime, &pin, 0) };
    let word = slot.word0();
    if !is_current(word, handle) || !word.is_live() {
        return refuse(runtime, &pin, 0);
    }
    let Some(spec) = spec_of(runtime, word.type_id()) else { return refuse(runtime, &pin, 0) };
    body(spec, &slot, slot.data())
}

/// Another handle on the same object.
pub fn clone_handle(handle: u64) -> Result<u64> {
    with_raw(handle, |spec, slot, data| {
        if spec.kind == Kind::Thin {
            return thin::clone_handle(slot, handle);
        }
        let runtime = runtime();
        let type_id = slot.word0().type_id();
        let index = rows::take(runtime)?;
        // SAFETY: the pin of `with_raw` keeps the reference through this call.
        unsafe { (spec.operations.clone)(data) };
        // SAFETY: as above, and the new reference keeps the object from now on.
        let life = unsafe { &*(spec.operations.life)(data) };
        let row = NewRow {
            type_id,
            address: slot.address(),
            data,
            owner: life.owner(),
            is_foreign: false,
            is_born_now: true,
        };
        let clone = checked::publish(runtime, index, &row, life);
        if levels::has_history(runtime, type_id) {
            // SAFETY: as above.
            let (strong, _) = unsafe { (spec.operations.counts)(data) };
            events::event(runtime, EventKind::Clone, type_id, clone, row.address, strong as u32);
        }
        Ok(clone)
    })
}

/// Strong and weak count of the object, read from its strategy's place. A thin object has no weak
/// count.
pub fn strong_and_weak(handle: u64) -> Result<(u64, u64)> {
    with_raw(handle, |spec, slot, data| {
        if spec.kind == Kind::Thin {
            return Ok((thin::strong(slot), 0));
        }
        // SAFETY: the pin of `with_raw` keeps the reference through the call.
        Ok(unsafe { (spec.operations.counts)(data) })
    })
}

/// Whether two handles name one object.
pub fn is_same(first: u64, second: u64) -> Result<bool> {
    with_raw(first, |_, one, _| {
        with_raw(second, |_, other, _| Ok(one.address() == other.address()))
    })
}
