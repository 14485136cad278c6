//! Closing: at most once, after the calls in flight, and never by waiting.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod journals;

use std::sync::mpsc::channel;
use std::sync::Arc;

use journals::{close, pending, reference, release, release_all, resource, status, Journals};
use objects::lifecycle::{self, cancel, close_with_defaults, preview};
use objects::ownership::{borrow, clone_handle, lower};
use recorder::runtime::runtime;
use samples::{Cursor, Journal, TodoList};
use segment::layout::{ReferenceState, ResourceState};
use segment::status::{Error, Status};

#[test]
fn a_close_runs_at_once_and_only_once() {
    let journals = Journals::new("once");
    let journal = journals.open();
    assert_eq!(status(preview(runtime(), journal)), Status::Ok);
    assert_eq!(close(journal), Status::Ok);
    assert_eq!(resource(journal), ResourceState::Closed as u8);
    assert_eq!(close(journal), Status::Closed);
    assert_eq!(status(preview(runtime(), journal)), Status::Closed);
    let refused = borrow::<Journal>(journal).err().unwrap();
    assert_eq!(refused.status, Status::Closed);
    assert!(refused.message.contains("(Journal) was closed by thread"), "{}", refused.message);
    release(journal);
}

#[test]
fn all_handles_of_an_object_show_that_it_is_closed() {
    let journals = Journals::new("all");
    let journal = journals.open();
    let other = clone_handle(journal).unwrap();
    assert_eq!(close(other), Status::Ok);
    assert_eq!(resource(journal), ResourceState::Closed as u8);
    assert_eq!(borrow::<Journal>(journal).err().unwrap().status, Status::Closed);
    let late = clone_handle(journal).unwrap();
    assert_eq!(resource(late), ResourceState::Closed as u8, "also those made later");
    release_all([journal, other, late]);
}

