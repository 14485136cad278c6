//! The sampler over a table of the test's own, with real `Arc`s and with addresses that are none.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_sampler as sampler;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use sampler::{Pass, Sampled, Sampler, BUSY_PASSES, STILL_PASSES};
use segment::layout::{Kind, ReferenceState, COUNT_UNKNOWN, OUTER_UNKNOWN, STRONG_UNKNOWN};

/// The sampler's reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    heartbeats: u64,
    passes: u64,
    skips: u64,
    unreadable: u64,
    cpu_nanos: u64,
}

/// A table of rows; types are numbered as their kinds.
struct Table {
    rows: Vec<[AtomicU64; 8]>,
    /// Row and word 0 that it gets between the look before the reading and the look after it.
    at_second_look: Mutex<Option<(u32, u64)>>,
    looks: AtomicU64,
    said: Mutex<Said>,
    changed: Condvar,
}

impl Table {
    fn new(rows: usize) -> Arc<Self> {
        let unknown = counts(STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN);
        let words = [0, 0, unknown, 0, 0, 0, u64::from(OUTER_UNKNOWN) << 32, 0];
        let row = |_| words.map(AtomicU64::new);
        let rows = (0..=rows).map(row).collect();
        Arc::new(Self {
            rows,
            at_second_look: Mutex::default(),
            looks: AtomicU64::new(0),
            said: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn put(&self, index: usize, state: ReferenceState, kind: Kind, generation: u32, address: u64) {
        let word = u64::from(generation) << 32 | (kind as u64) << 16 | state as u64;
        self.rows[index][1].store(address, Ordering::Relaxed);
        self.rows[index][2]
            .store(counts(STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN), Ordering::Relaxed);
        self.rows[index][0].store(word, Ordering::Release);
    }

    fn put_live(&self, index: usize, kind: Kind, address: u64) {
        self.put(index, ReferenceState::Live, kind, 1, address);
    }

    /// As the row has them: `strong` as if it were its object's only handle.
    fn counts(&self, index: usize) -> (u32, u16, u16) {
        let word = self.rows[index][2].load(Ordering::Relaxed);
        (word as u32, (word >> 32) as u16, (word >> 48) as u16)
    }

    #[allow(clippy::redundant_allocation, reason = "it is what a trait's handle points into")]
    fn put_trait(&self, index: usize, object: &Arc<u64>, handle: &Arc<Arc<u64>>) {
        self.rows[index][7].store(Arc::as_ptr(handle) as u64, Ordering::Relaxed);
        self.put_live(index, Kind::UniffiTrait, address(object));
    }

    fn outer(&self, index: usize) -> u32 {
        (self.rows[index][6].load(Ordering::Relaxed) >> 32) as u32
    }

    fn said(&self) -> Said {
        *self.said.lock().unwrap()
    }

    fn say(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().unwrap());
        self.changed.notify_all();
    }

    /// Wait until the sampler's reports satisfy `condition`.
    fn wait_for(&self, condition: impl Fn(&Said) -> bool) -> Said {
        let said = self.said.lock().unwrap();
        let (said, waited) = self
            .changed
            .wait_timeout_while(said, Duration::from_secs(30), |said| !condition(said))
            .unwrap();
        assert!(!waited.timed_out(), "waited in vain: {said:?}");
        *said
    }
}

impl Sampled for Table {
    fn used(&self) -> u32 {
        self.rows.len() as u32
    }

    fn words(&self, index: u32) -> &[AtomicU64; 8] {
        let mut change = self.at_second_look.lock().unwrap();
        if let Some((_, word)) = change
            .take_if(|(row, _)| *row == index && self.looks.fetch_add(1, Ordering::Relaxed) == 1)
        {
            self.rows[index as usize][0].store(word, Ordering::SeqCst);
        }
        &self.rows[index as usize]
    }

    fn kind(&self, type_id: u16) -> u8 {
        type_id as u8
    }

    fn outer_bytes(&self, type_id: u16) -> u64 {
        if type_id == Kind::UniffiTrait as u16 {
            16
        } else {
            0
        }
    }

    fn heartbeat(&self) {
        self.say(|said| said.heartbeats += 1);
    }

    fn add_cpu(&self, nanos: u64) {
        self.say(|said| said.cpu_nanos += nanos);
    }

    fn sampled(&self, _took: Duration) {
        self.say(|said| said.passes += 1);
    }

    fn count_unreadable(&self, rows: u64) {
        self.say(|said| said.unreadable += rows);
    }

    fn count_skip(&self) {
        self.say(|said| said.skips += 1);
    }
}

fn counts(strong: u32, weak: u16, in_flight: u16) -> u64 {
    u64::from(strong) | u64::from(weak) << 32 | u64::from(in_flight) << 48
}

/// Address of the counts of an `Arc`, two words before its value.
fn address<T>(object: &Arc<T>) -> u64 {
    Arc::as_ptr(object) as u64 - 16
}

/// An address that is in no map: the first page is never mapped.
const NOWHERE: u64 = 64;

#[test]
fn counts_are_those_of_the_arc_without_the_weak_that_all_strongs_share() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let (_second, _weak) = (Arc::clone(&object), Arc::downgrade(&object));
    let other = Arc::new(8_u64);
    table.put_live(1, Kind::Arc, address(&object));
    table.put_live(2, Kind::Uniffi, address(&other));
    assert_eq!(Pass::new().run(&*table, || true), 0);
    assert_eq!(table.counts(1), (2, 1, COUNT_UNKNOWN));
    assert_eq!(table.counts(2), (1, 0, 0));
}

#[test]
fn clones_for_calls_are_in_flight_and_not_held() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    let calls = [Arc::clone(&object), Arc::clone(&object)];
    pass.run(&*table, || true);
    assert_eq!(table.counts(1), (1, 0, 2));
    drop(calls);
    pass.run(&*table, || true);
    assert_eq!(table.counts(1), (1, 0, 0));
}

