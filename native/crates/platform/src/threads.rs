//! Threads of this process: the calling thread, new threads, and what the others do.

use std::fs;
use std::io::{self, ErrorKind};
use std::ptr;
use std::thread::{Builder, JoinHandle};

use crate::errors::is_ended;

/// Stack of a thread that runs nothing but this library.
pub const OWN_STACK_BYTES: usize = 1 << 20;
/// Stack of a thread that runs close methods and destructors of the application and of its
/// interpreter.
pub const FOREIGN_STACK_BYTES: usize = 8 << 20;

/// Kernel id of the calling thread.
#[inline]
pub fn thread_id() -> u32 {
    // SAFETY: gettid has no preconditions.
    (unsafe { libc::syscall(libc::SYS_gettid) }) as u32
}

/// The system's name of the calling thread. No file is opened for it, so no number of the program's
/// table is used.
pub fn thread_name() -> String {
    let mut name = [0_u8; 16];
    // SAFETY: the kernel writes at most 16 bytes, the last of them 0.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    let length = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..length]).into_owned()
}

/// Starts a thread that gets no signal of the application: signals must interrupt the application's
/// own threads.
pub fn spawn(
    name: &str,
    stack_bytes: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    // SAFETY: a signal set is a C array of integers; sigfillset initialises it.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: both sets outlive the calls. A new thread inherits the mask.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let spawned = Builder::new().name(name.into()).stack_size(stack_bytes).spawn(body);
    // SAFETY: `before` was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
    spawned
}

/// Ids of the threads of this process; None: they cannot be listed, or are more than `most`.
pub fn all_ids(most: usize) -> Option<Vec<u32>> {
    let found = fs::read_dir("/proc/self/task").ok()?.take(most + 1);
    let ids: Option<Vec<u32>> =
        found.map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    ids.filter(|ids| ids.len() <= most)
}

/// Processor time of a thread of this process, nanoseconds; 0: unknown.
pub fn used_nanos(tid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// The state of a thread of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It has ended.
    Ended,
    /// It runs, or could run.
    Running,
    /// It waits in the kernel.
    Waiting {
        /// Its stack pointer.
        stack: usize,
        /// Address of its next instruction.
        at: usize,
    },
    /// The system does not say.
    Unknown,
}

/// The state of thread `tid`.
pub fn doing(tid: u32) -> Doing {
    match fs::read_to_string(format!("/proc/self/task/{tid}/syscall")) {
        Ok(text) => doing_of(&text),
        Err(error) if is_ended(&error) || error.kind() == ErrorKind::NotFound => Doing::Ended,
        Err(_) => Doing::Unknown,
    }
}

/// The state in a text of `/proc/self/task/<tid>/syscall`, which ends with the stack pointer and
/// the instruction.
fn doing_of(text: &str) -> Doing {
    if text.starts_with("running") {
        return Doing::Running;
    }
    let numbers = text
        .split_whitespace()
        .map(|word| usize::from_str_radix(word.trim_start_matches("0x"), 16));
    match numbers.collect::<Vec<_>>().last_chunk::<2>() {
        Some(&[Ok(stack), Ok(at)]) => Doing::Waiting { stack, at },
        _ => Doing::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_thread_is_read_from_the_systems_text() {
        let waits = doing_of("35 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe10 0x40\n");
        assert_eq!(waits, Doing::Waiting { stack: 0x7ffe10, at: 0x40 });
        assert_eq!(doing_of("running\n"), Doing::Running);
        assert_eq!(doing_of("nonsense"), Doing::Unknown);
        assert_eq!(doing_of("more nonsense"), Doing::Unknown);
        assert_eq!(doing(u32::MAX >> 2), Doing::Ended);
    }

    #[test]
    fn threads_are_listed_up_to_a_number() {
        let ids = all_ids(usize::MAX >> 1).expect("a list");
        assert!(ids.contains(&thread_id()));
        assert_eq!(all_ids(0), None);
    }
}
