//! The way into the host language, which ends before the process does.
//!
//! A thread that waits for the interpreter's lock while the interpreter ends is ended by it, in the
//! middle of our frames: that aborts the process. So the host closes this gate at its exit: no
//! thread enters any more, and the host waits for threads that are inside.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Set when no thread may enter any more.
const CLOSED: u64 = 1 << 63;
/// How often `close` looks whether the last thread has left.
const TURN: Duration = Duration::from_millis(1);

/// The gate of this process: `CLOSED`, and the number of calls that are inside.
static GATE: Gate = Gate::new();

struct Gate {
    state: AtomicU64,
}

/// A call that is inside; leaves when dropped.
struct Inside<'a>(&'a Gate);

impl Gate {
    const fn new() -> Self {
        Self { state: AtomicU64::new(0) }
    }

    fn enter(&self) -> Option<Inside<'_>> {
        // SeqCst, as in `close`: at least one side sees the other, either this call that the gate
        // is closed or `close` this call.
        let before = self.state.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        (before & CLOSED == 0).then_some(inside)
    }

    fn close(&self, patience: Duration) -> bool {
        self.state.fetch_or(CLOSED, Ordering::SeqCst);
        let until = Instant::now() + patience;
        // Acquire: pairs with the Release at leaving, so the effects of those calls are visible.
        while self.state.load(Ordering::Acquire) != CLOSED {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(TURN);
        }
        true
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_sub(1, Ordering::Release);
    }
}

/// Calls the host language, unless it has ended; false: it has, and nothing was called.
pub fn call(body: impl FnOnce()) -> bool {
    let inside = GATE.enter();
    if inside.is_some() {
        body();
    }
    inside.is_some()
}

/// The host language ends: admits no more calls and waits for the calls inside, at most `patience`.
/// Returns whether all have left.
///
/// Not from within such a call, and without the interpreter's lock, which they need to leave.
pub fn close(patience: Duration) -> bool {
    GATE.close(patience)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn calls_enter_and_leave_while_the_gate_is_open() {
        let gate = Gate::new();
        let outer = gate.enter();
        assert!(outer.is_some());
        assert!(gate.enter().is_some());
        drop(outer);
        assert!(gate.close(Duration::ZERO));
    }

    #[test]
    fn nobody_enters_a_closed_gate() {
        let gate = Gate::new();
        assert!(gate.close(Duration::ZERO));
        assert!(gate.enter().is_none());
        assert!(gate.close(Duration::ZERO), "a refused call is not inside");
    }

    #[test]
    fn closing_waits_for_the_calls_that_are_inside() {
        let gate = Gate::new();
        let (entered, has_entered) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel();
        thread::scope(|scope| {
            let gate = &gate;
            scope.spawn(move || {
                let inside = gate.enter();
                entered.send(inside.is_some()).expect("the test listens");
                may_leave.recv().expect("the test sends");
                drop(inside);
            });
            assert!(has_entered.recv().expect("the thread sends"));
            assert!(!gate.close(Duration::ZERO), "one is inside");
            leave.send(()).expect("the thread listens");
            assert!(gate.close(Duration::from_secs(60)));
        });
    }
}
