//! The segment as its writer has it: one sparse mapping, laid out as `layout` says, grown by reserving before use.
//!
//! Records are reached as raw pointers and written through [`atomic!`], never through references to whole records: other threads write them
//! at the same time. Offsets and capacities come from a private plan, not from the shared header, so nothing that another process does to
//! the file can lead our pointers astray.

use std::fs::File;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::layout::{self, Event, FrameSlot, HandleSlot, Header, RingHeader, Section, SiteSlot, ThreadSlot, TypeSlot};
use crate::platform;
use crate::status::{Error, Result};
use crate::sync::Lock;

/// The atomic behind a field of a record in the segment: `atomic!(AtomicU64, header, lost.panics)`.
///
/// The record is a raw pointer from [`Segment`]; fields are naturally aligned and the mapping lives as long as the process.
#[macro_export]
macro_rules! atomic {
    ($kind:ident, $record:expr, $($field:tt)+) => {{
        let record = $record;
        // fields are names and indexes, of this crate's own
        #[allow(clippy::macro_metavars_in_unsafe)]
        // SAFETY: the pointer came from `Segment`, so the record lies within the mapping, which is never unmapped while it is used;
        // every access to it is atomic.
        let atomic = unsafe { $kind::from_ptr(std::ptr::addr_of_mut!((*record).$($field)+)) };
        atomic
    }};
}

const PAGE: u64 = 4096;
/// The part of the handles grows by this much at a time: 1,024 rows.
const GROWTH: u64 = 64 * 1024;
/// The others, of which a process needs few records, by this much.
const SMALL_GROWTH: u64 = 8 * 1024;
/// A ring and its events.
const RING_BYTES: u32 = (size_of::<RingHeader>() + layout::RING_EVENTS as usize * size_of::<Event>()) as u32;

/// A section of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `ThreadSlot`.
    Threads,
    /// `TypeSlot`.
    Types,
    /// `SiteSlot`.
    Sites,
    /// `FrameSlot`.
    Frames,
    /// Bytes.
    Strings,
    /// `HandleSlot`.
    Handles,
    /// `RingHeader` and its events.
    Rings,
}

const PARTS: [Part; 7] = [Part::Threads, Part::Types, Part::Sites, Part::Frames, Part::Strings, Part::Handles, Part::Rings];

/// How many records each section can hold; tests take small ones to meet the rare paths.
#[derive(Clone, Copy, Debug)]
pub struct Capacities {
    /// In the order of [`Part`].
    pub records: [u32; 7],
}

impl Default for Capacities {
    fn default() -> Self {
        let strings = layout::MAX_STRING_BYTES;
        let (sites, frames) = (layout::MAX_SITES, layout::MAX_FRAMES);
        Self { records: [layout::MAX_THREADS, layout::MAX_TYPES, sites, frames, strings, layout::MAX_HANDLES, layout::MAX_RINGS] }
    }
}

#[derive(Clone, Copy, Debug)]
struct Extent {
    offset: u64,
    record_bytes: u32,
    capacity: u32,
}

/// Where every section lies.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    parts: [Extent; 7],
    bytes: u64,
}

impl Plan {
    fn new(capacities: Capacities) -> Self {
        let sizes =
            [size_of::<ThreadSlot>(), size_of::<TypeSlot>(), size_of::<SiteSlot>(), size_of::<FrameSlot>(), 1, size_of::<HandleSlot>()];
        let mut offset = PAGE;
        let parts = PARTS.map(|part| {
            let record_bytes = sizes.get(part as usize).map_or(RING_BYTES, |&size| size as u32);
            let capacity = capacities.records[part as usize];
            let extent = Extent { offset, record_bytes, capacity };
            // sections start on pages, so that reserving one never reaches into the next
            offset += (u64::from(record_bytes) * u64::from(capacity)).next_multiple_of(PAGE);
            extent
        });
        Self { parts, bytes: offset }
    }
}

