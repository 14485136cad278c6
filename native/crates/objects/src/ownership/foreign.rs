//! Objects of the host language held by native code, in the manner of `cgo.Handle`: a number for a
//! value that must not cross the boundary itself.
//!
//! The numbers are the table's: never used again, 0 never valid, any thread. The value is a word of
//! the host's (a pointer, a key). Each thread makes rows from a stock of its own, and nothing but
//! the row is written, so threads do not meet.
//!
//! Looking up takes no pin: the word is copied out, and the row checked again afterwards. The
//! meaning of the word is the host's affair, as is an object that one of its threads deletes while
//! another has just looked it up.

use std::sync::atomic::{fence, AtomicU16, Ordering};

use crate::lifecycle;
use recorder::events;
use recorder::rows::{self, NewRow};
use recorder::runtime::{runtime, Runtime};
use recorder::threads;
use recorder::types::{self, Described};
use segment::layout::{Kind, ReferenceState, ResourceState, FOREIGN_BIT};
use segment::registry::{generation_of, shown, Slot, Word0};
use segment::status::{Error, Result, Status};

/// The values of one type of the host language; a `static`. Maps with the same name and origin are
/// the same map.
pub struct ForeignMap {
    name: &'static str,
    origin: &'static str,
    index: AtomicU16,
}

impl ForeignMap {
    /// An empty map.
    pub const fn new(name: &'static str, origin: &'static str) -> Self {
        Self { name, origin, index: AtomicU16::new(0) }
    }

    /// A handle for a value, until it is deleted.
    pub fn insert(&self, value: u64) -> Result<u64> {
        insert(self.index()?, value)
    }

    /// The value.
    pub fn value(&self, handle: u64) -> Result<u64> {
        value(self.index()?, handle)
    }

    /// Ends a handle; returns its value, which the host then releases. If several threads delete
    /// the same handle, only one gets the value.
    pub fn delete(&self, handle: u64) -> Result<u64> {
        delete(self.index()?, handle)
    }

    /// As `value`, for a handle that cannot be wrong.
    ///
    /// # Panics
    /// When it is, with the reason.
    pub fn must_value(&self, handle: u64) -> u64 {
        must(self.value(handle))
    }

    /// As `delete`, for a handle that cannot be wrong.
    ///
    /// # Panics
    /// When it is, with the reason.
    pub fn must_delete(&self, handle: u64) -> u64 {
        must(self.delete(handle))
    }

    #[inline]
    fn index(&self) -> Result<u16> {
        match self.index.load(Ordering::Acquire) {
            0 => self.register(),
            index => Ok(index),
        }
    }

    #[cold]
    fn register(&self) -> Result<u16> {
        let described = Described {
            name: self.name,
            origin: self.origin,
            close_signature: "",
            kind: Kind::Foreign as u8,
            closes: false,
            is_thread_affine: false,
            size_bytes: 0,
            data_offset: 0,
        };
        let index = types::describe(runtime(), &described)?;
        // Release pairs with the Acquire in `index`: the type is written
        self.index.store(index, Ordering::Release);
        Ok(index)
    }
}

/// The result.
///
/// # Panics
/// When there is none, with the reason.
pub fn must<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// A handle of the type `type_id`, which is of kind `Foreign`, for a value.
pub fn insert(type_id: u16, value: u64) -> Result<u64> {
    let runtime = runtime();
    if !rows::is_foreign(runtime, type_id) {
        return Err(Error::new(
            Status::BadArgument,
            format!("not a type of foreign objects: {type_id}"),
        ));
    }
    let owner = if types::is_thread_affine(runtime, type_id) { threads::here() } else { 0 };
    let row =
        NewRow { type_id, address: 0, data: value, owner, is_foreign: true, is_born_now: true };
    let handle = rows::add_counted(runtime, &row, 1)?;
    if lifecycle::closes(runtime, type_id) {
        lifecycle::enter_new(handle, value);
    }
    Ok(handle)
}

/// The value of a handle of that type.
#[inline]
pub fn value(type_id: u16, handle: u64) -> Result<u64> {
    let runtime = runtime();
    let Some((slot, word)) = find(runtime, type_id, handle) else {
        return Err(refuse(runtime, type_id, handle));
    };
    if !is_open(word) {
        return Err(refuse(runtime, type_id, handle));
    }
    let value = slot.data();
    // Acquire, between the value and the second look: if the row has been used again since, that
    // look sees it
    fence(Ordering::Acquire);
    if !is_its(slot.word0(), word.type_id(), handle) {
        return Err(refuse(runtime, type_id, handle));
    }
    Ok(value)
}

/// Refuses a handle of that type whose resource is closed, or asked to close.
pub(super) fn check_open(type_id: u16, handle: u64) -> Result<()> {
    let runtime = runtime();
    let found = find(runtime, type_id, handle).filter(|(_, word)| is_open(*word));
    found.map(|_| ()).ok_or_else(|| refuse(runtime, type_id, handle))
}

#[inline]
fn is_open(word: Word0) -> bool {
    word.resource() <= ResourceState::Open as u8
        || word.resource() == ResourceState::CloseFailed as u8
}

/// Ends a handle of that type; its value.
pub fn delete(type_id: u16, handle: u64) -> Result<u64> {
    let runtime = runtime();
    let Some((slot, word)) = find(runtime, type_id, handle) else {
        return Err(refuse(runtime, type_id, handle));
    };
    let value = slot.data();
    if word.resource() != ResourceState::None as u8 {
        lifecycle::forget_foreign(runtime, handle);
    }
    // if several threads come this far, one of them ends the row; the value of a generation does
    // not change
    rows::end_counted(runtime, handle, ReferenceState::Released, 0)
        .map_err(|_| refuse(runtime, type_id, handle))?;
    Ok(value)
}

fn find(runtime: &'static Runtime, type_id: u16, handle: u64) -> Option<(Slot<'static>, Word0)> {
    let slot = runtime.table.slot_of(handle)?;
    let word = slot.word0();
    is_its(word, type_id, handle).then_some((slot, word))
}

#[inline]
fn is_its(word: Word0, type_id: u16, handle: u64) -> bool {
    let is_current = word.generation() == generation_of(handle) && handle & FOREIGN_BIT != 0;
    is_current && word.is_live() && word.type_id() == type_id && type_id != 0
}

#[cold]
pub(super) fn refuse(runtime: &Runtime, type_id: u16, handle: u64) -> Error {
    let slot = runtime.table.slot_of(handle);
    let is_without_bit = slot
        .is_some_and(|slot| is_its(slot.word0(), type_id, handle | FOREIGN_BIT))
        && handle & FOREIGN_BIT == 0;
    let error = if is_without_bit {
        Error::new(Status::UnknownHandle, format!("{} was never a handle", shown(handle)))
    } else {
        lifecycle::refusal(runtime, handle, type_id)
    };
    events::misuse(runtime, error.status, handle);
    error
}
