//! The process's runtime: made at the first use of a handle, kept for life.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::OnceLock;

use crate::agent::Name;
use crate::atomic;
use crate::clock::{self, Anchor};
use crate::edges::Labels;
use crate::fork;
use crate::layout::{Lost, MAX_THREADS};
use crate::lifecycle::Lives;
use crate::platform;
use crate::registry::Table;
use crate::ring::Rings;
use crate::segment::{write_text, Capacities, Part, Segment};
use crate::sites::Sites;
use crate::sync::Lock;
use crate::threads::{self, DeepPins, Threads, Writing};
use crate::types::Types;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Everything that belongs to this process.
pub struct Runtime {
    /// Rows, and through it the segment.
    pub table: Table,
    /// Types.
    pub types: Types,
    /// Threads.
    pub threads: Threads,
    /// Which threads write rows now, by index.
    pub writing: Box<[Writing]>,
    /// Pins without a place.
    pub deep: DeepPins,
    /// Event rings.
    pub rings: Rings,
    /// Interned stacks.
    pub sites: Sites,
    /// Names of references that no object holds.
    pub labels: Labels,
    /// Objects that can be closed.
    pub lives: Lives,
    /// The name of the segment's file.
    pub name: Lock<Name>,
    /// When the segment was made.
    pub anchor: Anchor,
    /// Where the segment's file lies, or why there is none.
    pub directory: Result<PathBuf, String>,
}

/// The runtime; made now if it was not. Any thread.
#[inline]
pub fn runtime() -> &'static Runtime {
    RUNTIME.get_or_init(|| Runtime::new(None))
}

/// The runtime if there is one.
pub fn existing() -> Option<&'static Runtime> {
    RUNTIME.get()
}

/// The runtime, for those who have met it before.
///
/// # Safety
/// It was made: this thread has used it, or was started by one that had.
#[inline(always)]
pub unsafe fn existing_unchecked() -> &'static Runtime {
    // SAFETY: the caller's promise.
    unsafe { RUNTIME.get().unwrap_unchecked() }
}

/// The runtime, with the segment in `directory` if it is made only now.
pub fn runtime_in(directory: Option<&Path>) -> &'static Runtime {
    RUNTIME.get_or_init(|| Runtime::new(directory))
}

impl Runtime {
    fn new(directory: Option<&Path>) -> Self {
        let anchor = Anchor::now();
        let directory = platform::segment_directory(directory).map_err(|error| error.to_string());
        let (directory, file) = match directory.and_then(|path| first_file(&path).map(|file| (path, file))) {
            Ok((path, file)) => (Ok(path), Some(file)),
            Err(reason) => (Err(reason), None),
        };
        let segment = new_segment(file);
        let runtime = Self {
            table: Table::new(segment),
            types: Types::default(),
            threads: Threads::default(),
            writing: (0..MAX_THREADS).map(|_| Writing::default()).collect(),
            deep: DeepPins::default(),
            rings: Rings::default(),
            sites: Sites::default(),
            labels: Labels::default(),
            lives: Lives::default(),
            name: Lock::default(),
            anchor,
            directory,
        };
        for part in [Part::Threads, Part::Types, Part::Sites, Part::Frames] {
            runtime.segment().reserve(part, 0, 1);
        }
        threads::set_barriers();
        fork::watch();
        runtime.describe();
        runtime
    }

    /// The segment.
    #[inline]
    pub fn segment(&self) -> &Segment {
        self.table.segment()
    }

    /// Writes who we are and the clock's anchor into the header; again in a forked child.
    pub fn describe(&self) {
        let header = self.segment().header();
        let pid = platform::process_id();
        atomic!(AtomicU32, header, pid).store(pid, Ordering::Relaxed);
        atomic!(AtomicU32, header, uid).store(platform::user_id(), Ordering::Relaxed);
        atomic!(AtomicU64, header, start_time).store(platform::start_time(pid).unwrap_or(0), Ordering::Relaxed);
        atomic!(AtomicU8, header, clock_source).store(clock::source() as u8, Ordering::Relaxed);
        atomic!(AtomicU64, header, anchor_ticks).store(self.anchor.ticks, Ordering::Relaxed);
        atomic!(AtomicU64, header, anchor_unix_nanos).store(self.anchor.unix_nanos, Ordering::Relaxed);
        let executable = std::env::current_exe().unwrap_or_default();
        // SAFETY: the header lies in the mapping; only the field's address is taken.
        write_text(unsafe { std::ptr::addr_of_mut!((*header).executable) }, &executable.to_string_lossy());
    }
}

fn first_file(directory: &Path) -> Result<File, String> {
    platform::unnamed_file(directory).map_err(|error| error.to_string())
}

/// The segment in `file`; when that cannot be mapped, in private memory, without which nothing works at all.
fn new_segment(file: Option<File>) -> Segment {
    let tried = file.map(|file| Segment::new(Some(file), Capacities::default()));
    match tried {
        Some(Ok(segment)) => segment,
        _ => Segment::new(None, Capacities::default()).unwrap_or_else(|error| panic!("{error}: no address space for handles")),
    }
}

/// The counters of the header for what was lost: `atomic!(AtomicU64, lost(), panics)`.
pub fn lost() -> *mut Lost {
    // SAFETY: the header lies in the mapping; only the field's address is taken.
    unsafe { std::ptr::addr_of_mut!((*runtime().segment().header()).lost) }
}

/// Counts a panic that was caught at the boundary.
pub fn count_panic() {
    if existing().is_some() {
        atomic!(AtomicU64, lost(), panics).fetch_add(1, Ordering::Relaxed);
    }
}