/// A mapping of the planned size with, when there is one, its file.
pub struct Mapping {
    /// First byte.
    pub base: NonNull<u8>,
    /// None: private memory, which no viewer can read.
    pub file: Option<File>,
}

// SAFETY: the memory is shared with all threads anyway; a mapping is only passed on, never used twice.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: Option<File>, plan: &Plan) -> std::io::Result<Self> {
        if let Some(file) = &file {
            file.set_len(plan.bytes)?;
            platform::allocate(file, 0, PAGE)?;
        }
        Ok(Self { base: platform::map(file.as_ref(), plan.bytes as usize)?, file })
    }
}

/// The writer's segment.
pub struct Segment {
    base: NonNull<u8>,
    plan: Plan,
    /// Bytes of each section that are reserved in the file.
    reserved: [AtomicU64; 7],
    file: Lock<Option<File>>,
}

// SAFETY: all access to the mapping is atomic or, for text, by bytes that are atomic each.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// A segment in `file`, or in private memory.
    pub fn new(file: Option<File>, capacities: Capacities) -> Result<Self> {
        let plan = Plan::new(capacities);
        let mapping = Mapping::new(file, &plan).map_err(|error| Error::io("cannot map the segment", &error))?;
        let segment =
            Self { base: mapping.base, plan, reserved: std::array::from_fn(|_| AtomicU64::new(0)), file: Lock::new(mapping.file) };
        segment.write_plan();
        Ok(segment)
    }

    fn write_plan(&self) {
        let header = self.header();
        for part in PARTS {
            let extent = self.extent(part);
            let section = self.section(part);
            atomic!(AtomicU64, section, offset).store(extent.offset, Ordering::Relaxed);
            atomic!(AtomicU32, section, record_bytes).store(extent.record_bytes, Ordering::Relaxed);
            atomic!(AtomicU32, section, capacity).store(extent.capacity, Ordering::Relaxed);
        }
        atomic!(AtomicU32, header, header_bytes).store(size_of::<Header>() as u32, Ordering::Relaxed);
        atomic!(AtomicU32, header, layout_version).store(layout::LAYOUT_VERSION, Ordering::Relaxed);
        atomic!(AtomicU64, header, magic).store(layout::MAGIC, Ordering::Release);
    }

    fn extent(&self, part: Part) -> Extent {
        self.plan.parts[part as usize]
    }

    /// Records the section can hold.
    pub fn capacity(&self, part: Part) -> u32 {
        self.extent(part).capacity
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

    /// Records below this were used at some time; those at or above must not be touched.
    #[inline]
    pub fn used(&self, part: Part) -> u32 {
        // Acquire pairs with the Release in `reserve`: the bytes below are reserved.
        atomic!(AtomicU32, self.section(part), used).load(Ordering::Acquire).min(self.extent(part).capacity)
    }

    /// Makes the `count` records from `first` usable; false when the section or the file system is full.
    pub fn reserve(&self, part: Part, first: u32, count: u32) -> bool {
        let extent = self.extent(part);
        let Some(end) = first.checked_add(count).filter(|&end| end <= extent.capacity) else {
            return false;
        };
        if !self.reserve_bytes(part, u64::from(end) * u64::from(extent.record_bytes)) {
            return false;
        }
        atomic!(AtomicU32, self.section(part), used).fetch_max(end, Ordering::Release);
        true
    }

    fn reserve_bytes(&self, part: Part, needed: u64) -> bool {
        let reserved = &self.reserved[part as usize];
        if reserved.load(Ordering::Acquire) >= needed {
            return true;
        }
        let file = self.file.lock();
        let (extent, from) = (self.extent(part), reserved.load(Ordering::Relaxed));
        let limit = (u64::from(extent.record_bytes) * u64::from(extent.capacity)).next_multiple_of(PAGE);
        let growth = if part == Part::Handles { GROWTH } else { SMALL_GROWTH };
        let upto = needed.next_multiple_of(growth).min(limit);
        if upto > from {
            let result = file.as_ref().map_or(Ok(()), |file| platform::allocate(file, extent.offset + from, upto - from));
            if result.is_err() {
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
        unsafe { self.base.as_ptr().add((extent.offset + u64::from(index) * u64::from(extent.record_bytes)) as usize).cast() }
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
        // SAFETY: a handle slot is 64 bytes, aligned, in the mapping, and only ever written as these eight words.
        unsafe { &*self.record::<[AtomicU64; 8]>(Part::Handles, index) }
    }

    /// Writes `bytes` at `offset` of the string arena; the range is reserved.
    pub fn write_string(&self, offset: u32, bytes: &[u8]) {
        assert!(offset as usize + bytes.len() <= self.extent(Part::Strings).capacity as usize, "beyond the arena");
        // SAFETY: within the arena, as the assertion says.
        unsafe { write_bytes(self.record(Part::Strings, offset), bytes) };
    }

    /// Whether a viewer can see it: false for private memory.
    pub fn has_file(&self) -> bool {
        self.file.lock().is_some()
    }

    /// Uses the file, if there is one.
    pub fn with_file<T>(&self, body: impl FnOnce(Option<&File>) -> T) -> T {
        body(self.file.lock().as_ref())
    }

    /// The lock around the file, for the fork handlers.
    pub fn file_lock(&self) -> &Lock<Option<File>> {
        &self.file
    }

    /// A copy of everything in use as a mapping of its own, for a child about to be forked: in `file`, or in private memory when that fails. Writers are
    /// held up by the caller, which also holds `file_lock`.
    pub fn twin(&self, file: Option<File>) -> std::io::Result<Mapping> {
        let twin = match Mapping::new(file, &self.plan).and_then(|twin| self.reserve_twin(&twin).map(|()| twin)) {
            Ok(twin) => twin,
            Err(_) => Mapping::new(None, &self.plan)?,
        };
        self.copy_range(&twin, 0, PAGE);
        for part in PARTS {
            let extent = self.extent(part);
            self.copy_range(&twin, extent.offset, u64::from(self.used(part)) * u64::from(extent.record_bytes));
        }
        Ok(twin)
    }

    fn reserve_twin(&self, twin: &Mapping) -> std::io::Result<()> {
        let Some(file) = &twin.file else {
            return Ok(());
        };
        for part in PARTS {
            let bytes = self.reserved[part as usize].load(Ordering::Acquire);
            if bytes > 0 {
                platform::allocate(file, self.extent(part).offset, bytes)?;
            }
        }
        Ok(())
    }

    fn copy_range(&self, twin: &Mapping, offset: u64, length: u64) {
        for at in (offset..offset + length.next_multiple_of(8)).step_by(8) {
            // SAFETY: both mappings have the planned size and sections are padded to pages; ours is written atomically, the twin is ours alone.
            unsafe {
                let word = AtomicU64::from_ptr(self.base.as_ptr().add(at as usize).cast()).load(Ordering::Relaxed);
                twin.base.as_ptr().add(at as usize).cast::<u64>().write(word);
            }
        }
    }

    /// Puts the twin in the place of this mapping and gives back the file of before.
    ///
    /// # Safety
    /// No other thread runs: this is a forked child. The caller has released `file_lock`.
    pub unsafe fn adopt(&self, twin: Mapping) -> std::io::Result<Option<File>> {
        // SAFETY: the caller's promise; both mappings are of the planned size.
        unsafe { platform::replace_mapping(twin.base, self.base, self.plan.bytes as usize) }?;
        Ok(std::mem::replace(&mut *self.file.lock(), twin.file))
    }

    /// Gives up a twin that was not adopted.
    pub fn drop_twin(&self, twin: Mapping) {
        // SAFETY: `twin` made it with this size, and nothing refers into it.
        unsafe { platform::unmap(twin.base, self.plan.bytes as usize) };
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
        // SAFETY: the caller's promise. Atomic, because a viewer of the same process may copy the field meanwhile.
        unsafe { AtomicU8::from_ptr(to.add(index)) }.store(byte, Ordering::Relaxed);
    }
}
