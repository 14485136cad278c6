//! loom over the very sources of rows and thin counts: every interleaving, and every value that the
//! memory model allows, of how rows are born, changed, ended and given out again, and of how the
//! last reference is found.
//!
//! The two files are compiled here once more, with loom's atomics in place of std's (`primitive`).
//! The rest of the table that they need, a row's words, is made here; the table itself lies in a
//! mapped file, where loom's atomics cannot.

#![allow(dead_code, reason = "the sources have more than these tests use")]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use segment::layout;

mod primitive {
    pub use loom::sync::atomic::{fence, AtomicU64, Ordering};

    pub fn wait_a_turn(_turn: u32) {
        loom::hint::spin_loop();
        loom::thread::yield_now();
    }
}
#[path = "../../crates/objects/src/ownership/count.rs"]
mod count;
#[path = "../../crates/segment/src/registry/slot.rs"]
mod slot;

use count::{count_down, count_up, strong, Uncountable};
use layout::{ReferenceState, ResourceState};
use primitive::{fence, AtomicU64, Ordering};
use slot::{Birth, Change, Moment, Slot, Word0};

const TYPE: u16 = 7;

/// A row's words, and the data of the thread that changes it.
struct Row {
    words: [AtomicU64; 8],
    changes: UnsafeCell<u32>,
}

impl Row {
    /// Live in its first generation; the object's pointer is ten times the generation.
    fn new() -> Arc<Self> {
        let row = Arc::new(Self { words: [0; 8].map(AtomicU64::new), changes: UnsafeCell::new(0) });
        assert_eq!(row.born(), 1);
        row
    }

    fn slot(&self) -> Slot<'_> {
        Slot::new(&self.words)
    }

    fn born(&self) -> u32 {
        let data = u64::from(self.slot().word0().generation() + 1) * 10;
        self.slot().publish(&Birth { type_id: TYPE, data, address: data, ..Birth::default() })
    }

    /// The work between `begin` and `end`.
    fn change(&self, site: u32) {
        self.changes.with_mut(|changes| {
            // SAFETY: exclusive access is under test; loom checks it.
            unsafe { *changes += 1 };
        });
        self.slot().note(&Change {
            moment: Moment::new(u64::from(site), site as u16, site),
            is_request: true,
        });
    }

    fn changes(&self) -> u32 {
        // SAFETY: all threads have ended.
        self.changes.with(|changes| unsafe { *changes })
    }

    /// A reader's copy: None when the row changed meanwhile.
    fn copied(&self) -> Option<(Word0, u64, u64)> {
        let before = self.words[0].load(Ordering::Acquire);
        let (address, data) = (self.slot().address(), self.slot().data());
        fence(Ordering::Acquire);
        let is_whole = self.words[0].load(Ordering::Relaxed) == before && !Word0(before).is_busy();
        is_whole.then_some((Word0(before), address, data))
    }

    /// The release of its only reference, and the next object in the same row.
    fn end_and_reuse(&self) -> bool {
        let Some(word) =
            self.slot().begin_change(1, ReferenceState::Live, ReferenceState::Released)
        else {
            return false;
        };
        self.change(2);
        self.slot().end_for_good(word);
        self.born();
        true
    }
}

fn bounded(body: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(body);
}

#[test]
fn changes_of_one_row_never_overlap_and_none_is_lost() {
    bounded(|| {
        let row = Row::new();
        let other = Arc::clone(&row);
        let change = |row: &Row, site: u32, state: ResourceState| {
            let word = row.slot().begin(1).expect("its generation");
            row.change(site);
            row.slot().end(word.with(word.reference(), state as u8));
        };
        let changer = thread::spawn(move || change(&other, 3, ResourceState::Draining));
        change(&row, 4, ResourceState::Draining);
        changer.join().expect("no panic");
        let word = row.slot().word0();
        assert_eq!(
            (row.changes(), word.resource(), word.is_busy(), word.is_live()),
            (2, ResourceState::Draining as u8, false, true)
        );
    });
}

