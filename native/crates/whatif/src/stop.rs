//! Reasons for which a run stops before the destructor's end.

use std::fmt;

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No page at the address can be read.
    Unreadable(u64),
    /// The processor's instruction is not emulated.
    Instruction(String),
    /// The destructor calls the system.
    System(u64),
    /// The destructor waits for a lock that another thread holds.
    Locked,
    /// The destructor calls a function that acts outside the object.
    Calls(&'static str),
    /// More steps than a run may take.
    Steps,
    /// More memory than a run may copy.
    Memory,
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(at) => write!(out, "memory at {at:#x} cannot be read"),
            Self::Instruction(name) => write!(out, "the instruction {name} is not emulated"),
            Self::System(number) => write!(out, "the destructor makes system call {number}"),
            Self::Locked => write!(out, "the destructor waits for another thread"),
            Self::Calls(name) => write!(out, "the destructor calls {name}"),
            Self::Steps => write!(out, "the destructor takes more steps than are followed"),
            Self::Memory => write!(out, "the destructor touches more memory than is copied"),
        }
    }
}
