//! A fork: the child continues with a segment of its own and never writes to the parent's.
//!
//! Before the fork all locks are taken, all writers of rows held up, and everything in use is
//! copied (see `segment::Twin`). The parent throws the copy away; the child maps it over the
//! parent's segment. Only the forking thread lives on there: the pins and free rows of the other
//! threads are removed, and so is their part in pending closes. A child without room for the copy
//! runs on as well, and is not recorded.
//!
//! Every static with a lock of its own is a [`Section`], which joins before the lock is taken for
//! the first time.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::runtime::{existing, Runtime, MAKING};
use crate::threads;
use segment::atomic;
use segment::layout::Ending;
use segment::sync::Lock;
use segment::Twin;

/// The order in which the locks of sections are taken; they nest in no other. The tables of the
/// runtime come after all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Whether the agent runs.
    Agent,
    /// The place of the segment's memory.
    Moving,
    /// The name of the segment's file.
    Name,
    /// Handles that a host has at a C interface.
    Holding,
    /// Objects that can be closed.
    Lives,
    /// Names of references.
    Labels,
    /// References in buffers.
    Buffers,
    /// The handler of a signal.
    Rescue,
}

/// Something with locks that a fork holds. A `static`.
pub struct Section {
    rank: Rank,
    hold: fn(),
    release: unsafe fn(),
    in_child: fn(&Runtime),
    has_joined: AtomicBool,
}

impl Section {
    /// A section that takes its locks with `hold` and releases them with `release`, by the same
    /// thread or its copy in the child. `in_child` runs in the child when all locks are released.
    pub const fn new(rank: Rank, hold: fn(), release: unsafe fn(), in_child: fn(&Runtime)) -> Self {
        Self { rank, hold, release, in_child, has_joined: AtomicBool::new(false) }
    }

    /// Takes part in every fork from now on. Called before each use; any thread.
    #[inline]
    pub fn join(&'static self) {
        // Acquire pairs with the Release in `join_first`: the handlers are there
        if !self.has_joined.load(Ordering::Acquire) {
            self.join_first();
        }
    }

    #[cold]
    fn join_first(&'static self) {
        watch();
        let mut sections = SECTIONS.lock();
        if !sections.iter().any(|known| std::ptr::eq(*known, self)) {
            let place = sections.partition_point(|known| known.rank <= self.rank);
            sections.insert(place, self);
        }
        self.has_joined.store(true, Ordering::Release);
    }
}

/// The sections that joined, in the order of their ranks. Held across a fork itself.
static SECTIONS: Lock<Vec<&'static Section>> = Lock::new(Vec::new());
/// The copy, between `prepare` and the end of the fork on either side.
static TWIN: Lock<Option<Twin>> = Lock::new(None);
/// The reason for people, in a child with private memory.
const NOT_RECORDED: &str = "forked without room for a segment of its own; not recorded";
static IS_WATCHED: AtomicBool = AtomicBool::new(false);
/// From `prepare` on, until the fork has ended on this side.
static IS_UNDER_WAY: AtomicBool = AtomicBool::new(false);

/// Registers the handlers, once.
pub fn watch() {
    if !IS_WATCHED.swap(true, Ordering::SeqCst) {
        // without memory for a handler there is nothing to be done: a child would then share the
        // parent's segment
        let _ = platform::on_fork(prepare, parent, child);
    }
}

extern "C" fn prepare() {
    MAKING.hold();
    IS_UNDER_WAY.store(true, Ordering::Relaxed); // read by this thread or its copy only
    let runtime = existing();
    let file = runtime.and_then(|runtime| {
        // a thread without a slot must not be enrolled half-way through
        threads::here();
        new_file(runtime)
    });
    SECTIONS.hold();
    // SAFETY: held just above, by this thread, and no thread changes it before it is released.
    unsafe { SECTIONS.held() }.iter().for_each(|section| (section.hold)());
    let Some(runtime) = runtime else { return };
    runtime.hold_tables();
    runtime.segment().backing().hold();
    threads::hold_writers();
    *TWIN.lock() = Some(runtime.segment().twin(file));
}

/// A file for the child, beside the parent's file or, if that directory was removed, in the
/// directory for a new segment; none for a segment in private memory.
fn new_file(runtime: &Runtime) -> Option<File> {
    // Relaxed: a move that is under way is as good as a move after the fork
    let directory =
        runtime.directory.as_ref().filter(|_| !runtime.has_left_file.load(Ordering::Relaxed))?;
    platform::unnamed_file(directory)
        .ok()
        .or_else(|| platform::unnamed_file(&platform::segment_directory(None).ok()?).ok())
}

/// Opens the locks that `prepare` took, on either side. Returns the runtime that there was before
/// the fork.
///
/// # Safety
/// `prepare` took it, and this is the thread that ran it or its copy.
unsafe fn release_all() -> Option<&'static Runtime> {
    let runtime = existing();
    if runtime.is_some() {
        threads::let_writers_go();
    }
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        if let Some(runtime) = runtime {
            runtime.segment().backing().let_go();
            runtime.release_tables();
        }
        SECTIONS.held().iter().rev().for_each(|section| (section.release)());
        SECTIONS.let_go();
        MAKING.let_go();
    }
    runtime
}

extern "C" fn parent() {
    IS_UNDER_WAY.store(false, Ordering::Relaxed); // see `prepare`
    drop(TWIN.lock().take());
    // SAFETY: `prepare` ran on this thread.
    unsafe { release_all() };
}

/// Ends the fork in the child, if that has not happened. A library may run the interpreter's
/// handlers from a handler of its own, as uvloop does; if it registered first, these run before our
/// handler and need the locks that it opens.
pub fn end_in_child() {
    child();
}

extern "C" fn child() {
    // Relaxed: see `prepare`
    if !IS_UNDER_WAY.swap(false, Ordering::Relaxed) {
        return;
    }
    // SAFETY: `prepare` ran on the thread of which this is the copy.
    let Some(runtime) = (unsafe { release_all() }) else { return };
    let twin = TWIN.lock().take().unwrap_or(Twin::Nothing);
    // SAFETY: in the child only this thread runs, and the locks are open.
    drop(unsafe { runtime.segment().adopt(twin) });
    begin_in_child(runtime);
}

fn begin_in_child(runtime: &Runtime) {
    let header = runtime.segment().header();
    if runtime.directory.is_some() && !runtime.segment().has_file() {
        // keeps an earlier reason, of a child's child
        let mut reason = runtime.no_file.lock();
        if reason.is_empty() {
            *reason = NOT_RECORDED.to_owned();
        }
    }
    threads::set_barriers();
    runtime.deep.keep_only(threads::here());
    threads::keep_only_this(runtime);
    runtime.describe();
    atomic!(AtomicU32, header, viewers).store(0, Ordering::Relaxed);
    atomic!(AtomicU8, header, ending).store(Ending::NotYet as u8, Ordering::Relaxed);
    atomic!(AtomicU64, header, agent_cpu_nanos).store(0, Ordering::Relaxed);
    let sections = SECTIONS.lock().clone();
    sections.iter().rev().for_each(|section| (section.in_child)(runtime));
}
