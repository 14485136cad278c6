//! Every ownership strategy: the same promises, each kept by all of them.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::collections::{HashMap, HashSet};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};

use arc_inspector_native::ffi::quick::ai_live_handles;
use arc_inspector_native::layout::{ReferenceState, COUNT_UNKNOWN};
use arc_inspector_native::lifecycle;
use arc_inspector_native::ownership::{clone_handle, is_same, strong_and_weak, ArcMap, ForeignMap, MutexMap, Shared, ThinMap, Traced};
use arc_inspector_native::registry::generation_of;
use arc_inspector_native::runtime::runtime;
use arc_inspector_native::samples::{Lists, TodoItem, SERIAL_LISTS};
use arc_inspector_native::status::{Result, Status};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An object that counts its end.
struct Counted(&'static AtomicUsize);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

static SERIAL: MutexMap<Vec<u32>> = MutexMap::new("Serial", "test");
static ARCS: ArcMap<AtomicU64> = ArcMap::new("Arcs", "test");
static THIN: ThinMap<AtomicU64> = ThinMap::new("Thin", "test");
static FOREIGN: ForeignMap = ForeignMap::new("Foreign", "test");
static OTHER_FOREIGN: ForeignMap = ForeignMap::new("Other", "test");

/// Runs a test alone, and demands that it leaves no live handle behind.
fn leaving_nothing(body: impl FnOnce()) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ai_live_handles();
    body();
    assert_eq!(ai_live_handles(), before, "live handles are left");
}

fn release(handle: u64) {
    lifecycle::release(runtime(), handle).unwrap();
}

fn state(handle: u64) -> u8 {
    let word = runtime().table.slot_of(handle).unwrap().word0();
    assert_eq!(word.generation(), generation_of(handle));
    word.reference()
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status)
}

