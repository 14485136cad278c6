//! Errors for both sides of the boundary: a status for machines and one line for people.

use std::fmt;

use platform::{is_without_memory, limits};

/// How a call across the boundary ended.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// The handle is 0, which names nothing.
    ZeroHandle = 1,
    /// The handle was valid and has been released.
    StaleHandle = 2,
    /// The handle names an object of another type.
    WrongType = 3,
    /// The number was never a handle.
    UnknownHandle = 4,
    /// The resource is closed, or its close has been asked for.
    Closed = 5,
    /// The close was refused.
    CloseRefused = 6,
    /// The close method ran and failed; the resource counts as open.
    CloseFailed = 7,
    /// The close was accepted and has not run yet.
    Pending = 8,
    /// Another thread has to do this.
    WrongThread = 9,
    /// An argument does not fit.
    BadArgument = 10,
    /// A panic was caught at the boundary.
    Panic = 11,
    /// Not possible on this machine or in this process.
    Unavailable = 12,
    /// The system refused.
    Io = 13,
    /// The bytes are not a segment.
    BadSegment = 14,
    /// The segment or the peer speaks another version.
    VersionMismatch = 15,
    /// The agent does not run.
    NotRunning = 16,
    /// A table is full.
    TableFull = 17,
    /// A call panicked inside the object before, and it may be half changed.
    Poisoned = 18,
}

/// A failed operation: its status and one line, cause first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// For machines.
    pub status: Status,
    /// For people.
    pub message: String,
}

impl Error {
    /// An error of this status with this line.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// An error of the system while doing `what`.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        let limit = limits::address_space()
            .filter(|_| is_without_memory(error))
            .map(|limit| format!(" with {} MiB of address space", limit >> 20));
        Self::new(Status::Io, format!("{error}{}: {what}", limit.unwrap_or_default()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Fast ways hand a failure on as one word.
impl From<Box<Error>> for Error {
    fn from(error: Box<Self>) -> Self {
        *error
    }
}

/// The result of everything fallible in this crate.
pub type Result<T> = std::result::Result<T, Error>;
