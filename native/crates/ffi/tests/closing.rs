//! Closing under the strategies other than `arc`: opt-in, with the caller's own arguments, after
//! the calls in flight, at most once, and explained afterwards.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use objects::lifecycle::{self, cancel, close_result, close_with_defaults, preview, set_deadline};
use objects::object::CloseSpec;
use objects::ownership;
use objects::ownership::{clone_handle, ArcMap, CloseAlone, CloseShared, MutexMap, Thin, ThinMap};
use recorder::levels;
use recorder::runtime::runtime;
use samples::{Journals, Lists, SERIAL_JOURNALS, SERIAL_LISTS, SHARED_JOURNALS, THIN_JOURNALS};
use segment::layout::{Level, ReferenceState, ResourceState};
use segment::status::{Error, Result, Status};

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        levels::set_level(runtime(), Level::Count as u8);
        Self(
            std::env::temp_dir()
                .join(format!("arc-inspector-closing-{}-{name}", std::process::id())),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// Each strategy in turn, on a file of its own name.
fn with_each(name: &str, body: impl Fn(Journals, u64)) {
    let folder = Folder::new(name);
    for lists in Lists::ALL {
        let journals = Journals(lists);
        body(journals, journals.open(&folder.0).unwrap());
    }
}

fn resource(handle: u64) -> u8 {
    runtime().table.slot_of(handle).unwrap().word0().resource()
}

fn release(handle: u64) {
    ownership::release(runtime(), handle).unwrap();
}

fn status<T>(result: &Result<T>) -> Status {
    result.as_ref().err().map_or(Status::Ok, |error| error.status)
}

fn ended(handle: u64) -> Result<()> {
    let began = Instant::now();
    while status(&close_result(runtime(), handle)) == Status::Pending {
        assert!(began.elapsed() < PATIENCE, "the close pends for ever");
        std::thread::yield_now();
    }
    close_result(runtime(), handle)
}

/// Runs `body` while a call of another thread is inside the journal.
fn during_a_call(journals: Journals, handle: u64, body: impl FnOnce()) {
    let ((inside, is_inside), (leave, may_leave)) = (channel(), channel::<()>());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let hold = || {
                inside.send(()).unwrap();
                may_leave.recv().unwrap();
            };
            match journals.0 {
                Lists::Serial => SERIAL_JOURNALS.with(handle, |_| hold()),
                Lists::Shared => SHARED_JOURNALS.with(handle, |_| hold()),
                Lists::Thin => THIN_JOURNALS.with(handle, |_| hold()),
            }
            .unwrap();
        });
        is_inside.recv().unwrap();
        body();
        leave.send(()).unwrap();
    });
}

#[test]
fn a_close_ends_the_resource_once_while_handles_live_on() {
    with_each("once", |journals, journal| {
        journals.append(journal, "line", Duration::ZERO).unwrap();
        let other = clone_handle(journal).unwrap();
        assert_eq!(status(&preview(runtime(), journal)), Status::Ok);
        journals.close(other, true).unwrap();
        assert_eq!(
            (resource(journal), resource(other)),
            (ResourceState::Closed as u8, ResourceState::Closed as u8),
            "{journals:?}"
        );
        for closed in [journal, other] {
            assert_eq!(status(&journals.append(closed, "more", Duration::ZERO)), Status::Closed);
            assert_eq!(status(&journals.close(closed, true)), Status::Closed);
            assert_eq!(status(&close_with_defaults(runtime(), closed)), Status::Closed);
        }
        [journal, other].into_iter().for_each(release);
    });
}

#[test]
fn a_refusal_after_the_close_says_who_closed_it_and_when() {
    with_each("who", |journals, journal| {
        let closer = std::thread::Builder::new().name("closer".into());
        closer.spawn(move || journals.close(journal, false).unwrap()).unwrap().join().unwrap();
        let error = journals.lines(journal).unwrap_err();
        assert!(error.message.contains("was closed by thread \"closer\" 0."), "{error}");
        release(journal);
        let error = journals.lines(journal).unwrap_err();
        assert_eq!(error.status, Status::StaleHandle);
        assert!(error.message.contains("was released by thread "), "{error}");
    });
}

