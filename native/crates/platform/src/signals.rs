//! The signal of an access to a mapping behind its file's end (`SIGBUS`).

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers whether the access to the address can be tried again.
pub type Rescue = fn(usize) -> bool;

/// The handler that there was before. Written before ours is set, and only read while ours is.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: see the field's rule; the callers of `watch_bus_errors` take turns.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::zeroed()));
/// A [`Rescue`]; 0: none was set yet.
static RESCUE: AtomicUsize = AtomicUsize::new(0);

/// Sets the handler. False: the system refused.
///
/// # Safety
/// No other thread sets or removes the handler meanwhile, and it is not set. `rescue` is
/// async-signal-safe.
pub unsafe fn watch_bus_errors(rescue: Rescue) -> bool {
    // Relaxed: setting the handler publishes it.
    RESCUE.store(rescue as usize, Ordering::Relaxed);
    // SAFETY: all zero is a sigaction; both places are ours, and the handler is async-signal-safe.
    unsafe {
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = on_bus_error as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGBUS, std::ptr::null(), BEFORE.0.get().cast()) == 0
            && libc::sigaction(libc::SIGBUS, &ours, std::ptr::null_mut()) == 0
    }
}

/// Removes the handler. False: the program has set another since, which may call ours.
///
/// # Safety
/// No other thread sets or removes the handler meanwhile, and it is set.
pub unsafe fn unwatch_bus_errors() -> bool {
    let is_ours = bus_handler() == on_bus_error as *const () as usize;
    if is_ours {
        // SAFETY: `watch_bus_errors` filled it.
        unsafe { libc::sigaction(libc::SIGBUS, BEFORE.0.get().cast(), std::ptr::null_mut()) };
    }
    is_ours
}

/// Address of the handler that is set now.
pub fn bus_handler() -> usize {
    // SAFETY: all zero is a sigaction, and the place is ours.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut found);
        found.sa_sigaction
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

fn rescue(address: usize) -> bool {
    // Relaxed: see `watch_bus_errors`.
    let rescue = RESCUE.load(Ordering::Relaxed);
    // SAFETY: the handler runs only after a `Rescue` was stored.
    rescue != 0 && unsafe { std::mem::transmute::<usize, Rescue>(rescue) }(address)
}

/// As if ours were not there. The default ends the process when the access is tried again.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: `watch_bus_errors` filled it before this handler was set.
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
