//! Closing objects of the host language: the host's own method, run after the uses in between, at
//! most once, by the owner if there is an owner.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use objects::lifecycle::close_by;
use objects::lifecycle::{
    cancel, close_result, close_with_defaults, drain_here, preview, set_deadline,
};
use objects::ownership::foreign::{delete, insert, value};
use objects::ownership::foreign_close::{enter, leave, request};
use recorder::levels;
use recorder::runtime::runtime;
use recorder::types;
use recorder::types::Described;
use segment::layout::{Kind, Level, ResourceState, COUNT_UNKNOWN};
use segment::status::{Result, Status};

/// Key and value of each close, the newest last.
static CLOSED: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());
/// Keys that were released.
static LET: Mutex<Vec<u64>> = Mutex::new(Vec::new());
/// Values from here on do not close.
const STUBBORN: u64 = 1000;
static NEXT: AtomicU64 = AtomicU64::new(1);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn close(key: u64, value: u64, text: *mut u8, capacity: usize) -> usize {
    locked(&CLOSED).push((key, value));
    let error = b"it does not want to";
    if value < STUBBORN {
        return 0;
    }
    assert!(error.len() <= capacity);
    // SAFETY: the text has room for it.
    unsafe { std::ptr::copy_nonoverlapping(error.as_ptr(), text, error.len()) };
    error.len()
}

unsafe extern "C" fn let_go(key: u64) {
    locked(&LET).push(key);
}

fn type_of(name: &str, is_thread_affine: bool) -> u16 {
    levels::set_level(runtime(), Level::Count as u8);
    // SAFETY: both are functions of this test.
    unsafe { close_by(close, let_go) };
    let described = Described {
        name,
        origin: "foreign_close",
        close_signature: "close()",
        kind: Kind::Foreign as u8,
        closes: true,
        is_thread_affine,
        size_bytes: 0,
        data_offset: 0,
    };
    types::describe(runtime(), &described).unwrap()
}

fn connection() -> (u16, u64, u64) {
    let (type_id, value) = (type_of("Connection", false), NEXT.fetch_add(1, Ordering::Relaxed));
    (type_id, insert(type_id, value).unwrap(), value)
}

fn status<T>(result: &Result<T>) -> Status {
    result.as_ref().err().map_or(Status::Ok, |error| error.status)
}

fn resource(handle: u64) -> u8 {
    runtime().table.slot_of(handle).unwrap().word0().resource()
}

fn in_flight(handle: u64) -> u16 {
    (runtime().table.slot_of(handle).unwrap().counts().load(Ordering::Relaxed) >> 48) as u16
}

fn closes_of(value: u64) -> Vec<u64> {
    locked(&CLOSED).iter().filter(|close| close.1 == value).map(|close| close.0).collect()
}

#[test]
fn a_close_runs_the_hosts_method_once_and_later_uses_are_refused() {
    let (type_id, handle, value_of) = connection();
    assert_eq!(value(type_id, handle), Ok(value_of));
    request(type_id, handle, 71).unwrap();
    assert_eq!(resource(handle), ResourceState::Closed as u8);
    assert_eq!((closes_of(value_of), locked(&LET).contains(&71)), (vec![71], true));
    assert_eq!(status(&request(type_id, handle, 72)), Status::Closed);
    assert_eq!(status(&close_with_defaults(runtime(), handle)), Status::Closed);
    assert_eq!(status(&enter(type_id, handle)), Status::Closed);
    let error = value(type_id, handle).unwrap_err();
    assert!(error.message.contains("(Connection) was closed by thread "), "{error}");
    assert!(locked(&LET).contains(&72), "what a refused request carries is let go too");
    assert_eq!((closes_of(value_of), delete(type_id, handle)), (vec![71], Ok(value_of)));
    assert_eq!(status(&request(type_id, handle, 0)), Status::StaleHandle);
}

#[test]
fn a_close_waits_for_the_uses_and_the_last_of_them_runs_it_on_whatever_thread() {
    let (type_id, handle, value_of) = connection();
    assert_eq!(enter(type_id, handle), Ok(value_of));
    std::thread::scope(|scope| scope.spawn(|| enter(type_id, handle).unwrap()).join().unwrap());
    assert_eq!(in_flight(handle), 2);
    assert!(preview(runtime(), handle).unwrap_err().message.contains("2 calls in flight"));
    assert_eq!(status(&close_with_defaults(runtime(), handle)), Status::Pending);
    assert_eq!(resource(handle), ResourceState::Draining as u8);
    leave(handle);
    assert_eq!((in_flight(handle), closes_of(value_of)), (1, vec![]));
    leave(handle);
    assert_eq!((resource(handle), closes_of(value_of)), (ResourceState::Closed as u8, vec![0]));
    leave(handle);
    assert_eq!(in_flight(handle), 0, "one too many does nothing");
    delete(type_id, handle).unwrap();
    leave(handle);
}

