//! Waiting on a word of memory.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::clocks::timespec;

/// Sleeps while `word` is `seen`, at most `timeout`. May wake without a reason.
pub(crate) fn wait(word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
    let span = timeout.map(timespec);
    let span = span.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let how = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the span outlive the call; every caller looks again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), how, seen, span) };
}

/// Wakes all threads that sleep on `word`.
pub(crate) fn wake(word: &AtomicU32) {
    // SAFETY: the word is alive; nothing else is touched.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            libc::c_int::MAX,
        )
    };
}
