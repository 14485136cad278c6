//! Everything that is specific to Linux: unnamed files, advisory locks, thread names, barriers,
//! fork, reading our own memory.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Error, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use super::limits;

const PAGE_BYTES: usize = 4096;
const MADV_POPULATE_WRITE: libc::c_int = 23;

pub(super) fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Effective user id.
pub fn user_id() -> u32 {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() }
}

/// Process id in our own namespace.
pub fn process_id() -> u32 {
    std::process::id()
}

/// Kernel id of the calling thread.
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

/// `CLOCK_MONOTONIC`, nanoseconds.
pub fn monotonic_nanos() -> u64 {
    clock_nanos(libc::CLOCK_MONOTONIC)
}

/// Wall clock, nanoseconds since 1970.
pub fn unix_nanos() -> u64 {
    clock_nanos(libc::CLOCK_REALTIME)
}

/// CPU time of the calling thread, nanoseconds.
pub fn thread_cpu_nanos() -> u64 {
    clock_nanos(libc::CLOCK_THREAD_CPUTIME_ID)
}

pub(super) fn clock_nanos(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of ours.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The directory of segments: `explicit`, or `arc-inspector-<uid>` in the first of
/// `$XDG_RUNTIME_DIR`, `/dev/shm` and the temp dir that takes it. Made 0700; refused when it is a
/// symlink, belongs to another user or admits other users.
pub fn segment_directory(explicit: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(path) = explicit {
        return private_directory(path).map(|()| path.to_owned());
    }
    let name = format!("arc-inspector-{}", user_id());
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut refusal = Error::new(ErrorKind::NotFound, "no directory for segments");
    for parent in runtime.into_iter().chain([PathBuf::from("/dev/shm"), std::env::temp_dir()]) {
        let path = parent.join(&name);
        match private_directory(&path) {
            Ok(()) => return Ok(path),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn private_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(named(&error, path)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(|error| named(&error, path))?;
    let reason = if !found.is_dir() {
        "not a directory of our own (a symlink is not followed)"
    } else if found.uid() != user_id() {
        "belongs to another user"
    } else if found.mode() & 0o077 != 0 {
        "other users may enter it"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::PermissionDenied, format!("{reason}: {}", path.display())))
}

fn named(error: &Error, path: &Path) -> Error {
    Error::new(error.kind(), format!("{error}: {}", path.display()))
}

/// A file without a name in `directory`, 0600.
pub fn unnamed_file(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC)
        .open(directory)
        .map_err(|error| named(&error, directory))
}

/// Reserves bytes of a file, so that writing to them through a mapping cannot fail. Never shrinks.
pub fn allocate(file: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<()> {
    loop {
        // SAFETY: the descriptor is open.
        let result = unsafe {
            libc::fallocate(
                file.as_raw_fd(),
                libc::FALLOC_FL_KEEP_SIZE,
                offset as i64,
                length as i64,
            )
        };
        match checked(result) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.map(drop),
        }
    }
}

/// Makes a file that long; an error, instead of the signal that ends the process, when it may have
/// no files of that size.
pub fn resize(file: BorrowedFd<'_>, bytes: u64) -> io::Result<()> {
    if let Some(limit) = limits::of(libc::RLIMIT_FSIZE).filter(|&limit| bytes > limit) {
        let text = format!(
            "the limit of file sizes is {} KiB (ulimit -f), and a segment's file takes {}",
            limit >> 10,
            bytes >> 10
        );
        return Err(Error::new(ErrorKind::FileTooLarge, text));
    }
    // SAFETY: the descriptor is open.
    checked(unsafe { libc::ftruncate(file.as_raw_fd(), bytes as i64) }).map(drop)
}

/// Writes memory to a file, which needs no second mapping.
///
/// # Safety
/// `from` points to `length` readable bytes; other threads may write to them meanwhile.
pub unsafe fn write_memory(
    file: BorrowedFd<'_>,
    offset: u64,
    from: *const u8,
    length: usize,
) -> io::Result<()> {
    whole(length, |done| {
        // SAFETY: within the caller's bytes.
        unsafe {
            libc::pwrite(
                file.as_raw_fd(),
                from.add(done).cast(),
                length - done,
                (offset + done as u64) as i64,
            )
        }
    })
}

/// Reads from a file into memory.
///
/// # Safety
/// `into` points to `length` writable bytes that no other code uses.
pub unsafe fn read_memory(
    file: BorrowedFd<'_>,
    offset: u64,
    into: *mut u8,
    length: usize,
) -> io::Result<()> {
    whole(length, |done| {
        // SAFETY: within the caller's bytes.
        unsafe {
            libc::pread(
                file.as_raw_fd(),
                into.add(done).cast(),
                length - done,
                (offset + done as u64) as i64,
            )
        }
    })
}

/// Moves `length` bytes by a call that moves some of them, from the given number on.
fn whole(length: usize, mut some: impl FnMut(usize) -> isize) -> io::Result<()> {
    let mut done = 0;
    while done < length {
        match some(done) {
            0 => return Err(Error::from(ErrorKind::UnexpectedEof)),
            moved if moved > 0 => done += moved as usize,
            _ if Error::last_os_error().kind() == ErrorKind::Interrupted => {}
            _ => return Err(Error::last_os_error()),
        }
    }
    Ok(())
}

/// Reserves bytes of a mapping and, when it is shared, of its file, so that writing to them cannot
/// fail. Needs no descriptor.
///
/// # Errors
/// The system's: the file system is full, or there is no memory.
///
/// # Safety
/// The range lies in a mapping that may be written to, and nothing was written to it yet.
pub unsafe fn populate(from: NonNull<u8>, length: usize) -> io::Result<()> {
    let page = from.as_ptr() as usize & !(PAGE_BYTES - 1);
    let until = (from.as_ptr() as usize + length).next_multiple_of(PAGE_BYTES);
    loop {
        // SAFETY: the caller's promise; pages that are there already stay as they are.
        let result =
            unsafe { libc::madvise(page as *mut libc::c_void, until - page, MADV_POPULATE_WRITE) };
        match checked(result) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // before Linux 5.14
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                // SAFETY: the caller's promise.
                return (page..until)
                    .step_by(PAGE_BYTES)
                    .try_for_each(|page| unsafe { touch(page) });
            }
            other => return other.map(drop),
        }
    }
}

