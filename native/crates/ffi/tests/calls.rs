//! The begin and the end of calls in the history: an end is recorded only where its begin is.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use objects::ownership;
use objects::ownership::{borrow, clone_handle, lower};
use recorder::levels;
use recorder::runtime::runtime;
use recorder::threads;
use samples::TodoItem;
use segment::atomic;
use segment::layout::{Event, EventKind, Level, RING_EVENTS};

/// Kind, handle and type of this thread's newest events, oldest first.
fn newest_events(count: u64) -> Vec<(u8, u64, u16)> {
    let ring = threads::local(|local| local.ring.get());
    let written = atomic!(AtomicU64, ring, written).load(Ordering::Relaxed);
    let read = |number: u64| {
        // SAFETY: the events follow the ring's header.
        let event =
            unsafe { ring.add(1).cast::<Event>().add((number % u64::from(RING_EVENTS)) as usize) };
        let kind = atomic!(AtomicU32, event, count_kind).load(Ordering::Relaxed) as u8;
        (
            kind,
            atomic!(AtomicU64, event, handle).load(Ordering::Relaxed),
            atomic!(AtomicU16, event, type_id).load(Ordering::Relaxed),
        )
    };
    (written.saturating_sub(count)..written).map(read).collect()
}

#[test]
fn a_call_s_end_is_recorded_only_where_its_begin_is_and_each_event_names_its_type() {
    let handles: Vec<u64> =
        (0..3).map(|_| lower(Arc::new(TodoItem::new(""))).expect("a row")).collect();
    let mut random = 7_u64;
    let mut below = |limit: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let mut calls = Vec::new();
    for _ in 0..500 {
        match below(8) {
            0..=2 if calls.len() < 20 => {
                calls.push(borrow::<TodoItem>(handles[below(3) as usize]).expect("live"))
            }
            3 => {
                let clone = clone_handle(handles[below(3) as usize]).expect("live");
                ownership::release(runtime(), clone).expect("live");
            }
            4 => levels::set_level(
                runtime(),
                if below(2) == 0 { Level::Count } else { Level::History } as u8,
            ),
            _ if !calls.is_empty() => drop(calls.remove(below(calls.len() as u64) as usize)),
            _ => {}
        }
    }
    drop(calls);
    levels::set_level(runtime(), Level::History as u8);
    drop(borrow::<TodoItem>(handles[0]).expect("live"));
    let events = newest_events(u64::from(RING_EVENTS));
    assert!(events.iter().filter(|event| event.0 == EventKind::Return as u8).count() > 20);
    let type_id = events[0].2;
    assert!(type_id != 0 && events.iter().all(|event| event.2 == type_id));
    for &handle in &handles {
        let mut open = 0_i32;
        for (kind, _, _) in events.iter().filter(|event| event.1 == handle) {
            open += i32::from(*kind == EventKind::Borrow as u8)
                - i32::from(*kind == EventKind::Return as u8);
            assert!(open >= 0, "a call ended that had not begun");
        }
    }
    assert_eq!(
        events[events.len() - 2..].iter().map(|event| event.0).collect::<Vec<_>>(),
        [EventKind::Borrow as u8, EventKind::Return as u8]
    );
    levels::set_level(runtime(), Level::Off as u8);
    handles.into_iter().for_each(|handle| ownership::release(runtime(), handle).expect("live"));
}