#[test]
fn a_close_drains_the_calls_in_flight_and_lets_no_new_one_in() {
    let journals = Journals::new("drains");
    let journal = journals.open();
    let (began, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let worker = std::thread::spawn(move || {
        let call = borrow::<Journal>(journal).unwrap();
        began.send(()).unwrap();
        may_go.recv().unwrap();
        call.append("written while draining").unwrap();
    });
    has_begun.recv().unwrap();
    let waits = close_with_defaults(runtime(), journal).err().unwrap();
    assert_eq!(waits.status, Status::Pending);
    assert!(waits.message.starts_with("waits for 1 call in flight"), "{}", waits.message);
    assert_eq!((resource(journal), pending()), (ResourceState::Draining as u8, 1));
    assert_eq!(borrow::<Journal>(journal).err().unwrap().status, Status::Closed);
    assert_eq!(close(journal), Status::Pending, "asking again changes nothing");
    go.send(()).unwrap();
    worker.join().unwrap();
    assert_eq!((resource(journal), pending()), (ResourceState::Closed as u8, 0));
    assert_eq!(std::fs::read_to_string(&journals.path).unwrap(), "written while draining\n");
    release(journal);
}

#[test]
fn a_call_that_closes_its_own_object_closes_it_at_its_end() {
    let journals = Journals::new("own");
    let journal = journals.open();
    let call = borrow::<Journal>(journal).unwrap();
    assert_eq!(close(journal), Status::Pending);
    call.append("still open").unwrap();
    drop(call);
    assert_eq!(resource(journal), ResourceState::Closed as u8);
    release(journal);
}

#[test]
fn a_release_while_a_close_is_pending_happens_after_it() {
    let journals = Journals::new("release");
    let journal = journals.open();
    let other = clone_handle(journal).unwrap();
    let call = borrow::<Journal>(other).unwrap();
    assert_eq!(close(journal), Status::Pending);
    release(journal);
    assert_eq!(
        (reference(journal), resource(journal)),
        (ReferenceState::ReleaseRequested as u8, ResourceState::Draining as u8)
    );
    drop(call);
    assert_eq!(
        (reference(journal), resource(journal)),
        (ReferenceState::Released as u8, ResourceState::Closed as u8)
    );
    release(other);
    assert_eq!(
        (reference(other), resource(other)),
        (ReferenceState::Dropped as u8, ResourceState::Closed as u8)
    );
}

#[test]
fn a_cancelled_close_leaves_the_resource_open() {
    let journals = Journals::new("cancel");
    let journal = journals.open();
    let call = borrow::<Journal>(journal).unwrap();
    assert_eq!(close(journal), Status::Pending);
    cancel(runtime(), journal).unwrap();
    drop(call);
    assert_eq!((resource(journal), pending()), (ResourceState::Open as u8, 0));
    borrow::<Journal>(journal).unwrap().append("open again").unwrap();
    assert_eq!(status(cancel(runtime(), journal)), Status::BadArgument);
    assert_eq!(close(journal), Status::Ok);
    release(journal);
}

#[test]
fn an_object_dropped_without_a_close_shows_that() {
    let journals = Journals::new("never");
    let journal = journals.open();
    release(journal);
    assert_eq!(
        (reference(journal), resource(journal)),
        (ReferenceState::Dropped as u8, ResourceState::NeverClosed as u8)
    );
}

#[test]
fn an_object_that_a_native_holder_keeps_is_not_dropped_with_its_last_handle() {
    let journals = Journals::new("held");
    let journal = journals.open();
    let cursor = lower(Arc::new(
        Cursor::open(Arc::clone(borrow::<Journal>(journal).unwrap().arc())).unwrap(),
    ))
    .unwrap();
    release(journal);
    assert_eq!(
        (reference(journal), resource(journal)),
        (ReferenceState::Released as u8, ResourceState::Open as u8)
    );
    assert_eq!(close(cursor), Status::Ok);
    release(cursor);
}

#[test]
fn a_close_that_fails_leaves_the_resource_open_for_another_try() {
    let journals = Journals::new("fails");
    let journal = journals.open();
    let fails = lifecycle::request(
        runtime(),
        journal,
        Box::new(|_| Err(Error::new(Status::Io, "no space left"))),
    );
    assert_eq!(
        fails.err().unwrap(),
        Error::new(Status::CloseFailed, format!("no space left: close of {}", shown(journal)))
    );
    assert_eq!(resource(journal), ResourceState::CloseFailed as u8);
    borrow::<Journal>(journal).unwrap().append("usable").unwrap();
    let panics = lifecycle::request(runtime(), journal, Box::new(|_| panic!("on purpose")));
    assert_eq!(status(panics), Status::CloseFailed);
    assert_eq!(close(journal), Status::Ok);
    release(journal);
}

fn shown(handle: u64) -> String {
    segment::registry::shown(handle)
}

#[test]
fn a_hanging_close_method_holds_nobody_else_up() {
    let journals = Journals::new("hangs");
    let (journal, other) = (journals.open(), journals.open());
    let (began, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let hangs = std::thread::spawn(move || {
        let run = move |_| {
            began.send(()).unwrap();
            may_go.recv().unwrap();
            Ok(())
        };
        lifecycle::request(runtime(), journal, Box::new(run))
    });
    has_begun.recv().unwrap();
    assert_eq!((resource(journal), pending()), (ResourceState::Closing as u8, 1));
    assert_eq!(close(journal), Status::Pending);
    assert_eq!(status(cancel(runtime(), journal)), Status::CloseRefused);
    release(journal);
    assert_eq!(close(other), Status::Ok);
    go.send(()).unwrap();
    assert!(hangs.join().unwrap().is_ok());
    assert_eq!(
        (reference(journal), resource(journal)),
        (ReferenceState::Dropped as u8, ResourceState::Closed as u8)
    );
    release(other);
}

#[test]
fn a_type_that_did_not_opt_in_does_not_close() {
    let list = lower(Arc::new(TodoList::new())).unwrap();
    assert_eq!(close(list), Status::BadArgument);
    release(list);
    assert_eq!(close(list), Status::StaleHandle);
}

#[test]
fn calls_and_a_close_racing_end_with_one_close_and_no_pin() {
    let journals = Journals::new("race");
    for _ in 0..60 {
        let journal = journals.open();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| while borrow::<Journal>(journal).is_ok() {});
            }
            scope.spawn(|| assert!([Status::Ok, Status::Pending].contains(&close(journal))));
        });
        assert_eq!((resource(journal), pending()), (ResourceState::Closed as u8, 0));
        release(journal);
        assert_eq!(reference(journal), ReferenceState::Dropped as u8);
    }
}
