//! An `Arc` of which each clone is a row.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Weak};

use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::{runtime, Runtime};
use recorder::stacks;
use recorder::threads::local;
use recorder::types::{self, Described};
use segment::layout::{Kind, Level, ReferenceState};

/// A type whose objects viewers can tell by name. Derive it.
pub trait Traceable {
    /// Name of the type.
    const NAME: &'static str;
    /// Crate or module.
    const ORIGIN: &'static str;
    /// Size of an object; 0: it depends on parameters of the type.
    const SIZE_BYTES: u64 = 0;

    /// A static of this type alone, 0 at first: the place of the type's index.
    fn index() -> &'static AtomicU16;
}

/// A strong reference that is a row: a viewer shows its object, its thread and its birthplace.
///
/// Dereferences to the object as `Arc` does. Any thread.
pub struct TracedArc<T: Traceable> {
    object: ManuallyDrop<Arc<T>>,
    /// 0: the table was full, which is counted.
    row: u64,
}

impl<T: Traceable> TracedArc<T> {
    /// Allocates an object with a count of 1.
    #[inline(always)]
    #[allow(clippy::inline_always)] // so that the birthplace begins with the caller
    pub fn new(object: T) -> Self {
        Self::from_arc(Arc::new(object))
    }

    /// Takes over a reference.
    #[inline(always)]
    #[allow(clippy::inline_always)] // as for `new`
    pub fn from_arc(object: Arc<T>) -> Self {
        let row = add_row(&Birth::of(&object));
        Self { object: ManuallyDrop::new(object), row }
    }

    /// The reference without its row.
    pub fn into_arc(self) -> Arc<T> {
        let mut this = ManuallyDrop::new(self);
        end_row(this.row);
        // SAFETY: `this` is not used or dropped again.
        unsafe { ManuallyDrop::take(&mut this.object) }
    }

    /// The reference itself; a clone of it is not a row, and counts as a native reference.
    pub fn arc(&self) -> &Arc<T> {
        &self.object
    }

    /// A weak reference.
    pub fn downgrade(&self) -> Weak<T> {
        Arc::downgrade(&self.object)
    }

    /// Strong references, this reference among them.
    pub fn strong_count(&self) -> usize {
        Arc::strong_count(&self.object)
    }

    /// Whether both are references to the same object.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.object, &other.object)
    }

    /// The number of the row, as viewers show it; 0: it has none.
    pub fn row(&self) -> u64 {
        self.row
    }
}

impl<T: Traceable> Clone for TracedArc<T> {
    #[inline(always)]
    #[allow(clippy::inline_always)] // as for `new`
    fn clone(&self) -> Self {
        let object = Arc::clone(&self.object);
        let row = add_row(&Birth::of(&object));
        Self { object: ManuallyDrop::new(object), row }
    }
}

impl<T: Traceable> Drop for TracedArc<T> {
    fn drop(&mut self) {
        // the row ends first: the sampler trusts the counts of an object that has a row
        end_row(self.row);
        // SAFETY: this is the end of `self`, which is not used again.
        unsafe { ManuallyDrop::drop(&mut self.object) };
    }
}

impl<T: Traceable> Deref for TracedArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: Traceable + fmt::Debug> fmt::Debug for TracedArc<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self.object, formatter)
    }
}

impl<T: Traceable> From<Arc<T>> for TracedArc<T> {
    fn from(object: Arc<T>) -> Self {
        Self::from_arc(object)
    }
}

/// The facts of a new row, without the type parameter.
struct Birth {
    described: Described<'static>,
    index: &'static AtomicU16,
    data: u64,
    strong: usize,
}

impl Birth {
    fn of<T: Traceable>(object: &Arc<T>) -> Self {
        let described = Described {
            name: T::NAME,
            origin: T::ORIGIN,
            close_signature: "",
            kind: Kind::Arc as u8,
            closes: false,
            is_thread_affine: false,
            size_bytes: T::SIZE_BYTES,
            // two counts, then the value at its alignment
            data_offset: (2 * size_of::<usize>()).next_multiple_of(align_of::<T>()) as u64,
        };
        let data = Arc::as_ptr(object) as u64;
        Self { described, index: T::index(), data, strong: Arc::strong_count(object) }
    }

    /// The index of the type, described once.
    fn type_id(&self, runtime: &Runtime) -> Option<u16> {
        // Acquire pairs with the Release below: the type's slot is written
        match self.index.load(Ordering::Acquire) {
            0 => {
                let made = types::describe(runtime, &self.described).ok()?;
                self.index.store(made, Ordering::Release);
                Some(made)
            }
            known => Some(known),
        }
    }
}

/// Makes the row; 0: no place.
#[inline(never)]
fn add_row(birth: &Birth) -> u64 {
    let runtime = runtime();
    let Some(type_id) = birth.type_id(runtime) else { return 0 };
    let row = NewRow {
        type_id,
        address: birth.data - birth.described.data_offset,
        data: birth.data,
        owner: 0,
        is_foreign: false,
        is_born_now: true,
    };
    let strong = u32::try_from(birth.strong).unwrap_or(u32::MAX);
    if levels::level_of(runtime, type_id) < Level::Stacks as u8 {
        return rows::add_counted(runtime, &row, strong).unwrap_or(0);
    }
    let site = stacks::site_of_caller(runtime, add_row as *const () as usize);
    let before = local(|local| local.site.replace(site));
    let made = rows::add_counted(runtime, &row, strong).unwrap_or(0);
    local(|local| local.site.set(before));
    made
}

fn end_row(row: u64) {
    if row != 0 {
        // a row that a detaching agent cleared has ended already
        let _ = rows::end(runtime(), row, ReferenceState::Released);
    }
}
