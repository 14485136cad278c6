//! Closing where a type has an owner thread: that thread closes, at its next call or its end.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod journals;

use std::sync::mpsc::channel;
use std::sync::Arc;

use journals::{close, release, release_all, resource, Journals};
use objects::lifecycle::{self, close_with_defaults, drain_here};
use objects::ownership::{borrow, lower};
use recorder::runtime::runtime;
use samples::{Cursor, Journal, TodoList};
use segment::layout::ResourceState;
use segment::status::Status;

#[test]
fn only_the_owner_closes_a_thread_affine_object_at_its_next_call() {
    let journals = Journals::new("affine");
    let journal = journals.open();
    let cursor = lower(Arc::new(
        Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
    ))
    .unwrap();
    let waits = std::thread::spawn(move || close_with_defaults(runtime(), cursor))
        .join()
        .unwrap()
        .err()
        .unwrap();
    assert_eq!(waits.status, Status::Pending);
    assert!(
        waits.message.starts_with("only its owner may close it: waits for thread"),
        "{}",
        waits.message
    );
    assert_eq!(resource(cursor), ResourceState::WaitingOwner as u8);
    let elsewhere = std::thread::spawn(drain_here).join().unwrap();
    assert_eq!(
        (elsewhere, resource(cursor)),
        (0, ResourceState::WaitingOwner as u8),
        "another thread's safe point is none"
    );
    // any call of the owner is a safe point, also on another object
    borrow::<Journal>(journal).unwrap().append("x").unwrap();
    assert_eq!(resource(cursor), ResourceState::Closed as u8);
    release_all([cursor, journal]);
}

#[test]
fn draining_runs_what_waits_for_this_thread() {
    let journals = Journals::new("drain");
    let journal = journals.open();
    let cursor = lower(Arc::new(
        Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
    ))
    .unwrap();
    assert_eq!(std::thread::spawn(move || close(cursor)).join().unwrap(), Status::Pending);
    assert_eq!((drain_here(), drain_here()), (1, 0));
    assert_eq!(resource(cursor), ResourceState::Closed as u8);
    release_all([cursor, journal]);
}

#[test]
fn while_a_close_waits_for_its_owner_other_threads_calls_do_not_look_for_it() {
    let journals = Journals::new("elsewhere");
    let journal = journals.open();
    let cursor = lower(Arc::new(
        Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
    ))
    .unwrap();
    let list = lower(Arc::new(TodoList::new())).unwrap();
    assert_eq!(std::thread::spawn(move || close(cursor)).join().unwrap(), Status::Pending);
    let (called, hear) = channel();
    let (go, may_go) = channel::<()>();
    let caller = std::thread::spawn(move || loop {
        called.send(borrow::<TodoList>(list).unwrap().len()).unwrap();
        if may_go.recv().is_err() {
            break;
        }
    });
    // its first call may look: the place in which it is asked may be that of a thread that has
    // ended
    hear.recv().unwrap();
    lifecycle::lives().hold();
    go.send(()).unwrap();
    let heard = hear.recv_timeout(std::time::Duration::from_secs(30));
    // SAFETY: held above.
    unsafe { lifecycle::lives().let_go() };
    drop(go);
    caller.join().unwrap();
    assert_eq!(heard, Ok(0), "the call waits for the table's lock");
    assert_eq!((drain_here(), resource(cursor)), (1, ResourceState::Closed as u8));
    release_all([list, cursor, journal]);
}

#[test]
fn an_owner_hears_of_each_close_that_waits_for_it() {
    let journals = Journals::new("each");
    let journal = journals.open();
    for _ in 0..3 {
        let cursor = lower(Arc::new(
            Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
        ))
        .unwrap();
        let in_use = borrow::<Cursor>(cursor).unwrap();
        assert_eq!(std::thread::spawn(move || close(cursor)).join().unwrap(), Status::Pending);
        assert_eq!(
            (drain_here(), resource(cursor)),
            (0, ResourceState::Draining as u8),
            "it waits for the call first"
        );
        drop(in_use);
        assert_eq!(resource(cursor), ResourceState::Closed as u8, "the call's end is the owner's");
        release(cursor);
    }
    release(journal);
}

#[test]
fn an_owner_that_ends_closes_what_waits_for_it() {
    let journals = Journals::new("ends");
    let journal = journals.open();
    let (made, get) = channel();
    let (go, may_go) = channel::<()>();
    let owner = std::thread::spawn(move || {
        let journal = Arc::clone(borrow::<Journal>(journal).unwrap().arc());
        made.send(lower(Arc::new(Cursor::open(journal).unwrap())).unwrap()).unwrap();
        may_go.recv().unwrap();
    });
    let cursor = get.recv().unwrap();
    assert_eq!(close(cursor), Status::Pending);
    go.send(()).unwrap();
    owner.join().unwrap();
    assert_eq!(resource(cursor), ResourceState::Closed as u8);
    release_all([cursor, journal]);
}

#[test]
fn after_its_owners_end_any_thread_may_close() {
    let journals = Journals::new("after");
    let journal = journals.open();
    let make = move || {
        lower(Arc::new(
            Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
        ))
        .unwrap()
    };
    let cursor = std::thread::spawn(make).join().unwrap();
    assert_eq!(close(cursor), Status::Ok);
    release_all([cursor, journal]);
}
