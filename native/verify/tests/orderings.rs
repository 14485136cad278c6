//! loom tries every interleaving, and every value that the memory model allows, of the protocols
//! that calls and releases follow.
//!
//! These are models: each repeats the stores and loads of one protocol, in their order and with
//! their orderings, and nothing else. Two things that loom lacks are replaced. The pair of a light
//! and a heavy barrier (`threads::gate`) is a pair of fences, which has the same effect. A SeqCst
//! store or exchange followed by a SeqCst load has a fence between the two, because loom gives
//! SeqCst accesses less than the language does.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{fence, AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;

const LIVE: usize = 1;
const REQUESTED: usize = 2;
const RELEASED: usize = 3;
const SHARED: usize = 99;
/// The thread that made the row; newcomers have other numbers.
const OWNER: usize = 1;

/// A row, a place for one pin of each of two threads, and an object that loom watches for races and
/// uses after its end.
struct Row {
    word: AtomicUsize,
    user: AtomicUsize,
    pins: [AtomicUsize; 2],
    object: UnsafeCell<usize>,
}

impl Row {
    fn new(user: usize) -> Arc<Self> {
        let pins = [AtomicUsize::new(0), AtomicUsize::new(0)];
        Arc::new(Self {
            word: AtomicUsize::new(LIVE),
            user: AtomicUsize::new(user),
            pins,
            object: UnsafeCell::new(1),
        })
    }

    /// `threads::Pin` around a use of the object.
    fn call(&self, thread: usize, place: usize) {
        self.pins[place].store(1, Ordering::Release);
        let only = self.user.load(Ordering::Relaxed);
        if only != SHARED && only != thread {
            self.user.store(SHARED, Ordering::SeqCst);
        }
        fence(Ordering::SeqCst);
        if self.word.load(Ordering::SeqCst) == LIVE {
            self.object.with(|object| {
                // SAFETY: exclusive access is under test; loom checks it.
                assert_eq!(unsafe { *object }, 1, "used after its end");
            });
        }
        self.pins[place].store(0, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.word.load(Ordering::SeqCst) == REQUESTED {
            self.finish_if_idle();
        }
    }

    /// `lifecycle::release` of a row that several threads use.
    fn release(&self) -> bool {
        let is_asked = self
            .word
            .compare_exchange(LIVE, REQUESTED, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok();
        if is_asked {
            self.finish_if_idle();
        }
        is_asked
    }

    /// `lifecycle::release` by the thread that may be the only user.
    fn release_alone(&self) {
        if self.user.load(Ordering::Relaxed) != OWNER {
            self.release();
            return;
        }
        if self.word.compare_exchange(LIVE, REQUESTED, Ordering::SeqCst, Ordering::Relaxed).is_err()
        {
            return;
        }
        fence(Ordering::SeqCst);
        if self.user.load(Ordering::SeqCst) == OWNER {
            // the real code keeps other threads away with BUSY from here on; the model with the
            // exchange
            if self
                .word
                .compare_exchange(REQUESTED, RELEASED, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
            {
                self.end();
            }
        } else {
            self.finish_if_idle();
        }
    }

    fn finish_if_idle(&self) {
        fence(Ordering::SeqCst);
        if self.pins.iter().any(|pin| pin.load(Ordering::SeqCst) != 0) {
            return;
        }
        if self
            .word
            .compare_exchange(REQUESTED, RELEASED, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
        {
            self.end();
        }
    }

    fn end(&self) {
        self.object.with_mut(|object| {
            // SAFETY: exclusive access is under test; loom checks it.
            unsafe { *object += 1 };
        });
    }

    /// After all threads have ended: the object was released, once.
    fn check_ended(&self) {
        assert_eq!(self.word.load(Ordering::SeqCst), RELEASED, "nobody let go of it");
        // SAFETY: no other thread is left.
        self.object.with(|object| assert_eq!(unsafe { *object }, 2, "let go of more than once"));
    }
}

#[test]
fn a_release_during_a_call_is_left_to_the_call_or_comes_before_it() {
    loom::model(|| {
        let row = Row::new(SHARED);
        let other = Arc::clone(&row);
        let caller = thread::spawn(move || other.call(2, 0));
        row.release();
        caller.join().expect("no panic");
        row.check_ended();
    });
}

#[test]
fn of_two_calls_and_a_release_one_lets_go() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let row = Row::new(SHARED);
        let callers: Vec<_> = (0..2)
            .map(|place| {
                let row = Arc::clone(&row);
                thread::spawn(move || row.call(2 + place, place))
            })
            .collect();
        row.release();
        callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
        row.check_ended();
    });
}

#[test]
fn the_only_user_releases_without_a_look_at_pins_though_another_thread_joins() {
    loom::model(|| {
        let row = Row::new(OWNER);
        let other = Arc::clone(&row);
        let newcomer = thread::spawn(move || other.call(2, 0));
        row.call(OWNER, 1);
        row.release_alone();
        newcomer.join().expect("no panic");
        row.check_ended();
    });
}

#[test]
fn a_newcomer_that_releases_what_the_only_user_releases_too_ends_it_once() {
    loom::model(|| {
        let row = Row::new(OWNER);
        let other = Arc::clone(&row);
        let newcomer = thread::spawn(move || {
            other.call(2, 0);
            other.release();
        });
        row.release_alone();
        newcomer.join().expect("no panic");
        row.check_ended();
    });
}

/// A thread's "I write", the fork's announcement, and a row that the fork copies.
struct Gate {
    writing: AtomicUsize,
    forking: AtomicUsize,
    row: UnsafeCell<usize>,
}

impl Gate {
    /// `threads::mutate`, of a thread that does something else instead of waiting for the end of a
    /// fork.
    fn mutate(&self) {
        self.writing.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.forking.load(Ordering::Acquire) == 0 {
            self.row.with_mut(|row| {
                // SAFETY: exclusive access is under test; loom checks it.
                unsafe { *row += 1 };
            });
        }
        self.writing.store(0, Ordering::Release);
    }