/// What each strategy does with a handle, as a status.
fn uses(handle: u64) -> [(&'static str, Status); 4] {
    [
        ("mutex_map", status(SERIAL.with(handle, |_| ()))),
        ("arc_map", status(ARCS.with(handle, |_| ()))),
        ("thin", status(THIN.with(handle, |_| ()))),
        ("foreign", status(FOREIGN.value(handle))),
    ]
}

/// A handle of each.
fn made() -> [u64; 4] {
    let thin = THIN.insert(AtomicU64::new(3)).unwrap().lower();
    [SERIAL.insert(vec![1]).unwrap(), ARCS.insert(AtomicU64::new(2)).unwrap(), thin, FOREIGN.insert(4).unwrap()]
}

fn end(handles: [u64; 4]) {
    handles[..3].iter().copied().for_each(release);
    assert_eq!(FOREIGN.delete(handles[3]).unwrap(), 4);
}

#[test]
fn a_handle_works_in_its_own_map_and_is_of_the_wrong_type_in_all_others() {
    leaving_nothing(|| {
        let handles = made();
        for (own, &handle) in handles.iter().enumerate() {
            for (at, (name, status)) in uses(handle).into_iter().enumerate() {
                assert_eq!(status, if at == own { Status::Ok } else { Status::WrongType }, "handle of map {own} in {name}");
            }
        }
        end(handles);
    });
}

#[test]
fn the_wrong_map_is_named_beside_the_right_one() {
    leaving_nothing(|| {
        let handles = made();
        let error = ARCS.with(handles[0], |_| ()).unwrap_err();
        assert!(error.message.ends_with("is a Serial, not a Arcs"), "{error}");
        let error = OTHER_FOREIGN.value(handles[3]).unwrap_err();
        assert!(error.message.ends_with("is a Foreign, not a Other"), "{error}");
        end(handles);
    });
}

#[test]
fn zero_and_numbers_that_were_never_handles_are_refused_by_name() {
    leaving_nothing(|| {
        assert!(uses(0).iter().all(|&(_, status)| status == Status::ZeroHandle));
        for number in [2, 3, 1 << 33, u64::MAX, 0xFFFF_FFFF, u64::from(u32::MAX) << 32 | 2] {
            assert!(uses(number).iter().all(|&(_, status)| status == Status::UnknownHandle), "{number:#x}");
        }
        let handles = made();
        for (at, &handle) in handles.iter().enumerate() {
            assert_eq!(uses(handle ^ 1)[at].1, Status::UnknownHandle, "the foreign bit is the other way round");
        }
        end(handles);
    });
}

#[test]
fn a_released_handle_is_stale_also_after_its_row_was_used_again() {
    leaving_nothing(|| {
        let handles = made();
        end(handles);
        for (at, &handle) in handles.iter().enumerate() {
            assert_eq!(uses(handle)[at].1, Status::StaleHandle);
        }
        for handle in &handles[..3] {
            assert_eq!(status(lifecycle::release(runtime(), *handle)), Status::StaleHandle);
        }
        assert_eq!(status(FOREIGN.delete(handles[3])), Status::StaleHandle);
    });
}

#[test]
fn an_object_is_dropped_once_with_its_last_reference() {
    static SERIAL_ENDS: MutexMap<Counted> = MutexMap::new("SerialEnds", "test");
    static ARC_ENDS: ArcMap<Counted> = ArcMap::new("ArcEnds", "test");
    static THIN_ENDS: ThinMap<Counted> = ThinMap::new("ThinEnds", "test");
    static ENDS: AtomicUsize = AtomicUsize::new(0);
    leaving_nothing(|| {
        let makers: [fn() -> u64; 3] = [
            || SERIAL_ENDS.insert(Counted(&ENDS)).unwrap(),
            || ARC_ENDS.insert(Counted(&ENDS)).unwrap(),
            || THIN_ENDS.insert(Counted(&ENDS)).unwrap().lower(),
        ];
        for (at, make) in makers.into_iter().enumerate() {
            let first = make();
            let second = clone_handle(first).unwrap();
            assert!(is_same(first, second).unwrap());
            assert_eq!(strong_and_weak(first).unwrap(), (2, 0));
            release(first);
            assert_eq!(ENDS.load(Ordering::SeqCst), at);
            assert_eq!(strong_and_weak(second).unwrap().0, 1);
            release(second);
            assert_eq!(ENDS.load(Ordering::SeqCst), at + 1);
            assert_eq!(state(second), ReferenceState::Dropped as u8);
        }
    });
}

#[test]
fn the_same_handle_twice_in_one_call_names_one_object_and_locks_it_once() {
    leaving_nothing(|| {
        let [serial, arcs, thin, foreign] = made();
        let again = clone_handle(serial).unwrap();
        SERIAL
            .with_all([serial, again, serial], |mut lists| {
                assert!(lists.two(0, 1).is_none() && lists.two(2, 0).is_none());
                lists.get(1).push(7);
                assert_eq!(lists.get(2), &[1, 7]);
            })
            .unwrap();
        release(again);
        assert!(ARCS.with_all([arcs, arcs], |[one, other]| std::ptr::eq(one, other)).unwrap());
        assert!(THIN.with_all([thin, thin], |[one, other]| std::ptr::eq(one, other)).unwrap());
        end([serial, arcs, thin, foreign]);
    });
}

#[test]
fn two_objects_in_one_call_are_given_in_the_order_of_their_handles() {
    leaving_nothing(|| {
        let handles = [SERIAL.insert(vec![1]).unwrap(), SERIAL.insert(vec![2]).unwrap()];
        for [first, second] in [[0, 1], [1, 0]] {
            SERIAL
                .with_all([handles[first], handles[second]], |mut lists| {
                    assert_eq!((lists.get(0)[0], lists.get(1)[0]), (first as u32 + 1, second as u32 + 1));
                    let (one, other) = lists.two(1, 0).unwrap();
                    assert_eq!((one[0], other[0]), (second as u32 + 1, first as u32 + 1));
                })
                .unwrap();
        }
        handles.into_iter().for_each(release);
    });
}

#[test]
fn threads_that_lock_the_same_objects_in_opposite_orders_do_not_block_each_other() {
    leaving_nothing(|| {
        let (one, other) = (SERIAL.insert(vec![0]).unwrap(), SERIAL.insert(vec![0]).unwrap());
        std::thread::scope(|scope| {
            for handles in [[one, other], [other, one], [one, one], [other, one]] {
                scope.spawn(move || {
                    for _ in 0..2000 {
                        SERIAL.with_all(handles, |mut lists| lists.get(0)[0] += 1).unwrap();
                    }
                });
            }
        });
        let total = SERIAL.with(one, |list| list[0]).unwrap() + SERIAL.with(other, |list| list[0]).unwrap();
        assert_eq!(total, 8000);
        [one, other].into_iter().for_each(release);
    });
}

#[test]
fn calls_on_one_object_of_a_mutex_map_never_overlap() {
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    leaving_nothing(|| {
        let list = SERIAL.insert(Vec::new()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    for _ in 0..1000 {
                        let call = |list: &mut Vec<u32>| {
                            assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                            list.push(number);
                            INSIDE.fetch_sub(1, Ordering::SeqCst);
                        };
                        SERIAL.with(list, call).unwrap();
                    }
                });
            }
        });
        assert_eq!(SERIAL.with(list, |list| list.len()).unwrap(), 4000);
        release(list);
    });
}

