//! loom over models of the protocols whose sources need the mapped file or the system's barriers:
//! the event ring, and a close among calls and a release. Each repeats the stores and loads of its
//! protocol, in their order and with their orderings; `orderings` explains the replacement of
//! barriers.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{fence, AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// Events that a ring holds.
const EVENTS: usize = 2;

/// `events::write_from`, with two words an event.
struct Ring {
    written: AtomicUsize,
    events: [[AtomicUsize; 2]; EVENTS],
}

impl Ring {
    /// The writer gets its number as an argument instead of loading its own store: loom explores
    /// fewer interleavings of a thread that loads before it stores.
    fn write(&self, number: usize) {
        fence(Ordering::Release);
        for word in &self.events[number % EVENTS] {
            word.store(number + 1, Ordering::Relaxed);
        }
        self.written.store(number + 1, Ordering::Release);
    }

    /// The events that a reader keeps of its copy, by number, with their words.
    fn read(&self) -> Vec<(usize, [usize; 2])> {
        let before = self.written.load(Ordering::Acquire);
        let copied: Vec<_> = (before.saturating_sub(EVENTS)..before)
            .map(|number| {
                (
                    number,
                    [0, 1].map(|word: usize| {
                        self.events[number % EVENTS][word].load(Ordering::Relaxed)
                    }),
                )
            })
            .collect();
        fence(Ordering::Acquire);
        let after = self.written.load(Ordering::Relaxed);
        copied.into_iter().filter(|&(number, _)| number + EVENTS > after).collect()
    }
}

#[test]
fn a_reader_of_the_ring_keeps_whole_events_only_while_it_is_lapped() {
    loom::model(|| {
        let ring = Arc::new(Ring {
            written: AtomicUsize::new(0),
            events: [(); EVENTS].map(|()| [(); 2].map(|()| AtomicUsize::new(0))),
        });
        let writer = Arc::clone(&ring);
        let writer = thread::spawn(move || (0..2 * EVENTS).for_each(|number| writer.write(number)));
        for (number, words) in ring.read() {
            assert_eq!(words, [number + 1; 2], "another event's words");
        }
        writer.join().expect("no panic");
        assert_eq!(ring.read().len(), EVENTS - 1, "the oldest may be half overwritten at any time");
    });
}

const LIVE: usize = 1;
const REQUESTED: usize = 2;
const RELEASED: usize = 3;
/// States of the resource, beside the reference's.
const OPEN: usize = 0;
const ASKED: usize = 0x10;
const CLOSED: usize = 0x20;
const REFERENCE: usize = 0xF;

/// The record of an object in `Lives`.
#[derive(Default)]
struct Entry {
    has_request: bool,
    is_closing: bool,
}

/// A row of an object that closes: word 0 changes under the lock, and calls read it without.
struct Closable {
    word: AtomicUsize,
    pin: AtomicUsize,
    entry: Mutex<Entry>,
    /// Times it was closed, and times it was dropped.
    resource: UnsafeCell<usize>,
    object: UnsafeCell<usize>,
}

impl Closable {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            word: AtomicUsize::new(LIVE | OPEN),
            pin: AtomicUsize::new(0),
            entry: Mutex::new(Entry::default()),
            resource: UnsafeCell::new(0),
            object: UnsafeCell::new(0),
        })
    }

    fn set(&self, reference: usize, resource: usize) {
        self.word.store(reference | resource, Ordering::SeqCst);
    }

    fn word(&self) -> (usize, usize) {
        let word = self.word.load(Ordering::SeqCst);
        (word & REFERENCE, word & !REFERENCE)
    }

    /// `threads::Pin` around a use, and `lifecycle::after_call`.
    fn call(&self) {
        self.pin.store(1, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.word() == (LIVE, OPEN) {
            // SAFETY: exclusive access is under test; loom checks it.
            self.resource.with(|closes| assert_eq!(unsafe { *closes }, 0, "used after its close"));
            // SAFETY: as above.
            self.object.with(|drops| assert_eq!(unsafe { *drops }, 0, "used after its end"));
        }
        self.pin.store(0, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.word().1 == ASKED {
            self.settle();
        }
        if self.word().0 == REQUESTED {
            self.finish_if_idle();
        }
    }

    /// `close::request`. Whether it was accepted.
    fn close(&self) -> bool {
        let mut entry = self.entry.lock().expect("no panic");
        if self.word() != (LIVE, OPEN) {
            return false;
        }
        entry.has_request = true;
        self.set(LIVE, ASKED);
        drop(entry);
        self.settle();
        true
    }

    fn settle(&self) {
        let mut entry = self.entry.lock().expect("no panic");
        fence(Ordering::SeqCst);
        if !entry.has_request || self.pin.load(Ordering::SeqCst) != 0 {
            return;
        }
        *entry = Entry { has_request: false, is_closing: true };
        drop(entry);
        // SAFETY: exclusive access is under test; loom checks it.
        self.resource.with_mut(|closes| unsafe { *closes += 1 });
        // SAFETY: as above.
        self.object.with(|drops| assert_eq!(unsafe { *drops }, 0, "closed after its end"));
        let mut entry = self.entry.lock().expect("no panic");
        entry.is_closing = false;
        self.set(self.word().0, CLOSED);
        drop(entry);
        if self.word().0 == REQUESTED {
            self.finish_if_idle();
        }
    }

    fn release(&self) {
        let entry = self.entry.lock().expect("no panic");
        self.set(REQUESTED, self.word().1);
        drop(entry);
        self.finish_if_idle();
    }

    fn finish_if_idle(&self) {
        fence(Ordering::SeqCst);
        if self.pin.load(Ordering::SeqCst) != 0 {
            return;
        }
        let entry = self.entry.lock().expect("no panic");
        if entry.has_request || entry.is_closing || self.word().0 != REQUESTED {
            return;
        }
        self.set(RELEASED, self.word().1);
        drop(entry);
        // SAFETY: exclusive access is under test; loom checks it.
        self.object.with_mut(|drops| unsafe { *drops += 1 });
    }

    /// After all threads have ended: an accepted request has run, once, and the object was
    /// released, once.
    fn check_ended(&self, is_accepted: bool) {
        // SAFETY: no other thread is left.
        self.resource.with(|closes| assert_eq!(unsafe { *closes }, usize::from(is_accepted)));
        // SAFETY: as above.
        self.object.with(|drops| assert_eq!(unsafe { *drops }, 1));
    }
}

#[test]
fn a_close_among_a_call_and_a_release_runs_once_after_the_call_and_before_the_end() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let row = Closable::new();
        let (for_call, for_close) = (Arc::clone(&row), Arc::clone(&row));
        let caller = thread::spawn(move || for_call.call());
        let closer = thread::spawn(move || for_close.close());
        row.release();
        caller.join().expect("no panic");
        row.check_ended(closer.join().expect("no panic"));
    });
}

#[test]
fn of_two_closes_during_a_call_one_is_accepted_and_runs() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let row = Closable::new();
        let (for_call, for_close) = (Arc::clone(&row), Arc::clone(&row));
        let caller = thread::spawn(move || for_call.call());
        let closer = thread::spawn(move || for_close.close());
        let accepted = usize::from(row.close()) + usize::from(closer.join().expect("no panic"));
        caller.join().expect("no panic");
        assert_eq!((accepted, row.word()), (1, (LIVE, CLOSED)));
    });
}
