//! Handles of objects of the host language.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod owned;

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::sync::Barrier;

use segment::status::Status;

use owned::{leaving_nothing, status, FOREIGN};

#[test]
fn foreign_numbers_are_never_used_again_and_never_zero() {
    leaving_nothing(|| {
        let mut seen = HashSet::from([0]);
        for round in 0..5000 {
            let handle = FOREIGN.insert(round).unwrap();
            assert!(seen.insert(handle));
            assert_eq!(FOREIGN.value(handle).unwrap(), round);
            assert_eq!(FOREIGN.delete(handle).unwrap(), round);
        }
    });
}

#[test]
fn a_foreign_handle_made_on_one_thread_is_looked_up_and_deleted_on_others() {
    leaving_nothing(|| {
        let handle = std::thread::spawn(|| FOREIGN.insert(11).unwrap()).join().unwrap();
        assert_eq!(std::thread::spawn(move || FOREIGN.value(handle)).join().unwrap(), Ok(11));
        assert_eq!(FOREIGN.delete(handle), Ok(11));
    });
}

#[test]
fn the_must_variants_give_the_value_or_panic_with_the_reason() {
    leaving_nothing(|| {
        let handle = FOREIGN.insert(5).unwrap();
        assert_eq!((FOREIGN.must_value(handle), FOREIGN.must_delete(handle)), (5, 5));
        for wrong in [|handle| FOREIGN.must_value(handle), |handle| FOREIGN.must_delete(handle)] {
            let panic = catch_unwind(|| wrong(handle)).unwrap_err();
            assert!(panic.downcast_ref::<String>().unwrap().contains("was released by"));
        }
    });
}

#[test]
fn of_many_threads_that_delete_one_foreign_handle_one_gets_the_value() {
    leaving_nothing(|| {
        for round in 0..200 {
            let handle = FOREIGN.insert(round).unwrap();
            let barrier = Barrier::new(4);
            let got: Vec<_> = std::thread::scope(|scope| {
                let delete = || {
                    barrier.wait();
                    FOREIGN.delete(handle)
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(delete)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(got.iter().filter(|result| result.is_ok()).count(), 1, "{got:?}");
            assert!(got
                .into_iter()
                .all(|result| result == Ok(round) || status(result) == Status::StaleHandle));
        }
    });
}