#[test]
fn a_trait_shows_what_its_object_counts_and_what_the_arc_around_it_counts() {
    let table = Table::new(2);
    let object = Arc::new(7_u64);
    let handle = Arc::new(Arc::clone(&object));
    let weak = Arc::downgrade(&object);
    table.put_trait(1, &object, &handle);
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 0), 1));
    let leaked = [Arc::clone(&handle), Arc::clone(&handle)];
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 2), 1), "clones may be of calls");
    for _ in 0..STILL_PASSES {
        pass.run(&*table, || true);
    }
    assert_eq!((table.counts(1), table.outer(1)), ((2, 1, 0), 3));
    drop((leaked, weak));
    pass.run(&*table, || true);
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
    Pass::new().run(&*table, || true);
    assert_eq!(
        [table.counts(1), table.counts(2)],
        [(2, 0, 0); 2],
        "each of the two holds one of the three"
    );
    assert_eq!([table.outer(1), table.outer(2)], [1, 3]);
}

#[test]
fn a_reference_that_moves_from_the_outer_arc_to_the_inner_one_is_seen_in_both_at_once() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    let handle = Arc::new(Arc::clone(&object));
    let clone = Arc::clone(&handle);
    table.put_trait(1, &object, &handle);
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 2));
    let lifted = Arc::clone(&*clone);
    drop(clone);
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((3, 0, 0), 1));
    drop(lifted);
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 1));
}

#[test]
fn calls_show_in_flight_whether_they_count_in_the_outer_arc_or_in_the_inner_one() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    let handle = Arc::new(Arc::clone(&object));
    table.put_trait(1, &object, &handle);
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    let calls = (Arc::clone(&object), Arc::clone(&handle));
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 2), 1));
    drop(calls);
    pass.run(&*table, || true);
    assert_eq!((table.counts(1), table.outer(1)), ((2, 0, 0), 1));
}

#[test]
fn the_next_row_in_a_place_does_not_inherit_an_outer_count() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    let handle = Arc::new(Arc::clone(&object));
    table.put_trait(1, &object, &handle);
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    table.put(1, ReferenceState::Live, Kind::UniffiTrait, 2, NOWHERE);
    assert_eq!(table.outer(1), 1, "this table's rows do not forget it at birth");
    table.rows[1][7].store(Arc::as_ptr(&handle) as u64, Ordering::Relaxed);
    pass.run(&*table, || true);
    assert_eq!((table.counts(1).0, table.outer(1)), (STRONG_UNKNOWN, OUTER_UNKNOWN));
}

#[test]
fn a_trait_whose_handle_cannot_be_read_shows_its_object_alone() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::UniffiTrait, address(&object));
    table.rows[1][7].store(4096, Ordering::Relaxed);
    assert_eq!(Pass::new().run(&*table, || true), 0);
    assert_eq!((table.counts(1), table.outer(1)), ((1, 0, 0), OUTER_UNKNOWN));
}

#[test]
fn a_clone_that_stays_becomes_part_of_the_resting_count() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    let _held = Arc::clone(&object);
    pass.run(&*table, || true);
    assert_eq!(table.counts(1), (1, 0, 1));
    for _ in 0..STILL_PASSES {
        pass.run(&*table, || true);
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
    pass.run(&*table, || true);
    assert_eq!(table.counts(1), (2, 0, 0), "the test's own");
    for index in 2..=4 {
        handles.push(Arc::clone(&object));
        table.put_live(index, Kind::Uniffi, address(&object));
        pass.run(&*table, || true);
        assert_eq!(
            (1..=index).map(|row| table.counts(row)).collect::<Vec<_>>(),
            vec![(2, 0, 0); index]
        );
    }
    table.put(2, ReferenceState::Released, Kind::Uniffi, 1, address(&object));
    handles.pop();
    pass.run(&*table, || true);
    assert_eq!([1, 3, 4].map(|row| table.counts(row)), [(2, 0, 0); 3]);
}

