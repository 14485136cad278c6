//! The request for an injection and its result.

/// Addresses from `low` up to, not including, `high`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// First.
    pub low: u64,
    /// Behind the last.
    pub high: u64,
}

#[cfg(target_arch = "x86_64")]
impl Range {
    /// The same as the standard library has it.
    pub(super) fn addresses(&self) -> std::ops::Range<u64> {
        self.low..self.high
    }
}

/// Addresses in the target of the functions that are called there, in the order in which the stub's
/// table has them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// `pthread_create`.
    pub create: u64,
    /// `pthread_self`.
    pub own: u64,
    /// `pthread_detach`.
    pub detach: u64,
    /// `Py_IsInitialized`.
    pub is_initialized: u64,
    /// `PyGILState_Ensure`.
    pub ensure: u64,
    /// `PyRun_SimpleString`.
    pub run: u64,
    /// `PyGILState_Release`.
    pub release: u64,
}

/// The place of an injection, and the functions called there. All addresses are the target's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The process.
    pub pid: u32,
    /// The thread that is borrowed for a moment.
    pub tid: u32,
    /// Unused region of an earlier injection; 0: none.
    pub region: u64,
    /// A `syscall` instruction of the C library.
    pub syscall: u64,
    /// Code of the C library.
    pub libc: Range,
    /// Code of the interpreter.
    pub python: Range,
    /// Functions to call.
    pub functions: Functions,
}

/// The code to inject, and the place of the injection.
#[derive(Clone, Copy, Debug)]
pub struct Injection<'a> {
    /// The place of the injection.
    pub place: Place,
    /// A line of Python.
    pub code: &'a str,
}

/// The result of an injection.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Injected {
    /// Address of the stub and its stack in the target.
    pub region: u64,
    /// How long the borrowed thread was held.
    pub paused_nanos: u64,
    /// Waits of the target that the stop ended with `EINTR`, also when nothing was injected.
    pub interrupted: u32,
}
