//! System calls by number, and the table of descriptors of the calling thread.

use std::ffi::CString;
use std::fs;
use std::io::{self, Error};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::errors::checked;

const CLOSE_RANGE_UNSHARE: libc::c_uint = 2;

/// A system call: its number and its arguments; unused arguments are 0.
pub(super) type Call = (libc::c_long, [usize; 6]);

/// A system call by number. Returns the call's result; a negative error number when it failed.
///
/// # Safety
/// The call with these arguments is sound.
pub(super) unsafe fn raw_call((number, arguments): Call) -> isize {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    // SAFETY: the caller's promise.
    let result = unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    if result == -1 {
        return -(Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) as isize);
    }
    result as isize
}

/// The result of `fstat` for a descriptor in the calling thread's table.
pub(super) fn stat_of(number: RawFd) -> io::Result<libc::stat> {
    // SAFETY: a C struct of integers, for which zeros are valid.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `found` is a place for the answer; any number may be asked for.
    checked(unsafe { libc::fstat(number, &mut found) })?;
    Ok(found)
}

/// The names with which `linkat` gives the calling thread's descriptor `number` the name `path`.
pub(super) fn link_names(number: RawFd, path: &Path) -> io::Result<(CString, CString)> {
    Ok((
        CString::new(format!("/proc/thread-self/fd/{number}"))?,
        CString::new(path.as_os_str().as_bytes())?,
    ))
}

/// Gives the calling thread an empty descriptor table of its own. Nothing is closed for other
/// threads.
///
/// # Errors
/// The system's, where a sandbox forbids it.
pub(super) fn unshare_descriptors() -> io::Result<()> {
    // SAFETY: only the calling thread loses descriptors, and it uses none.
    match checked(unsafe {
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, CLOSE_RANGE_UNSHARE)
    } as libc::c_int)
    {
        // before Linux 5.9
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => unshare_and_close(),
        other => other.map(drop),
    }
}

/// As `unshare_descriptors`: copies the table and closes the copies.
fn unshare_and_close() -> io::Result<()> {
    // SAFETY: only the calling thread has another table from now on.
    checked(unsafe { libc::unshare(libc::CLONE_FILES) })?;
    let open = fs::read_dir("/proc/thread-self/fd")?.flatten();
    let numbers: Vec<RawFd> =
        open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers {
        // SAFETY: the copies are this thread's, and it uses none. The number that the listing had
        // is closed already.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Whether `unshare_descriptors` may be tried: a seccomp filter may end a process for a call that
/// it does not know.
///
/// A filter that the first process of the container has as well comes from the container's runtime.
/// Container runtimes refuse with an error.
pub(super) fn may_unshare_descriptors() -> bool {
    let ours = seccomp_of("/proc/self/status");
    match ours.as_ref().map(|(mode, _)| mode.as_str()) {
        // a kernel without seccomp
        None => fs::metadata("/proc/self/status").is_ok(),
        Some("0") => true,
        Some("2") => ours == seccomp_of("/proc/1/status"),
        Some(_) => false,
    }
}

/// Mode and number of filters of a process.
fn seccomp_of(path: &str) -> Option<(String, Option<String>)> {
    let status = fs::read_to_string(path).ok()?;
    let field = |name: &str| {
        status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    Some((field("Seccomp:")?, field("Seccomp_filters:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_descriptors_leaves_those_of_the_others_open() {
        let open = fs::File::open("/proc/self/status").expect("a file");
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        for unshare in [unshare_descriptors, unshare_and_close] {
            let is_closed =
                std::thread::spawn(move || unshare().is_ok() && stat_of(number).is_err()).join();
            assert!(is_closed.is_ok_and(|is_closed| is_closed));
            assert!(stat_of(number).is_ok());
        }
    }
}
