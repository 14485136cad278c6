//! This process and others: numbers, start, fork, permission to trace.

use std::fs;
use std::io::{self, Error, ErrorKind};
use std::path::PathBuf;

/// Effective user id.
pub fn user_id() -> u32 {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() }
}

/// Process id in our own namespace.
pub fn process_id() -> u32 {
    std::process::id()
}

/// Field 22 of `/proc/<pid>/stat`: when the process started, in clock ticks since boot.
pub fn start_time(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // the command in parentheses may hold anything, so count from its last parenthesis; field 3
    // follows it
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after
        .split_whitespace()
        .nth(19)
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidData, "no start time in /proc/<pid>/stat"))
}

/// The file system as process `pid` sees it.
pub fn root_of(pid: u32) -> PathBuf {
    format!("/proc/{pid}/root").into()
}

/// The program of process `pid`, also if its file was deleted.
pub fn executable_of(pid: u32) -> PathBuf {
    format!("/proc/{pid}/exe").into()
}

/// The file of the mapping between two addresses of process `pid`, also if the file was deleted.
/// For privileged processes.
pub fn mapped_file_of(pid: u32, low: u64, high: u64) -> PathBuf {
    format!("/proc/{pid}/map_files/{low:x}-{high:x}").into()
}

/// Has the C library call these around each fork: before it, and after it in the parent and in the
/// child.
pub fn on_fork(
    prepare: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
) -> io::Result<()> {
    // SAFETY: the three are functions of this library, which is never unloaded while they are
    // registered (glibc forgets handlers of a library that is unloaded).
    match unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) } {
        0 => Ok(()),
        code => Err(Error::from_raw_os_error(code)),
    }
}

/// Lets process `pid` trace us where Yama would not. Without Yama nothing has to be allowed, and
/// the system knows no such request.
pub fn allow_tracer(pid: u32) -> io::Result<()> {
    // SAFETY: plain numbers.
    let status = unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::c_ulong::from(pid), 0, 0, 0) };
    let error = Error::last_os_error();
    if status != 0 && error.raw_os_error() != Some(libc::EINVAL) {
        return Err(error);
    }
    Ok(())
}

/// Has `body` run when the process exits, before its libraries are unloaded.
pub fn at_exit(body: extern "C" fn()) {
    // SAFETY: a function that stays; without memory for it the viewer sees a process that was
    // killed
    unsafe { libc::atexit(body) };
}
