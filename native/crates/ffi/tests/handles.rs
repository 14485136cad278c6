//! Handles through the C interface's own functions: every right use once, every wrong use refused
//! by name.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::ptr::{null, null_mut};
use std::sync::mpsc::channel;
use std::sync::Arc;

use arc_inspector_native::handles::{
    ai_handle_clone, ai_handle_release, ai_handle_same, ai_handle_strong,
};
use arc_inspector_native::samples::{
    ai_listener_new, ai_todo_item_done, ai_todo_item_new, ai_todo_item_text, ai_todo_list_add_item,
    ai_todo_list_add_text, ai_todo_list_get_items, ai_todo_list_last, ai_todo_list_len,
    ai_todo_list_listen, ai_todo_list_merge, ai_todo_list_new,
};
use arc_inspector_native::{ai_buffer_free, AiBuffer, AiError, AiText};
use objects::ownership;
use objects::ownership::{borrow, lower, strong_and_weak, Traced};
use recorder::runtime::runtime;
use samples::{TodoItem, TodoList};
use segment::layout::{Kind, ReferenceState};
use segment::registry::generation_of;
use segment::status::Status;

fn text(text: &str) -> AiText {
    AiText { data: text.as_ptr(), length: text.len() }
}

/// The handle that a constructor gives.
fn made(make: impl FnOnce(*mut u64) -> i32) -> u64 {
    let mut handle = 0;
    assert_eq!(make(&mut handle), Status::Ok as i32);
    assert_ne!(handle, 0);
    handle
}

fn list() -> u64 {
    // SAFETY: a place for the handle, none for the error.
    made(|out| unsafe { ai_todo_list_new(out, null_mut()) })
}

fn item() -> u64 {
    // SAFETY: as above, and the text lives on.
    made(|out| unsafe { ai_todo_item_new(text("water the plants"), out, null_mut()) })
}

fn release(handle: u64) -> i32 {
    // SAFETY: no place for an error.
    unsafe { ai_handle_release(handle, null_mut()) }
}

fn release_all<const N: usize>(handles: [u64; N]) {
    handles.into_iter().for_each(|handle| assert_eq!(release(handle), 0));
}

fn strong(handle: u64) -> u64 {
    strong_and_weak(handle).unwrap().0
}

fn length(list: u64) -> u64 {
    let mut length = 0;
    // SAFETY: a place for the number.
    assert_eq!(unsafe { ai_todo_list_len(list, &mut length, null_mut()) }, 0);
    length
}

/// Status and message of a call that fails.
fn failure(call: impl FnOnce(*mut AiError) -> i32) -> (i32, String) {
    let mut error = AiError { status: 0, length: 0, message: [0; 504] };
    let status = call(&mut error);
    assert_eq!(status, error.status);
    (status, String::from_utf8(error.message[..error.length as usize].to_vec()).unwrap())
}

fn done(handle: u64) -> (i32, String) {
    // SAFETY: a place for the error.
    failure(|error| unsafe { ai_todo_item_done(handle, 1, error) })
}

#[test]
fn handle_zero_is_refused_by_name() {
    assert_eq!(
        done(0),
        (Status::ZeroHandle as i32, "the handle is 0, which names nothing".to_owned())
    );
}

#[test]
fn a_number_that_was_never_a_handle_is_refused() {
    for number in [2, 1 << 33, u64::MAX, 0xFFFF_FFFF, u64::from(u32::MAX) << 32 | 2] {
        assert_eq!(done(number).0, Status::UnknownHandle as i32, "{number:#x}");
    }
}

#[test]
fn a_handle_with_the_foreign_bit_set_by_mistake_is_refused() {
    let handle = item();
    assert_eq!(done(handle | 1).0, Status::UnknownHandle as i32);
    assert_eq!(release(handle | 1), Status::UnknownHandle as i32);
    assert_eq!(release(handle), 0);
}

#[test]
fn a_released_handle_is_stale_and_its_tombstone_names_type_and_thread() {
    let handle = item();
    assert_eq!(release(handle), 0);
    let (status, message) = done(handle);
    assert_eq!(status, Status::StaleHandle as i32);
    assert!(message.contains("(TodoItem) was released by"), "{message}");
    assert_eq!(release(handle), Status::StaleHandle as i32);
}

#[test]
fn a_handle_of_another_type_is_refused_naming_both_types() {
    let list = list();
    let (status, message) = done(list);
    assert_eq!(status, Status::WrongType as i32);
    assert!(message.ends_with("is a TodoList, not a TodoItem"), "{message}");
    assert_eq!(release(list), 0);
}

