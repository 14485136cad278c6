//! References that are rows, and the names of their types.

use std::sync::Arc;

use arc_inspector::{Traceable, TracedArc};
use recorder::runtime::runtime;
use segment::layout::ReferenceState;

#[derive(Traceable, Debug, PartialEq)]
struct Plain(u8);

#[derive(Traceable)]
#[traceable(name = "Renamed")]
struct Generic<T: Clone> {
    value: T,
}

/// A value whose alignment moves it away from the counts.
#[derive(Traceable)]
#[repr(align(64))]
struct Aligned;

fn is_live(row: u64) -> bool {
    let slot = runtime().table.slot_of(row);
    slot.is_some_and(|slot| slot.word0().reference() == ReferenceState::Live as u8)
}

#[test]
fn each_clone_is_a_row_until_it_is_dropped() {
    let first = TracedArc::new(Plain(1));
    let second = first.clone();
    let rows = [first.row(), second.row()];
    assert_ne!(rows[0], rows[1]);
    assert!(rows.iter().all(|&row| is_live(row)));
    assert_eq!((first.strong_count(), first.is_same(&second)), (2, true));
    drop(first);
    assert_eq!(rows.map(is_live), [false, true]);
    assert_eq!((second.strong_count(), &*second), (1, &Plain(1)));
    drop(second);
    assert_eq!(rows.map(is_live), [false, false]);
}

#[test]
fn the_reference_leaves_its_row_and_lives_on() {
    let traced = TracedArc::from(Arc::new(Plain(2)));
    let row = traced.row();
    let weak = traced.downgrade();
    let arc = traced.into_arc();
    assert!(!is_live(row));
    assert_eq!((Arc::strong_count(&arc), format!("{arc:?}").as_str()), (1, "Plain(2)"));
    drop(arc);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_row_has_the_address_of_the_counts() {
    let traced = TracedArc::new(Aligned);
    let slot = runtime().table.slot_of(traced.row()).expect("it has a row");
    assert_eq!(Arc::as_ptr(traced.arc()) as u64 - slot.address(), 64);
    // SAFETY: the strong count is the first word of the allocation, and the reference lives.
    let strong = unsafe { *(slot.address() as *const usize) };
    assert_eq!(strong, 1);
}

#[test]
fn a_type_is_named_by_the_derive_or_by_its_attribute() {
    assert_eq!((Plain::NAME, Plain::ORIGIN), ("Plain", "traced_arc"));
    assert_eq!(Generic::<u8>::NAME, "Renamed");
    assert_eq!(TracedArc::new(Generic { value: 3 }).value, 3);
}