#[test]
fn a_close_waits_for_the_call_in_flight_and_lets_no_new_one_in() {
    with_each("drains", |journals, journal| {
        during_a_call(journals, journal, || {
            assert!(preview(runtime(), journal)
                .unwrap_err()
                .message
                .contains("waits for 1 call in flight"));
            assert_eq!(status(&journals.close(journal, true)), Status::Pending, "{journals:?}");
            assert_eq!(resource(journal), ResourceState::Draining as u8);
            assert_eq!(status(&journals.lines(journal)), Status::Closed);
            assert_eq!(status(&journals.close(journal, true)), Status::Pending, "asked for before");
        });
        assert_eq!(status(&ended(journal)), Status::Ok);
        release(journal);
    });
}

#[test]
fn a_pending_close_can_be_taken_back_and_is_withdrawn_at_its_deadline() {
    with_each("back", |journals, journal| {
        during_a_call(journals, journal, || {
            assert_eq!(status(&journals.close(journal, true)), Status::Pending);
            cancel(runtime(), journal).unwrap();
            assert_eq!(resource(journal), ResourceState::Open as u8);
            set_deadline(1);
            assert_eq!(status(&journals.close(journal, true)), Status::Pending);
            let error = ended(journal).unwrap_err();
            assert!(
                error
                    .message
                    .starts_with("withdrawn, its deadline passed: it waited for 1 call in flight"),
                "{error}"
            );
        });
        journals.append(journal, "still open", Duration::ZERO).unwrap();
        release(journal);
    });
}

#[test]
fn a_release_while_a_close_pends_happens_after_it() {
    with_each("after", |journals, journal| {
        during_a_call(journals, journal, || {
            assert_eq!(status(&journals.close(journal, true)), Status::Pending);
            release(journal);
            assert_eq!(resource(journal), ResourceState::Draining as u8);
        });
        let began = Instant::now();
        let word = || runtime().table.slot_of(journal).unwrap().word0();
        while word().reference() != ReferenceState::Dropped as u8 {
            assert!(began.elapsed() < PATIENCE, "never let go");
        }
        assert_eq!(word().resource(), ResourceState::Closed as u8);
    });
}

#[test]
fn a_journal_dropped_without_a_close_shows_that() {
    with_each("never", |_, journal| {
        release(journal);
        assert_eq!(resource(journal), ResourceState::NeverClosed as u8);
    });
}

#[test]
fn a_list_did_not_opt_in_and_a_journal_of_another_strategy_is_of_the_wrong_type() {
    with_each("types", |journals, journal| {
        for other in Lists::ALL.into_iter().filter(|&other| other != journals.0) {
            assert_eq!(status(&Journals(other).close(journal, true)), Status::WrongType);
        }
        let list = journals.0.create().unwrap();
        assert_eq!(status(&close_with_defaults(runtime(), list)), Status::BadArgument);
        assert_eq!(status(&journals.close(list, true)), Status::WrongType);
        assert_eq!(status(&journals.close(0, true)), Status::ZeroHandle);
        [list, journal].into_iter().for_each(release);
        assert_eq!(status(&journals.close(journal, true)), Status::StaleHandle);
    });
}

/// Only its owner closes it, and the first time that fails.
#[derive(Default)]
struct Moody {
    tries: u32,
}

impl CloseAlone for Moody {
    fn close_with_defaults(&mut self) -> Result<()> {
        self.tries += 1;
        match self.tries {
            1 => Err(Error::new(Status::Io, "not in the mood")),
            _ => Ok(()),
        }
    }
}

struct Quiet;

impl CloseShared for Quiet {
    fn close_with_defaults(&self) -> Result<()> {
        Ok(())
    }
}

const AFFINE: CloseSpec = CloseSpec { signature: "close()", is_thread_affine: true };
static MOODY: MutexMap<Moody> = MutexMap::closable(
    "Moody",
    "closing",
    CloseSpec { signature: "close()", is_thread_affine: false },
);
static ALONE: MutexMap<Moody> = MutexMap::closable("OwnedAlone", "closing", AFFINE);
static SHARED: ArcMap<Quiet> = ArcMap::closable("OwnedShared", "closing", AFFINE);
static THIN: ThinMap<Quiet> = ThinMap::closable("OwnedThin", "closing", AFFINE);

#[test]
fn a_close_that_fails_leaves_the_object_usable_for_another_try() {
    let moody = MOODY.insert(Moody::default()).unwrap();
    let error = close_with_defaults(runtime(), moody).unwrap_err();
    assert_eq!(error.status, Status::CloseFailed);
    assert!(error.message.starts_with("not in the mood"), "{error}");
    assert_eq!(MOODY.with(moody, |moody| moody.tries), Ok(1));
    close_with_defaults(runtime(), moody).unwrap();
    release(moody);
}

