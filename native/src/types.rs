//! Types: the name of a row's type, and for types of our own runtime the operations on its object.

use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::atomic;
use crate::edges::Edges;
use crate::hooks::AS_THE_PROCESS;
use crate::layout::{Kind, MAX_TYPES};
use crate::lifecycle::Life;
use crate::moving;
use crate::runtime::{lost, Runtime};
use crate::segment::{write_text, Part};
use crate::status::{Error, Result, Status};
use crate::sync::Lock;

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
    pub(crate) index: AtomicU16,
}

/// A type as an adapter describes it.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// Name.
    pub name: &'a str,
    /// Origin of the type: crate or Python module.
    pub origin: &'a str,
    /// How it closes, empty: it does not say.
    pub close_signature: &'a str,
    /// `Kind`.
    pub kind: u8,
    /// Whether it closes.
    pub closes: bool,
    /// Whether only the owner thread may close.
    pub is_thread_affine: bool,
    /// Size of the value, 0: unknown.
    pub size_bytes: u64,
    /// Bytes from the allocation's start to the data.
    pub data_offset: u64,
}

/// All types of the process.
pub struct Types {
    by_name: Lock<HashMap<(String, String, u8), u16>>,
    specs: Box<[AtomicPtr<TypeSpec>]>,
}

impl Default for Types {
    fn default() -> Self {
        let specs = (0..MAX_TYPES).map(|_| AtomicPtr::new(std::ptr::null_mut())).collect();
        Self { by_name: Lock::new(HashMap::new()), specs }
    }
}

impl Types {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.by_name.hold();
    }

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.by_name.let_go() };
    }

    /// The index of a described type; the same name, origin and kind give the same.
    pub fn describe(&self, runtime: &Runtime, described: &Described<'_>) -> Result<u16> {
        if (Kind::Arc as u8..=Kind::Foreign as u8).contains(&described.kind) {
            moving::own_begins(runtime);
        }
        let key = (described.name.to_owned(), described.origin.to_owned(), described.kind);
        let mut by_name = self.by_name.lock();
        if let Some(&index) = by_name.get(&key) {
            return Ok(index);
        }
        let index = by_name.len() as u32 + 1;
        let room = runtime.segment().reserve_type(index);
        if room != Some(true) {
            atomic!(AtomicU64, lost(), types).fetch_add(1, Ordering::Relaxed);
        }
        if room.is_none() {
            return Err(Error::new(Status::TableFull, format!("the table of types is full: {}", described.name)));
        }
        write_slot(runtime, index, described);
        by_name.insert(key, index as u16);
        Ok(index as u16)
    }

    /// The index of a type of our own runtime.
    #[inline]
    pub fn index_of(&self, runtime: &Runtime, spec: &'static TypeSpec) -> Result<u16> {
        match spec.index.load(Ordering::Acquire) {
            0 => self.register(runtime, spec),
            index => Ok(index),
        }
    }

    #[cold]
    fn register(&self, runtime: &Runtime, spec: &'static TypeSpec) -> Result<u16> {
        let index = self.describe(runtime, &spec.described())?;
        let spec_pointer = std::ptr::from_ref(spec).cast_mut();
        let before = self.specs[usize::from(index)].swap(spec_pointer, Ordering::AcqRel);
        if !before.is_null() && before != spec_pointer {
            self.specs[usize::from(index)].store(before, Ordering::Release);
            return Err(Error::new(Status::BadArgument, format!("another type has this name and origin: {}", spec.name)));
        }
        // Release pairs with the Acquire in `index_of`: the slot is written
        spec.index.store(index, Ordering::Release);
        Ok(index)
    }

    /// The specification of a type of our own runtime; None for types that adapters described.
    #[inline]
    pub fn spec(&self, index: u16) -> Option<&'static TypeSpec> {
        let pointer = self.specs.get(usize::from(index))?.load(Ordering::Acquire);
        // SAFETY: only `register` stores here, pointers to statics.
        unsafe { pointer.as_ref() }
    }
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

fn write_slot(runtime: &Runtime, index: u32, described: &Described<'_>) {
    let slot = runtime.segment().type_slot(index);
    // SAFETY: the slot lies in the mapping; only addresses of its fields are taken.
    unsafe {
        write_text(std::ptr::addr_of_mut!((*slot).name), described.name);
        write_text(std::ptr::addr_of_mut!((*slot).origin), described.origin);
        write_text(std::ptr::addr_of_mut!((*slot).close_signature), described.close_signature);
    }
    atomic!(AtomicU8, slot, kind).store(described.kind, Ordering::Relaxed);
    atomic!(AtomicU8, slot, closes).store(u8::from(described.closes), Ordering::Relaxed);
    atomic!(AtomicU8, slot, thread_affine).store(u8::from(described.is_thread_affine), Ordering::Relaxed);
    atomic!(AtomicU8, slot, level).store(AS_THE_PROCESS, Ordering::Relaxed);
    atomic!(AtomicU64, slot, size_bytes).store(described.size_bytes, Ordering::Relaxed);
    atomic!(AtomicU64, slot, data_offset).store(described.data_offset, Ordering::Relaxed);
    // Release: a type that is ready is whole
    atomic!(AtomicU32, slot, ready).store(1, Ordering::Release);
}

/// The kind of a type.
pub fn kind_of(runtime: &Runtime, index: u16) -> u8 {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), kind).load(Ordering::Relaxed)
}

/// Whether a type closes.
pub fn closes(runtime: &Runtime, index: u16) -> bool {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), closes).load(Ordering::Relaxed) != 0
}

/// Whether only the thread that made a handle of a type may close its object.
pub fn is_thread_affine(runtime: &Runtime, index: u16) -> bool {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), thread_affine).load(Ordering::Relaxed) != 0
}

/// A type's name, for people.
pub fn name_of(runtime: &Runtime, index: u16) -> String {
    if index == 0 || u32::from(index) >= runtime.segment().used(Part::Types) {
        return "an unknown type".to_owned();
    }
    let slot = runtime.segment().type_slot(u32::from(index));
    let bytes = (0..128).map(|at| atomic!(AtomicU8, slot, name[at]).load(Ordering::Relaxed)).take_while(|&byte| byte != 0);
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}
