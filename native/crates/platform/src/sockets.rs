//! Waiting for descriptors, and addresses of local sockets.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

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

/// Waits until a member of `waiting` is ready, a signal arrives or `timeout` (`None`: none) is
/// over.
pub(crate) fn wait(waiting: &mut [Waiting], timeout: Option<Duration>) -> io::Result<()> {
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
pub(crate) fn send_byte(fd: RawFd) {
    let byte = 1_u8;
    // SAFETY: `byte` outlives the call. A failure means that the socket is full or closed: then no
    // thread has to be woken.
    unsafe {
        libc::send(fd, std::ptr::from_ref(&byte).cast(), 1, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    };
}

/// The address of a local socket at `path`, and its length.
pub(crate) fn local_address(path: &Path) -> io::Result<(libc::sockaddr_un, usize)> {
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

/// Closes a descriptor in a forked child, which has no owner there.
///
/// # Safety
/// Nothing in this process uses `fd` any more.
pub(crate) unsafe fn close_inherited(fd: RawFd) {
    // SAFETY: the caller's promise; a failure means that it was not open.
    unsafe { libc::close(fd) };
}
