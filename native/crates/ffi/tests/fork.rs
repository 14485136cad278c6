//! Fork: the child continues with the handles it was born with, in a segment of its own, even if
//! other threads changed handles at that moment.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agent::Options;
use control::Stay;
use objects::lifecycle::{close_result, close_with_defaults, set_deadline};
use objects::ownership;
use objects::ownership::{borrow, lower};
use platform::testing::in_child;
use recorder::events;
use recorder::runtime::runtime;
use samples::{Journal, TodoItem, TodoList};
use segment::atomic;
use segment::layout::{Level, ThreadState};
use segment::registry::generation_of;
use segment::status::{Error, Status};
use segment::Part;
use viewer::reader::Reader;

/// Forks see all threads of the process, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn is_live(handle: u64) -> bool {
    runtime().table.slot_of(handle).is_some_and(|slot| {
        slot.word0().generation() == generation_of(handle) && slot.word0().is_live()
    })
}

/// The number of the check that failed, 0: none did.
fn first_failed(checks: &[bool]) -> i32 {
    checks.iter().position(|&check| !check).map_or(0, |at| at as i32 + 1)
}

#[test]
fn a_child_uses_and_releases_its_handles_without_touching_the_parents() {
    let _turn = TURN.lock().unwrap();
    let handle = lower(Arc::new(TodoList::new())).unwrap();
    let parent = runtime().segment().header();
    let (pid, before) =
        (atomic!(AtomicU32, parent, pid).load(Ordering::SeqCst), events::live_handles(runtime()));
    let code = in_child(|| {
        let is_usable = borrow::<TodoList>(handle).is_ok_and(|list| list.is_empty());
        let is_released = ownership::release(runtime(), handle).is_ok();
        let made: Vec<u64> =
            (0..3000).map(|_| lower(Arc::new(TodoItem::new("of the child"))).unwrap()).collect();
        let is_named = atomic!(AtomicU32, runtime().segment().header(), pid).load(Ordering::SeqCst)
            == std::process::id();
        first_failed(&[
            is_usable,
            is_released,
            !is_live(handle),
            made.into_iter().all(is_live),
            is_named,
        ])
    });
    assert_eq!(code, 0);
    assert!(is_live(handle));
    assert_eq!(events::live_handles(runtime()), before);
    assert_eq!(atomic!(AtomicU32, parent, pid).load(Ordering::SeqCst), pid);
    ownership::release(runtime(), handle).unwrap();
}

#[test]
fn a_fork_among_busy_threads_leaves_the_child_whole_rows_and_free_locks() {
    let _turn = TURN.lock().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let handle = lower(Arc::new(TodoItem::new("busy"))).unwrap();
                    borrow::<TodoItem>(handle).unwrap().set_done(true);
                    ownership::release(runtime(), handle).unwrap();
                }
            });
        }
        let kept = lower(Arc::new(TodoList::new())).unwrap();
        let codes: Vec<i32> = (0..40).map(|_| in_child(|| look_around(kept))).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(codes.iter().all(|&code| code == 0), "{codes:?}");
        ownership::release(runtime(), kept).unwrap();
    });
}

fn look_around(kept: u64) -> i32 {
    let segment = runtime().segment();
    let is_busy = (1..segment.used(Part::Handles))
        .any(|index| runtime().table.slot(index).unwrap().word0().is_busy());
    let others = (1..segment.used(Part::Threads)).filter(|&index| {
        atomic!(AtomicU8, segment.thread(index), state).load(Ordering::SeqCst)
            == ThreadState::Live as u8
    });
    let is_alone = others.count() == 1;
    let has_call = (1..segment.used(Part::Threads))
        .any(|index| atomic!(AtomicU64, segment.thread(index), depth).load(Ordering::SeqCst) > 0);
    let made: Vec<u64> =
        (0..200).map(|_| lower(Arc::new(TodoItem::new("of the child"))).unwrap()).collect();
    let is_released = made.into_iter().all(|handle| ownership::release(runtime(), handle).is_ok());
    first_failed(&[!is_busy, is_alone, !has_call, is_released, borrow::<TodoList>(kept).is_ok()])
}

