//! Passes over objects of traits, whose handles point into an `Arc` around the object's own.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_sampler as sampler;

mod table;

use std::sync::atomic::Ordering;
use std::sync::Arc;

use sampler::{Pass, STILL_PASSES};
use segment::layout::{Kind, ReferenceState, OUTER_UNKNOWN, STRONG_UNKNOWN};
use table::{look, one, one_trait, Table, NOWHERE};

#[test]
fn a_trait_shows_what_its_object_counts_and_what_the_arc_around_it_counts() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let handle = Arc::new(Arc::clone(&object));
    let weak = Arc::downgrade(&object);
    table.put_trait(1, &object, &handle);
    let mut pass = Pass::new();
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 0), 1));
    let leaked = [Arc::clone(&handle), Arc::clone(&handle)];
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 2), 1), "clones may be of calls");
    for _ in 0..STILL_PASSES {
        look(&mut pass, &table);
    }
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 0), 3));
    drop((leaked, weak));
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 1));
}

#[test]
fn two_handles_of_one_trait_object_have_an_outer_count_each() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let handles = [Arc::new(Arc::clone(&object)), Arc::new(Arc::clone(&object))];
    let _clones = [Arc::clone(&handles[1]), Arc::clone(&handles[1])];
    table.put_trait(1, &object, &handles[0]);
    table.put_trait(2, &object, &handles[1]);
    look(&mut Pass::new(), &table);
    assert_eq!(
        [table.counts(1), table.counts(2)],
        [(2, 0, 0); 2],
        "each of the two holds one of the three"
    );
    assert_eq!([table.outer(1), table.outer(2)], [1, 3]);
}

#[test]
fn a_reference_that_moves_from_the_outer_arc_to_the_inner_one_is_seen_in_both_at_once() {
    let (table, _object, handle) = one_trait();
    let clone = Arc::clone(&handle);
    let mut pass = Pass::new();
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 2));
    let lifted = Arc::clone(&*clone);
    drop(clone);
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((3, 0, 0), 1));
    drop(lifted);
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 1));
}

#[test]
fn calls_show_in_flight_whether_they_count_in_the_outer_arc_or_in_the_inner_one() {
    let (table, object, handle) = one_trait();
    let mut pass = Pass::new();
    look(&mut pass, &table);
    let calls = (Arc::clone(&object), Arc::clone(&handle));
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 2), 1));
    drop(calls);
    look(&mut pass, &table);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 1));
}

#[test]
fn the_next_row_in_a_place_does_not_inherit_an_outer_count() {
    let (table, _object, handle) = one_trait();
    let mut pass = Pass::new();
    look(&mut pass, &table);
    table.put(1, ReferenceState::Live, Kind::UniffiTrait, 2, NOWHERE);
    assert_eq!(table.outer(1), 1, "this table's rows do not forget it at birth");
    table.rows[1][7].store(Arc::as_ptr(&handle) as u64, Ordering::Relaxed);
    look(&mut pass, &table);
    assert_eq!((table.counts(1).0, table.outer(1)), (STRONG_UNKNOWN, OUTER_UNKNOWN));
}

#[test]
fn a_trait_whose_handle_cannot_be_read_shows_its_object_alone() {
    let (table, _object) = one(Kind::UniffiTrait);
    table.rows[1][7].store(4096, Ordering::Relaxed);
    assert_eq!(look(&mut Pass::new(), &table), 0);
    assert_eq!((table.counts(1), table.outer(1)), ((1, 0, 0), OUTER_UNKNOWN));
}
