//! The file that a segment is in.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;

use platform::descriptors::{lost, Descriptor, Identity, Table};

/// The file behind a mapping.
pub struct Backing {
    /// Which file it is. The mapping keeps the file, so no other gets this identity meanwhile.
    pub identity: Identity,
    /// Kept, in the program's table, until the file has a name: a file without a name is named
    /// through its descriptor.
    pub unnamed: Option<Descriptor>,
}

impl Backing {
    /// Takes a file that is, or will be, mapped. The lock that says that its process lives belongs
    /// to the open file, and the mapping keeps that open even if the program closes the descriptor.
    pub fn new(file: File) -> io::Result<Self> {
        let unnamed = Table::of_program().take(file)?;
        unnamed.lock()?;
        Ok(Self { identity: unnamed.identity()?, unnamed: Some(unnamed) })
    }

    /// The file, as long as it has no name.
    ///
    /// # Errors
    /// `EBADF`: the program closed the descriptor.
    pub fn file(&self) -> io::Result<BorrowedFd<'_>> {
        self.unnamed.as_ref().ok_or_else(lost)?.borrow()
    }
}
