//! The rescue from a truncated file: when another process truncates the segment's file while it is
//! mapped, the next access raises SIGBUS, which would end the program.
//!
//! While the agent runs, a handler replaces the mapping with private memory instead. The old
//! content is lost: earlier handles are stale, new handles work, and viewers see a damaged segment.
//! Every other SIGBUS is passed to the earlier handler.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};

use crate::fork::{Rank, Section};
use crate::runtime::existing;
use segment::primitive::wait_a_turn;
use segment::sync::Lock;

const WHOLE: u8 = 0;
const LOSING: u8 = 1;
const LOST: u8 = 2;

/// The state of the mapping.
static STATE: AtomicU8 = AtomicU8::new(WHOLE);
/// Signals that came after the loss: of threads whose access failed before it.
static LATE: AtomicU32 = AtomicU32::new(0);
const MOST_LATE: u32 = 10_000;
/// Whether the handler is set.
static IS_SET: Lock<bool> = Lock::new(false);

/// The handler that there was before. Written before ours is set, and only read while ours is.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: see the field's rule; `IS_SET` keeps two from writing it at once.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::zeroed()));

static SECTION: Section = Section::new(Rank::Rescue, || IS_SET.hold(), release, |_| begin_whole());

/// # Safety
/// After `IS_SET.hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { IS_SET.let_go() };
}

/// Sets the handler; does nothing when it is set.
pub fn watch() {
    SECTION.join();
    let mut is_set = IS_SET.lock();
    if !*is_set {
        // SAFETY: all zero is a sigaction; both places are ours, and the handler is
        // async-signal-safe.
        *is_set = unsafe {
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = on_bus_error as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGBUS, std::ptr::null(), BEFORE.0.get().cast()) == 0
                && libc::sigaction(libc::SIGBUS, &ours, std::ptr::null_mut()) == 0
        };
    }
}

/// Takes the handler off, unless the program has set another since, which may call ours.
pub fn unwatch() {
    SECTION.join();
    let mut is_set = IS_SET.lock();
    if *is_set && is_ours() {
        // SAFETY: `watch` filled it.
        unsafe { libc::sigaction(libc::SIGBUS, BEFORE.0.get().cast(), std::ptr::null_mut()) };
        *is_set = false;
    }
}

/// In a forked child, which has a mapping of its own.
fn begin_whole() {
    // Relaxed: there is no other thread
    STATE.store(WHOLE, Ordering::Relaxed);
    LATE.store(0, Ordering::Relaxed);
}

fn is_ours() -> bool {
    // SAFETY: all zero is a sigaction, and the place is ours.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut found);
        found.sa_sigaction == on_bus_error as *const () as usize
    }
}

extern "C" fn on_bus_error(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a siginfo that lives through the call.
    let (address, is_fault) = unsafe { ((*info).si_addr() as usize, (*info).si_code > 0) };
    let is_rescued = is_fault && rescue(address);
    if !is_rescued {
        pass_on(signal, info, context);
    }
}

/// Whether the access that failed can be tried again.
fn rescue(address: usize) -> bool {
    let Some(segment) =
        existing().map(|runtime| runtime.segment()).filter(|segment| segment.holds(address))
    else {
        return false;
    };
    // AcqRel, Acquire and Release: a later thread sees the memory that the first thread made
    match STATE.compare_exchange(WHOLE, LOSING, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            segment.lose();
            STATE.store(LOST, Ordering::Release);
            true
        }
        Err(LOSING) => {
            let mut turn = 0;
            while STATE.load(Ordering::Acquire) == LOSING {
                wait_a_turn(turn);
                turn += 1;
            }
            true
        }
        // Relaxed: it is only a count. The access failed before that, and the signal came only now;
        // not for ever, should it have another cause
        Err(_) => LATE.fetch_add(1, Ordering::Relaxed) < MOST_LATE,
    }
}

/// As if ours were not there. The default ends the process when the access is tried again.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: `watch` filled it before this handler was set.
    let before = unsafe { (*BEFORE.0.get()).assume_init_ref() };
    match before.sa_sigaction {
        libc::SIG_IGN => {}
        // SAFETY: the default, for a signal that is blocked here and comes again when this returns.
        libc::SIG_DFL => unsafe {
            libc::sigaction(signal, before, std::ptr::null_mut());
            libc::raise(signal);
        },
        handler => {
            type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: a function of three arguments or, without the flag, of the first alone, which
            // on our processors may be called alike.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            handler(signal, info, context);
        }
    }
}
