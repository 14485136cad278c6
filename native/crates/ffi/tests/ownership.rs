//! Handles of every strategy: refusals, kept objects, and the common rules of the strategies.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

mod owned;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use objects::ownership;
use objects::ownership::{
    clone_handle, is_same, strong_and_weak, ArcMap, MutexMap, Shared, ThinMap, Traced,
};
use recorder::runtime::runtime;
use samples::{Lists, TodoItem};
use segment::layout::ReferenceState;
use segment::status::Status;

use owned::{
    end, leaving_nothing, made, release, state, status, uses, Counted, ARCS, FOREIGN,
    OTHER_FOREIGN, SERIAL, THIN,
};

#[test]
fn a_handle_works_in_its_own_map_and_is_of_the_wrong_type_in_all_others() {
    leaving_nothing(|| {
        let handles = made();
        for (own, &handle) in handles.iter().enumerate() {
            for (at, (name, status)) in uses(handle).into_iter().enumerate() {
                assert_eq!(
                    status,
                    if at == own { Status::Ok } else { Status::WrongType },
                    "handle of map {own} in {name}"
                );
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
            assert!(
                uses(number).iter().all(|&(_, status)| status == Status::UnknownHandle),
                "{number:#x}"
            );
        }
        let handles = made();
        for (at, &handle) in handles.iter().enumerate() {
            assert_eq!(
                uses(handle ^ 1)[at].1,
                Status::UnknownHandle,
                "the foreign bit is the other way round"
            );
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
            assert_eq!(status(ownership::release(runtime(), *handle)), Status::StaleHandle);
        }
        assert_eq!(status(FOREIGN.delete(handles[3])), Status::StaleHandle);
    });
}

#[test]
fn a_foreign_handle_is_stale_also_after_its_row_became_that_of_a_native_object() {
    leaving_nothing(|| {
        let foreign = FOREIGN.insert(4).unwrap();
        FOREIGN.delete(foreign).unwrap();
        let is_its_row = |handle: u64| handle & 0xFFFF_FFFE == foreign & 0xFFFF_FFFE;
        let mut native = ARCS.insert(AtomicU64::new(1)).unwrap();
        for _ in 0..1_000_000 {
            if is_its_row(native) {
                break;
            }
            release(native);
            native = ARCS.insert(AtomicU64::new(1)).unwrap();
        }
        assert!(is_its_row(native), "rows of dead handles are used again");
        assert_eq!(status(FOREIGN.value(foreign)), Status::StaleHandle);
        assert_eq!(status(FOREIGN.delete(foreign)), Status::StaleHandle);
        assert_eq!(
            status(FOREIGN.value(native ^ 1)),
            Status::UnknownHandle,
            "a native handle with the bit of a foreign one"
        );
        release(native);
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

/// Places for an object: a record, an enum, a sequence, a map.
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
        let mut record = Record {
            owner: get(),
            kind: Either::Object(get()),
            sequence: vec![get(), get()],
            by_name,
        };
        assert_eq!(strong_and_weak(handle).unwrap(), (6, 0));
        let mut back = vec![
            ARCS.lower(record.owner.clone()).unwrap(),
            ARCS.lower(record.by_name.remove("it").unwrap()).unwrap(),
        ];
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
        let stored =
            (SERIAL.get(serial).unwrap(), ARCS.get(arcs).unwrap(), THIN.get(thin).unwrap());
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
fn the_sample_lists_behave_alike_under_every_strategy() {
    leaving_nothing(|| {
        for lists in Lists::ALL {
            let (list, other) = (lists.create().unwrap(), lists.create().unwrap());
            let item = Traced::new(TodoItem::new("milk"));
            lists.add(list, item.clone()).unwrap();
            lists.add(other, Traced::new(TodoItem::new("bread"))).unwrap();
            lists.merge(list, other).unwrap();
            lists.merge(list, list).unwrap();
            let texts: Vec<_> =
                lists.items(list).unwrap().iter().map(|item| item.text().to_owned()).collect();
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
                        ARCS.with(arcs, |number| number.fetch_add(thread, Ordering::Relaxed))
                            .unwrap();
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