    /// `threads::hold_writers`, the copy, and `threads::let_writers_go`.
    fn fork(&self) -> usize {
        self.forking.fetch_or(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        while self.writing.load(Ordering::Acquire) != 0 {
            thread::yield_now();
        }
        // SAFETY: exclusive access is under test; loom checks it.
        let copied = self.row.with(|row| unsafe { *row });
        self.forking.store(0, Ordering::SeqCst);
        copied
    }
}

#[test]
fn a_fork_copies_no_row_while_a_thread_writes_it() {
    loom::model(|| {
        let gate = Arc::new(Gate {
            writing: AtomicUsize::new(0),
            forking: AtomicUsize::new(0),
            row: UnsafeCell::new(0),
        });
        let other = Arc::clone(&gate);
        let writer = thread::spawn(move || other.mutate());
        assert!(gate.fork() <= 1);
        writer.join().expect("no panic");
    });
}

/// Word 0 and word 7 of a row that is given to one object after another.
struct Published {
    word: AtomicUsize,
    data: AtomicUsize,
}

impl Published {
    /// `registry::Slot::publish`: 0 stands for a word that is busy.
    fn publish(&self, generation: usize) {
        self.word.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        self.data.store(generation * 10, Ordering::Relaxed);
        self.word.store(generation, Ordering::Release);
    }

    /// `ownership::foreign::value`.
    fn value(&self, generation: usize) -> Option<usize> {
        if self.word.load(Ordering::Acquire) != generation {
            return None;
        }
        let value = self.data.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        (self.word.load(Ordering::Relaxed) == generation).then_some(value)
    }
}

#[test]
fn a_foreign_handle_gives_its_own_value_or_none_while_its_row_is_used_again() {
    loom::model(|| {
        let row = Arc::new(Published { word: AtomicUsize::new(1), data: AtomicUsize::new(10) });
        let other = Arc::clone(&row);
        let writer = thread::spawn(move || {
            other.publish(2);
            other.publish(3);
        });
        for generation in [1, 2, 3] {
            if let Some(value) = row.value(generation) {
                assert_eq!(value, generation * 10, "the value of another handle");
            }
        }
        writer.join().expect("no panic");
        assert_eq!(row.value(3), Some(30));
    });
}

/// Word 2 of a thin object, and the object.
struct Counted {
    count: AtomicUsize,
    object: UnsafeCell<usize>,
}

impl Counted {
    /// `ownership::thin::count_up`.
    fn count_up(&self) -> bool {
        let next = |count| if count == 0 { None } else { Some(count + 1) };
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// `ownership::thin::count_down`, and the end of the row by the last.
    fn count_down(&self) -> bool {
        let next = |count: usize| count.checked_sub(1);
        let Ok(before) = self.count.fetch_update(Ordering::Release, Ordering::Relaxed, next) else {
            return false;
        };
        if before == 1 {
            fence(Ordering::Acquire);
            self.object.with_mut(|object| {
                // SAFETY: exclusive access is under test; loom checks it.
                unsafe { *object += 1 };
            });
        }
        true
    }

    fn read(&self) {
        self.object.with(|object| {
            // SAFETY: exclusive access is under test; loom checks it.
            assert_eq!(unsafe { *object }, 0, "used after its end");
        });
    }
}

#[test]
fn a_thin_object_ends_once_with_its_last_reference_and_never_comes_back() {
    loom::model(|| {
        let thin = Arc::new(Counted { count: AtomicUsize::new(2), object: UnsafeCell::new(0) });
        let other = Arc::clone(&thin);
        let holder = thread::spawn(move || {
            other.read();
            if other.count_up() {
                other.read();
                assert!(other.count_down());
            }
            assert!(other.count_down());
        });
        thin.read();
        assert!(thin.count_down());
        holder.join().expect("no panic");
        assert!(!thin.count_up() && !thin.count_down());
        // SAFETY: no other thread is left.
        thin.object.with(|object| assert_eq!(unsafe { *object }, 1));
    });
}