#[test]
fn of_two_who_end_a_row_one_does() {
    bounded(|| {
        let row = Row::new();
        let other = Arc::clone(&row);
        let end = |row: &Row| {
            let Some(word) =
                row.slot().begin_change(1, ReferenceState::Live, ReferenceState::ReleaseRequested)
            else {
                return 0;
            };
            row.change(2);
            row.slot().end(word);
            1
        };
        let ender = thread::spawn(move || end(&other));
        let ended = end(&row) + ender.join().expect("no panic");
        assert_eq!((ended, row.changes()), (1, 1));
        assert_eq!(row.slot().word0().reference(), ReferenceState::ReleaseRequested as u8);
    });
}

#[test]
fn a_reader_gets_whole_rows_of_one_generation_while_a_row_is_used_again() {
    bounded(|| {
        let row = Row::new();
        let other = Arc::clone(&row);
        let writer = thread::spawn(move || other.end_and_reuse());
        if let Some((word, address, data)) = row.copied() {
            assert_eq!(
                (address, data),
                (u64::from(word.generation()) * 10, u64::from(word.generation()) * 10)
            );
        }
        assert!(writer.join().expect("no panic"));
        assert_eq!(row.copied().map(|copy| (copy.0.generation(), copy.2)), Some((2, 20)));
    });
}

#[test]
fn who_comes_late_to_a_row_leaves_its_next_object_alone() {
    bounded(|| {
        let row = Row::new();
        let other = Arc::clone(&row);
        let owner = thread::spawn(move || other.end_and_reuse());
        if let Some(word) = row.slot().begin_change(1, ReferenceState::Live, ReferenceState::Live) {
            row.change(5);
            row.slot().end(word.with(word.reference(), ResourceState::Closed as u8));
        }
        assert!(owner.join().expect("no panic"));
        let word = row.slot().word0();
        assert_eq!(
            (word.generation(), word.is_live(), word.resource(), row.slot().data()),
            (2, true, ResourceState::None as u8, 20)
        );
    });
}

/// A thin object: its count, and the object that its last reference ends.
struct Thin {
    counts: AtomicU64,
    object: UnsafeCell<u32>,
}

impl Thin {
    fn new(references: u64) -> Arc<Self> {
        Arc::new(Self {
            counts: AtomicU64::new(0xFFFF_FFFF << 32 | references),
            object: UnsafeCell::new(0),
        })
    }

    fn use_it(&self) {
        // SAFETY: exclusive access is under test; loom checks it.
        self.object.with(|object| assert_eq!(unsafe { *object }, 0, "used after its end"));
    }

    fn release(&self) -> Option<u32> {
        let left = count_down(&self.counts);
        if left == Some(0) {
            // SAFETY: exclusive access is under test; loom checks it.
            self.object.with_mut(|object| unsafe { *object += 1 });
        }
        left
    }
}

#[test]
fn a_thin_object_ends_once_with_its_last_reference_and_never_comes_back() {
    bounded(|| {
        let thin = Thin::new(2);
        let other = Arc::clone(&thin);
        let holder = thread::spawn(move || {
            if count_up(&other.counts).is_ok() {
                other.use_it();
                assert!(other.release().is_some());
            }
            other.use_it();
            assert!(other.release().is_some());
        });
        thin.use_it();
        assert!(thin.release().is_some());
        holder.join().expect("no panic");
        assert_eq!((thin.release(), count_up(&thin.counts)), (None, Err(Uncountable::Gone)));
        // SAFETY: no other thread is left.
        thin.object.with(|object| assert_eq!(unsafe { *object }, 1));
        assert_eq!(
            thin.counts.load(Ordering::Relaxed) >> 32,
            0xFFFF_FFFF,
            "the other half of the word is as it was"
        );
    });
}

#[test]
fn a_count_that_is_full_is_refused_and_stays() {
    loom::model(|| {
        let thin = Thin::new(u64::from(layout::STRONG_UNKNOWN) - 1);
        assert_eq!(count_up(&thin.counts), Err(Uncountable::Full));
        assert_eq!(strong(&thin.counts), u64::from(layout::STRONG_UNKNOWN) - 1);
    });
}
