//! Mappings of this process: made, reserved, moved, ended.

use std::io::{self, Error, ErrorKind};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::ptr::NonNull;

use crate::errors::checked;

const PAGE_BYTES: usize = 4096;
const MADV_POPULATE_WRITE: libc::c_int = 23;

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

/// Ends a mapping. False: the system refused.
///
/// # Safety
/// The mapping is whole, of this length, and nothing refers to it any more.
pub unsafe fn unmap(address: NonNull<u8>, length: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(address.as_ptr().cast(), length) == 0 }
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

/// The path under which the system shows the file of a mapping to privileged processes.
pub fn mapped_file(address: NonNull<u8>, length: u64) -> PathBuf {
    let from = address.as_ptr() as u64;
    format!("/proc/self/map_files/{from:x}-{:x}", from + length).into()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::unnamed_file;

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