/// Makes the kernel write to a page: an access that would raise a signal here is an error there.
///
/// # Safety
/// Nothing was written to the page yet.
unsafe fn touch(page: usize) -> io::Result<()> {
    let place = page as *mut libc::sigset_t;
    // SAFETY: nothing is blocked or unblocked; the kernel checks the place, to which it writes the
    // mask of 8 bytes.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            std::ptr::null::<libc::sigset_t>(),
            place,
            8,
        )
    };
    checked(result as libc::c_int)?;
    // SAFETY: the page is there now.
    unsafe { place.cast::<u64>().write(0) };
    Ok(())
}

/// A mapping of `length` bytes: of `file`, shared, or private memory that is committed as it is
/// touched.
pub fn map(file: Option<BorrowedFd<'_>>, length: usize) -> io::Result<NonNull<u8>> {
    let (flags, fd) = match file {
        Some(file) => (libc::MAP_SHARED, file.as_raw_fd()),
        None => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1),
    };
    // SAFETY: a new mapping wherever the kernel likes touches no memory of ours.
    let address = unsafe {
        libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0)
    };
    if address == libc::MAP_FAILED {
        return Err(Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| Error::from(ErrorKind::OutOfMemory))
}

/// Ends a mapping.
///
/// # Safety
/// `map` made it with this length, and nothing refers to it any more.
pub unsafe fn unmap(address: NonNull<u8>, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(address.as_ptr().cast(), length) };
}

/// Maps `file`, shared, or fresh private memory over the mapping at `address`, which ends. Takes no
/// address space. Async-signal-safe.
///
/// # Safety
/// The range is one whole mapping that `map` made; no code relies on its content.
pub unsafe fn map_over(
    address: NonNull<u8>,
    length: usize,
    file: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let fixed = libc::MAP_FIXED | libc::MAP_NORESERVE;
    let private = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | fixed, -1);
    // does not count where data is limited
    let unnamed = (libc::MAP_SHARED | libc::MAP_ANONYMOUS | fixed, -1);
    let ways =
        file.map_or([private, unnamed], |file| [(libc::MAP_SHARED | fixed, file.as_raw_fd()); 2]);
    let mut result = Ok(());
    for (flags, fd) in ways {
        // SAFETY: the caller's promise.
        let mapped = unsafe {
            libc::mmap(
                address.as_ptr().cast(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                fd,
                0,
            )
        };
        if mapped != libc::MAP_FAILED {
            return Ok(());
        }
        result = Err(Error::last_os_error());
    }
    result
}

