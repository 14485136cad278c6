//! Wakes the control thread out of its waiting.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use super::descriptors::Listed;

/// A socket pair: a byte in one end makes the other readable.
pub struct Waker {
    _listed: [Listed; 2],
    near: UnixStream,
    far: UnixStream,
}

impl Waker {
    /// A waker that nobody has woken.
    pub fn new() -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        let listed = [Listed::new(near.as_raw_fd()), Listed::new(far.as_raw_fd())];
        Ok(Self { _listed: listed, near, far })
    }

    /// Make `descriptor` readable. Any thread. A full pair is readable already.
    pub fn wake(&self) {
        let _ = (&self.near).write(&[1]);
    }

    /// What to wait on.
    pub fn descriptor(&self) -> RawFd {
        self.far.as_raw_fd()
    }

    /// Take what woke us.
    pub fn clear(&self) {
        let mut bytes = [0_u8; 256];
        while matches!((&self.far).read(&mut bytes), Ok(count) if count > 0) {}
    }
}
