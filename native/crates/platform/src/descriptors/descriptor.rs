//! One descriptor of ours, in whichever table.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use super::tables::{link_names, stat_of};
use super::{lost, Listed, Table};
use crate::files::first_byte;

/// An open file, told apart from every other file that is open now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
    /// The type bits of `st_mode`.
    pub kind: u32,
}

impl Identity {
    /// The identity in an answer of `fstat`.
    pub(super) fn of(found: &libc::stat) -> Self {
        Self { device: found.st_dev, inode: found.st_ino, kind: found.st_mode & libc::S_IFMT }
    }
}

/// Facts about an open file.
#[derive(Clone, Copy, Debug)]
pub struct FileStatus {
    /// Which file it is.
    pub identity: Identity,
    /// Its size.
    pub bytes: u64,
    /// Its owner's number.
    pub user: u32,
    /// Its permissions: nine bits.
    pub permissions: u32,
    /// Whether it is a regular file: no directory, pipe, socket or device.
    pub is_regular: bool,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    flags: libc::c_int,
    permissions: u32,
}

impl Opening {
    /// For reading and writing; the file must exist.
    pub fn read_write() -> Self {
        Self { flags: libc::O_RDWR, permissions: 0 }
    }

    /// For writing at its end; a file that does not exist is made with these permissions.
    pub fn append(permissions: u32) -> Self {
        Self { flags: libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT, permissions }
    }

    /// Never through a symlink in the last place, and never waiting for the other end of a pipe.
    pub fn plainly(self) -> Self {
        Self { flags: self.flags | libc::O_NOFOLLOW | libc::O_NONBLOCK, ..self }
    }

    /// Flags and permissions, as the system takes them.
    pub(super) fn words(self) -> (usize, usize) {
        ((self.flags | libc::O_CLOEXEC) as usize, self.permissions as usize)
    }
}

/// A descriptor of ours. It is closed at the end if the number is still ours.
pub struct Descriptor {
    /// Declared first: the number leaves the list before it is free.
    listed: Option<Listed>,
    number: RawFd,
    /// Compared before each use; None in a private table, where the number cannot become another's.
    checked: Option<Identity>,
    table: Arc<Table>,
}

impl Descriptor {
    pub(super) fn new(table: &Arc<Table>, number: RawFd) -> io::Result<Self> {
        let checked = if table.is_private() { None } else { Some(Identity::of(&stat_of(number)?)) };
        let listed =
            checked.filter(|_| table.closes_in_child).map(|identity| Listed::new(number, identity));
        Ok(Self { listed, number, checked, table: Arc::clone(table) })
    }

    /// The number, which is ours now.
    ///
    /// # Errors
    /// `EBADF`: the program closed it.
    pub fn number(&self) -> io::Result<RawFd> {
        match self.checked {
            Some(ours)
                if stat_of(self.number).map(|found| Identity::of(&found)).ok() != Some(ours) =>
            {
                Err(lost())
            }
            _ => Ok(self.number),
        }
    }