#[test]
fn only_the_owner_closes_an_affine_object_of_a_map_and_after_its_end_anybody() {
    levels::set_level(runtime(), Level::Count as u8);
    let (made, is_made) = channel();
    let (go, may_go) = channel::<()>();
    let owner = std::thread::Builder::new().name("keeper".into()).spawn(move || {
        let make = || {
            [
                ALONE.insert(Moody { tries: 1 }),
                SHARED.insert(Quiet),
                THIN.insert(Quiet).map(Thin::lower),
            ]
            .map(Result::unwrap)
        };
        made.send(make()).unwrap();
        may_go.recv().unwrap();
        lifecycle::drain_here();
        made.send(make()).unwrap();
    });
    let owned = is_made.recv().unwrap();
    for handle in owned {
        let error = close_with_defaults(runtime(), handle).unwrap_err();
        assert!(
            error.message.starts_with("only its owner may close it: waits for thread \"keeper\""),
            "{error}"
        );
        assert_eq!(resource(handle), ResourceState::WaitingOwner as u8);
    }
    go.send(()).unwrap();
    let orphans = is_made.recv().unwrap();
    owner.unwrap().join().unwrap();
    for handle in owned {
        assert_eq!(resource(handle), ResourceState::Closed as u8);
    }
    for handle in orphans {
        assert!(lifecycle::handover(runtime(), handle).unwrap().ends_with("thread \"keeper\""));
        close_with_defaults(runtime(), handle).unwrap();
    }
    owned.into_iter().chain(orphans).for_each(release);
}

#[test]
fn native_code_that_holds_a_closed_serial_object_is_refused_too() {
    let folder = Folder::new("held");
    let journal = Journals(Lists::Serial).open(&folder.0).unwrap();
    let held = SERIAL_JOURNALS.get(journal).unwrap();
    held.with(|pages| pages.append("by native code")).unwrap().unwrap();
    Journals(Lists::Serial).close(journal, true).unwrap();
    assert_eq!(status(&held.with(|pages| pages.lines())), Status::Closed);
    release(journal);
    drop(held);
}

#[test]
fn a_panic_inside_shows_in_all_rows_of_that_object_and_in_those_made_later() {
    levels::set_level(runtime(), Level::Count as u8);
    let first = SERIAL_LISTS.insert(Vec::new()).unwrap();
    let (second, sound) = (clone_handle(first).unwrap(), SERIAL_LISTS.insert(Vec::new()).unwrap());
    let held = SERIAL_LISTS.get(first).unwrap();
    let bug = std::thread::Builder::new().name("bug".into());
    assert!(bug
        .spawn(move || SERIAL_LISTS.with(second, |_| panic!("a bug")))
        .unwrap()
        .join()
        .is_err());
    let later = SERIAL_LISTS.lower(held).unwrap();
    let clone = clone_handle(first).unwrap();
    for handle in [first, second, later, clone] {
        assert_eq!(resource(handle), ResourceState::Poisoned as u8);
        let error = SERIAL_LISTS.with(handle, |_| ()).unwrap_err();
        assert_eq!(error.status, Status::Poisoned);
        assert!(error.message.contains("panicked inside the object"), "{error}");
    }
    assert!(SERIAL_LISTS
        .with(second, |_| ())
        .unwrap_err()
        .message
        .contains("a call of thread \"bug\" panicked inside the object 0."));
    assert_eq!(resource(sound), ResourceState::None as u8);
    [first, second, later, clone, sound].into_iter().for_each(release);
}

#[test]
fn a_poisoned_resource_is_not_closed_but_can_be_released() {
    let folder = Folder::new("poisoned");
    let journal = Journals(Lists::Serial).open(&folder.0).unwrap();
    let bug = std::thread::spawn(move || SERIAL_JOURNALS.with(journal, |_| panic!("a bug")));
    assert!(bug.join().is_err());
    assert_eq!(resource(journal), ResourceState::Poisoned as u8);
    assert_eq!(status(&preview(runtime(), journal)), Status::Poisoned);
    assert_eq!(status(&close_with_defaults(runtime(), journal)), Status::Poisoned);
    release(journal);
    assert_eq!(resource(journal), ResourceState::Poisoned as u8);
}
