//! Holders on the native side: reports of objects, and references with a name.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use objects::edges::{self, Label};
use objects::object::Held;
use objects::ownership;
use objects::ownership::{borrow, lower, Traced};
use recorder::levels;
use recorder::runtime::runtime;
use samples::{Cursor, Journal, Listener, TodoItem, TodoList};
use segment::atomic;
use segment::layout::Level;
use segment::Part;
use serde_json::json;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static DROPPED: AtomicU64 = AtomicU64::new(0);

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn ignore(_key: u64, _what: u32, _handle: u64) {}

unsafe extern "C" fn let_go(key: u64) {
    DROPPED.store(key, Ordering::SeqCst);
}

fn address(handle: u64) -> u64 {
    runtime().table.slot_of(handle).unwrap().address()
}

fn release(handle: u64) {
    ownership::release(runtime(), handle).unwrap();
}

#[test]
fn an_item_is_held_by_the_lists_that_share_it() {
    let _alone = alone();
    let item = lower(Arc::new(TodoItem::new("milk"))).unwrap();
    let lists =
        [lower(Arc::new(TodoList::new())).unwrap(), lower(Arc::new(TodoList::new())).unwrap()];
    for (times, &list) in lists.iter().enumerate() {
        for _ in 0..=times {
            let shared = Traced::from_arc(Arc::clone(borrow::<TodoItem>(item).unwrap().arc()));
            borrow::<TodoList>(list).unwrap().add(shared);
        }
    }
    let answer = edges::holders(runtime(), item);
    let mut fields = answer["fields"].as_array().unwrap().clone();
    fields.sort_by_key(|field| field["count"].as_u64());
    assert_eq!(fields.len(), 2);
    for (count, (field, &list)) in fields.iter().zip(&lists).enumerate() {
        assert_eq!(
            field,
            &json!({"from": address(list), "type": "TodoList", "label": "items", "count": count + 1})
        );
    }
    assert_eq!((&answer["unread"], &answer["unnamed"]), (&json!(0), &json!(0)));
    lists.into_iter().chain([item]).for_each(release);
}

#[test]
fn what_another_thread_changes_is_counted_as_unread_and_waited_for_by_nobody() {
    let _alone = alone();
    let list = lower(Arc::new(TodoList::new())).unwrap();
    let item = lower(Arc::new(TodoItem::new("milk"))).unwrap();
    borrow::<TodoList>(list).unwrap().while_locked(|| {
        assert_eq!(edges::holders(runtime(), item)["unread"], 1);
    });
    [list, item].into_iter().for_each(release);
}

#[test]
fn a_foreign_object_is_found_behind_objects_that_have_no_handle() {
    let _alone = alone();
    let list = lower(Arc::new(TodoList::new())).unwrap();
    // SAFETY: both functions are plain and stay.
    let listener = Arc::new(unsafe { Listener::new(ignore, let_go, 77) });
    borrow::<TodoList>(list).unwrap().listen(listener);
    let found = edges::of_handle(runtime(), list);
    let labels: Vec<_> = found.edges.iter().map(|edge| (edge.from_type, edge.label)).collect();
    assert_eq!(labels, [("TodoList", "listeners"), ("Listener", "callback")]);
    let Held::Foreign(row) = found.edges[1].to else { panic!("a foreign object") };
    assert_eq!(edges::foreign_key(runtime(), row).unwrap(), 77);
    release(list);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 77);
    assert!(edges::foreign_key(runtime(), row).is_err());
}

#[test]
fn a_cursor_says_that_it_holds_its_journal() {
    let _alone = alone();
    let path = std::env::temp_dir().join(format!("arc-edges-{}", std::process::id()));
    let journal = Arc::new(Journal::open(&path).unwrap());
    let (journal, cursor) = (
        lower(Arc::clone(&journal)).unwrap(),
        lower(Arc::new(Cursor::open(journal).unwrap())).unwrap(),
    );
    let holders = edges::holders(runtime(), journal);
    assert_eq!(
        holders["fields"],
        json!([{"from": address(cursor), "type": "Cursor", "label": "journal", "count": 1}])
    );
    [cursor, journal].into_iter().for_each(release);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_label_names_a_reference_as_long_as_it_lives() {
    let _alone = alone();
    let item = lower(Arc::new(TodoItem::new("milk"))).unwrap();
    let arc = Arc::clone(borrow::<TodoItem>(item).unwrap().arc());
    let label = Label::new(arc, "recent items");
    let second = label.clone();
    assert_eq!(
        edges::holders(runtime(), item)["labels"],
        json!([{"label": "recent items", "count": 2}])
    );
    drop(second);
    assert_eq!(
        edges::holders(runtime(), item)["labels"],
        json!([{"label": "recent items", "count": 1}])
    );
    assert_eq!(Arc::strong_count(label.arc()), 2);
    drop(label);
    assert_eq!(edges::holders(runtime(), item)["labels"], json!([]));
    release(item);
}

#[test]
fn a_labelled_reference_of_a_handle_is_given_up_once() {
    let _alone = alone();
    let item = lower(Arc::new(TodoItem::new("milk"))).unwrap();
    let arc = Arc::clone(borrow::<TodoItem>(item).unwrap().arc());
    let number = edges::label_handle(item, "cache").unwrap();
    assert_eq!(Arc::strong_count(&arc), 3);
    edges::drop_label(number).unwrap();
    assert_eq!(Arc::strong_count(&arc), 2);
    assert_eq!(edges::drop_label(number).unwrap_err().message, format!("no such label: {number}"));
    release(item);
    assert!(edges::label_handle(item, "cache").is_err());
}

#[test]
fn a_dead_handle_has_no_holders() {
    let _alone = alone();
    let item = lower(Arc::new(TodoItem::new("milk"))).unwrap();
    release(item);
    assert_eq!(edges::holders(runtime(), item)["fields"], json!([]));
}

#[test]
fn a_native_clone_at_level_stacks_is_recorded_with_the_way_that_led_to_it() {
    let _alone = alone();
    levels::set_level(runtime(), Level::Stacks as u8);
    let before = runtime().segment().used(Part::Sites);
    let first = Traced::new(TodoItem::new("milk"));
    let second = first.clone();
    levels::set_level(runtime(), Level::Off as u8);
    drop((first, second));
    let sites = runtime().segment().used(Part::Sites);
    assert!(sites > before, "the clone has a site");
    let slot = runtime().segment().site(sites - 1);
    assert!(atomic!(AtomicU32, slot, frame_count).load(Ordering::Acquire) > 0);
    let frame =
        runtime().segment().frame(atomic!(AtomicU32, slot, frames[0]).load(Ordering::Relaxed));
    assert_ne!(atomic!(AtomicU64, frame, address).load(Ordering::Relaxed), 0);
}