#[test]
fn a_thread_that_is_inside_an_object_is_refused_instead_of_waiting_for_itself() {
    leaving_nothing(|| {
        let list = SERIAL.insert(vec![1]).unwrap();
        let again = clone_handle(list).unwrap();
        let inner = SERIAL.with(list, |_| SERIAL.with(again, |_| ())).unwrap();
        assert_eq!(status(inner), Status::WrongThread);
        assert_eq!(status(SERIAL.with(again, |_| ())), Status::Ok, "only while it is inside");
        [list, again].into_iter().for_each(release);
    });
}

#[test]
fn a_panic_inside_poisons_that_object_alone() {
    leaving_nothing(|| {
        let (list, other) = (SERIAL.insert(vec![1]).unwrap(), SERIAL.insert(vec![1]).unwrap());
        let panicked = catch_unwind(AssertUnwindSafe(|| SERIAL.with(list, |list| list[9])));
        assert!(panicked.is_err());
        let error = SERIAL.with(list, |list| list[0]).unwrap_err();
        assert_eq!(error.status, Status::Poisoned);
        assert!(error.message.contains("panicked inside the object") && error.message.contains("Serial #"), "{error}");
        assert_eq!(status(SERIAL.with_all([other, list], |_| ())), Status::Poisoned);
        assert_eq!(SERIAL.with(other, |list| list[0]), Ok(1));
        [list, other].into_iter().for_each(release);
    });
}

#[test]
fn a_panic_in_a_shared_object_leaves_it_usable() {
    leaving_nothing(|| {
        let [serial, arcs, thin, foreign] = made();
        assert!(catch_unwind(AssertUnwindSafe(|| ARCS.with(arcs, |_| panic!("a bug")))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| THIN.with(thin, |_| panic!("a bug")))).is_err());
        assert_eq!(ARCS.with(arcs, |number| number.load(Ordering::Relaxed)), Ok(2));
        assert_eq!(THIN.with(thin, |number| number.load(Ordering::Relaxed)), Ok(3));
        end([serial, arcs, thin, foreign]);
    });
}

/// Where an object can be: a record, an enum, a sequence, a map.
struct Record {
    owner: Shared<AtomicU64>,
    kind: Either,
    sequence: Vec<Shared<AtomicU64>>,
    by_name: HashMap<String, Shared<AtomicU64>>,
}

enum Either {
    Object(Shared<AtomicU64>),
    Nothing,
}

#[test]
fn an_object_in_records_enums_sequences_and_maps_is_the_same_when_it_comes_back() {
    leaving_nothing(|| {
        let handle = ARCS.insert(AtomicU64::new(5)).unwrap();
        let get = || ARCS.get(handle).unwrap();
        let by_name = HashMap::from([("it".to_owned(), get())]);
        let mut record = Record { owner: get(), kind: Either::Object(get()), sequence: vec![get(), get()], by_name };
        assert_eq!(strong_and_weak(handle).unwrap(), (6, 0));
        let mut back = vec![ARCS.lower(record.owner.clone()).unwrap(), ARCS.lower(record.by_name.remove("it").unwrap()).unwrap()];
        back.extend(record.sequence.drain(..).map(|object| ARCS.lower(object).unwrap()));
        if let Either::Object(object) = std::mem::replace(&mut record.kind, Either::Nothing) {
            back.push(ARCS.lower(object).unwrap());
        }
        assert!(back.iter().all(|&other| is_same(handle, other).unwrap() && other != handle));
        release(handle);
        assert_eq!(ARCS.with(back[4], |number| number.load(Ordering::Relaxed)), Ok(5));
        back.into_iter().for_each(release);
        assert_eq!(record.owner.strong_count(), 1);
    });
}

