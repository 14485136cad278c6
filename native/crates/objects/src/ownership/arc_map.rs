//! A handle map of shared objects: any number of calls at a time, and never `&mut`.
//!
//! The compiler demands that the objects can be shared between threads; the objects guard their
//! mutable fields themselves:
//!
//! ```compile_fail,E0277
//! use arc_inspector_objects::ownership::ArcMap;
//! static CELLS: ArcMap<std::cell::Cell<u32>> = ArcMap::new("Cell", "doc");
//! CELLS.insert(std::cell::Cell::new(1)); // `Cell<u32>` cannot be shared between threads safely
//! ```
//!
//! ```compile_fail,E0277
//! use arc_inspector_objects::ownership::ArcMap;
//! type Guard = std::sync::MutexGuard<'static, u32>;
//! static GUARDS: ArcMap<Guard> = ArcMap::new("Guard", "doc"); // a guard cannot be sent between threads safely
//! ```
//!
//! ```compile_fail,E0596
//! use arc_inspector_objects::ownership::ArcMap;
//! static LISTS: ArcMap<Vec<u32>> = ArcMap::new("List", "doc");
//! let list = LISTS.insert(Vec::new()).unwrap();
//! LISTS.with(list, |list| list.push(1)); // not `&mut`
//! ```
//!
//! ```
//! use arc_inspector_objects::ownership::ArcMap;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! static CELLS: ArcMap<AtomicU32> = ArcMap::new("Cell", "doc");
//! let cell = CELLS.insert(AtomicU32::new(1)).unwrap();
//! assert_eq!(CELLS.with(cell, |cell| cell.fetch_add(1, Ordering::Relaxed)), Ok(1));
//! ```

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use super::checked::{self, Entry, InUse};
use super::closing::{self, CloseShared, Closing};
use crate::object::{CloseSpec, TypeSpec};
use segment::layout::Kind;
use segment::status::Result;

/// A map; a `static` that is identified by its address and name.
pub struct ArcMap<T> {
    spec: TypeSpec,
    objects: PhantomData<T>,
}

/// An object of a map, held natively. Handed out again it is the same object.
pub struct Shared<T>(Arc<Entry<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Shared<T> {
    /// Strong references, this one among them.
    pub fn strong_count(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Whether both are one object.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Send + Sync + 'static> ArcMap<T> {
    /// An empty map under a name that no other map of this origin has.
    pub const fn new(name: &'static str, origin: &'static str) -> Self {
        Self { spec: Entry::<T>::spec(name, origin, Kind::ArcMap, None), objects: PhantomData }
    }

    /// Takes an object in; the handle owns its first reference.
    pub fn insert(&'static self, object: T) -> Result<u64> {
        self.lower(self.share(object))
    }

    /// An object of this map that only native code holds so far.
    pub fn share(&'static self, object: T) -> Shared<T> {
        Shared(Arc::new(Entry::new(&self.spec, object)))
    }

    /// Gives a reference to a new handle.
    pub fn lower(&'static self, object: Shared<T>) -> Result<u64> {
        checked::lower(&self.spec, object.0)
    }

    /// The object, counted up: it outlives the call and the handle.
    pub fn get(&'static self, handle: u64) -> Result<Shared<T>> {
        let used = checked::enter(&self.spec, handle)?;
        let entry = std::ptr::from_ref(self.entry(&used));
        // SAFETY: the entry lies in the `Arc` whose reference the row keeps while it is in use;
        // this counts one up and takes that.
        Ok(Shared(unsafe {
            Arc::increment_strong_count(entry);
            Arc::from_raw(entry)
        }))
    }

    /// Calls `body` with the object, alongside any other call.
    #[inline]
    pub fn with<R>(&'static self, handle: u64, body: impl FnOnce(&T) -> R) -> Result<R> {
        let used = checked::enter(&self.spec, handle)?;
        let result = body(&self.entry(&used).value);
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
        Ok(body(std::array::from_fn(|at| &self.entry(&used[at]).value)))
    }

    /// As [`Self::new`], for objects that close.
    pub const fn closable(name: &'static str, origin: &'static str, close: CloseSpec) -> Self
    where
        T: CloseShared,
    {
        let closing = Closing { spec: close, close: close_raw::<T> };
        Self {
            spec: Entry::<T>::spec(name, origin, Kind::ArcMap, Some(closing)),
            objects: PhantomData,
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
        // this map.
        closing::request(
            &self.spec,
            handle,
            Box::new(move |data| run(&unsafe { &*(data as *const Entry<T>) }.value)),
        )
    }

    #[inline(always)]
    fn entry<'a>(&'static self, used: &'a InUse) -> &'a Entry<T> {
        // SAFETY: only this map enters with its own specification.
        unsafe { checked::entry(used) }
    }
}

/// # Safety
/// `data` came from `Arc::<Entry<T>>::into_raw`, and that reference lives through the call.
unsafe fn close_raw<T: CloseShared + Send + Sync + 'static>(data: u64) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { &*(data as *const Entry<T>) }.value.close_with_defaults()
}
