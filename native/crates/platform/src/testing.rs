//! For tests: children of a fork, signals, limits, pipes, memory that cannot be read.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::ptr::NonNull;

use crate::errors::checked;
use crate::files::first_byte;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this number.
    Exit(i32),
    /// By the signal of an access behind a file's end.
    BusError,
    /// By another signal.
    Signal(i32),
}

/// A child of a fork that was not waited for.
pub struct Forked(libc::pid_t);

/// Runs `body` in a forked child, which ends with its result, or with 100 after a panic. The child
/// leaves by `_exit`: no destructor and no exit handler of the test program runs there.
///
/// Every test decides whether `body` takes a lock that another thread may have held at the fork.
pub fn fork(body: impl FnOnce() -> i32) -> Forked {
    // SAFETY: see above; whether the child may use the library is under test.
    match unsafe { libc::fork() } {
        0 => {
            let code = catch_unwind(AssertUnwindSafe(body)).unwrap_or(100);
            // SAFETY: ends the child.
            unsafe { libc::_exit(code) }
        }
        child => {
            assert!(child > 0, "{}", Error::last_os_error());
            Forked(child)
        }
    }
}

impl Forked {
    /// Waits for its end.
    pub fn end(self) -> End {
        let mut status = 0;
        // SAFETY: a child of ours, and a place for the status.
        assert_eq!(unsafe { libc::waitpid(self.0, &mut status, 0) }, self.0);
        match libc::WIFEXITED(status) {
            true => End::Exit(libc::WEXITSTATUS(status)),
            false if libc::WTERMSIG(status) == libc::SIGBUS => End::BusError,
            false => End::Signal(libc::WTERMSIG(status)),
        }
    }
}

/// The result of `body` in a forked child, 100 after a panic; fails when a signal ended it.
pub fn in_child(body: impl FnOnce() -> i32) -> i32 {
    match fork(body).end() {
        End::Exit(code) => code,
        end => panic!("the child ended by a signal: {end:?}"),
    }
}

/// Becomes user 65534 in a child of a fork. False: only root may.
pub fn become_nobody() -> bool {
    // SAFETY: no preconditions; the only thread of the child.
    unsafe { libc::setuid(65534) == 0 }
}

/// A signal to a child.
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum Signal {
    /// Stops it.
    Stop = libc::SIGSTOP,
    /// Continues it.
    Continue = libc::SIGCONT,
    /// Ends it.
    Kill = libc::SIGKILL,
}

/// Sends a signal to a child of ours.
pub fn signal(pid: u32, signal: Signal) {
    // SAFETY: plain numbers; the child has not been waited for.
    assert_eq!(unsafe { libc::kill(pid as libc::pid_t, signal as i32) }, 0);
}

/// Waits until a child that got the signal stands still.
pub fn wait_until_stopped(pid: u32) {
    let mut status = 0;
    // SAFETY: our child, and `status` outlives the call.
    unsafe { libc::waitpid(pid as libc::pid_t, &mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status));
}

/// A limit of this process.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Bytes of address space that it may take in addition.
    AddressSpace(u64),
    /// Open descriptors.
    Descriptors(u64),
    /// Bytes of a file.
    FileSize(u64),
}

/// Sets a limit from now on.
pub fn limit(limit: Limit) {
    let (kind, value) = match limit {
        Limit::AddressSpace(more) => (libc::RLIMIT_AS, memory_bytes(0) + more),
        Limit::Descriptors(number) => (libc::RLIMIT_NOFILE, number),
        Limit::FileSize(bytes) => (libc::RLIMIT_FSIZE, bytes),
    };
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: a limit of ours.
    assert_eq!(unsafe { libc::setrlimit(kind, &limit) }, 0);
}

/// Has a file beyond the limit of sizes end the process, as in a program that is not Python.
pub fn end_at_the_limit_of_file_sizes() {
    // SAFETY: the default is a handler of any program.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_DFL) };
}

/// Memory of this process that is in use, bytes.
pub fn resident_bytes() -> u64 {
    memory_bytes(1)
}

fn memory_bytes(column: usize) -> u64 {
    let text = fs::read_to_string("/proc/self/statm").expect("the system says it");
    let pages = text.split_whitespace().nth(column).map(str::parse::<u64>);
    pages.expect("a column").expect("a number") * 4096
}

/// Open sockets of this process.
pub fn open_sockets() -> usize {
    let open = fs::read_dir("/proc/self/fd").expect("a list").flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

/// Makes a named pipe.
pub fn make_pipe(path: &Path) {
    let name = CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: a path that ends with NUL.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
}

/// Takes the lock of a segment's living process.
pub fn lock_first_byte(file: &File) {
    let lock = first_byte(libc::F_WRLCK);
    // SAFETY: the descriptor is open and `lock` outlives the call.
    let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) };
    checked(locked).expect("a free lock");
}

/// Reads a byte behind a file's end through a mapping, which raises the signal.
pub fn read_behind_the_end(file: &File) -> u8 {
    let length = file.metadata().expect("a file").len();
    let far = length.next_multiple_of(4096) as i64 + 4096;
    let (protection, fd) = (libc::PROT_READ, file.as_raw_fd());
    let any = std::ptr::null_mut();
    // SAFETY: a new mapping behind the file's end, read once; the signal is under test.
    unsafe {
        let place = libc::mmap(any, 4096, protection, libc::MAP_SHARED, fd, far);
        assert_ne!(place, libc::MAP_FAILED);
        place.cast::<u8>().read_volatile()
    }
}

/// Loads a library, which stays, and returns the address of one of its functions.
pub fn function_of(library: &Path, name: &str) -> usize {
    let path = CString::new(library.as_os_str().as_bytes()).expect("a path");
    let name = CString::new(name).expect("a name");
    // SAFETY: the library is a test's own; its constructors do nothing.
    let loaded = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!loaded.is_null(), "{} can be loaded", library.display());
    // SAFETY: a library that is loaded, and a name.
    let address = unsafe { libc::dlsym(loaded, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?} is there");
    address as usize
}

/// Memory that cannot be written to, all of it private and executable.
pub fn map_executable(length: usize) -> NonNull<u8> {
    let place = crate::map(None, length).expect("address space");
    protect(place, length, libc::PROT_READ | libc::PROT_EXEC);
    place
}

/// Allows writing to memory of ours.
///
/// # Safety
/// Whole pages of a mapping.
pub unsafe fn allow_writing(place: NonNull<u8>, length: usize) {
    protect(place, length, libc::PROT_READ | libc::PROT_WRITE);
}

/// Forbids any access to memory of ours.
///
/// # Safety
/// Whole pages of a mapping, to which nothing refers.
pub unsafe fn forbid_access(place: NonNull<u8>, length: usize) {
    protect(place, length, libc::PROT_NONE);
}

fn protect(place: NonNull<u8>, length: usize, protection: libc::c_int) {
    // SAFETY: the promise of the callers of this module's functions.
    assert_eq!(unsafe { libc::mprotect(place.as_ptr().cast(), length, protection) }, 0);
}