#[test]
fn a_close_that_fails_says_why_and_may_be_tried_again() {
    let type_id = type_of("Connection", false);
    let handle = insert(type_id, STUBBORN).unwrap();
    let error = close_with_defaults(runtime(), handle).unwrap_err();
    assert_eq!(
        (error.status, error.message.starts_with("it does not want to: close of #")),
        (Status::CloseFailed, true),
        "{error}"
    );
    assert_eq!(value(type_id, handle), Ok(STUBBORN), "still to be used");
    assert_eq!(status(&close_with_defaults(runtime(), handle)), Status::CloseFailed);
    assert_eq!(closes_of(STUBBORN).len(), 2);
    delete(type_id, handle).unwrap();
}

#[test]
fn a_pending_close_is_taken_back_by_cancel_deadline_and_deletion() {
    let (type_id, handle, value_of) = connection();
    enter(type_id, handle).unwrap();
    assert_eq!(status(&request(type_id, handle, 81)), Status::Pending);
    cancel(runtime(), handle).unwrap();
    set_deadline(1);
    assert_eq!(status(&request(type_id, handle, 82)), Status::Pending);
    while status(&close_result(runtime(), handle)) == Status::Pending {
        std::thread::yield_now();
    }
    let error = close_result(runtime(), handle).unwrap_err();
    assert!(error.message.starts_with("withdrawn, its deadline passed"), "{error}");
    assert_eq!(status(&request(type_id, handle, 83)), Status::Pending);
    assert_eq!(delete(type_id, handle), Ok(value_of), "the object is its host's again");
    leave(handle);
    assert_eq!(closes_of(value_of), Vec::<u64>::new());
    assert!([81, 82, 83].iter().all(|key| locked(&LET).contains(key)));
    assert_eq!(resource(handle), ResourceState::Open as u8);
}

#[test]
fn only_the_owner_closes_an_affine_object_at_its_next_safe_point() {
    let type_id = type_of("OwnedConnection", true);
    let value_of = NEXT.fetch_add(1, Ordering::Relaxed);
    let handle = insert(type_id, value_of).unwrap();
    let asked =
        std::thread::scope(|scope| scope.spawn(|| request(type_id, handle, 91)).join().unwrap());
    assert!(asked.unwrap_err().message.starts_with("only its owner may close it"));
    assert_eq!(
        (resource(handle), closes_of(value_of)),
        (ResourceState::WaitingOwner as u8, vec![])
    );
    assert_eq!(drain_here(), 1);
    assert_eq!((resource(handle), closes_of(value_of)), (ResourceState::Closed as u8, vec![91]));
    delete(type_id, handle).unwrap();
}

#[test]
fn a_foreign_type_that_did_not_opt_in_does_not_close_and_has_no_calls() {
    let described = Described {
        name: "Plain",
        origin: "foreign_close",
        close_signature: "",
        kind: Kind::Foreign as u8,
        closes: false,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    let type_id = types::describe(runtime(), &described).unwrap();
    let handle = insert(type_id, 7).unwrap();
    assert_eq!(status(&close_with_defaults(runtime(), handle)), Status::BadArgument);
    assert_eq!(status(&request(type_id, handle, 0)), Status::BadArgument);
    assert_eq!((in_flight(handle), delete(type_id, handle)), (COUNT_UNKNOWN, Ok(7)));
}

#[test]
fn of_many_threads_that_use_close_and_delete_one_closes_and_nothing_is_left() {
    for _ in 0..50 {
        let (type_id, handle, value_of) = connection();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    while enter(type_id, handle).is_ok() {
                        leave(handle);
                    }
                });
                scope.spawn(move || {
                    let asked = request(type_id, handle, 0);
                    assert!(
                        [Status::Ok, Status::Pending, Status::Closed].contains(&status(&asked)),
                        "{asked:?}"
                    );
                });
            }
        });
        assert_eq!((resource(handle), closes_of(value_of)), (ResourceState::Closed as u8, vec![0]));
        delete(type_id, handle).unwrap();
    }
}
