//! A fork: the child continues with a segment of its own and never writes to the parent's.
//!
//! Before the fork all locks are taken, all writers of rows held up, and everything in use is
//! copied (see `segment::Twin`). The parent throws the copy away; the child maps it over the
//! parent's segment. Only the forking thread lives on there: the pins and free rows of the other
//! threads are removed, and so is their part in pending closes. A child without room for the copy
//! runs on as well, and is not recorded.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::atomic;
use crate::layout::Ending;
use crate::ownership::in_flight;
use crate::platform;
use crate::rescue;
use crate::runtime::{existing, Runtime, MAKING};
use crate::segment::Twin;
use crate::sync::Lock;
use crate::threads;

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
        // without memory for a handler there is nothing to be done: a child would then share the parent's segment
        let _ = platform::on_fork(prepare, parent, child);
    }
}

/// Always in this order; sections nest in no other.
fn hold_locks(runtime: &Runtime) {
    crate::agent::hold();
    crate::moving::hold();
    runtime.name.hold();
    runtime.lives.hold();
    hold_tables(runtime);
    runtime.segment().backing().hold();
}

/// The locks of everything that lies in the segment and is no row.
pub(crate) fn hold_tables(runtime: &Runtime) {
    runtime.types.hold();
    runtime.sites.hold();
    runtime.threads.hold();
    runtime.labels.hold();
    in_flight::hold();
    runtime.rings.hold();
    runtime.table.hold();
    runtime.deep.hold();
}

/// # Safety
/// After `hold_locks`, by the same thread or its copy in the child.
unsafe fn let_locks_go(runtime: &Runtime) {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        runtime.segment().backing().let_go();
        let_tables_go(runtime);
        runtime.lives.let_go();
        runtime.name.let_go();
        crate::moving::let_go();
        crate::agent::let_go();
    }
}

/// # Safety
/// After `hold_tables`, by the same thread or its copy in the child.
pub(crate) unsafe fn let_tables_go(runtime: &Runtime) {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        runtime.deep.let_go();
        runtime.table.let_go();
        runtime.rings.let_go();
        in_flight::let_go();
        runtime.labels.let_go();
        runtime.threads.let_go();
        runtime.sites.let_go();
        runtime.types.let_go();
    }
}

extern "C" fn prepare() {
    MAKING.hold();
    IS_UNDER_WAY.store(true, Ordering::Relaxed); // read by this thread or its copy only
    let Some(runtime) = existing() else { return };
    // a thread without a slot must not be enrolled half-way through
    threads::here();
    let file = new_file(runtime);
    hold_locks(runtime);
    threads::hold_writers(runtime);
    *TWIN.lock() = Some(runtime.segment().twin(file));
}

/// A file for the child, beside the parent's file or, if that directory was removed, in the
/// directory for a new segment; none for a segment in private memory.
fn new_file(runtime: &Runtime) -> Option<File> {
    let directory = runtime.directory.as_ref().filter(|_| !crate::moving::is_left())?;
    platform::unnamed_file(directory).ok().or_else(|| platform::unnamed_file(&platform::segment_directory(None).ok()?).ok())
}

/// The runtime that there was before the fork.
///
/// # Safety
/// `prepare` took the lock that this opens.
unsafe fn after_making() -> Option<&'static Runtime> {
    let runtime = existing();
    // SAFETY: the caller's promise.
    unsafe { MAKING.let_go() };
    runtime
}

extern "C" fn parent() {
    IS_UNDER_WAY.store(false, Ordering::Relaxed); // see `prepare`
                                                  // SAFETY: `prepare` took it. No thread can make a
                                                  // runtime before the end of this.
    let Some(runtime) = (unsafe { after_making() }) else { return };
    drop(TWIN.lock().take());
    threads::let_writers_go();
    // SAFETY: `prepare` took them.
    unsafe { let_locks_go(runtime) };
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
    // SAFETY: as in `parent`, and this thread is the copy of the thread that took it.
    let Some(runtime) = (unsafe { after_making() }) else { return };
    threads::let_writers_go();
    // SAFETY: `prepare` took them, and this thread is its copy.
    unsafe { let_locks_go(runtime) };
    let twin = TWIN.lock().take().unwrap_or(Twin::Nothing);
    // SAFETY: in the child only this thread runs, and the locks are open.
    drop(unsafe { runtime.segment().adopt(twin) });
    rescue::after_fork();
    begin_anew(runtime);
}

fn begin_anew(runtime: &Runtime) {
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
    runtime.lives.keep_only_this(runtime);
    runtime.describe();
    atomic!(AtomicU32, header, viewers).store(0, Ordering::Relaxed);
    atomic!(AtomicU8, header, ending).store(Ending::NotYet as u8, Ordering::Relaxed);
    atomic!(AtomicU64, header, agent_cpu_nanos).store(0, Ordering::Relaxed);
    crate::agent::after_fork(runtime);
}
