//! The control socket's view of the process that it serves. The recorder implements it
//! (`recorder.rs`); so do tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::Fields;

/// The process, as a viewer checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Process id in its own namespace.
    pub pid: u32,
    /// Field 22 of `/proc/self/stat`.
    pub start_time: u64,
}

/// How the agent came into the process, and when it leaves by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stay {
    /// A viewer brought it in; otherwise the program started it.
    pub is_brought: bool,
    /// After so long without a connection it leaves; None: never.
    pub leaves_after: Option<Duration>,
}

/// Sums that show the effect of a collection. All since the segment began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Handles released.
    pub released: u64,
    /// Resources closed.
    pub closed: u64,
    /// Close requests that have not run.
    pub pending: u64,
}

/// The outcome, real or previewed, for one handle of a close request.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct CloseAnswer {
    /// Row.
    pub handle: u64,
    /// `would_close`, `closed`, `pending`, `refused` or `failed`.
    pub outcome: String,
    /// A sentence without a full stop.
    #[serde(default)]
    pub reason: String,
    /// Other holders of the object, for people.
    #[serde(default)]
    pub holders: Vec<String>,
    /// Rows that hold it and have to be closed before, in that order. Each is named in `holders` as
    /// well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<u64>,
}

impl CloseAnswer {
    /// An answer without holders.
    pub fn new(handle: u64, outcome: &str, reason: impl Into<String>) -> Self {
        Self {
            handle,
            outcome: outcome.into(),
            reason: reason.into(),
            holders: Vec::new(),
            first: Vec::new(),
        }
    }
}

/// How a close is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseWish {
    /// Close objects even while other holders exist.
    pub although_held: bool,
    /// A request that has not run after that time is withdrawn; None: never. Adapters' closes run
    /// at once, or on an event loop of the program's.
    pub withdraw_after: Option<Duration>,
}

/// The process that the socket serves. Called from the tool's own threads.
pub trait Target: Send + Sync {
    /// Identity of the process.
    fn identity(&self) -> Identity;

    /// `Level` in force.
    fn level(&self) -> u8;

    /// `Level` to return to without viewers.
    fn idle_level(&self) -> u8;

    /// Record so much from now on.
    fn set_level(&self, level: u8);

    /// How the agent came here, and when it leaves.
    fn stay(&self) -> Stay {
        Stay::default()
    }

    /// So many viewers are attached; the fastest of them reads at `interval`.
    fn set_viewers(&self, count: u32, interval: Option<Duration>);

    /// Record so much of one type, until the last viewer leaves; 255: as the process. False: there
    /// is no such type or level.
    fn set_type_level(&self, type_id: u16, level: u8) -> bool;

    /// Which native references on the object of a row have a name.
    fn holders(&self, handle: u64) -> Fields;

    /// Whether a host in the process collects garbage at our wish, without an interpreter's worker.
    fn collects(&self) -> bool {
        false
    }

    /// Have the host collect all garbage. Blocks.
    ///
    /// # Errors
    /// Why it did not, one line.
    fn collect(&self) -> Result<(), String> {
        Err("nothing in the process collects garbage".to_owned())
    }

    /// Take the agent out of the process, soon and on a thread of its own. Called in a process without
    /// an interpreter alone. False: it stays.
    fn leave(&self) -> bool {
        false
    }

    /// The interpreter answered just now.
    fn interpreter_answered(&self);

    /// An interpreter is in the process, so that its worker may come however late.
    fn may_have_interpreter(&self) -> bool;

    /// A request was refused or given up.
    fn count_drop(&self);

    /// A panic was caught.
    fn count_panic(&self);

    /// The program closed so many descriptors of the agent.
    fn count_lost_descriptors(&self, count: u64);

    /// A thread of the tool used so much more CPU time.
    fn add_cpu(&self, nanos: u64);

    /// Sums now.
    fn totals(&self) -> Totals;

    /// The outcome that a close would have. `None`: an adapter in the interpreter has to answer.
    fn preview(&self, handle: u64) -> Option<CloseAnswer>;

    /// Close. `None`: an adapter in the interpreter has to do it.
    fn close(&self, handle: u64, wish: CloseWish) -> Option<CloseAnswer>;

    /// Take a close request back.
    ///
    /// # Errors
    /// Why it cannot be, one line.
    fn cancel(&self, handle: u64) -> Result<(), String>;

    /// Run the closes that wait and that the calling thread may run. Returns how many ran.
    fn drain(&self) -> usize;
}

/// A process in which nothing happens, for the tests of single parts.
#[cfg(any(test, feature = "testing"))]
pub mod quiet {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{CloseAnswer, CloseWish, Duration, Fields, Identity, Target, Totals};

    /// Counts drops and closes.
    #[derive(Default)]
    pub struct Quiet {
        /// Requests given up.
        pub drops: AtomicU64,
        /// Handles closed.
        pub closes: AtomicU64,
        /// Nothing in it collects garbage.
        pub has_no_interpreter: bool,
    }

    impl Target for Quiet {
        fn identity(&self) -> Identity {
            Identity { pid: 1, start_time: 2 }
        }

        fn level(&self) -> u8 {
            1
        }

        fn idle_level(&self) -> u8 {
            1
        }

        fn set_level(&self, _level: u8) {}

        fn set_viewers(&self, _count: u32, _interval: Option<Duration>) {}

        fn set_type_level(&self, _type_id: u16, _level: u8) -> bool {
            false
        }

        fn holders(&self, _handle: u64) -> Fields {
            Fields::new()
        }

        fn interpreter_answered(&self) {}

        fn may_have_interpreter(&self) -> bool {
            !self.has_no_interpreter
        }

        fn count_drop(&self) {
            self.drops.fetch_add(1, Ordering::SeqCst);
        }

        fn count_panic(&self) {}

        fn count_lost_descriptors(&self, _count: u64) {}

        fn add_cpu(&self, _nanos: u64) {}

        fn totals(&self) -> Totals {
            Totals::default()
        }

        fn preview(&self, _handle: u64) -> Option<CloseAnswer> {
            None
        }

        fn close(&self, handle: u64, _wish: CloseWish) -> Option<CloseAnswer> {
            self.closes.fetch_add(1, Ordering::SeqCst);
            Some(CloseAnswer::new(handle, "closed", ""))
        }

        fn cancel(&self, _handle: u64) -> Result<(), String> {
            Ok(())
        }

        fn drain(&self) -> usize {
            0
        }
    }
}