#[test]
fn an_object_stored_natively_and_fetched_again_is_the_same_object() {
    leaving_nothing(|| {
        let [serial, arcs, thin, foreign] = made();
        let stored = (SERIAL.get(serial).unwrap(), ARCS.get(arcs).unwrap(), THIN.get(thin).unwrap());
        end([serial, arcs, thin, foreign]);
        let again = [
            SERIAL.lower(stored.0.clone()).unwrap(),
            ARCS.lower(stored.1.clone()).unwrap(),
            stored.2.clone().lower(),
            FOREIGN.insert(4).unwrap(),
        ];
        assert!(stored.0.is_same(&SERIAL.get(again[0]).unwrap()));
        assert!(stored.1.is_same(&ARCS.get(again[1]).unwrap()));
        assert!(stored.2.is_same(&THIN.get(again[2]).unwrap()));
        stored.0.with(|list| list.push(2)).unwrap();
        assert_eq!(SERIAL.with(again[0], |list| list.len()), Ok(2));
        drop(stored);
        end(again);
    });
}

#[test]
fn a_thin_objects_count_stands_in_its_row_exactly_and_live() {
    leaving_nothing(|| {
        let object = THIN.insert(AtomicU64::new(1)).unwrap();
        let handle = object.clone().lower();
        let word = || runtime().table.slot_of(handle).unwrap().counts().load(Ordering::Relaxed);
        let unknown = u64::from(COUNT_UNKNOWN) << 32 | u64::from(COUNT_UNKNOWN) << 48;
        assert_eq!(word(), 2 | unknown);
        let natives: Vec<_> = (0..10).map(|_| object.clone()).collect();
        assert_eq!((word(), object.strong_count()), (12 | unknown, 12));
        drop(natives);
        assert_eq!(clone_handle(handle).unwrap(), handle, "one number for all references");
        assert_eq!(word(), 3 | unknown);
        release(handle);
        release(handle);
        assert_eq!(word(), 1 | unknown);
        drop(object);
        assert_eq!(word(), unknown);
        assert_eq!(state(handle), ReferenceState::Dropped as u8);
        assert_eq!(status(lifecycle::release(runtime(), handle)), Status::StaleHandle);
    });
}

#[test]
fn a_thin_objects_last_release_during_a_call_waits_for_the_calls_end() {
    leaving_nothing(|| {
        let handle = THIN.insert(AtomicU64::new(9)).unwrap().lower();
        THIN.with(handle, |number| {
            std::thread::spawn(move || release(handle)).join().unwrap();
            assert_eq!(state(handle), ReferenceState::ReleaseRequested as u8);
            assert_eq!(status(THIN.get(handle)), Status::StaleHandle);
            assert_eq!(number.load(Ordering::Relaxed), 9);
        })
        .unwrap();
        assert_eq!(state(handle), ReferenceState::Dropped as u8);
    });
}

#[test]
fn foreign_numbers_are_never_used_again_and_never_zero() {
    leaving_nothing(|| {
        let mut seen = HashSet::from([0]);
        for round in 0..5000 {
            let handle = FOREIGN.insert(round).unwrap();
            assert!(seen.insert(handle));
            assert_eq!(FOREIGN.value(handle).unwrap(), round);
            assert_eq!(FOREIGN.delete(handle).unwrap(), round);
        }
    });
}

#[test]
fn a_foreign_handle_made_on_one_thread_is_looked_up_and_deleted_on_others() {
    leaving_nothing(|| {
        let handle = std::thread::spawn(|| FOREIGN.insert(11).unwrap()).join().unwrap();
        assert_eq!(std::thread::spawn(move || FOREIGN.value(handle)).join().unwrap(), Ok(11));
        assert_eq!(FOREIGN.delete(handle), Ok(11));
    });
}

#[test]
fn the_must_variants_give_the_value_or_panic_with_the_reason() {
    leaving_nothing(|| {
        let handle = FOREIGN.insert(5).unwrap();
        assert_eq!((FOREIGN.must_value(handle), FOREIGN.must_delete(handle)), (5, 5));
        for wrong in [|handle| FOREIGN.must_value(handle), |handle| FOREIGN.must_delete(handle)] {
            let panic = catch_unwind(|| wrong(handle)).unwrap_err();
            assert!(panic.downcast_ref::<String>().unwrap().contains("was released by"));
        }
    });
}

