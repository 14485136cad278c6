//! The description of a type of our own runtime, and the operations on its objects.

use std::sync::atomic::{AtomicU16, Ordering};

use super::edges::Edges;
use super::life::Life;
use recorder::runtime::Runtime;
use recorder::types::{self, Described};
use recorder::upward::{self, Upward};
use segment::layout::Kind;
use segment::status::{Error, Result, Status};

/// A type whose objects can be handed out as handles.
///
/// # Safety
/// `spec` returns a static that [`crate::ownership::plain`] or [`crate::ownership::closable`] made
/// for this very type and that no other type returns: a handle's type is compared with it before
/// its pointer is used.
pub unsafe trait Object: Send + Sync + Sized + 'static {
    /// Description of the type: its name and its operations.
    fn spec() -> &'static TypeSpec;

    /// The object's own.
    fn life(&self) -> &Life;

    /// Ends the resource with default arguments. Runs at most once, with no call in flight. Only
    /// types that opt in have such a close.
    fn close_with_defaults(&self) -> Result<()> {
        Err(Error::new(Status::BadArgument, "the type does not close"))
    }
}

/// How a type closes.
#[derive(Clone, Copy, Debug)]
pub struct CloseSpec {
    /// For people: `close(flush)`.
    pub signature: &'static str,
    /// Whether only the thread that created the handle may close.
    pub is_thread_affine: bool,
}

/// The runtime's operations on an object of a type it does not know: all take the data pointer of a
/// strong reference that lives through the call.
#[derive(Clone, Copy)]
pub struct Operations {
    /// Count up.
    pub clone: unsafe fn(u64),
    /// Count down, consuming the reference; true when that ran the destructor.
    pub release: unsafe fn(u64) -> bool,
    /// Strong and weak count.
    pub counts: unsafe fn(u64) -> (u64, u64),
    /// Its life.
    pub life: unsafe fn(u64) -> *const Life,
    /// Closes with the type's default arguments.
    pub close: unsafe fn(u64) -> Result<()>,
}

/// Reports the objects that the object at a data pointer holds; it lives through the call.
pub type Report = unsafe fn(u64, &mut Edges<'_>);

/// A type of our own runtime; a `static` beside the type.
pub struct TypeSpec {
    /// `TodoList`.
    pub name: &'static str,
    /// Crate or module.
    pub origin: &'static str,
    /// How its objects are owned.
    pub kind: Kind,
    /// None: the type does not close.
    pub close: Option<CloseSpec>,
    /// Size of the value.
    pub size_bytes: u64,
    /// Bytes from the allocation's start to the data.
    pub data_offset: u64,
    /// Operations on its objects.
    pub operations: Operations,
    /// Reports the objects that an object, by its data pointer, holds. None: the type does not say.
    pub report: Option<Report>,
    /// Index in the segment, 0: not registered yet.
    pub index: AtomicU16,
    /// The recorder's calls at the end of calls and threads once the type is registered.
    pub upward: &'static Upward,
}

impl TypeSpec {
    fn described(&self) -> Described<'static> {
        Described {
            name: self.name,
            origin: self.origin,
            close_signature: self.close.map_or("", |close| close.signature),
            kind: self.kind as u8,
            closes: self.close.is_some(),
            is_thread_affine: self.close.is_some_and(|close| close.is_thread_affine),
            size_bytes: self.size_bytes,
            data_offset: self.data_offset,
        }
    }
}

/// The index of a type of our own runtime.
#[inline]
pub fn index_of(runtime: &Runtime, spec: &'static TypeSpec) -> Result<u16> {
    match spec.index.load(Ordering::Acquire) {
        0 => register(runtime, spec),
        index => Ok(index),
    }
}

#[cold]
fn register(runtime: &Runtime, spec: &'static TypeSpec) -> Result<u16> {
    // before there is a row of the type, and so a call that could end
    upward::set(spec.upward);
    let index = types::describe(runtime, &spec.described())?;
    if !runtime.types.set_own(index, std::ptr::from_ref(spec).cast()) {
        return Err(Error::new(
            Status::BadArgument,
            format!("another type has this name and origin: {}", spec.name),
        ));
    }
    // Release pairs with the Acquire in `index_of`: the slot is written
    spec.index.store(index, Ordering::Release);
    Ok(index)
}

/// The specification of a type of our own runtime; None for types that adapters described.
#[inline]
pub fn spec_of(runtime: &Runtime, type_id: u16) -> Option<&'static TypeSpec> {
    // SAFETY: only `register` stores there, pointers to static specifications.
    unsafe { runtime.types.own(type_id).cast::<TypeSpec>().as_ref() }
}
