//! Segment files made by hand, so that tests can put anything into them.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::fs::{File, OpenOptions};
use std::mem::{offset_of, size_of};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use segment::layout::{
    Event, FrameSlot, HandleSlot, Header, RingHeader, Section, SiteSlot, ThreadSlot, TypeSlot,
    LAYOUT_VERSION, MAGIC, RING_EVENTS,
};
use viewer::reader::{zeroed, Record, RING_BYTES};

/// Rows of an image's handle table.
pub const ROWS: u32 = 4096;

/// A directory that is removed with its owner.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A fresh directory.
    pub fn new() -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir()
            .join(format!("arc-inspector-test-{}-{serial}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A valid header over small sections.
pub fn header() -> Header {
    let mut header: Header = zeroed();
    header.magic = MAGIC;
    header.layout_version = LAYOUT_VERSION;
    header.header_bytes = size_of::<Header>() as u32;
    header.pid = 4711;
    header.ticks_per_sec = 1_000_000_000;
    let mut offset = 4096;
    let mut section = |record: usize, capacity: u32, used: u32| {
        let made = Section { offset, record_bytes: record as u32, capacity, used, reserved: 0 };
        offset += (record as u64 * u64::from(capacity)).next_multiple_of(4096);
        made
    };
    header.threads = section(size_of::<ThreadSlot>(), 16, 3);
    header.types = section(size_of::<TypeSlot>(), 16, 2);
    header.sites = section(size_of::<SiteSlot>(), 16, 2);
    header.frames = section(size_of::<FrameSlot>(), 16, 2);
    header.strings = section(1, 4096, 64);
    header.handles = section(size_of::<HandleSlot>(), ROWS, 1);
    header.rings = section(RING_BYTES, 2, 1);
    header
}

/// Bytes of a file with these sections.
pub fn file_bytes(header: &Header) -> u64 {
    header.rings.offset + u64::from(header.rings.record_bytes) * u64::from(header.rings.capacity)
}

/// A segment file that a test writes.
pub struct Image {
    /// For the test to write to.
    pub file: File,
    /// The header at its start.
    pub header: Header,
    /// Path of the file.
    pub path: PathBuf,
}

impl Image {
    /// Write a sparse file with `header` at `path`.
    pub fn create(path: &Path, header: Header) -> Self {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
        file.set_len(file_bytes(&header)).unwrap();
        let image = Self { file, header, path: path.to_owned() };
        image.put(0, &header);
        image
    }

    /// Write any record at `offset`.
    pub fn put<T: Record>(&self, offset: u64, record: &T) {
        // SAFETY: a `Record` consists of integers, all its bytes can be read.
        let bytes = unsafe {
            std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<T>())
        };
        self.file.write_all_at(bytes, offset).unwrap();
    }

    /// Write a row and lift the high-water mark over it.
    pub fn put_row(&self, index: u32, slot: &HandleSlot) {
        self.put(self.header.handles.offset + u64::from(index) * 64, slot);
        let mark = (offset_of!(Header, handles) + offset_of!(Section, used)) as u64;
        let mut used = [0_u8; 4];
        self.file.read_exact_at(&mut used, mark).unwrap();
        self.put(mark, &u32::from_le_bytes(used).max(index + 1));
    }

    /// Write event `number` of ring 0.
    pub fn put_event(&self, number: u64, event: &Event) {
        let position = number % u64::from(RING_EVENTS);
        let base = self.header.rings.offset + size_of::<RingHeader>() as u64;
        self.put(base + position * size_of::<Event>() as u64, event);
    }

    /// Say which event of ring 0 is the first of its present thread.
    pub fn put_since(&self, since: u64) {
        self.put(self.header.rings.offset + offset_of!(RingHeader, since) as u64, &since);
    }

    /// Say how many rings are in use.
    pub fn use_rings(&self, count: u32) {
        self.put((offset_of!(Header, rings) + offset_of!(Section, used)) as u64, &count);
    }

    /// Say how many events ring 0 has seen.
    pub fn put_written(&self, written: u64) {
        self.put(self.header.rings.offset, &written);
    }
}

/// A live row.
pub fn row(generation: u32) -> HandleSlot {
    HandleSlot {
        reference_state: 1,
        generation,
        type_id: 1,
        address: 0x1000,
        strong: 1,
        ..zeroed()
    }
}