#[test]
fn a_child_of_a_child_has_a_segment_of_its_own_again() {
    let _turn = TURN.lock().unwrap();
    let handle = lower(Arc::new(TodoList::new())).unwrap();
    let code = in_child(|| {
        let inner = in_child(|| first_failed(&[ownership::release(runtime(), handle).is_ok()]));
        first_failed(&[inner == 0, is_live(handle)])
    });
    assert_eq!(code, 0);
    assert!(is_live(handle));
    ownership::release(runtime(), handle).unwrap();
}

#[test]
fn a_child_of_a_running_agent_publishes_itself_when_asked() {
    let _turn = TURN.lock().unwrap();
    let directory = std::env::temp_dir().join(format!("arc-inspector-fork-{}", std::process::id()));
    let options = Options {
        level: Level::History as u8,
        idle_level: 1,
        program: "a test",
        runtime: "Rust",
        directory: Some(&directory),
        stay: Stay::default(),
    };
    // the segment was made by an earlier test, or is made now; either way on a file system of its
    // own
    if let Err(error) = agent::start(&options) {
        assert!(error.message.contains("another file system"), "{error}");
        agent::start(&Options { directory: None, ..options }).unwrap();
    }
    let handle = lower(Arc::new(TodoList::new())).unwrap();
    let parent = agent::segment_path().unwrap();
    let code = in_child(|| {
        let is_quiet = !agent::is_running();
        let is_started = agent::start_in_child().is_ok();
        let path = agent::segment_path().unwrap_or_default();
        let is_own = path != parent
            && path.parent() == parent.parent()
            && path.exists()
            && Reader::open(&path).is_ok_and(|reader| {
                reader.header().is_ok_and(|header| header.pid == std::process::id())
            });
        agent::exit();
        first_failed(&[
            is_quiet,
            is_started,
            is_own,
            !path.exists(),
            parent.exists(),
            is_live(handle),
        ])
    });
    assert_eq!(code, 0);
    assert!(agent::is_running() && parent.exists());
    ownership::release(runtime(), handle).unwrap();
    agent::stop();
    agent::exit();
    assert!(!parent.exists());
    let _ = std::fs::remove_dir(&directory);
}

#[test]
fn a_child_keeps_the_deadlines_of_closes_that_it_inherits_and_of_its_own() {
    let _turn = TURN.lock().unwrap();
    let path =
        std::env::temp_dir().join(format!("arc-inspector-fork-journal-{}", std::process::id()));
    let journals = [(); 2].map(|()| lower(Arc::new(Journal::open(&path).unwrap())).unwrap());
    let call = borrow::<Journal>(journals[0]).unwrap();
    set_deadline(300);
    assert_eq!(status(&close_with_defaults(runtime(), journals[0])), Status::Pending);
    let code = in_child(|| {
        let own = borrow::<Journal>(journals[1]).unwrap();
        set_deadline(1);
        let is_asked = status(&close_with_defaults(runtime(), journals[1])) == Status::Pending;
        let withdrawn = journals.map(withdrawn_in_time);
        drop(own);
        first_failed(&[is_asked, withdrawn[0], withdrawn[1]])
    });
    assert_eq!(code, 0);
    drop(call);
    for journal in journals {
        ownership::release(runtime(), journal).unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

fn status(result: &Result<(), Error>) -> Status {
    result.as_ref().err().map_or(Status::Ok, |error| error.status)
}

/// Whether a pending close ends as withdrawn, asked for again and again.
fn withdrawn_in_time(handle: u64) -> bool {
    let began = Instant::now();
    while status(&close_result(runtime(), handle)) == Status::Pending {
        if began.elapsed() > Duration::from_secs(30) {
            return false;
        }
        std::thread::yield_now();
    }
    close_result(runtime(), handle)
        .is_err_and(|error| error.message.starts_with("withdrawn, its deadline passed"))
}
