//! A counted pointer for library authors: `Arc` whose counting up and down can be recorded, also
//! where no handle is involved.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::arc::lower;
use crate::object::{index_of, Edges, Object};
use recorder::events;
use recorder::levels;
use recorder::runtime::runtime;
use segment::layout::{EventKind, Level};
use segment::status::Result;

/// A strong reference. Cloning and dropping cost the same as for `Arc` plus one load and one
/// predictable branch; with a history, also an event for each.
pub struct Traced<T: Object>(Arc<T>);

impl<T: Object> Traced<T> {
    /// Starts with a count of 1.
    pub fn new(object: T) -> Self {
        Self::from_arc(Arc::new(object))
    }

    /// Takes over a reference.
    pub fn from_arc(object: Arc<T>) -> Self {
        // so that the hooks find the type's level; a type without a place in the table is simply
        // not recorded
        let _ = index_of(runtime(), T::spec());
        let traced = Self(object);
        if levels::hottest() >= Level::History as u8 {
            traced.hook(EventKind::Create, traced.strong_count());
        }
        traced
    }

    /// Gives this reference to a handle.
    pub fn lower(self) -> Result<u64> {
        // the drop hook must not run: the reference lives on in the handle
        let object = std::mem::ManuallyDrop::new(self);
        if levels::hottest() >= Level::History as u8 {
            // for the balance: from here on the handle accounts for it
            object.hook(EventKind::Release, object.strong_count());
        }
        // SAFETY: `object` is not used or dropped again.
        lower(unsafe { std::ptr::read(&object.0) })
    }

    /// Gives this reference up as `Arc::into_raw` does, with the count as it is.
    pub(super) fn into_data(self) -> u64 {
        // the drop hook must not run: nothing is counted down
        let object = std::mem::ManuallyDrop::new(self);
        Arc::as_ptr(&object.0) as u64
    }

    /// Takes back a reference.
    ///
    /// # Safety
    /// `into_data` of this very type gave it, or `Arc::<T>::into_raw` did, and it is taken back
    /// once.
    pub(super) unsafe fn from_data(data: u64) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Arc::from_raw(data as *const T) })
    }

    /// The reference itself; a clone of it is not traced.
    pub fn arc(&self) -> &Arc<T> {
        &self.0
    }

    /// Strong references, this one among them.
    pub fn strong_count(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    #[inline]
    fn hook(&self, kind: EventKind, count: usize) {
        let address = Arc::as_ptr(&self.0) as u64 - T::spec().data_offset;
        events::raw_count(kind, T::spec().index.load(Ordering::Relaxed), address, count);
    }
}

impl<T: Object> Clone for Traced<T> {
    #[inline]
    fn clone(&self) -> Self {
        let clone = Self(Arc::clone(&self.0));
        if levels::hottest() >= Level::History as u8 {
            clone.hook(EventKind::Clone, Arc::strong_count(&clone.0));
        }
        clone
    }
}

impl<T: Object> Drop for Traced<T> {
    #[inline]
    fn drop(&mut self) {
        if levels::hottest() >= Level::History as u8 {
            self.hook(EventKind::Release, Arc::strong_count(&self.0) - 1);
        }
    }
}

impl<T: Object> Deref for Traced<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl Edges<'_> {
    /// As `object`, for a traced reference.
    pub fn traced<T: Object>(&mut self, label: &'static str, object: &Traced<T>) {
        self.object(label, object.arc());
    }
}
