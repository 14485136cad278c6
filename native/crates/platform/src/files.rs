//! Files: without a name, reserved, locked, opened plainly; and the directory of segments.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Error, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::errors::checked;
use crate::limits;
use crate::processes::user_id;

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

/// The first byte of a file, to be locked.
pub(crate) fn first_byte(kind: libc::c_int) -> libc::flock {
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
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// Opens an existing file for reading; a pipe under its name does not block.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

/// Whether `open_plainly` refused a symlink.
pub fn is_symlink(error: &Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}