#[test]
fn no_place_for_a_result_and_text_that_is_not_utf8_are_refused() {
    // SAFETY: NULL is under test.
    assert_eq!(unsafe { ai_todo_list_new(null_mut(), null_mut()) }, Status::BadArgument as i32);
    let bytes = [0xFF_u8, 0xFE];
    let mut out = 0;
    // SAFETY: two readable bytes.
    let status = unsafe {
        ai_todo_item_new(AiText { data: bytes.as_ptr(), length: 2 }, &mut out, null_mut())
    };
    assert_eq!((status, out), (Status::BadArgument as i32, 0));
    // SAFETY: NULL is under test.
    let status =
        unsafe { ai_todo_item_new(AiText { data: null(), length: 2 }, &mut out, null_mut()) };
    assert_eq!(status, Status::BadArgument as i32);
}

#[test]
fn the_same_object_returned_twice_is_one_object_with_two_handles() {
    let list = list();
    // SAFETY: places for the results.
    assert_eq!(unsafe { ai_todo_list_add_text(list, text("one"), null_mut(), null_mut()) }, 0);
    // SAFETY: as above.
    let (first, second) = (
        made(|out| unsafe { ai_todo_list_last(list, out, null_mut()) }),
        made(|out| unsafe { ai_todo_list_last(list, out, null_mut()) }),
    );
    assert_ne!(first, second);
    // SAFETY: no place for an error.
    assert_eq!(unsafe { ai_handle_same(first, second, null_mut()) }, 1);
    // SAFETY: as above.
    assert_eq!(unsafe { ai_handle_same(first, list, null_mut()) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { ai_handle_same(first, 0, null_mut()) }, -(Status::ZeroHandle as i32));
    assert_eq!(strong(first), 3, "two handles and the list");
    release_all([first, second, list]);
}

#[test]
fn a_clone_keeps_the_object_after_its_first_handle_is_released() {
    let first = item();
    // SAFETY: a place for the handle.
    let second = made(|out| unsafe { ai_handle_clone(first, out, null_mut()) });
    assert_eq!(release(first), 0);
    let mut buffer = AiBuffer { data: null_mut(), length: 0, capacity: 0 };
    // SAFETY: a place for the buffer, which is given back below.
    assert_eq!(unsafe { ai_todo_item_text(second, &mut buffer, null_mut()) }, 0);
    // SAFETY: the result of the call.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.data, buffer.length) };
    assert_eq!(bytes, b"water the plants");
    // SAFETY: filled by the library.
    unsafe { ai_buffer_free(&mut buffer) };
    assert!(buffer.data.is_null());
    let (mut strong, mut weak) = (0, 9);
    // SAFETY: places for both.
    assert_eq!(unsafe { ai_handle_strong(second, &mut strong, &mut weak, null_mut()) }, 0);
    assert_eq!((strong, weak), (1, 0));
    assert_eq!(release(second), 0);
}

#[test]
fn two_handles_in_one_call_may_be_the_same() {
    let list = list();
    // SAFETY: no places needed.
    assert_eq!(unsafe { ai_todo_list_add_text(list, text("one"), null_mut(), null_mut()) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { ai_todo_list_merge(list, list, null_mut()) }, 0);
    assert_eq!(length(list), 2);
    assert_eq!(release(list), 0);
}

#[test]
fn items_are_shared_and_given_as_handles_of_their_own() {
    let (list, item) = (list(), item());
    // SAFETY: no places needed.
    assert_eq!(unsafe { ai_todo_list_add_item(list, item, null_mut()) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { ai_todo_list_add_item(list, item, null_mut()) }, 0);
    let (mut items, mut count) = ([0; 4], 0);
    assert_eq!(
        // SAFETY: four places, and one for the count.
        unsafe { ai_todo_list_get_items(list, items.as_mut_ptr(), 4, &mut count, null_mut()) },
        0
    );
    assert_eq!(count, 2);
    assert_eq!(strong(item), 1 + 2 + 2, "its handle, twice in the list, two handles given");
    let mut less = [0; 1];
    assert_eq!(
        // SAFETY: one place, and one for the count.
        unsafe { ai_todo_list_get_items(list, less.as_mut_ptr(), 1, &mut count, null_mut()) },
        0
    );
    assert_eq!(count, 2, "the count tells what did not fit");
    release_all([items[0], items[1], less[0], list]);
    assert_eq!(strong(item), 1);
    assert_eq!(release(item), 0);
}

#[test]
fn the_last_of_an_empty_list_is_an_error_and_no_handle() {
    let list = list();
    let mut out = 0;
    assert_eq!(
        // SAFETY: a place for the handle.
        unsafe { ai_todo_list_last(list, &mut out, null_mut()) },
        Status::BadArgument as i32
    );
    assert_eq!(out, 0);
    assert_eq!(release(list), 0);
}

#[test]
fn a_release_during_a_call_waits_for_the_calls_end() {
    let handle = lower(Arc::new(TodoList::new())).unwrap();
    let called = borrow::<TodoList>(handle).unwrap();
    let released =
        std::thread::spawn(move || ownership::release(runtime(), handle)).join().unwrap();
    assert!(released.is_ok());
    let slot = runtime().table.slot_of(handle).unwrap();
    assert_eq!(slot.word0().reference(), ReferenceState::ReleaseRequested as u8);
    assert_eq!(
        borrow::<TodoList>(handle).err().unwrap().status,
        Status::StaleHandle,
        "no new call gets in"
    );
    assert_eq!(called.len(), 0, "the call goes on");
    drop(called);
    assert_eq!(slot.word0().generation(), generation_of(handle));
    assert_eq!(slot.word0().reference(), ReferenceState::Dropped as u8);
}

#[test]
fn calls_nested_deeper_than_the_slot_shows_still_hold_up_a_release() {
    let (handle, other) =
        (lower(Arc::new(TodoList::new())).unwrap(), lower(Arc::new(TodoList::new())).unwrap());
    let mut calls: Vec<_> = (0..8).map(|_| borrow::<TodoList>(other).unwrap()).collect();
    let deep = borrow::<TodoList>(handle).unwrap();
    ownership::release(runtime(), handle).unwrap();
    let slot = runtime().table.slot_of(handle).unwrap();
    assert_eq!(slot.word0().reference(), ReferenceState::ReleaseRequested as u8);
    // not in the order they began
    calls.remove(0);
    calls.remove(3);
    drop(deep);
    assert_eq!(slot.word0().reference(), ReferenceState::Dropped as u8);
    drop(calls);
    ownership::release(runtime(), other).unwrap();
    assert!(!runtime().table.slot_of(other).unwrap().word0().is_live());
}

#[test]
fn of_four_threads_that_release_one_handle_one_succeeds() {
    for _ in 0..200 {
        let handle = item();
        let outcomes: Vec<i32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| release(handle))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|&&status| status == 0).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|&status| status == 0 || status == Status::StaleHandle as i32));
    }
}

