//! The agent's own descriptors, apart from the program's.
//!
//! A program may close any number at any time (each daemon does) and open its own files at the same
//! numbers. So the agent's descriptors live in a *private* table, which only two threads of system
//! calls share (`porter.rs`, ADR 0019). If the system allows no private table, they live in the
//! program's table and are known by identity: device, inode and kind are compared before each use,
//! and a number that is no longer ours is never used and never closed.

mod descriptor;
mod listed;
mod porter;
mod tables;

use std::ffi::CString;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::clocks::timespec;
use crate::sockets::{self, Waiting};
use listed::Listed;
use porter::Porter;
use tables::{may_unshare_descriptors, raw_call, unshare_descriptors, Call};

pub use descriptor::{Descriptor, FileStatus, Identity, Opening};

/// Has the agent use the program's table, as where the system allows no other: `shared`. For tests.
const TABLE_VARIABLE: &str = "ARC_INSPECTOR_DESCRIPTORS";

/// Forks between the process that loaded the library and this process.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// See `FORKS`.
fn forks() -> u32 {
    // Relaxed: it changes in a child that has one thread.
    FORKS.load(Ordering::Relaxed)
}

/// The threads that hold a private table.
struct Porters {
    /// Makes calls that end at once.
    doer: Porter,
    /// Waits for descriptors.
    waiter: Porter,
}

/// A table of descriptors: a private table, or the program's.
pub struct Table {
    porters: Option<Porters>,
    /// Its descriptors are closed in a forked child.
    closes_in_child: bool,
    /// Descriptors that the program closed.
    lost: AtomicU64,
}

impl Table {
    /// A private table; the program's table if there can be no private table.
    pub fn open() -> Arc<Self> {
        let is_wanted = std::env::var_os(TABLE_VARIABLE).is_none_or(|wanted| wanted != "shared");
        let porters =
            if is_wanted && may_unshare_descriptors() { Porters::start().ok() } else { None };
        Arc::new(Self { porters, closes_in_child: true, lost: AtomicU64::new(0) })
    }

    /// The program's table, for a descriptor that a forked child may continue to use.
    pub fn of_program() -> Arc<Self> {
        Arc::new(Self { porters: None, closes_in_child: false, lost: AtomicU64::new(0) })
    }

    /// Whether the program cannot reach the descriptors.
    pub fn is_private(&self) -> bool {
        self.porters.is_some()
    }

    /// Number of descriptors that the program closed so far.
    pub fn lost(&self) -> u64 {
        // Relaxed: a count of its own.
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts a descriptor that the program closed.
    pub fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// CPU time that the threads of the table have used, nanoseconds.
    pub fn cpu_nanos(&self) -> u64 {
        self.porters
            .as_ref()
            .map_or(0, |porters| porters.doer.cpu_nanos() + porters.waiter.cpu_nanos())
    }

    /// Opens a file.
    pub fn open_file(self: &Arc<Self>, path: &Path, how: Opening) -> io::Result<Descriptor> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let (flags, mode) = how.words();
        let arguments = [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags, mode, 0, 0];
        // SAFETY: the path ends with NUL and lives through the call.
        let number = unsafe { self.call((libc::SYS_openat, arguments)) }?;
        self.own(number as RawFd)
    }

    /// Another descriptor of the file that `there` is in the table of thread `tid`.
    pub fn reopen(self: &Arc<Self>, there: &Descriptor, tid: u32) -> io::Result<Descriptor> {
        let path = format!("/proc/self/task/{tid}/fd/{}", there.number()?);
        let ours = self.open_file(Path::new(&path), Opening::read_write())?;
        if ours.identity()? != there.identity()? {
            return Err(lost());
        }
        Ok(ours)
    }

    /// A socket that listens at the unused `path`.
    pub fn listen(self: &Arc<Self>, path: &Path) -> io::Result<Descriptor> {
        let (address, length) = sockets::local_address(path)?;
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: plain numbers.
        let number = unsafe {
            self.call((libc::SYS_socket, [libc::AF_UNIX as usize, kind as usize, 0, 0, 0, 0]))
        }?;
        let socket = self.own(number as RawFd)?;
        let place: *const libc::sockaddr_un = &address;
        // SAFETY: `address` lives through the call and is `length` bytes long.
        unsafe { socket.call(libc::SYS_bind, [place as usize, length, 0, 0, 0]) }?;
        // SAFETY: plain numbers.
        unsafe { socket.call(libc::SYS_listen, [128, 0, 0, 0, 0]) }?;
        Ok(socket)
    }

