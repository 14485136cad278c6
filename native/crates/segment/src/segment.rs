//! The writer's side of the segment: one sparse mapping, laid out as `layout` says, grown by
//! reserving before use.
//!
//! Records are reached as raw pointers and written through [`atomic!`], never through references to
//! whole records: other threads write them at the same time. Offsets and capacities come from a
//! private plan, not from the shared header, so nothing that another process does to the file can
//! lead our pointers astray.

mod backing;
mod fit;
mod plan;
mod twin;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::layout::{
    self, FrameSlot, Header, Lost, RingHeader, Section, SiteSlot, ThreadSlot, TypeSlot,
};
use crate::status::{Error, Result};
use crate::sync::Lock;

use plan::{growth, Extent, PAGE, PARTS};

pub use backing::Backing;
pub use plan::{Capacities, Part, Plan};
pub use twin::Twin;

/// The atomic behind a field of a record in the segment: `atomic!(AtomicU64, header, lost.panics)`.
///
/// The record is a raw pointer from [`Segment`]; fields are naturally aligned and the mapping lives
/// as long as the process.
#[macro_export]
macro_rules! atomic {
    ($kind:ident, $record:expr, $($field:tt)+) => {{
        let record = $record;
        // fields are names and indexes, of this crate's own
        #[allow(clippy::macro_metavars_in_unsafe)]
        // SAFETY: the pointer came from `Segment`, so the record lies within the mapping, which is
        // never unmapped while it is used; every access to it is atomic.
        let atomic = unsafe { $kind::from_ptr(std::ptr::addr_of_mut!((*record).$($field)+)) };
        atomic
    }};
}

/// A mapping of the planned size: of `file`, or of private memory.
fn map_new(file: Option<&File>, plan: &Plan) -> io::Result<NonNull<u8>> {
    let Some(file) = file else { return platform::map(None, plan.bytes as usize) };
    platform::resize(file.as_fd(), plan.bytes)?;
    platform::allocate(file.as_fd(), 0, PAGE)?;
    platform::map(Some(file.as_fd()), plan.bytes as usize)
}

/// The writer's segment.
pub struct Segment {
    base: NonNull<u8>,
    plan: Plan,
    /// Bytes of each section that are reserved in the file.
    reserved: [AtomicU64; 7],
    /// Records of each section that were used at some time. The header has a copy for viewers,
    /// which another process may have written to.
    used: [AtomicU32; 7],
    /// Types below this for which there was no room in the file: the newest types, while the room
    /// is missing.
    hidden_types: AtomicU32,
    backing: Lock<Option<Backing>>,
}