#[test]
fn calls_and_a_release_racing_end_with_one_drop_and_no_pin() {
    for _ in 0..60 {
        let handle = lower(Arc::new(TodoList::new())).unwrap();
        let object = Arc::downgrade(borrow::<TodoList>(handle).unwrap().arc());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(
                    || while borrow::<TodoList>(handle).is_ok_and(|list| list.is_empty()) {},
                );
            }
            scope.spawn(|| ownership::release(runtime(), handle).unwrap());
        });
        assert_eq!(object.strong_count(), 0);
        assert_eq!(
            runtime().table.slot_of(handle).unwrap().word0().reference(),
            ReferenceState::Dropped as u8
        );
    }
}

#[test]
fn a_traced_reference_becomes_a_handle_without_counting() {
    let traced = Traced::new(TodoItem::new("x"));
    let other = traced.clone();
    assert_eq!(traced.strong_count(), 2);
    let handle = traced.lower().unwrap();
    assert_eq!(strong(handle), 2);
    drop(other);
    assert_eq!(strong(handle), 1);
    assert_eq!(release(handle), 0);
}

unsafe extern "C" fn notify(key: u64, what: u32, handle: u64) {
    // SAFETY: the key is a leaked sender of this test.
    let sender = unsafe { &*(key as *const std::sync::mpsc::Sender<(u32, u64)>) };
    sender.send((what, handle)).unwrap();
}

unsafe extern "C" fn let_go(key: u64) {
    // SAFETY: as above, and this is called once.
    drop(unsafe { Box::from_raw(key as *mut std::sync::mpsc::Sender<(u32, u64)>) });
}

fn foreign_rows(key: u64) -> usize {
    let runtime = runtime();
    let rows = 1..runtime.segment().used(segment::Part::Handles);
    let is_its = |index: u32| {
        let slot = runtime.table.slot(index).unwrap();
        let word = slot.word0();
        word.is_live()
            && slot.data() == key
            && recorder::types::kind_of(runtime, word.type_id()) == Kind::Foreign as u8
    };
    rows.filter(|&index| is_its(index)).count()
}

#[test]
fn a_foreign_listener_is_told_of_items_and_let_go_with_the_last_native_reference() {
    let (sender, told) = channel();
    let key = Box::into_raw(Box::new(sender)) as u64;
    // SAFETY: both functions match the key, which lives until `let_go`.
    let listener =
        made(|out| unsafe { ai_listener_new(Some(notify), Some(let_go), key, out, null_mut()) });
    let list = list();
    // SAFETY: no places needed.
    assert_eq!(unsafe { ai_todo_list_listen(list, listener, null_mut()) }, 0);
    assert_eq!(release(listener), 0);
    assert_eq!(foreign_rows(key), 1, "the list holds it");
    let item = item();
    // SAFETY: as above.
    assert_eq!(unsafe { ai_todo_list_add_item(list, item, null_mut()) }, 0);
    let (what, given) = told.recv().unwrap();
    // SAFETY: as above.
    assert_eq!((what, unsafe { ai_handle_same(given, item, null_mut()) }), (1, 1));
    release_all([given, item, list]);
    assert_eq!(foreign_rows(key), 0);
    assert!(told.recv().is_err(), "the sender was dropped");
}
