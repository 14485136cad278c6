//! The process's runtime: made at the first use of a handle, kept for life.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::OnceLock;

use crate::fork;
use crate::rings::Rings;
use crate::sites::Sites;
use crate::threads::{set_barriers, DeepPins, Threads};
use crate::type_table::Types;
use segment::atomic;
use segment::clock::{self, Anchor};
use segment::layout::Lost;
use segment::registry::Table;
use segment::status::Error;
use segment::sweep;
use segment::sync::Lock;
use segment::{write_text, Part, Segment};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Everything that belongs to this process.
pub struct Runtime {
    /// Rows, and through it the segment.
    pub table: Table,
    /// Types.
    pub types: Types,
    /// Threads.
    pub threads: Threads,
    /// Pins without a place.
    pub deep: DeepPins,
    /// Event rings.
    pub rings: Rings,
    /// Interned stacks.
    pub sites: Sites,
    /// When the segment was made.
    pub anchor: Anchor,
    /// Directory of the segment's file; None: it has no file.
    pub directory: Option<PathBuf>,
    /// The reason, for people, why the segment has no file; empty: it has a file.
    pub no_file: Lock<String>,
    /// Whether the memory is private because an agent left. Written with the lock of `moving` held.
    pub has_left_file: AtomicBool,
}

/// The runtime; made now if it was not. Any thread.
#[inline]
pub fn runtime() -> &'static Runtime {
    RUNTIME.get().unwrap_or_else(|| make(None))
}

/// The runtime if it was made.
#[inline]
pub fn existing() -> Option<&'static Runtime> {
    RUNTIME.get()
}

/// The runtime, for callers that know that it was made.
///
/// # Safety
/// It was made: this thread has used it, or was started by a thread that had used it.
#[inline(always)]
pub unsafe fn existing_unchecked() -> &'static Runtime {
    // SAFETY: the caller's promise.
    unsafe { RUNTIME.get().unwrap_unchecked() }
}

/// The runtime, with the segment in `directory` if it is made only now.
pub fn runtime_in(directory: Option<&Path>) -> &'static Runtime {
    RUNTIME.get().unwrap_or_else(|| make(directory))
}

/// Held while the runtime is made, and across a fork: no child finds one half made.
pub static MAKING: Lock<()> = Lock::new(());

#[cold]
fn make(directory: Option<&Path>) -> &'static Runtime {
    fork::watch();
    let _turn = MAKING.lock();
    RUNTIME.get_or_init(|| Runtime::new(directory))
}

impl Runtime {
    fn new(directory: Option<&Path>) -> Self {
        let anchor = Anchor::now();
        let place = platform::segment_directory(directory).and_then(|path| {
            sweep::make_room(&path);
            Ok((platform::unnamed_file(&path)?, path))
        });
        let (file, directory, refusal) = match place {
            Ok((file, path)) => (Some(file), Some(path), None),
            Err(error) => (None, None, Some(error)),
        };
        let (segment, no_room) = Segment::fit(file);
        let place = directory.as_deref().unwrap_or(Path::new("")).display();
        let no_file = match (refusal, no_room) {
            (None, None) => String::new(),
            (Some(error), _) => error.to_string(),
            (None, Some(error)) => {
                Error::io(format!("no room for a segment: {place}"), &error).message
            }
        };
        let runtime = Self {
            table: Table::new(segment),
            types: Types::default(),
            threads: Threads::default(),
            deep: DeepPins::default(),
            rings: Rings::default(),
            sites: Sites::default(),
            anchor,
            directory,
            no_file: Lock::new(no_file),
            has_left_file: AtomicBool::new(false),
        };
        for part in [Part::Threads, Part::Types, Part::Sites, Part::Frames] {
            runtime.segment().reserve(part, 0, 1);
        }
        set_barriers();
        runtime.describe();
        runtime
    }

    /// The segment.
    #[inline]
    pub fn segment(&self) -> &Segment {
        self.table.segment()
    }

    /// Holds everything that lies in the segment and is no row.
    pub fn hold_tables(&self) {
        self.types.hold();
        self.sites.hold();
        self.threads.hold();
        self.rings.hold();
        self.table.hold();
        self.deep.hold();
    }

    /// Releases it.
    ///
    /// # Safety
    /// After `hold_tables`, by the same thread or its copy in a forked child.
    pub unsafe fn release_tables(&self) {
        // SAFETY: the caller's promise, for all of them.
        unsafe {
            self.deep.let_go();
            self.table.let_go();
            self.rings.let_go();
            self.threads.let_go();
            self.sites.let_go();
            self.types.let_go();
        }
    }

    /// Writes the identity of this process and the clock's anchor into the header; again in a
    /// forked child.
    pub fn describe(&self) {
        let header = self.segment().header();
        let pid = platform::process_id();
        atomic!(AtomicU32, header, pid).store(pid, Ordering::Relaxed);
        atomic!(AtomicU32, header, uid).store(platform::user_id(), Ordering::Relaxed);
        atomic!(AtomicU64, header, start_time)
            .store(platform::start_time(pid).unwrap_or(0), Ordering::Relaxed);
        atomic!(AtomicU8, header, clock_source).store(clock::source() as u8, Ordering::Relaxed);
        atomic!(AtomicU64, header, anchor_ticks).store(self.anchor.ticks, Ordering::Relaxed);
        atomic!(AtomicU64, header, anchor_unix_nanos)
            .store(self.anchor.unix_nanos, Ordering::Relaxed);
        let executable = std::env::current_exe().unwrap_or_default();
        // SAFETY: the header lies in the mapping; only the field's address is taken.
        write_text(
            unsafe { std::ptr::addr_of_mut!((*header).executable) },
            &executable.to_string_lossy(),
        );
    }
}

/// The header's counters of losses: `atomic!(AtomicU64, lost(), panics)`.
pub fn lost() -> *mut Lost {
    runtime().segment().lost()
}

/// Counts a panic that was caught at the boundary.
pub fn count_panic() {
    if existing().is_some() {
        atomic!(AtomicU64, lost(), panics).fetch_add(1, Ordering::Relaxed);
    }
}