#[test]
fn of_many_threads_that_delete_one_foreign_handle_one_gets_the_value() {
    leaving_nothing(|| {
        for round in 0..200 {
            let handle = FOREIGN.insert(round).unwrap();
            let barrier = Barrier::new(4);
            let got: Vec<_> = std::thread::scope(|scope| {
                let delete = || {
                    barrier.wait();
                    FOREIGN.delete(handle)
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(delete)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(got.iter().filter(|result| result.is_ok()).count(), 1, "{got:?}");
            assert!(got.into_iter().all(|result| result == Ok(round) || status(result) == Status::StaleHandle));
        }
    });
}

#[test]
fn creating_and_deleting_from_many_threads_at_once_loses_and_repeats_nothing() {
    leaving_nothing(|| {
        let seen = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let seen = &seen;
                scope.spawn(move || {
                    let mut own = Vec::new();
                    for round in 0..300 {
                        let [serial, arcs, thin, foreign] = made();
                        own.extend([serial, arcs, thin, foreign]);
                        SERIAL.with(serial, |list| list.push(round)).unwrap();
                        ARCS.with(arcs, |number| number.fetch_add(thread, Ordering::Relaxed)).unwrap();
                        assert_eq!(THIN.with(thin, |number| number.load(Ordering::Relaxed)), Ok(3));
                        end([serial, arcs, thin, foreign]);
                    }
                    seen.lock().unwrap().extend(own);
                });
            }
        });
        assert_eq!(seen.into_inner().unwrap().len(), 8 * 300 * 4);
    });
}

#[test]
fn threads_that_use_and_release_one_object_at_once_end_it_once() {
    static ENDS: AtomicUsize = AtomicUsize::new(0);
    static RACED: ThinMap<Counted> = ThinMap::new("Raced", "test");
    static RACED_ARCS: ArcMap<Counted> = ArcMap::new("RacedArcs", "test");
    leaving_nothing(|| {
        for round in 1..=300 {
            let thin = RACED.insert(Counted(&ENDS)).unwrap().lower();
            let arcs = RACED_ARCS.insert(Counted(&ENDS)).unwrap();
            let barrier = Barrier::new(3);
            let race = |is_releaser: bool| {
                barrier.wait();
                for _ in 0..20 {
                    let _ = RACED.get(thin).map(|object| drop(object.clone()));
                    let _ = RACED_ARCS.with(arcs, |object| object.0.load(Ordering::Relaxed));
                }
                if is_releaser {
                    [thin, arcs].into_iter().for_each(release);
                }
            };
            std::thread::scope(|scope| {
                for is_releaser in [true, false, false] {
                    scope.spawn(move || race(is_releaser));
                }
            });
            assert_eq!(ENDS.load(Ordering::SeqCst), 2 * round);
        }
    });
}

#[test]
fn the_sample_lists_behave_alike_under_every_strategy() {
    leaving_nothing(|| {
        for lists in Lists::ALL {
            let (list, other) = (lists.create().unwrap(), lists.create().unwrap());
            let item = Traced::new(TodoItem::new("milk"));
            lists.add(list, item.clone()).unwrap();
            lists.add(other, Traced::new(TodoItem::new("bread"))).unwrap();
            lists.merge(list, other).unwrap();
            lists.merge(list, list).unwrap();
            let texts: Vec<_> = lists.items(list).unwrap().iter().map(|item| item.text().to_owned()).collect();
            assert_eq!(texts, ["milk", "bread", "milk", "bread"], "{lists:?}");
            assert_eq!((lists.len(list), lists.len(other)), (Ok(4), Ok(1)));
            assert_eq!(lists.item_at(list, 1).unwrap().text(), "bread");
            assert_eq!(item.strong_count(), 3, "ours and twice in the list");
            [list, other].into_iter().for_each(release);
            assert_eq!(item.strong_count(), 1);
        }
    });
}

#[test]
fn a_sample_lists_bug_poisons_it_under_the_mutex_map_only() {
    leaving_nothing(|| {
        for lists in Lists::ALL {
            let list = lists.create().unwrap();
            assert!(catch_unwind(|| lists.item_at(list, 3).map(|_| ())).is_err());
            let expected = if lists == Lists::Serial { Status::Poisoned } else { Status::Ok };
            assert_eq!(status(lists.len(list)), expected, "{lists:?}");
            release(list);
        }
        assert!(SERIAL_LISTS.with(0, |_| ()).is_err());
    });
}
