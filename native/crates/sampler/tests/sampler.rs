//! Passes over a table of the test's own.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_sampler as sampler;

mod table;

use std::sync::atomic::Ordering;
use std::sync::Arc;

use sampler::{Pass, BUSY_PASSES, STILL_PASSES};
use segment::layout::{Kind, ReferenceState, COUNT_UNKNOWN, STRONG_UNKNOWN};
use table::{address, look, one, Table, NOWHERE};

#[test]
fn counts_are_those_of_the_arc_without_the_weak_that_all_strongs_share() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let (_second, _weak) = (Arc::clone(&object), Arc::downgrade(&object));
    let other = Arc::new(8_u64);
    table.put_live(1, Kind::Arc, address(&object));
    table.put_live(2, Kind::Uniffi, address(&other));
    assert_eq!(look(&mut Pass::new(), &table), 0);
    assert_eq!(table.counts(1), (2, 1, COUNT_UNKNOWN));
    assert_eq!(table.counts(2), (1, 0, 0));
}

#[test]
fn clones_for_calls_are_in_flight_and_not_held() {
    let (table, object) = one(Kind::Uniffi);
    let mut pass = Pass::new();
    look(&mut pass, &table);
    let calls = [Arc::clone(&object), Arc::clone(&object)];
    look(&mut pass, &table);
    assert_eq!(table.counts(1), (1, 0, 2));
    drop(calls);
    look(&mut pass, &table);
    assert_eq!(table.counts(1), (1, 0, 0));
}

#[test]
fn a_clone_that_stays_becomes_part_of_the_resting_count() {
    let (table, object) = one(Kind::Uniffi);
    let mut pass = Pass::new();
    look(&mut pass, &table);
    let _held = Arc::clone(&object);
    look(&mut pass, &table);
    assert_eq!(table.counts(1), (1, 0, 1));
    for _ in 0..STILL_PASSES {
        look(&mut pass, &table);
    }
    assert_eq!(table.counts(1), (2, 0, 0));
}

#[test]
fn handles_of_one_object_are_no_references_beyond_them() {
    let table = Table::new(4);
    let object = Arc::new(7_u64);
    let mut handles = vec![Arc::clone(&object)];
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    look(&mut pass, &table);
    assert_eq!(table.counts(1), (2, 0, 0), "the test's own");
    for index in 2..=4 {
        handles.push(Arc::clone(&object));
        table.put_live(index, Kind::Uniffi, address(&object));
        look(&mut pass, &table);
        assert_eq!(
            (1..=index).map(|row| table.counts(row)).collect::<Vec<_>>(),
            vec![(2, 0, 0); index]
        );
    }
    table.put(2, ReferenceState::Released, Kind::Uniffi, 1, address(&object));
    handles.pop();
    look(&mut pass, &table);
    assert_eq!([1, 3, 4].map(|row| table.counts(row)), [(2, 0, 0); 3]);
}

#[test]
fn a_handle_without_a_reference_shows_at_once_and_in_all_rows() {
    let table = Table::new(3);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    look(&mut pass, &table);
    table.put_live(2, Kind::Uniffi, address(&object));
    table.put_live(3, Kind::Uniffi, address(&object));
    look(&mut pass, &table);
    assert_eq!([1, 2, 3].map(|row| table.counts(row).0 as i32), [-1; 3]);
}

