//! A special-purpose container: one allocation without counts, one row for the object, and the
//! strong count in that row's word 2, where the viewer reads it exactly and live. No weak count,
//! and no handle of its own for each reference: all of them have the same number.
//!
//! The word is changed by compare-exchange and never leaves 0 again. Only the thread that took it
//! to 0 ends the row, through the same release as all other strategies; so a call in flight on a
//! handle whose last reference is released keeps the object until its end. Counting by handle
//! happens under a pin, after the row was found alive: until the pin is removed, word 2 belongs to
//! this generation.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicU16, Ordering};

use super::checked::{self, InUse};
use super::closing::{self, CloseShared, Closing};
use super::count::{self, Uncountable};
use crate::lifecycle;
use crate::object::index_of;
use crate::object::Life;
use crate::object::{CloseSpec, Operations, TypeSpec};
use recorder::events;
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::{runtime, Runtime};
use recorder::threads::Pin;
use segment::layout::{EventKind, Kind, Level, COUNT_UNKNOWN};
use segment::registry::{is_current, shown, Slot};
use segment::status::{Error, Result, Status};

/// Word 2 but for the strong count, which is its low half: neither weak count nor calls by
/// sampling.
const NO_OTHERS: u64 = (COUNT_UNKNOWN as u64) << 32 | (COUNT_UNKNOWN as u64) << 48;

/// A container; a `static` that is identified by its address and name.
pub struct ThinMap<T> {
    spec: TypeSpec,
    objects: PhantomData<T>,
}

/// The object, and the runtime's record of it.
struct Entry<T> {
    life: Life,
    object: T,
}

/// A strong reference: native code's counterpart of a handle; it becomes a handle when it is handed
/// out.
pub struct Thin<T> {
    slot: Slot<'static>,
    handle: u64,
    object: PhantomData<Box<Entry<T>>>,
}

// SAFETY: a reference gives shared access from any thread and may drop the object on any.
unsafe impl<T: Send + Sync> Send for Thin<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Thin<T> {}

impl<T> Clone for Thin<T> {
    fn clone(&self) -> Self {
        // a count that is full (4 billion references) has lost track already; std aborts there too
        if count_up(&self.slot, self.handle).is_err() {
            std::process::abort();
        }
        record_clone(&self.slot, self.handle);
        Self { slot: self.slot, handle: self.handle, object: PhantomData }
    }
}

impl<T> Drop for Thin<T> {
    fn drop(&mut self) {
        if release_one_of(&self.slot, self.handle) == Some(0) {
            // no other thread can end the row: see the head of this file
            let _ = lifecycle::release_row(runtime(), self.handle);
        }
    }
}

impl<T> Deref for Thin<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `ThinMap::<T>::insert` put the pointer there; this reference keeps the row and
        // the object.
        unsafe { &(*(self.slot.data() as *const Entry<T>)).object }
    }
}

impl<T> Thin<T> {
    /// Strong references, this one and all handles among them.
    pub fn strong_count(&self) -> u64 {
        strong(&self.slot)
    }

    /// Whether both are one object.
    pub fn is_same(&self, other: &Self) -> bool {
        self.handle == other.handle
    }

    /// Gives this reference away as a handle, whose number is the same each time.
    pub fn lower(self) -> u64 {
        std::mem::ManuallyDrop::new(self).handle
    }
}

impl<T: Send + Sync + 'static> ThinMap<T> {
    /// An empty container under a name that no other of this origin has.
    pub const fn new(name: &'static str, origin: &'static str) -> Self {
        Self { spec: Self::spec(name, origin, None), objects: PhantomData }
    }

    /// As [`Self::new`], for objects that close.
    pub const fn closable(name: &'static str, origin: &'static str, close: CloseSpec) -> Self
    where
        T: CloseShared,
    {
        Self {
            spec: Self::spec(name, origin, Some(Closing { spec: close, close: close_raw::<T> })),
            objects: PhantomData,
        }
    }

    const fn spec(name: &'static str, origin: &'static str, closing: Option<Closing>) -> TypeSpec {
        let close = Closing::operation(closing.as_ref());
        let operations = Operations {
            clone: keep,
            release: release_raw::<T>,
            counts: no_counts,
            life: life_raw::<T>,
            close,
        };
        TypeSpec {
            name,
            origin,
            kind: Kind::Thin,
            close: Closing::spec(closing.as_ref()),
            size_bytes: size_of::<T>() as u64,
            data_offset: std::mem::offset_of!(Entry<T>, object) as u64,
            operations,
            report: None,
            index: AtomicU16::new(0),
            upward: &lifecycle::UPWARD,
        }
    }

    /// Closes an object by a method of its own, with the caller's arguments: at once, or when the
    /// last call in flight has ended (`Pending`). Native code may continue to use it, also
    /// meanwhile.
    pub fn close(
        &'static self,
        handle: u64,
        run: impl FnOnce(&T) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        // SAFETY: a run gets the data pointer of a living object of the handle's type, which is
        // this container.
        closing::request(
            &self.spec,
            handle,
            Box::new(move |data| run(&unsafe { &*(data as *const Entry<T>) }.object)),
        )
    }

    /// Takes an object in, with one reference to it.
    pub fn insert(&'static self, object: T) -> Result<Thin<T>> {
        let runtime = runtime();
        let type_id = index_of(runtime, &self.spec)?;
        let index = rows::take(runtime)?;
        let data = Box::into_raw(Box::new(Entry { life: Life::new(&self.spec), object })) as u64;
        // SAFETY: just made; the row that it gets holds its one reference.
        let life = unsafe { &(*(data as *const Entry<T>)).life };
        let row = NewRow {
            type_id,
            address: data,
            data,
            owner: life.owner(),
            is_foreign: false,
            is_born_now: true,
        };
        let handle = checked::publish(runtime, index, &row, life);
        let Some(slot) = runtime.table.slot_of(handle) else {
            unreachable!("a row just published")
        };
        // Release: a reader of a count sees the row it belongs to
        slot.counts().store(NO_OTHERS | 1, Ordering::Release);
        events::event(runtime, EventKind::Create, type_id, handle, data, 1);
        Ok(Thin { slot, handle, object: PhantomData })
    }

    /// The object, counted up: it outlives the call and the handle's own reference.
    pub fn get(&'static self, handle: u64) -> Result<Thin<T>> {
        let used = checked::enter(&self.spec, handle)?;
        count_up(&used.slot, handle)?;
        record_clone(&used.slot, handle);
        Ok(Thin { slot: used.slot, handle, object: PhantomData })
    }

    /// Calls `body` with the object, alongside any other call.
    #[inline]
    pub fn with<R>(&'static self, handle: u64, body: impl FnOnce(&T) -> R) -> Result<R> {
        let used = checked::enter(&self.spec, handle)?;
        let result = body(self.object(&used));
        used.end();
        Ok(result)
    }

    /// Calls `body` with the objects of several handles, which may be the same.
    pub fn with_all<R, const N: usize>(
        &'static self,
        handles: [u64; N],
        body: impl FnOnce([&T; N]) -> R,
    ) -> Result<R> {
        let mut used = Vec::with_capacity(N);
        for handle in handles {
            used.push(checked::enter(&self.spec, handle)?);
        }
        Ok(body(std::array::from_fn(|at| self.object(&used[at]))))
    }

    #[inline(always)]
    fn object<'a>(&'static self, used: &'a InUse) -> &'a T {
        // SAFETY: the row is of this container, so `insert` put the pointer there, and the pin
        // keeps the object.
        unsafe { &(*(used.slot.data() as *const Entry<T>)).object }
    }
}

