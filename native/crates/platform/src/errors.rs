//! The system's errors, by their meaning.

use std::io::{self, Error};

/// The result of a system call that returns a negative number when it fails.
pub(crate) fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// There is no process, or no thread, with that number any more.
pub fn is_ended(error: &Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}

/// There is no memory or no address space for what was asked.
pub fn is_without_memory(error: &Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN))
}

/// The error of a system without memory, for what is not even tried.
pub fn out_of_memory() -> Error {
    Error::from_raw_os_error(libc::ENOMEM)
}

/// There is no descriptor, or no memory, for another connection now.
pub fn is_without_descriptors(error: &Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS))
}

/// Runs `body` and leaves the calling thread's `errno` as it was: the program reads it after calls
/// of its own.
pub fn keep_errno<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: the C library gives each thread a place of its own.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *place };
    let result = body();
    // SAFETY: as above.
    unsafe { *place = before };
    result
}
