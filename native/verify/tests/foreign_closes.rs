//! Any sequence of uses, closes, cancels and deletions of foreign objects that close, against a
//! plain model.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use objects::lifecycle;
use objects::ownership::{foreign, foreign_close};
use proptest::collection::vec;
use proptest::prelude::*;
use recorder::runtime::runtime;
use recorder::types;
use recorder::types::Described;
use segment::layout::Kind;
use segment::status::{Result, Status};

/// Closes by value; values are never used again.
static SHUT: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static VALUES: AtomicU64 = AtomicU64::new(1);

unsafe extern "C" fn shut(_key: u64, value: u64, _text: *mut u8, _capacity: usize) -> usize {
    SHUT.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    0
}

unsafe extern "C" fn let_go(_key: u64) {}

fn foreign_type() -> Result<u16> {
    // SAFETY: both are functions of this test.
    unsafe { lifecycle::close_by(shut, let_go) };
    let described = Described {
        name: "Door",
        origin: "verify",
        close_signature: "shut()",
        kind: Kind::Foreign as u8,
        closes: true,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    types::describe(runtime(), &described)
}

/// A foreign object that closes, and its state in the model.
struct Door {
    type_id: u16,
    handle: u64,
    value: u64,
    uses: usize,
    is_asked: bool,
    is_shut: bool,
}

impl Door {
    fn new(type_id: u16) -> Self {
        let value = VALUES.fetch_add(1, Ordering::Relaxed);
        let handle = foreign::insert(type_id, value).unwrap_or(0);
        Self { type_id, handle, value, uses: 0, is_asked: false, is_shut: false }
    }

    fn is_open(&self) -> bool {
        !self.is_asked && !self.is_shut
    }

    fn step(&mut self, what: u8) {
        let refused = if self.is_open() { Status::Ok } else { Status::Closed };
        match what {
            2 => {
                assert_eq!(status(foreign_close::enter(self.type_id, self.handle)), refused);
                self.uses += usize::from(self.is_open());
            }
            3 => {
                foreign_close::leave(self.handle);
                self.uses = self.uses.saturating_sub(1);
                self.settle();
            }
            4 => {
                let expected =
                    if self.is_open() && self.uses > 0 { Status::Pending } else { refused };
                assert_eq!(status(foreign_close::request(self.type_id, self.handle, 0)), expected);
                self.is_asked |= self.is_open();
                self.settle();
            }
            5 => {
                let expected = if self.is_asked { Status::Ok } else { Status::BadArgument };
                assert_eq!(status(lifecycle::cancel(runtime(), self.handle)), expected);
                self.is_asked = false;
            }
            _ => assert_eq!(status(foreign::value(self.type_id, self.handle)), refused),
        }
        let shut = SHUT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|&&value| value == self.value)
            .count();
        assert_eq!(shut, usize::from(self.is_shut));
    }

    /// A requested close runs with the last use.
    fn settle(&mut self) {
        self.is_shut |= self.is_asked && self.uses == 0;
        self.is_asked &= !self.is_shut;
    }

    fn end(self) {
        assert_eq!(foreign::delete(self.type_id, self.handle), Ok(self.value));
        assert_eq!(
            status(foreign_close::request(self.type_id, self.handle, 0)),
            Status::StaleHandle
        );
    }
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn closes_of_foreign_objects_do_what_the_model_does(steps in vec((any::<usize>(), 0..7_u8), 0..150)) {
        let type_id = foreign_type().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut doors: Vec<Door> = Vec::new();
        for (at, what) in steps {
            if what == 0 || doors.is_empty() {
                doors.push(Door::new(type_id));
                continue;
            }
            let at = at % doors.len();
            if what == 1 {
                doors.swap_remove(at).end();
            } else {
                doors[at].step(what);
            }
        }
        doors.into_iter().for_each(Door::end);
    }
}
