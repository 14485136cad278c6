//! Deadlines of closes, plans for objects that need other objects, and owners that have ended.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use objects::lifecycle::{
    self, children, close_result, close_with_defaults, handover, set_deadline,
};
use objects::ownership;
use objects::ownership::{borrow, lower};
use recorder::runtime::runtime;
use samples::{Cursor, Journal};
use segment::atomic;
use segment::clock;
use segment::layout::{ResourceState, CLOSE_DEADLINES};
use segment::status::{Error, Status};

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const SOON_MILLIS: u64 = 1;
const NEVER_MILLIS: u64 = 3_600_000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("arc-inspector-{}-{name}", std::process::id())))
    }

    fn journal(&self) -> (Arc<Journal>, u64) {
        let journal = Arc::new(Journal::open(&self.0).unwrap());
        (Arc::clone(&journal), lower(journal).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn resource(handle: u64) -> u8 {
    runtime().table.slot_of(handle).unwrap().word0().resource()
}

fn status(result: &Result<(), Error>) -> Status {
    result.as_ref().err().map_or(Status::Ok, |error| error.status)
}

fn close_within(handle: u64, millis: u64) -> Status {
    set_deadline(millis);
    status(&close_with_defaults(runtime(), handle))
}

/// How the close ended, once it has.
fn ended(handle: u64) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let result = close_result(runtime(), handle);
        if status(&result) != Status::Pending {
            return result;
        }
        assert!(began.elapsed() < PATIENCE, "the close pends for ever");
        std::thread::yield_now();
    }
}

