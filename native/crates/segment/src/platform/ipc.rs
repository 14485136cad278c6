//! Linux calls of the control socket and the sampler that `std` does not offer.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::read_own_memory;

/// Most ranges that one `process_vm_readv` takes.
pub const MAX_RANGES: usize = 1000;

/// Let process `pid` trace us where Yama would not. Without Yama nothing has to be allowed, and the
/// system knows no such request.
pub fn allow_tracer(pid: u32) -> io::Result<()> {
    // SAFETY: plain numbers.
    let status = unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::c_ulong::from(pid), 0, 0, 0) };
    let error = io::Error::last_os_error();
    if status != 0 && error.raw_os_error() != Some(libc::EINVAL) {
        return Err(error);
    }
    Ok(())
}

/// A descriptor to wait on, and the events that came.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Waiting(libc::pollfd);

impl Waiting {
    /// Wait until `fd` can be read and, with `writes`, also until it can be written. Hang-up always
    /// counts.
    pub fn new(fd: RawFd, writes: bool) -> Self {
        let events = libc::POLLIN | libc::POLLRDHUP | if writes { libc::POLLOUT } else { 0 };
        Self(libc::pollfd { fd, events, revents: 0 })
    }

    /// Wait until `fd` can be written, even if bytes can be read. Hang-up of both directions always
    /// counts.
    pub fn to_write(fd: RawFd) -> Self {
        Self(libc::pollfd { fd, events: libc::POLLOUT, revents: 0 })
    }

    /// Wait for nothing; keeps a place.
    pub fn nothing() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    /// Anything came, errors and hang-up among it.
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }

    /// The other end has closed, or sends no more.
    pub fn is_hung_up(&self) -> bool {
        self.0.revents & (libc::POLLHUP | libc::POLLRDHUP | libc::POLLERR | libc::POLLNVAL) != 0
    }
}

/// Wait until a member of `waiting` is ready, a signal arrives or `timeout` (`None`: none) is over.
pub fn wait(waiting: &mut [Waiting], timeout: Option<Duration>) -> io::Result<()> {
    let millis =
        timeout.map_or(-1, |timeout| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX));
    // SAFETY: `Waiting` is transparent over `pollfd`; the slice outlives the call.
    let status =
        unsafe { libc::poll(waiting.as_mut_ptr().cast(), waiting.len() as libc::nfds_t, millis) };
    if status < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// Writes a byte to a socket, if there is room.
pub fn send_byte(fd: RawFd) {
    let byte = 1_u8;
    // SAFETY: `byte` outlives the call. A failure means that the socket is full or closed: then no
    // thread has to be woken.
    unsafe {
        libc::send(fd, std::ptr::from_ref(&byte).cast(), 1, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    };
}

/// The address of a local socket at `path`, and its length.
pub fn local_address(path: &Path) -> io::Result<(libc::sockaddr_un, usize)> {
    // SAFETY: a C struct of integers, for which zeros are valid.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let bytes = path.as_os_str().as_bytes();
    // the last byte ends the path
    if bytes.len() >= address.sun_path.len() || bytes.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path is too long for a socket",
        ));
    }
    for (place, &byte) in address.sun_path.iter_mut().zip(bytes) {
        *place = byte as libc::c_char;
    }
    Ok((address, std::mem::offset_of!(libc::sockaddr_un, sun_path) + bytes.len() + 1))
}

/// Close a descriptor in a forked child, which has no owner there.
///
/// # Safety
/// Nothing in this process uses `fd` any more.
pub unsafe fn close_inherited(fd: RawFd) {
    // SAFETY: the caller's promise; a failure means that it was not open.
    unsafe { libc::close(fd) };
}

/// Stack of a thread that runs nothing but this crate.
pub const OWN_STACK_BYTES: usize = 1 << 20;
/// Stack of a thread that runs close methods and destructors of the application and of its
/// interpreter.
pub const FOREIGN_STACK_BYTES: usize = 8 << 20;

/// Start a thread that gets no signal of the application: signals must interrupt the application's
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

/// Read two words at each of `addresses` in our own memory, as far as possible: an address that
/// cannot be read ends the reading instead of the process. Returns how many were read. At most
/// `MAX_RANGES` addresses.
///
/// # Errors
/// The system's, when it lets us read nothing at all (a sandbox).
pub fn read_pairs(addresses: &[u64], out: &mut [[u64; 2]]) -> io::Result<usize> {
    const PAIR_BYTES: usize = std::mem::size_of::<[u64; 2]>();
    let count = addresses.len().min(out.len()).min(MAX_RANGES);
    let remote: Vec<libc::iovec> = addresses[..count]
        .iter()
        .map(|&address| libc::iovec { iov_base: address as *mut _, iov_len: PAIR_BYTES })
        .collect();
    let local = libc::iovec { iov_base: out.as_mut_ptr().cast(), iov_len: count * PAIR_BYTES };
    // SAFETY: `local` lies within `out`.
    match unsafe { read_own_memory(&[local], &remote) } {
        Ok(bytes) => Ok(bytes / PAIR_BYTES),
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(0),
        Err(error) => Err(error),
    }
}