#[test]
fn handles_that_come_and_go_under_the_passes_never_make_references_missing_or_rows_disagree() {
    let table = Table::new(8);
    let object = Arc::new(7_u64);
    let stop = std::sync::atomic::AtomicBool::new(false);
    table.put_live(1, Kind::Uniffi, address(&object));
    std::thread::scope(|scope| {
        for row in 2..=3 {
            let (table, object, stop) = (&table, &object, &stop);
            scope.spawn(move || {
                for generation in 1.. {
                    let reference = Arc::clone(object);
                    table.put(row, ReferenceState::Live, Kind::Uniffi, generation, address(object));
                    std::thread::yield_now();
                    table.rows[row][0].store(
                        u64::from(generation) << 32 | ReferenceState::Released as u64,
                        Ordering::SeqCst,
                    );
                    drop(reference);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let mut pass = Pass::new();
        let seen: Vec<_> =
            (0..60).map(|_| look(&mut pass, &table)).map(|_| table.counts(1).0).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(seen.iter().all(|&strong| strong == 1 || strong == STRONG_UNKNOWN), "{seen:?}");
        assert!(seen.contains(&1));
    });
}

#[test]
fn a_count_that_moved_for_long_and_then_rests_is_believed() {
    let (table, object) = one(Kind::Uniffi);
    let mut pass = Pass::new();
    for _ in 0..BUSY_PASSES / 4 {
        let _call = Arc::clone(&object);
        look(&mut pass, &table);
    }
    let _clones = vec![Arc::clone(&object); 4];
    for _ in 0..=STILL_PASSES {
        look(&mut pass, &table);
    }
    assert_eq!(table.counts(1), (5, 0, 0));
}

#[test]
fn the_objects_of_handle_maps_are_read_as_they_are_since_their_calls_do_not_clone() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let (_held, _weak) = (Arc::clone(&object), Arc::downgrade(&object));
    table.put_live(1, Kind::MutexMap, address(&object));
    table.put_live(2, Kind::ArcMap, address(&object));
    assert_eq!(look(&mut Pass::new(), &table), 0);
    assert_eq!(
        [table.counts(1), table.counts(2)],
        [(1, 1, COUNT_UNKNOWN); 2],
        "two handles on two references"
    );
}

#[test]
fn rows_that_hold_nothing_and_kinds_that_count_elsewhere_are_left_alone() {
    let table = Table::new(6);
    let object = Arc::new(7_u64);
    table.put(1, ReferenceState::Released, Kind::Arc, 1, address(&object));
    table.put(2, ReferenceState::Dropped, Kind::Arc, 1, NOWHERE);
    for (index, kind) in [(3, Kind::Thin), (4, Kind::Declared), (5, Kind::Foreign)] {
        table.put_live(index, kind, NOWHERE);
    }
    table.put_live(6, Kind::Uniffi, 0);
    assert_eq!(look(&mut Pass::new(), &table), 0);
    for index in 1..=6 {
        assert_eq!(
            table.counts(index),
            (STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN),
            "row {index}"
        );
    }
}

#[test]
fn addresses_that_cannot_be_read_are_unknown_counted_once_and_do_not_stop_the_others() {
    let table = Table::new(3001);
    let objects: Vec<_> = (1..=3001_u64).map(Arc::new).collect();
    for (index, object) in (1..).zip(&objects) {
        let at = if index % 3 == 1 { NOWHERE + 64 * (index as u64 % 32) } else { address(object) };
        table.put_live(index, Kind::Arc, at);
    }
    let mut pass = Pass::new();
    assert_eq!(look(&mut pass, &table), 1001);
    assert_eq!(look(&mut pass, &table), 0);
    assert_eq!(table.counts(1).0, STRONG_UNKNOWN);
    assert_eq!(table.counts(2).0, 1);
    assert_eq!(table.counts(3000).0, 1);
    assert_eq!(table.counts(3001).0, STRONG_UNKNOWN);
}

#[test]
fn a_count_beyond_all_reason_is_unknown() {
    let table = Table::new(2);
    let allocations = [[u64::MAX, 1, 0], [3, u64::MAX, 0]];
    table.put_live(1, Kind::Arc, allocations[0].as_ptr() as u64);
    table.put_live(2, Kind::Arc, allocations[1].as_ptr() as u64);
    look(&mut Pass::new(), &table);
    assert_eq!(table.counts(1), (STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN));
    assert_eq!(table.counts(2), (3, COUNT_UNKNOWN, COUNT_UNKNOWN));
}

#[test]
fn a_row_used_again_forgets_the_counts_of_its_last_occupant() {
    let table = Table::new(1);
    let (first, second) = (Arc::new(1_u64), Arc::new(2_u64));
    let _many = [Arc::clone(&second), Arc::clone(&second)];
    table.put(1, ReferenceState::Live, Kind::Uniffi, 1, address(&first));
    let mut pass = Pass::new();
    look(&mut pass, &table);
    table.put(1, ReferenceState::Live, Kind::Uniffi, 2, address(&second));
    look(&mut pass, &table);
    assert_eq!(table.counts(1), (3, 0, 0));
}

#[test]
fn a_row_that_died_or_was_used_again_while_its_memory_was_read_is_not_written() {
    let object = Arc::new(7_u64);
    let (first, second) = (1_u64 << 32, 2_u64 << 32);
    let kind = (Kind::Arc as u64) << 16;
    let dropped = (first | kind | ReferenceState::Dropped as u64, STRONG_UNKNOWN);
    let used_again = (second | kind | ReferenceState::Live as u64, 1);
    for (now, shown) in [dropped, used_again] {
        let table = Table::new(1);
        table.put_live(1, Kind::Arc, address(&object));
        *table.at_second_look.lock().unwrap() = Some((1, now));
        assert_eq!(look(&mut Pass::new(), &table), 0);
        assert_eq!(table.counts(1).0, shown, "{now:#x}: the next look finds the new one");
        assert_eq!(*table.at_second_look.lock().unwrap(), None, "there was a second look");
    }
}

#[test]
fn a_row_that_went_with_its_memory_is_no_loss() {
    let table = Table::new(1);
    table.put_live(1, Kind::Arc, NOWHERE);
    *table.at_second_look.lock().unwrap() = Some((1, 1 << 32 | ReferenceState::Dropped as u64));
    assert_eq!(look(&mut Pass::new(), &table), 0);
}

#[test]
fn rows_that_come_and_go_under_the_pass_never_show_counts_of_freed_memory() {
    let table = Table::new(8);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for generation in 1.. {
                let object = Arc::new([0_u64; 64]);
                table.put(3, ReferenceState::Live, Kind::Arc, generation, address(&object));
                std::thread::yield_now();
                table.rows[3][0].store(
                    u64::from(generation) << 32 | ReferenceState::Dropped as u64,
                    Ordering::SeqCst,
                );
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let mut pass = Pass::new();
        let mut seen = Vec::new();
        while seen.iter().filter(|&&strong| strong == 1).count() < 50 {
            look(&mut pass, &table);
            seen.push(table.counts(3).0);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(seen.iter().all(|&strong| strong == 1 || strong == STRONG_UNKNOWN));
    });
}

#[test]
fn a_pass_is_broken_off_when_the_sampler_stops() {
    let table = Table::new(5000);
    let objects: Vec<_> = (0..5000_u64).map(Arc::new).collect();
    for (index, object) in objects.iter().enumerate() {
        table.put_live(index + 1, Kind::Arc, address(object));
    }
    let mut batches = 0;
    Pass::new().run(&*table, || {
        batches += 1;
        batches < 2
    });
    assert_eq!(batches, 2);
    assert!(
        (1..=5000).all(|row| table.counts(row).0 == STRONG_UNKNOWN),
        "counts without a second look at the handles are worth nothing"
    );
}
