//! The whole at once: four native workers through the handles, with recording switched all the
//! while, end with nothing alive.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_inspector_native::samples::{ai_churn_start, ai_churn_stop};
use recorder::events;
use recorder::levels;
use recorder::runtime::runtime;
use recorder::threads::pins_of;
use segment::atomic;
use segment::layout::{EventKind, Level, TYPE_SHARDS};
use segment::status::Status;
use segment::Part;

fn live() -> u64 {
    events::live_handles(runtime())
}

/// Created, released and dropped, all types.
fn totals() -> [u64; 3] {
    let segment = runtime().segment();
    let mut sums = [0; 3];
    for index in 1..segment.used(Part::Types) {
        for shard in 0..TYPE_SHARDS {
            let slot = segment.type_slot(index);
            sums[0] += atomic!(AtomicU64, slot, shards[shard].created).load(Ordering::SeqCst);
            sums[1] += atomic!(AtomicU64, slot, shards[shard].released).load(Ordering::SeqCst);
            sums[2] += atomic!(AtomicU64, slot, shards[shard].dropped).load(Ordering::SeqCst);
        }
    }
    sums
}

#[test]
fn four_workers_end_with_zero_live_handles_and_every_birth_matched_by_a_release() {
    levels::set_level(runtime(), Level::History as u8);
    let mut churn = 0;
    // SAFETY: a place for the handle.
    assert_eq!(unsafe { ai_churn_start(4, 200_000, &mut churn, null_mut()) }, Status::Ok as i32);
    let deadline = Instant::now() + Duration::from_secs(30);
    while totals()[0] < 20_000 {
        assert!(Instant::now() < deadline, "the workers do nothing");
        std::thread::yield_now();
    }
    // SAFETY: no place for an error.
    assert_eq!(unsafe { ai_churn_stop(churn, null_mut()) }, Status::Ok as i32);
    let [created, released, dropped] = totals();
    assert_eq!(live(), 0);
    assert_eq!(created, released);
    assert!(
        dropped < created && dropped > 0,
        "shared objects have more handles than destructors: {dropped} of {created}"
    );
    let mut pins = 0;
    pins_of(runtime(), |_, _| pins += 1);
    assert_eq!(pins, 0);
    let rows = 1..runtime().segment().used(Part::Handles);
    assert!(rows.into_iter().all(|index| !runtime().table.slot(index).unwrap().word0().is_live()));
    check_rings();
}

/// Every ring continues its count, and its newest event is a real event.
fn check_rings() {
    let segment = runtime().segment();
    assert!(segment.used(Part::Rings) >= 4, "each worker had one");
    for index in 0..segment.used(Part::Rings) {
        let ring = segment.ring(index);
        assert!(atomic!(AtomicU64, ring, written).load(Ordering::SeqCst) > 0);
        // SAFETY: the first event follows the ring's header in the same record.
        let first = unsafe { ring.add(1).cast::<segment::layout::Event>() };
        let kind = atomic!(AtomicU32, first, count_kind).load(Ordering::SeqCst) & 0xFF;
        assert!((EventKind::Create as u32..=EventKind::Misuse as u32).contains(&kind));
    }
}