/// # Safety
/// None: counting happens in the row, not in the object.
unsafe fn keep(_data: u64) {}

/// # Safety
/// `data` is a pointer that `insert` put into a row of `T`, and the row has ended.
unsafe fn release_raw<T>(data: u64) -> bool {
    // SAFETY: the caller's promise; the row's end is the end of the last reference.
    drop(unsafe { Box::from_raw(data as *mut Entry<T>) });
    true
}

/// # Safety
/// None. Asked only for the event of a row's end, where there are none left.
unsafe fn no_counts(_data: u64) -> (u64, u64) {
    (0, 0)
}

/// # Safety
/// `data` is a pointer that `insert` put into a row of `T`, and the object lives.
unsafe fn life_raw<T>(data: u64) -> *const Life {
    // SAFETY: the caller's promise.
    &raw const unsafe { &*(data as *const Entry<T>) }.life
}

/// # Safety
/// As for `life_raw`.
unsafe fn close_raw<T: CloseShared>(data: u64) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { &(*(data as *const Entry<T>)).object }.close_with_defaults()
}

/// The count of a row that a reference or a pin keeps.
pub(super) fn strong(slot: &Slot<'_>) -> u64 {
    count::strong(slot.counts())
}

fn count_up(slot: &Slot<'_>, handle: u64) -> Result<()> {
    count::count_up(slot.counts()).map_err(|why| match why {
        Uncountable::Gone => Error::new(
            Status::StaleHandle,
            format!("{} is being released: its last reference is gone", shown(handle)),
        ),
        Uncountable::Full => Error::new(
            Status::TableFull,
            format!("{} has as many references as can be counted", shown(handle)),
        ),
    })
}

#[inline]
fn record_clone(slot: &Slot<'_>, handle: u64) {
    if levels::hottest() >= Level::History as u8 {
        events::event(
            runtime(),
            EventKind::Clone,
            slot.word0().type_id(),
            handle,
            slot.address(),
            strong(slot) as u32,
        );
    }
}

/// Counts down and records it, but for the last: its event is that of the row's end. The row may be
/// another's once the count went down.
#[inline]
fn release_one_of(slot: &Slot<'_>, handle: u64) -> Option<u32> {
    let (type_id, address) = (slot.word0().type_id(), slot.address());
    let left = count::count_down(slot.counts())?;
    if left > 0 {
        events::event(runtime(), EventKind::Release, type_id, handle, address, left);
    }
    Some(left)
}

/// Another reference under the same number.
pub(super) fn clone_handle(slot: &Slot<'_>, handle: u64) -> Result<u64> {
    count_up(slot, handle)?;
    record_clone(slot, handle);
    Ok(handle)
}

/// Gives up one reference of a handle of this kind. True: it was the last, and the caller has to
/// end the row.
pub(super) fn release_one(runtime: &Runtime, handle: u64) -> Result<bool> {
    let pin = Pin::new(runtime, handle);
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| is_current(slot.word0(), handle) && slot.word0().is_live());
    let Some(left) = slot.and_then(|slot| release_one_of(&slot, handle)) else {
        let error = released(runtime, pin.handle());
        events::misuse(runtime, error.status, handle);
        return Err(error);
    };
    Ok(left == 0)
}

/// A row whose count is 0 is over, also where it does not say so yet.
#[cold]
fn released(runtime: &Runtime, handle: u64) -> Error {
    let slot = runtime.table.slot_of(handle);
    if slot.is_some_and(|slot| is_current(slot.word0(), handle) && slot.word0().is_live()) {
        return Error::new(
            Status::StaleHandle,
            format!("{} is being released: its last reference is gone", shown(handle)),
        );
    }
    lifecycle::refusal(runtime, handle, 0)
}