// SAFETY: all access to the mapping is atomic or, for text, by bytes that are atomic each.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// A segment in `file`, or in private memory.
    pub fn new(file: Option<File>, capacities: Capacities) -> Result<Self> {
        let plan = Plan::new(capacities);
        let failed = |error| Error::io("cannot map the segment", &error);
        let base = map_new(file.as_ref(), &plan).map_err(failed)?;
        let backing = file.map(Backing::new).transpose().map_err(failed)?;
        Ok(Self::over(base, plan, backing))
    }

    fn over(base: NonNull<u8>, plan: Plan, backing: Option<Backing>) -> Self {
        let (reserved, used) = (
            std::array::from_fn(|_| AtomicU64::new(0)),
            std::array::from_fn(|_| AtomicU32::new(0)),
        );
        let segment = Self {
            base,
            plan,
            reserved,
            used,
            hidden_types: AtomicU32::new(0),
            backing: Lock::new(backing),
        };
        segment.write_plan();
        segment
    }

    fn write_plan(&self) {
        let header = self.header();
        for part in PARTS {
            let extent = self.extent(part);
            let section = self.section(part);
            atomic!(AtomicU64, section, offset).store(extent.offset, Ordering::Relaxed);
            atomic!(AtomicU32, section, record_bytes).store(extent.record_bytes, Ordering::Relaxed);
            atomic!(AtomicU32, section, capacity).store(extent.capacity, Ordering::Relaxed);
            atomic!(AtomicU32, section, used).store(self.used(part), Ordering::Relaxed);
        }
        atomic!(AtomicU32, header, header_bytes)
            .store(size_of::<Header>() as u32, Ordering::Relaxed);
        atomic!(AtomicU32, header, layout_version).store(layout::LAYOUT_VERSION, Ordering::Relaxed);
        atomic!(AtomicU64, header, magic).store(layout::MAGIC, Ordering::Release);
    }

    fn extent(&self, part: Part) -> Extent {
        self.plan.parts[part as usize]
    }

    /// Whether an address lies in the mapping.
    pub fn holds(&self, address: usize) -> bool {
        (address.wrapping_sub(self.base.as_ptr() as usize) as u64) < self.plan.bytes
    }

    /// Records the section can hold.
    pub fn capacity(&self, part: Part) -> u32 {
        self.extent(part).capacity
    }

    /// The header's counters of losses: `atomic!(AtomicU64, segment.lost(), panics)`.
    #[inline]
    pub fn lost(&self) -> *mut Lost {
        // SAFETY: the header lies in the mapping; only the field's address is taken.
        unsafe { std::ptr::addr_of_mut!((*self.header()).lost) }
    }

    /// The header.
    #[inline]
    pub fn header(&self) -> *mut Header {
        self.base.as_ptr().cast()
    }

    fn section(&self, part: Part) -> *mut Section {
        let header = self.header();
        // SAFETY: the header lies at the start of the mapping; only addresses are taken.
        unsafe {
            match part {
                Part::Threads => std::ptr::addr_of_mut!((*header).threads),
                Part::Types => std::ptr::addr_of_mut!((*header).types),
                Part::Sites => std::ptr::addr_of_mut!((*header).sites),
                Part::Frames => std::ptr::addr_of_mut!((*header).frames),
                Part::Strings => std::ptr::addr_of_mut!((*header).strings),
                Part::Handles => std::ptr::addr_of_mut!((*header).handles),
                Part::Rings => std::ptr::addr_of_mut!((*header).rings),
            }
        }
    }

    /// Records below this were used at some time; the rest must not be touched.
    #[inline]
    pub fn used(&self, part: Part) -> u32 {
        // Acquire pairs with the Release in `reserve`: the bytes below are reserved.
        self.used[part as usize].load(Ordering::Acquire)
    }

    /// Makes the `count` records from `first` usable; false when the section or the file system is
    /// full.
    pub fn reserve(&self, part: Part, first: u32, count: u32) -> bool {
        let extent = self.extent(part);
        let Some(end) = first.checked_add(count).filter(|&end| end <= extent.capacity) else {
            return false;
        };
        if !self.reserve_bytes(part, u64::from(end) * u64::from(extent.record_bytes)) {
            return false;
        }
        self.show_used(part, end);
        true
    }

    fn show_used(&self, part: Part, end: u32) {
        self.used[part as usize].fetch_max(end, Ordering::Release);
        // Release: a viewer that sees the number sees the records' bytes
        atomic!(AtomicU32, self.section(part), used).fetch_max(end, Ordering::Release);
    }

    /// Makes a type's record usable, in private memory when the file system is full: it works there
    /// and is not seen. Whether it is seen; None: the section is full, or there is no memory
    /// either.
    pub fn reserve_type(&self, index: u32) -> Option<bool> {
        let is_hidden = index < self.hidden_types.load(Ordering::Acquire);
        if !is_hidden && self.reserve(Part::Types, index, 1) {
            return Some(true);
        }
        let extent = self.extent(Part::Types);
        let end = u64::from(index + 1) * u64::from(extent.record_bytes);
        if index >= extent.capacity || !self.reserve_privately(Part::Types, end) {
            return None;
        }
        let reserved = self.reserved[Part::Types as usize].load(Ordering::Acquire);
        self.hidden_types
            .store((reserved / u64::from(extent.record_bytes)) as u32, Ordering::Release);
        self.used[Part::Types as usize].fetch_max(index + 1, Ordering::Release);
        Some(false)
    }

    fn reserve_privately(&self, part: Part, needed: u64) -> bool {
        let _backing = self.backing.lock();
        let (reserved, offset) = (&self.reserved[part as usize], self.extent(part).offset);
        let (from, upto) =
            (reserved.load(Ordering::Relaxed), needed.next_multiple_of(growth(part)));
        if upto > from {
            // SAFETY: whole pages of this section in which no record was used.
            let mapped = unsafe {
                platform::map_over(
                    self.base.add((offset + from) as usize),
                    (upto - from) as usize,
                    None,
                )
            };
            if mapped.is_err() {
                return false;
            }
            reserved.store(upto, Ordering::Release);
        }
        true
    }

    fn reserve_bytes(&self, part: Part, needed: u64) -> bool {
        let reserved = &self.reserved[part as usize];
        if reserved.load(Ordering::Acquire) >= needed {
            return true;
        }
        let backing = self.backing.lock();
        let (extent, from) = (self.extent(part), reserved.load(Ordering::Relaxed));
        let limit =
            (u64::from(extent.record_bytes) * u64::from(extent.capacity)).next_multiple_of(PAGE);
        let upto = needed.next_multiple_of(growth(part)).min(limit);
        if upto > from {
            // SAFETY: within the mapping, and each range is reserved once.
            let reserve = |base: NonNull<u8>| unsafe {
                platform::populate(
                    base.add((extent.offset + from) as usize),
                    (upto - from) as usize,
                )
            };
            if backing.is_some() && reserve(self.base).is_err() {
                return false;
            }
            reserved.store(upto, Ordering::Release);
        }
        true
    }

    /// The address of a record; the caller has seen `index < used`.
    #[inline]
    fn record<T>(&self, part: Part, index: u32) -> *mut T {
        let extent = self.extent(part);
        assert!(index < extent.capacity, "index beyond the section");
        // SAFETY: within the mapping, as the assertion says.
        unsafe {
            self.base
                .as_ptr()
                .add((extent.offset + u64::from(index) * u64::from(extent.record_bytes)) as usize)
                .cast()
        }
    }

    /// A thread.
    pub fn thread(&self, index: u32) -> *mut ThreadSlot {
        self.record(Part::Threads, index)
    }

    /// A type.
    pub fn type_slot(&self, index: u32) -> *mut TypeSlot {
        self.record(Part::Types, index)
    }

    /// A site.
    pub fn site(&self, index: u32) -> *mut SiteSlot {
        self.record(Part::Sites, index)
    }

    /// A frame.
    pub fn frame(&self, index: u32) -> *mut FrameSlot {
        self.record(Part::Frames, index)
    }

    /// A ring's header; its events follow.
    pub fn ring(&self, index: u32) -> *mut RingHeader {
        self.record(Part::Rings, index)
    }

    /// A handle's words.
    #[inline]
    pub fn handle(&self, index: u32) -> &[AtomicU64; 8] {
        // SAFETY: a handle slot is 64 bytes, aligned, in the mapping, and only ever written as
        // these eight words.
        unsafe { &*self.record::<[AtomicU64; 8]>(Part::Handles, index) }
    }

    /// Writes `bytes` at `offset` of the string arena; the range is reserved.
    pub fn write_string(&self, offset: u32, bytes: &[u8]) {
        assert!(
            offset as usize + bytes.len() <= self.extent(Part::Strings).capacity as usize,
            "beyond the arena"
        );
        // SAFETY: within the arena, as the assertion says.
        unsafe { write_bytes(self.record(Part::Strings, offset), bytes) };
    }

    /// Whether a viewer can see it: false for private memory.
    pub fn has_file(&self) -> bool {
        self.backing.lock().is_some()
    }

    /// The path under which the system shows the file of the mapping to privileged processes.
    pub fn mapped_file(&self) -> PathBuf {
        platform::mapped_file(self.base, self.plan.bytes)
    }

    /// The file of the mapping; None: private memory. The fork handlers hold the lock as well.
    pub fn backing(&self) -> &Lock<Option<Backing>> {
        &self.backing
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: made by `map` with this size; all pointers into it came through `&self`.
        unsafe { platform::unmap(self.base, self.plan.bytes as usize) };
    }
}

/// Writes `text` into a NUL-padded field, cut at a character when it does not fit.
pub fn write_text<const N: usize>(field: *mut [u8; N], text: &str) {
    let mut length = text.len().min(N - 1);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    let mut padded = [0_u8; N];
    padded[..length].copy_from_slice(&text.as_bytes()[..length]);
    // SAFETY: callers pass a field of a record in the mapping.
    unsafe { write_bytes(field.cast(), &padded) };
}

/// # Safety
/// `to` points to as many bytes in the segment.
unsafe fn write_bytes(to: *mut u8, bytes: &[u8]) {
    for (index, &byte) in bytes.iter().enumerate() {
        // SAFETY: the caller's promise. Atomic, because a viewer of the same process may copy the
        // field meanwhile.
        unsafe { AtomicU8::from_ptr(to.add(index)) }.store(byte, Ordering::Relaxed);
    }
}