/// Moves the mapping at `from` over the one at `to`, which ends.
///
/// # Safety
/// `map` made both with this length; writes of other threads to the mapping at `to` may be lost
/// meanwhile.
pub unsafe fn replace_mapping(from: NonNull<u8>, to: NonNull<u8>, length: usize) -> io::Result<()> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the caller's promise: both are whole mappings of ours.
    let address = unsafe { libc::mremap(from.as_ptr().cast(), length, length, flags, to.as_ptr()) };
    if address == libc::MAP_FAILED {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// Has every write to the mapping fail from now on.
///
/// # Safety
/// `map` made it with this length.
pub unsafe fn forbid_writing(address: NonNull<u8>, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::mprotect(address.as_ptr().cast(), length, libc::PROT_READ) };
}

/// The first byte of a file, to be locked.
pub fn first_byte(kind: libc::c_int) -> libc::flock {
    // SAFETY: all fields of flock are integers, for which zero is a value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_len = 1;
    lock
}

/// Whether another open file has the lock on byte 0: the segment's process lives.
pub fn is_locked(file: &impl AsRawFd) -> io::Result<bool> {
    let mut lock = first_byte(libc::F_WRLCK);
    // SAFETY: the descriptor is open, `lock` is an initialised flock.
    checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &mut lock) })?;
    Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK as libc::c_int)
}

/// Bytes that are free for this user in the file system of a directory, and its total size.
pub fn space(directory: &Path) -> io::Result<(u64, u64)> {
    let path = CString::new(directory.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path is NUL-terminated; the kernel fills the record when it answers 0.
    let found = unsafe {
        checked(libc::statvfs(path.as_ptr(), found.as_mut_ptr()))?;
        found.assume_init()
    };
    Ok((
        found.f_bavail.saturating_mul(found.f_frsize),
        found.f_blocks.saturating_mul(found.f_frsize),
    ))
}

/// Opens an existing file for reading, never through a symlink and never waiting for a fifo.
pub fn open_plainly(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)
}

/// Makes [`barrier_everywhere`] possible for this process; an error on kernels before 4.14.
pub fn prepare_barriers() -> io::Result<()> {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// Every thread of this process passes a full memory barrier before this returns.
pub fn barrier_everywhere() -> io::Result<()> {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

fn membarrier(command: libc::c_int) -> io::Result<()> {
    // SAFETY: membarrier reads no memory of ours.
    checked(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } as libc::c_int).map(drop)
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

/// Reads our own memory without trusting the addresses: fills `into` part by part from `from`,
/// stopping before the first address that is not readable. Returns the bytes read. At most 1,024
/// parts a call.
///
/// # Safety
/// Each part of `into` is writable memory of the caller's.
pub unsafe fn read_own_memory(into: &[libc::iovec], from: &[libc::iovec]) -> io::Result<usize> {
    let pid = process_id() as libc::pid_t;
    // SAFETY: the caller's promise for `into`; the kernel checks `from`.
    let read = unsafe {
        libc::process_vm_readv(
            pid,
            into.as_ptr(),
            into.len() as libc::c_ulong,
            from.as_ptr(),
            from.len() as libc::c_ulong,
            0,
        )
    };
    if read < 0 {
        return Err(Error::last_os_error());
    }
    Ok(read as usize)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    type Reserve = unsafe fn(NonNull<u8>, usize) -> io::Result<()>;

    /// As `populate`, where the system has no such advice.
    unsafe fn touched(from: NonNull<u8>, _length: usize) -> io::Result<()> {
        // SAFETY: the promise of the caller.
        unsafe { touch(from.as_ptr() as usize) }
    }

    #[test]
    fn pages_are_reserved_without_a_descriptor_and_a_page_that_cannot_be_had_is_an_error() {
        for reserve in [populate as Reserve, touched as Reserve] {
            let file = unnamed_file(&std::env::temp_dir()).expect("a file");
            file.set_len(PAGE_BYTES as u64).expect("room");
            let pages = map(Some(file.as_fd()), 2 * PAGE_BYTES).expect("address space");
            // SAFETY: both pages lie in the mapping, the second beyond the file's end.
            let [first, second] =
                [0, PAGE_BYTES].map(|at| unsafe { reserve(pages.add(at), PAGE_BYTES) });
            // SAFETY: the first page was reserved.
            assert!(first.is_ok() && unsafe { pages.cast::<u64>().read() } == 0);
            assert!(second.is_err());
            // SAFETY: made above with this length, and nothing refers to it.
            unsafe { unmap(pages, 2 * PAGE_BYTES) };
        }
    }
}