    /// The descriptor for calls on this thread; only in a table of the program's.
    ///
    /// # Errors
    /// `EBADF`: the program closed it.
    pub fn borrow(&self) -> io::Result<BorrowedFd<'_>> {
        // SAFETY: the number is open now. The program may close it afterwards: each use therefore
        // begins with this check.
        self.number().map(|number| unsafe { BorrowedFd::borrow_raw(number) })
    }

    /// The program closed it.
    pub fn is_lost(&self) -> bool {
        self.number().is_err()
    }

    /// The table that it is in.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// A system call whose first argument is the descriptor.
    ///
    /// # Safety
    /// The call with these arguments is sound on any thread of this process.
    pub(super) unsafe fn call(&self, number: libc::c_long, rest: [usize; 5]) -> io::Result<usize> {
        let [second, third, fourth, fifth, sixth] = rest;
        let arguments = [self.number()? as usize, second, third, fourth, fifth, sixth];
        // SAFETY: the caller's promise.
        unsafe { self.table.call((number, arguments)) }
    }

    /// Facts about its file.
    pub fn status(&self) -> io::Result<FileStatus> {
        // SAFETY: a C struct of integers, for which zeros are valid.
        let mut found: libc::stat = unsafe { std::mem::zeroed() };
        let place: *mut libc::stat = &mut found;
        // SAFETY: `found` has the room that the call writes to.
        unsafe { self.call(libc::SYS_fstat, [place as usize, 0, 0, 0, 0]) }?;
        let identity = Identity::of(&found);
        Ok(FileStatus {
            identity,
            bytes: found.st_size as u64,
            user: found.st_uid,
            permissions: found.st_mode & 0o777,
            is_regular: identity.kind == libc::S_IFREG,
        })
    }

    /// Which file it is.
    pub fn identity(&self) -> io::Result<Identity> {
        self.status().map(|found| found.identity)
    }

    /// Reads the available bytes, at most as many as fit.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the slice outlives the call.
        unsafe { self.call(libc::SYS_read, [into.as_mut_ptr() as usize, into.len(), 0, 0, 0]) }
    }

    /// Writes as much as fits into a file.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the slice outlives the call.
        unsafe { self.call(libc::SYS_write, [bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) }
    }

    /// Writes as much as fits into a socket, without a signal when the other end has closed.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = (libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT) as usize;
        // SAFETY: the slice outlives the call.
        unsafe { self.call(libc::SYS_sendto, [bytes.as_ptr() as usize, bytes.len(), flags, 0, 0]) }
    }

    /// The next connection of a listening socket; reading and writing it never wait.
    pub fn accept(&self) -> io::Result<Self> {
        let flags = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as usize;
        // SAFETY: no address is asked for.
        let number = unsafe { self.call(libc::SYS_accept4, [0, 0, flags, 0, 0]) }?;
        Self::new(&self.table, number as RawFd)
    }

    /// Ends a connection for both sides.
    pub fn shut_down(&self) -> io::Result<()> {
        // SAFETY: plain numbers.
        unsafe { self.call(libc::SYS_shutdown, [libc::SHUT_RDWR as usize, 0, 0, 0, 0]) }.map(drop)
    }

    /// Process and user at the other end of a connected local socket.
    pub fn peer(&self) -> io::Result<(u32, u32)> {
        let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        let (place, room): (*mut libc::ucred, *mut libc::socklen_t) = (&mut peer, &mut length);
        let arguments = [
            libc::SOL_SOCKET as usize,
            libc::SO_PEERCRED as usize,
            place as usize,
            room as usize,
            0,
        ];
        // SAFETY: `place` has room for `length` bytes.
        unsafe { self.call(libc::SYS_getsockopt, arguments) }?;
        Ok((peer.pid as u32, peer.uid))
    }

    /// Sets the permissions of a file.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        // SAFETY: plain numbers.
        unsafe { self.call(libc::SYS_fchmod, [mode as usize, 0, 0, 0, 0]) }.map(drop)
    }

    /// Takes the write lock on byte 0 for the open file, which ends when the last descriptor and
    /// the last mapping of it end.
    ///
    /// # Errors
    /// `EAGAIN` when another open file has it; errors of the system.
    pub fn lock(&self) -> io::Result<()> {
        let lock = first_byte(libc::F_WRLCK);
        let place: *const libc::flock = &lock;
        // SAFETY: `lock` is an initialised flock that outlives the call.
        unsafe { self.call(libc::SYS_fcntl, [libc::F_OFD_SETLK as usize, place as usize, 0, 0, 0]) }
            .map(drop)
    }

    /// Gives a file without a name its name; an error when the name is taken. Works once for each
    /// file.
    pub fn name(&self, path: &Path) -> io::Result<()> {
        let (from, to) = link_names(self.number()?, path)?;
        let (here, flags) = (libc::AT_FDCWD as usize, libc::AT_SYMLINK_FOLLOW as usize);
        let arguments = [here, from.as_ptr() as usize, here, to.as_ptr() as usize, flags, 0];
        // SAFETY: both names end with NUL and live through the call.
        unsafe { self.table.call((libc::SYS_linkat, arguments)) }.map(drop)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.listed = None;
        if let Ok(number) = self.number() {
            // SAFETY: the number is ours, and its owner ends here. A failure means that it was not
            // open.
            let _ = unsafe { self.table.call((libc::SYS_close, [number as usize, 0, 0, 0, 0, 0])) };
        }
    }
}