#[test]
fn a_handle_without_a_reference_shows_at_once_and_in_all_rows() {
    let table = Table::new(3);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    pass.run(&*table, || true);
    table.put_live(2, Kind::Uniffi, address(&object));
    table.put_live(3, Kind::Uniffi, address(&object));
    pass.run(&*table, || true);
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
            (0..60).map(|_| pass.run(&*table, || true)).map(|_| table.counts(1).0).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(seen.iter().all(|&strong| strong == 1 || strong == STRONG_UNKNOWN), "{seen:?}");
        assert!(seen.contains(&1));
    });
}

#[test]
fn a_new_session_believes_what_it_sees_and_not_what_an_earlier_one_saw() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let sampler = Sampler::start(table.clone()).unwrap();
    sampler.set_interval(Some(Duration::from_millis(1)));
    table.wait_for(|said| said.passes >= 1);
    sampler.set_interval(None);
    let _clones = vec![Arc::clone(&object); 4];
    sampler.set_interval(Some(Duration::from_secs(3600)));
    let passes = table.said().passes;
    table.wait_for(|said| said.passes > passes);
    sampler.stop();
    assert_eq!(table.counts(1), (5, 0, 0));
}

#[test]
fn a_count_that_moved_for_long_and_then_rests_is_believed() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let mut pass = Pass::new();
    for _ in 0..BUSY_PASSES / 4 {
        let _call = Arc::clone(&object);
        pass.run(&*table, || true);
    }
    let _clones = vec![Arc::clone(&object); 4];
    for _ in 0..=STILL_PASSES {
        pass.run(&*table, || true);
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
    assert_eq!(Pass::new().run(&*table, || true), 0);
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
    assert_eq!(Pass::new().run(&*table, || true), 0);
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
    assert_eq!(pass.run(&*table, || true), 1001);
    assert_eq!(pass.run(&*table, || true), 0);
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
    Pass::new().run(&*table, || true);
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
    pass.run(&*table, || true);
    table.put(1, ReferenceState::Live, Kind::Uniffi, 2, address(&second));
    pass.run(&*table, || true);
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
        assert_eq!(Pass::new().run(&*table, || true), 0);
        assert_eq!(table.counts(1).0, shown, "{now:#x}: the next look finds the new one");
        assert_eq!(*table.at_second_look.lock().unwrap(), None, "there was a second look");
    }
}

#[test]
fn a_row_that_went_with_its_memory_is_no_loss() {
    let table = Table::new(1);
    table.put_live(1, Kind::Arc, NOWHERE);
    *table.at_second_look.lock().unwrap() = Some((1, 1 << 32 | ReferenceState::Dropped as u64));
    assert_eq!(Pass::new().run(&*table, || true), 0);
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
            pass.run(&*table, || true);
            seen.push(table.counts(3).0);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(seen.iter().all(|&strong| strong == 1 || strong == STRONG_UNKNOWN));
    });
}

#[test]
fn counts_are_read_now_and_then_although_nobody_looks() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Uniffi, address(&object));
    let sampler = Sampler::start_with_rest(table.clone(), Duration::from_millis(1)).unwrap();
    table.wait_for(|said| said.passes >= 1);
    sampler.stop();
    assert_eq!(table.counts(1).0, 1);
    assert_eq!(table.said().skips, 0, "time that nobody waits for is not missed");
}

#[test]
fn the_thread_rests_without_a_viewer_and_after_the_last() {
    let table = Table::new(1);
    let object = Arc::new(7_u64);
    table.put_live(1, Kind::Arc, address(&object));
    let sampler = Sampler::start(table.clone()).unwrap();
    assert_eq!(table.said(), Said::default());
    sampler.set_interval(Some(Duration::from_millis(2)));
    let said = table.wait_for(|said| said.passes >= 3);
    assert!(said.heartbeats >= 3 && said.cpu_nanos > 0);
    assert_eq!(table.counts(1), (1, 0, COUNT_UNKNOWN));
    sampler.set_interval(None);
    sampler.stop();
    let at_rest = table.said();
    sampler.set_interval(Some(Duration::from_millis(1)));
    assert_eq!(table.said(), at_rest);
}

#[test]
fn a_large_table_is_sampled_less_often_but_the_heart_beats_on() {
    let table = Table::new(60_000);
    let objects: Vec<_> = (0..60_000_u64).map(Arc::new).collect();
    for (index, object) in objects.iter().enumerate() {
        table.put_live(index + 1, Kind::Uniffi, address(object));
    }
    let sampler = Sampler::start(table.clone()).unwrap();
    sampler.set_interval(Some(Duration::from_millis(10)));
    let said = table.wait_for(|said| said.passes >= 2);
    sampler.stop();
    assert!(said.skips >= 10, "{said:?}");
    assert!(said.heartbeats >= said.passes + said.skips, "{said:?}");
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
