//! The meanings of the small numbers in a record: levels, kinds, states.

/// How much is recorded. Each level includes the levels before it.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Handles work, nothing is recorded: one predictable branch.
    Off = 0,
    /// Rows, counts, times of birth and death, threads.
    Count = 1,
    /// Events in the rings; one frame of site.
    History = 2,
    /// Whole stacks as sites.
    Stacks = 3,
}

/// The counter of a type's references.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `std::sync::Arc` of our own runtime.
    Arc = 1,
    /// Handle map with a mutex per object.
    MutexMap = 2,
    /// Handle map of shared objects.
    ArcMap = 3,
    /// Count in the shared slot, no weak count.
    Thin = 4,
    /// A Python object held by native code.
    Foreign = 5,
    /// `Arc` behind a UniFFI proxy.
    Uniffi = 6,
    /// A Rust-implemented trait behind a UniFFI proxy.
    UniffiTrait = 7,
    /// A Python object in a UniFFI handle map.
    UniffiForeign = 8,
    /// Anything a declarative adapter describes.
    Declared = 9,
    /// An asynchronous call of UniFFI's that has not ended; `address` is the object that it keeps
    /// alive, `data` the future.
    UniffiCall = 10,
    /// A Python call that native code awaits; `address` is the Python object called, `data` the
    /// handle of the future.
    UniffiFuture = 11,
    /// A synchronous call of UniFFI's that runs; `address` is an object that it uses. `data` has
    /// the system's number of the thread in its lower half, and above it `RUNNING_BORROWS`,
    /// `RUNNING_ARGUMENT`.
    UniffiRunning = 12,
    /// An object of a class that PyO3 made; `address` is the Python object, which holds the Rust
    /// value.
    Pyo3 = 13,
    /// An object of a class of another extension, which a person named.
    Extension = 14,
}

/// The reference's life: `live ─ release requested ─ released ─ dropped`.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceState {
    /// Never used, or given back.
    Free = 0,
    /// The handle is valid.
    Live = 1,
    /// Released while calls are in flight; the last of them releases.
    ReleaseRequested = 2,
    /// The reference is released, the object lives on through other references. A tombstone.
    Released = 3,
    /// The reference was the last one and the destructor ran. A tombstone.
    Dropped = 4,
}

/// The resource's life, beside the reference's.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceState {
    /// The type did not opt in to closing.
    None = 0,
    /// Open.
    Open = 1,
    /// Close asked for and queued.
    CloseRequested = 2,
    /// Pending: waits for calls in flight.
    Draining = 3,
    /// Pending: only the owner thread may close, and it has reached no safe point.
    WaitingOwner = 4,
    /// The close method runs now.
    Closing = 5,
    /// Closed.
    Closed = 6,
    /// The close method failed; the resource counts as open.
    CloseFailed = 7,
    /// Dropped without having been closed.
    NeverClosed = 8,
    /// A call panicked inside the object, which may be half changed: it can only be released.
    Poisoned = 9,
    /// It may have been closed where nobody could see it: dropped while it could not be asked, or
    /// made before anybody looked.
    Unknown = 10,
    /// The host's finaliser has released the reference, and the host still has the proxy: each use
    /// of it touches memory that may be freed. Such a row names no object.
    Freed = 11,
}

/// The kind of an event.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A handle was created (lowered).
    Create = 1,
    /// Count up.
    Clone = 2,
    /// A call began to use the object.
    Borrow = 3,
    /// That call ended.
    Return = 4,
    /// Count down.
    Release = 5,
    /// A close was asked for.
    CloseRequest = 6,
    /// The close method ran.
    Close = 7,
    /// The destructor ran.
    Drop = 8,
    /// A wrong use was refused (`count` holds the `Status`).
    Misuse = 9,
}

/// A thread's state.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadState {
    /// The slot is not in use.
    Free = 0,
    /// Alive.
    Live = 1,
    /// Ended; the slot stays while handles refer to it.
    Ended = 2,
}

/// How the target ended, as far as the target itself knew.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It runs, or was killed: the lock on byte 0 shows which.
    NotYet = 0,
    /// The process exited normally.
    Exited = 1,
    /// The agent was stopped; the process runs on.
    Stopped = 2,
}

/// The source of ticks.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// Invariant time-stamp counter.
    Tsc = 1,
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    Monotonic = 2,
}