#[test]
fn the_header_says_how_long_the_last_close_method_took() {
    let folder = Folder::new("took");
    let (_, journal) = folder.journal();
    let header = runtime().segment().header();
    // Relaxed: other tests of this process close, too; all that matters is that a close writes a
    // time that is plausible.
    atomic!(AtomicU64, header, last_close_nanos).store(0, Ordering::Relaxed);
    let began = Instant::now();
    assert_eq!(close_within(journal, NEVER_MILLIS), Status::Ok);
    let nanos = atomic!(AtomicU64, header, last_close_nanos).load(Ordering::Relaxed);
    assert!(nanos > 0 && u128::from(nanos) <= (began.elapsed() + PATIENCE).as_nanos(), "{nanos}");
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn a_close_that_drains_past_its_deadline_is_withdrawn_and_says_why() {
    let folder = Folder::new("withdrawn");
    let (_, journal) = folder.journal();
    let call = borrow::<Journal>(journal).unwrap();
    assert_eq!(close_within(journal, SOON_MILLIS), Status::Pending);
    let error = ended(journal).unwrap_err();
    assert_eq!(error.status, Status::CloseFailed);
    assert!(
        error.message.starts_with(
            "withdrawn, its deadline passed: it waited for 1 call in flight: close of #"
        ),
        "{}",
        error.message
    );
    assert_eq!(resource(journal), ResourceState::Open as u8);
    drop(call);
    assert_eq!(resource(journal), ResourceState::Open as u8, "the call that ended ran nothing");
    borrow::<Journal>(journal).unwrap().append("still open").unwrap();
    assert_eq!(close_within(journal, 0), Status::Ok);
    assert_eq!(status(&close_result(runtime(), journal)), Status::Ok);
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn a_close_that_runs_before_its_deadline_is_a_close_like_any_other() {
    let folder = Folder::new("in-time");
    let (_, journal) = folder.journal();
    let call = borrow::<Journal>(journal).unwrap();
    assert_eq!(close_within(journal, NEVER_MILLIS), Status::Pending);
    assert_eq!(status(&close_result(runtime(), journal)), Status::Pending);
    drop(call);
    assert_eq!(status(&ended(journal)), Status::Ok);
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn the_soonest_of_several_deadlines_is_kept_whatever_their_order() {
    let folder = Folder::new("soonest");
    let (_, late) = folder.journal();
    let (_, soon) = folder.journal();
    let calls = (borrow::<Journal>(late).unwrap(), borrow::<Journal>(soon).unwrap());
    assert_eq!(close_within(late, NEVER_MILLIS), Status::Pending);
    assert_eq!(close_within(soon, SOON_MILLIS), Status::Pending);
    assert_eq!(status(&ended(soon)), Status::CloseFailed);
    assert_eq!(status(&close_result(runtime(), late)), Status::Pending);
    drop(calls);
    assert_eq!(status(&ended(late)), Status::Ok);
    for handle in [late, soon] {
        ownership::release(runtime(), handle).unwrap();
    }
}

/// The header has few places, and one test takes them all.
static PLACES: Mutex<()> = Mutex::new(());

/// When the header says that the pending close of a handle is withdrawn, ticks; 0: it says nothing.
fn shown_deadline(handle: u64) -> u64 {
    let header = runtime().segment().header();
    let at = |place: usize| {
        atomic!(AtomicU64, header, close_deadlines[place].handle).load(Ordering::SeqCst)
    };
    let place = (0..CLOSE_DEADLINES).find(|&place| at(place) == handle);
    place.map_or(0, |place| {
        atomic!(AtomicU64, header, close_deadlines[place].at_ticks).load(Ordering::SeqCst)
    })
}

#[test]
fn the_header_shows_the_deadline_of_a_pending_close_until_it_has_run_or_was_taken_back() {
    let _turn = PLACES.lock().unwrap();
    let folder = Folder::new("shown");
    let (_, journal) = folder.journal();
    for is_cancelled in [true, false] {
        let call = borrow::<Journal>(journal).unwrap();
        let before = clock::ticks();
        assert_eq!(
            (close_within(journal, NEVER_MILLIS), shown_deadline(journal) > before),
            (Status::Pending, true)
        );
        if is_cancelled {
            lifecycle::cancel(runtime(), journal).unwrap();
        } else {
            drop(call);
        }
        assert_eq!(shown_deadline(journal), 0);
    }
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn deadlines_that_find_no_place_in_the_header_are_counted_while_they_pend() {
    let _turn = PLACES.lock().unwrap();
    let folder = Folder::new("hidden");
    let hidden = || {
        atomic!(AtomicU64, runtime().segment().header(), hidden_deadlines).load(Ordering::SeqCst)
    };
    let journals: Vec<u64> = (0..2 * CLOSE_DEADLINES).map(|_| folder.journal().1).collect();
    let calls: Vec<_> =
        journals.iter().map(|&journal| borrow::<Journal>(journal).unwrap()).collect();
    assert!(journals.iter().all(|&journal| close_within(journal, NEVER_MILLIS) == Status::Pending));
    let shown = journals.iter().filter(|&&journal| shown_deadline(journal) != 0).count();
    // other tests run at the same time, and have deadlines too
    assert!(shown <= CLOSE_DEADLINES && hidden() as usize >= journals.len() - shown);
    drop(calls);
    assert!(journals
        .iter()
        .all(|&journal| status(&ended(journal)) == Status::Ok && shown_deadline(journal) == 0));
    for journal in journals {
        ownership::release(runtime(), journal).unwrap();
    }
}

#[test]
fn a_deadline_is_of_one_request_only() {
    let folder = Folder::new("one-request");
    let (_, first) = folder.journal();
    let (_, second) = folder.journal();
    assert_eq!(close_within(first, SOON_MILLIS), Status::Ok);
    let call = borrow::<Journal>(second).unwrap();
    assert_eq!(status(&close_with_defaults(runtime(), second)), Status::Pending);
    drop(call);
    assert_eq!(status(&ended(second)), Status::Ok);
    for handle in [first, second] {
        ownership::release(runtime(), handle).unwrap();
    }
}

#[test]
fn a_release_during_a_close_that_is_withdrawn_happens_then() {
    let folder = Folder::new("released");
    let (journal_itself, journal) = folder.journal();
    let call = borrow::<Journal>(journal).unwrap();
    assert_eq!(close_within(journal, SOON_MILLIS), Status::Pending);
    ownership::release(runtime(), journal).unwrap();
    let began = Instant::now();
    drop(call);
    while Arc::strong_count(&journal_itself) > 1 {
        assert!(began.elapsed() < PATIENCE, "the reference was never let go");
        std::thread::yield_now();
    }
}

#[test]
fn nothing_was_asked_for_is_no_result() {
    let folder = Folder::new("nothing");
    let (_, journal) = folder.journal();
    assert_eq!(status(&close_result(runtime(), journal)), Status::BadArgument);
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn a_cursor_is_named_to_be_closed_before_its_journal() {
    let folder = Folder::new("children");
    let (journal_itself, journal) = folder.journal();
    let cursor = lower(Arc::new(Cursor::open(journal_itself).unwrap())).unwrap();
    let found = children(runtime(), journal);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].handle, found[0].is_open), (cursor, true));
    assert!(found[0].name.starts_with("Cursor #"), "{}", found[0].name);
    close_with_defaults(runtime(), cursor).unwrap();
    assert!(!children(runtime(), journal)[0].is_open);
    ownership::release(runtime(), cursor).unwrap();
    assert!(children(runtime(), journal).is_empty());
    ownership::release(runtime(), journal).unwrap();
}

#[test]
fn an_ended_owner_hands_over_to_whoever_asks_and_is_named() {
    let folder = Folder::new("handover");
    let (journal_itself, journal) = folder.journal();
    let (made, is_made) = channel();
    let (go, may_go) = channel::<()>();
    let owner = std::thread::Builder::new().name("keeper".into());
    let owner = owner.spawn(move || {
        made.send(lower(Arc::new(Cursor::open(journal_itself).unwrap())).unwrap()).unwrap();
        may_go.recv().unwrap();
    });
    let cursor = is_made.recv().unwrap();
    assert_eq!(handover(runtime(), cursor), None, "its owner lives");
    go.send(()).unwrap();
    owner.unwrap().join().unwrap();
    let said = handover(runtime(), cursor).unwrap();
    assert_eq!(said, "its owner has ended, so whoever asks closes it: thread \"keeper\"");
    assert_eq!(close_within(cursor, 0), Status::Ok);
    for handle in [cursor, journal] {
        ownership::release(runtime(), handle).unwrap();
    }
}
