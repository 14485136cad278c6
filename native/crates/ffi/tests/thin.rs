//! Thin objects: the count in the row.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod owned;

use std::sync::atomic::{AtomicU64, Ordering};

use objects::ownership;
use objects::ownership::clone_handle;
use recorder::runtime::runtime;
use segment::layout::{ReferenceState, COUNT_UNKNOWN};
use segment::status::Status;

use owned::{leaving_nothing, release, state, status, THIN};

#[test]
fn a_thin_objects_count_stands_in_its_row_exactly_and_live() {
    leaving_nothing(|| {
        let object = THIN.insert(AtomicU64::new(1)).unwrap();
        let handle = object.clone().lower();
        let word = || runtime().table.slot_of(handle).unwrap().counts().load(Ordering::Relaxed);
        let unknown = u64::from(COUNT_UNKNOWN) << 32 | u64::from(COUNT_UNKNOWN) << 48;
        assert_eq!(word(), 2 | unknown);
        let natives: Vec<_> = (0..10).map(|_| object.clone()).collect();
        assert_eq!((word(), object.strong_count()), (12 | unknown, 12));
        drop(natives);
        assert_eq!(clone_handle(handle).unwrap(), handle, "one number for all references");
        assert_eq!(word(), 3 | unknown);
        release(handle);
        release(handle);
        assert_eq!(word(), 1 | unknown);
        drop(object);
        assert_eq!(word(), unknown);
        assert_eq!(state(handle), ReferenceState::Dropped as u8);
        assert_eq!(status(ownership::release(runtime(), handle)), Status::StaleHandle);
    });
}

#[test]
fn a_thin_objects_last_release_during_a_call_waits_for_the_calls_end() {
    leaving_nothing(|| {
        let handle = THIN.insert(AtomicU64::new(9)).unwrap().lower();
        THIN.with(handle, |number| {
            std::thread::spawn(move || release(handle)).join().unwrap();
            assert_eq!(state(handle), ReferenceState::ReleaseRequested as u8);
            assert_eq!(status(THIN.get(handle)), Status::StaleHandle);
            assert_eq!(number.load(Ordering::Relaxed), 9);
        })
        .unwrap();
        assert_eq!(state(handle), ReferenceState::Dropped as u8);
    });
}
