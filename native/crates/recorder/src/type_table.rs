//! The table of types: the names of the rows' types.

use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicU8, Ordering};

use segment::atomic;
use segment::layout::{Kind, AS_THE_PROCESS, MAX_TYPES};
use segment::status::{Error, Result, Status};
use segment::sync::Lock;
use segment::{write_text, Segment};

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
    /// Descriptions of our own runtime's types, see [`Self::set_own`].
    own: Box<[AtomicPtr<()>]>,
}

impl Default for Types {
    fn default() -> Self {
        let own = (0..MAX_TYPES).map(|_| AtomicPtr::new(std::ptr::null_mut())).collect();
        Self { by_name: Lock::new(HashMap::new()), own }
    }
}

impl Types {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.by_name.hold();
    }

    /// Lets it go.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.by_name.let_go() };
    }

    /// The index of a described type; the same name, origin and kind give the same.
    pub fn describe(&self, segment: &Segment, described: &Described<'_>) -> Result<u16> {
        let key = (described.name.to_owned(), described.origin.to_owned(), described.kind);
        let mut by_name = self.by_name.lock();
        if let Some(&index) = by_name.get(&key) {
            if [Kind::Uniffi as u8, Kind::UniffiTrait as u8].contains(&described.kind) {
                // a declaration may come and go after the type
                write_closing(segment, u32::from(index), described);
            }
            return Ok(index);
        }
        let index = by_name.len() as u32 + 1;
        let room = segment.reserve_type(index);
        if room != Some(true) {
            atomic!(AtomicU64, segment.lost(), types).fetch_add(1, Ordering::Relaxed);
        }
        if room.is_none() {
            return Err(Error::new(
                Status::TableFull,
                format!("the table of types is full: {}", described.name),
            ));
        }
        write_slot(segment, index, described);
        by_name.insert(key, index as u16);
        Ok(index as u16)
    }

    /// Remembers the description of our own runtime's type, which only that runtime can read.
    /// False: another type has this index.
    pub fn set_own(&self, index: u16, own: *const ()) -> bool {
        let kept = self.own[usize::from(index)].compare_exchange(
            std::ptr::null_mut(),
            own.cast_mut(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        kept.is_ok() || kept == Err(own.cast_mut())
    }

    /// The remembered description of a type; NULL for types that adapters described.
    #[inline]
    pub fn own(&self, index: u16) -> *const () {
        self.own.get(usize::from(index)).map_or(std::ptr::null(), |own| own.load(Ordering::Acquire))
    }

    /// Whether a type is of our own runtime.
    #[inline]
    pub fn is_own(&self, index: u16) -> bool {
        !self.own(index).is_null()
    }
}

/// Whether and how a type closes.
fn write_closing(segment: &Segment, index: u32, described: &Described<'_>) {
    let slot = segment.type_slot(index);
    // SAFETY: the slot lies in the mapping; only the address of its field is taken.
    unsafe {
        write_text(std::ptr::addr_of_mut!((*slot).close_signature), described.close_signature)
    };
    atomic!(AtomicU8, slot, thread_affine)
        .store(u8::from(described.is_thread_affine), Ordering::Relaxed);
    // Release: a reader that sees that it closes sees how
    atomic!(AtomicU8, slot, closes).store(u8::from(described.closes), Ordering::Release);
}

fn write_slot(segment: &Segment, index: u32, described: &Described<'_>) {
    let slot = segment.type_slot(index);
    // SAFETY: the slot lies in the mapping; only addresses of its fields are taken.
    unsafe {
        write_text(std::ptr::addr_of_mut!((*slot).name), described.name);
        write_text(std::ptr::addr_of_mut!((*slot).origin), described.origin);
    }
    write_closing(segment, index, described);
    atomic!(AtomicU8, slot, kind).store(described.kind, Ordering::Relaxed);
    atomic!(AtomicU8, slot, level).store(AS_THE_PROCESS, Ordering::Relaxed);
    atomic!(AtomicU64, slot, size_bytes).store(described.size_bytes, Ordering::Relaxed);
    atomic!(AtomicU64, slot, data_offset).store(described.data_offset, Ordering::Relaxed);
    // Release: a type that is ready is whole
    atomic!(AtomicU32, slot, ready).store(1, Ordering::Release);
}
