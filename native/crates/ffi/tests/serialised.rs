//! One call at a time: the mutex map, several objects in one call, and panics inside.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod owned;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};

use objects::ownership::clone_handle;
use samples::{Lists, SERIAL_LISTS};
use segment::status::Status;

use owned::{end, leaving_nothing, made, release, status, ARCS, SERIAL, THIN};

#[test]
fn the_same_handle_twice_in_one_call_names_one_object_and_locks_it_once() {
    leaving_nothing(|| {
        let [serial, arcs, thin, foreign] = made();
        let again = clone_handle(serial).unwrap();
        SERIAL
            .with_all([serial, again, serial], |mut lists| {
                assert!(lists.two(0, 1).is_none() && lists.two(2, 0).is_none());
                lists.get(1).push(7);
                assert_eq!(lists.get(2), &[1, 7]);
            })
            .unwrap();
        release(again);
        assert!(ARCS.with_all([arcs, arcs], |[one, other]| std::ptr::eq(one, other)).unwrap());
        assert!(THIN.with_all([thin, thin], |[one, other]| std::ptr::eq(one, other)).unwrap());
        end([serial, arcs, thin, foreign]);
    });
}

#[test]
fn two_objects_in_one_call_are_given_in_the_order_of_their_handles() {
    leaving_nothing(|| {
        let handles = [SERIAL.insert(vec![1]).unwrap(), SERIAL.insert(vec![2]).unwrap()];
        for [first, second] in [[0, 1], [1, 0]] {
            SERIAL
                .with_all([handles[first], handles[second]], |mut lists| {
                    assert_eq!(
                        (lists.get(0)[0], lists.get(1)[0]),
                        (first as u32 + 1, second as u32 + 1)
                    );
                    let (one, other) = lists.two(1, 0).unwrap();
                    assert_eq!((one[0], other[0]), (second as u32 + 1, first as u32 + 1));
                })
                .unwrap();
        }
        handles.into_iter().for_each(release);
    });
}

#[test]
fn threads_that_lock_the_same_objects_in_opposite_orders_do_not_block_each_other() {
    leaving_nothing(|| {
        let (one, other) = (SERIAL.insert(vec![0]).unwrap(), SERIAL.insert(vec![0]).unwrap());
        std::thread::scope(|scope| {
            for handles in [[one, other], [other, one], [one, one], [other, one]] {
                scope.spawn(move || {
                    for _ in 0..2000 {
                        SERIAL.with_all(handles, |mut lists| lists.get(0)[0] += 1).unwrap();
                    }
                });
            }
        });
        let total =
            SERIAL.with(one, |list| list[0]).unwrap() + SERIAL.with(other, |list| list[0]).unwrap();
        assert_eq!(total, 8000);
        [one, other].into_iter().for_each(release);
    });
}

#[test]
fn calls_on_one_object_of_a_mutex_map_never_overlap() {
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    leaving_nothing(|| {
        let list = SERIAL.insert(Vec::new()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    for _ in 0..1000 {
                        let call = |list: &mut Vec<u32>| {
                            assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                            list.push(number);
                            INSIDE.fetch_sub(1, Ordering::SeqCst);
                        };
                        SERIAL.with(list, call).unwrap();
                    }
                });
            }
        });
        assert_eq!(SERIAL.with(list, |list| list.len()).unwrap(), 4000);
        release(list);
    });
}

#[test]
fn a_thread_that_is_inside_an_object_is_refused_instead_of_waiting_for_itself() {
    leaving_nothing(|| {
        let list = SERIAL.insert(vec![1]).unwrap();
        let again = clone_handle(list).unwrap();
        let inner = SERIAL.with(list, |_| SERIAL.with(again, |_| ())).unwrap();
        assert_eq!(status(inner), Status::WrongThread);
        assert_eq!(status(SERIAL.with(again, |_| ())), Status::Ok, "only while it is inside");
        [list, again].into_iter().for_each(release);
    });
}

#[test]
fn a_panic_inside_poisons_that_object_alone() {
    leaving_nothing(|| {
        let (list, other) = (SERIAL.insert(vec![1]).unwrap(), SERIAL.insert(vec![1]).unwrap());
        let panicked = catch_unwind(AssertUnwindSafe(|| SERIAL.with(list, |list| list[9])));
        assert!(panicked.is_err());
        let error = SERIAL.with(list, |list| list[0]).unwrap_err();
        assert_eq!(error.status, Status::Poisoned);
        assert!(
            error.message.contains("panicked inside the object")
                && error.message.contains("(Serial) is poisoned"),
            "{error}"
        );
        assert_eq!(status(SERIAL.with_all([other, list], |_| ())), Status::Poisoned);
        assert_eq!(SERIAL.with(other, |list| list[0]), Ok(1));
        [list, other].into_iter().for_each(release);
    });
}

#[test]
fn a_panic_in_a_shared_object_leaves_it_usable() {
    leaving_nothing(|| {
        let [serial, arcs, thin, foreign] = made();
        assert!(catch_unwind(AssertUnwindSafe(|| ARCS.with(arcs, |_| panic!("a bug")))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| THIN.with(thin, |_| panic!("a bug")))).is_err());
        assert_eq!(ARCS.with(arcs, |number| number.load(Ordering::Relaxed)), Ok(2));
        assert_eq!(THIN.with(thin, |number| number.load(Ordering::Relaxed)), Ok(3));
        end([serial, arcs, thin, foreign]);
    });
}

#[test]
fn a_sample_lists_bug_poisons_it_under_the_mutex_map_only() {
    leaving_nothing(|| {
        for lists in Lists::ALL {
            let list = lists.create().unwrap();
            assert!(catch_unwind(|| lists.item_at(list, 3).map(|_| ())).is_err());
            let expected = if lists == Lists::Serial { Status::Poisoned } else { Status::Ok };
            assert_eq!(status(lists.len(list)), expected, "{lists:?}");
            release(list);
        }
        assert!(SERIAL_LISTS.with(0, |_| ()).is_err());
    });
}