    /// Two connected sockets that never wait.
    pub fn pair(self: &Arc<Self>) -> io::Result<[Descriptor; 2]> {
        let mut numbers: [libc::c_int; 2] = [-1; 2];
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let arguments =
            [libc::AF_UNIX as usize, kind as usize, 0, numbers.as_mut_ptr() as usize, 0, 0];
        // SAFETY: `numbers` has the room that the call writes to.
        unsafe { self.call((libc::SYS_socketpair, arguments)) }?;
        Ok([self.own(numbers[0])?, self.own(numbers[1])?])
    }

    /// Takes over a descriptor; only for a table that is not private.
    ///
    /// # Errors
    /// `EBADF` when the program closed it meanwhile.
    pub fn take(self: &Arc<Self>, descriptor: impl Into<OwnedFd>) -> io::Result<Descriptor> {
        self.own(descriptor.into().into_raw_fd())
    }

    /// Waits until a member of `waiting` is ready, `ring` is called, a signal arrives or `timeout`
    /// (`None`: none) is over.
    pub fn wait(&self, waiting: &mut [Waiting], timeout: Option<Duration>) -> io::Result<()> {
        let Some(porters) = &self.porters else { return sockets::wait(waiting, timeout) };
        let mut span = timeout.map(timespec);
        // SAFETY: `Waiting` is transparent over `pollfd`; the slice and the span outlive the call.
        unsafe { porters.waiter.call(poll_call(waiting, span.as_mut())) }.map(drop)
    }

    /// Sees which of `waiting` are ready now.
    pub fn look(&self, waiting: &mut [Waiting]) -> io::Result<()> {
        let Some(porters) = &self.porters else {
            return sockets::wait(waiting, Some(Duration::ZERO));
        };
        // SAFETY: as in `wait`.
        unsafe { porters.doer.call(poll_call(waiting, Some(&mut timespec(Duration::ZERO)))) }
            .map(drop)
    }

    /// Writes a byte to `bell`, soon and without waiting; a full `bell` is left as it is.
    pub fn ring(&self, bell: &Descriptor) {
        match &self.porters {
            Some(porters) => porters.doer.ring(),
            None => {
                if let Ok(number) = bell.number() {
                    sockets::send_byte(number);
                }
            }
        }
    }

    /// Names the descriptor that `ring` writes to.
    pub fn set_bell(&self, bell: &Descriptor) {
        if let (Some(porters), Ok(number)) = (&self.porters, bell.number()) {
            porters.doer.set_bell(number);
        }
    }

    fn own(self: &Arc<Self>, number: RawFd) -> io::Result<Descriptor> {
        Descriptor::new(self, number)
    }

    /// # Safety
    /// The call with these arguments is sound on any thread of this process.
    unsafe fn call(&self, call: Call) -> io::Result<usize> {
        // SAFETY: the caller's promise.
        unsafe {
            match &self.porters {
                Some(porters) => porters.doer.call(call),
                None => match raw_call(call) {
                    result if result < 0 => Err(io::Error::from_raw_os_error(-result as i32)),
                    result => Ok(result as usize),
                },
            }
        }
    }
}

impl Porters {
    fn start() -> io::Result<Self> {
        let (sender, receiver) = std::sync::mpsc::channel();
        // a thread has the table of the thread that starts it
        let enter = move || {
            unshare_descriptors().is_ok()
                && Porter::start("ai-waiter", || true)
                    .is_ok_and(|waiter| sender.send(waiter).is_ok())
        };
        let doer = Porter::start("ai-doer", enter)?;
        let waiter = receiver.recv().map_err(|_| io::ErrorKind::Unsupported)?;
        Ok(Self { doer, waiter })
    }
}

fn poll_call(waiting: &mut [Waiting], span: Option<&mut libc::timespec>) -> Call {
    let span = span.map_or(0, |span| std::ptr::from_mut(span) as usize);
    (libc::SYS_ppoll, [waiting.as_mut_ptr() as usize, waiting.len(), span, 0, 8, 0])
}

/// The error of a descriptor that the program closed.
pub fn lost() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

/// Whether an error says that the program closed the descriptor.
pub fn is_lost(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EBADF)
}

/// In a forked child: closes its copies of the agent's descriptors, and makes no call on the
/// parent's threads any more.
///
/// # Safety
/// This is a forked child whose only thread calls, and nothing in it uses the agent of its parent.
pub unsafe fn after_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller's promise.
    unsafe { listed::close_all_in_child() };
}
