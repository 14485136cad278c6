//! Every ownership strategy at once on eight threads: made, cloned, used, held, closed and released
//! at random, and at the end nothing is left, every object was dropped once and closed at most
//! once. `ARC_INSPECTOR_STRESS_SECS` says for how long.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arc_inspector_native::quick::ai_live_handles;
use objects::lifecycle::{self, cancel, close_with_defaults, drain_here, preview, set_deadline};
use objects::object::Life;
use objects::object::Object;
use objects::object::{CloseSpec, TypeSpec};
use objects::ownership::{
    self, borrow, clone_handle, foreign, foreign_close, is_same, lower, strong_and_weak, ArcMap,
    CloseAlone, CloseShared, MutexMap, Thin, ThinMap,
};
use recorder::levels;
use recorder::runtime::runtime;
use recorder::types;
use recorder::types::Described;
use segment::layout::{Kind, Level};
use segment::status::{Result, Status};

const THREADS: usize = 8;
/// Places that all threads share; each holds a handle or 0.
const PLACES: usize = 64;
const DEFAULT_SECS: u64 = 2;
const ORIGIN: &str = "stress";

static MADE: AtomicUsize = AtomicUsize::new(0);
static DROPPED: AtomicUsize = AtomicUsize::new(0);
static CLOSED_TWICE: AtomicUsize = AtomicUsize::new(0);
static USED_AFTER_CLOSE: AtomicUsize = AtomicUsize::new(0);

/// An object that counts its end and its closes.
struct Thing {
    closes: AtomicUsize,
}

impl Thing {
    fn new() -> Self {
        MADE.fetch_add(1, Ordering::Relaxed);
        Self { closes: AtomicUsize::new(0) }
    }

    /// A call: none is let in once the close method has run.
    fn touch(&self) {
        USED_AFTER_CLOSE.fetch_add(self.closes.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn end(&self) -> Result<()> {
        CLOSED_TWICE.fetch_add(self.closes.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

impl CloseAlone for Thing {
    fn close_with_defaults(&mut self) -> Result<()> {
        self.end()
    }
}

impl CloseShared for Thing {
    fn close_with_defaults(&self) -> Result<()> {
        self.end()
    }
}

/// A thing under std's `Arc`.
struct Counted {
    life: Life,
    thing: Thing,
}

const ANYBODY: CloseSpec = CloseSpec { signature: "close()", is_thread_affine: false };
const OWNER: CloseSpec = CloseSpec { signature: "close()", is_thread_affine: true };

static COUNTED: TypeSpec = ownership::closable::<Counted>("Counted", ORIGIN, ANYBODY);
static SERIAL: MutexMap<Thing> = MutexMap::closable("Serial", ORIGIN, ANYBODY);
static OWNED: MutexMap<Thing> = MutexMap::closable("Owned", ORIGIN, OWNER);
static SHARED: ArcMap<Thing> = ArcMap::closable("Shared", ORIGIN, ANYBODY);
static PLAIN: ArcMap<Thing> = ArcMap::new("Plain", ORIGIN);
static THIN: ThinMap<Thing> = ThinMap::closable("Thin", ORIGIN, ANYBODY);

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Counted {
    fn spec() -> &'static TypeSpec {
        &COUNTED
    }

    fn life(&self) -> &Life {
        &self.life
    }

    fn close_with_defaults(&self) -> Result<()> {
        self.thing.end()
    }
}

/// Closes of foreign objects by value.
static FOREIGN_CLOSES: [AtomicUsize; 1 << 16] = [const { AtomicUsize::new(0) }; 1 << 16];
static FOREIGN_VALUES: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn close_foreign(
    _key: u64,
    value: u64,
    _text: *mut u8,
    _capacity: usize,
) -> usize {
    // values come again after 65,536; by then the first has ended
    FOREIGN_CLOSES[value as usize % FOREIGN_CLOSES.len()].fetch_add(1, Ordering::Relaxed);
    0
}

unsafe extern "C" fn let_go(_key: u64) {}

fn foreign_type() -> u16 {
    // SAFETY: both are functions of this test.
    unsafe { lifecycle::close_by(close_foreign, let_go) };
    let described = Described {
        name: "Foreign",
        origin: ORIGIN,
        close_signature: "close()",
        kind: Kind::Foreign as u8,
        closes: true,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    types::describe(runtime(), &described).unwrap()
}

/// A small generator, so that a run needs nothing but its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

const STRATEGIES: usize = 6;

fn create(strategy: usize) -> u64 {
    match strategy {
        0 => lower(std::sync::Arc::new(Counted { life: Life::new(&COUNTED), thing: Thing::new() })),
        1 => SERIAL.insert(Thing::new()),
        2 => OWNED.insert(Thing::new()),
        3 => SHARED.insert(Thing::new()),
        4 => PLAIN.insert(Thing::new()),
        _ => THIN.insert(Thing::new()).map(Thin::lower),
    }
    .unwrap()
}

fn call(strategy: usize, handle: u64) -> Result<()> {
    match strategy {
        0 => borrow::<Counted>(handle).map(|counted| counted.thing.touch()),
        1 => SERIAL.with(handle, |thing| thing.touch()),
        2 => OWNED.with(handle, |thing| thing.touch()),
        3 => SHARED.with(handle, Thing::touch),
        4 => PLAIN.with(handle, Thing::touch),
        _ => THIN.with(handle, Thing::touch),
    }
}

fn close(strategy: usize, handle: u64) -> Result<()> {
    match strategy {
        0 => ownership::close::<Counted>(handle, |counted| counted.thing.end()),
        1 => SERIAL.close(handle, |thing| thing.end()),
        2 => OWNED.close(handle, |thing| thing.end()),
        3 => SHARED.close(handle, Thing::end),
        4 => close_with_defaults(runtime(), handle),
        _ => THIN.close(handle, Thing::end),
    }
}

/// Held by native code for a moment, beyond the handle's life perhaps.
fn hold(strategy: usize, handle: u64) -> Result<()> {
    match strategy {
        0 => borrow::<Counted>(handle).map(|counted| drop(std::sync::Arc::clone(counted.arc()))),
        1 => SERIAL.get(handle).map(drop),
        2 => OWNED.get(handle).map(drop),
        3 => SHARED.get(handle).map(drop),
        4 => PLAIN.get(handle).map(drop),
        _ => THIN.get(handle).map(drop),
    }
}

fn several(strategy: usize, handles: [u64; 3]) -> Result<()> {
    match strategy {
        0 => Ok(()),
        1 => SERIAL.with_all(handles, |mut things| (0..3).for_each(|at| things.get(at).touch())),
        2 => OWNED.with_all(handles, |mut things| (0..3).for_each(|at| things.get(at).touch())),
        3 => SHARED.with_all(handles, |things| things.into_iter().for_each(Thing::touch)),
        4 => PLAIN.with_all(handles, |things| things.into_iter().for_each(Thing::touch)),
        _ => THIN.with_all(handles, |things| things.into_iter().for_each(Thing::touch)),
    }
}

/// The allowed results of using a handle that other threads use, close and release.
fn allow<T>(result: Result<T>) {
    let known = [
        Status::StaleHandle,
        Status::Closed,
        Status::Pending,
        Status::BadArgument,
        Status::CloseRefused,
        Status::ZeroHandle,
    ];
    if let Err(error) = result {
        assert!(known.contains(&error.status), "{:?}: {error}", error.status);
    }
}

/// Handles that all threads reach, by strategy.
struct World {
    places: [[AtomicU64; PLACES]; STRATEGIES],
    foreign_type: u16,
    foreign: Mutex<Vec<u64>>,
}

impl World {
    fn new() -> Self {
        let places = [const { [const { AtomicU64::new(0) }; PLACES] }; STRATEGIES];
        Self { places, foreign_type: foreign_type(), foreign: Mutex::default() }
    }

    fn step(&self, random: &mut Random) {
        let strategy = random.below(STRATEGIES);
        let place = &self.places[strategy][random.below(PLACES)];
        let handle = place.load(Ordering::Acquire);
        match random.below(16) {
            0 | 1 => release(place.swap(create(strategy), Ordering::AcqRel)),
            2 => release(place.swap(0, Ordering::AcqRel)),
            3 => match clone_handle(handle) {
                Ok(clone) => release(
                    self.places[strategy][random.below(PLACES)].swap(clone, Ordering::AcqRel),
                ),
                refused => allow(refused),
            },
            4 => allow(hold(strategy, handle)),
            5 => allow(several(
                strategy,
                [
                    handle,
                    self.places[strategy][random.below(PLACES)].load(Ordering::Acquire),
                    handle,
                ],
            )),
            6 => allow(strong_and_weak(handle).and_then(|_| is_same(handle, handle))),
            7 => allow(close(strategy, handle)),
            8 => {
                set_deadline(1 + random.below(3) as u64);
                allow(preview(runtime(), handle).and_then(|()| close(strategy, handle)));
                set_deadline(0);
            }
            9 => allow(cancel(runtime(), handle)),
            10 => {
                drain_here();
            }
            11 | 12 => self.foreign_step(random),
            _ => allow(call(strategy, handle)),
        }
    }

    fn foreign_step(&self, random: &mut Random) {
        let mut held = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        let at = random.below(PLACES);
        if at >= held.len() {
            let value =
                FOREIGN_VALUES.fetch_add(1, Ordering::Relaxed) % FOREIGN_CLOSES.len() as u64;
            FOREIGN_CLOSES[value as usize].store(0, Ordering::Relaxed);
            held.push(foreign::insert(self.foreign_type, value).unwrap());
            return;
        }
        let handle = held[at];
        if random.below(3) == 0 {
            held.swap_remove(at);
            drop(held);
            let value = foreign::delete(self.foreign_type, handle).unwrap();
            assert!(FOREIGN_CLOSES[value as usize].load(Ordering::Relaxed) <= 1, "closed twice");
            return;
        }
        drop(held);
        match random.below(3) {
            0 => allow(foreign::value(self.foreign_type, handle)),
            1 => allow(foreign_close::request(self.foreign_type, handle, 0)),
            _ => {
                let entered = foreign_close::enter(self.foreign_type, handle);
                if entered.is_ok() {
                    thread::yield_now();
                    foreign_close::leave(handle);
                }
                allow(entered);
            }
        }
    }

    fn end(&self) {
        for place in self.places.iter().flatten() {
            release(place.swap(0, Ordering::AcqRel));
        }
        for handle in self.foreign.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            foreign::delete(self.foreign_type, handle).unwrap();
        }
    }
}

fn release(handle: u64) {
    if handle != 0 {
        ownership::release(runtime(), handle).unwrap();
    }
}

/// Threads start and end, so that owners end while closes wait for them.
fn run_until(end: Instant, world: &World) {
    thread::scope(|scope| {
        for number in 1..=THREADS as u64 {
            scope.spawn(move || {
                let mut random = Random(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                while Instant::now() < end {
                    let seed = random.below(usize::MAX) as u64 | 1;
                    thread::scope(|inner| {
                        inner.spawn(move || {
                            let mut random = Random(seed);
                            (0..20_000)
                                .take_while(|_| Instant::now() < end)
                                .for_each(|_| world.step(&mut random));
                        });
                    });
                }
            });
        }
    });
}

#[test]
fn all_strategies_on_eight_threads_end_with_nothing_left() {
    let secs = std::env::var("ARC_INSPECTOR_STRESS_SECS")
        .ok()
        .and_then(|secs| secs.parse().ok())
        .unwrap_or(DEFAULT_SECS);
    let before = ai_live_handles();
    let world = World::new();
    for (level, share) in [(Level::Count, 2), (Level::Off, 4), (Level::Stacks, 4)] {
        levels::set_level(runtime(), level as u8);
        run_until(Instant::now() + Duration::from_millis(secs * 1000 / share), &world);
    }
    world.end();
    // a release that waits for a pending close happens with that close, whose owner has ended
    while drain_here() > 0 {}
    let until = Instant::now() + Duration::from_secs(60);
    while (ai_live_handles() != before
        || DROPPED.load(Ordering::SeqCst) != MADE.load(Ordering::SeqCst))
        && Instant::now() < until
    {
        drain_here();
        thread::yield_now();
    }
    assert_eq!(ai_live_handles(), before, "live handles are left");
    assert_eq!(
        DROPPED.load(Ordering::SeqCst),
        MADE.load(Ordering::SeqCst),
        "each object is dropped once"
    );
    assert_eq!(CLOSED_TWICE.load(Ordering::SeqCst), 0, "closed more than once");
    assert_eq!(USED_AFTER_CLOSE.load(Ordering::SeqCst), 0, "used after its close");
    assert!(MADE.load(Ordering::SeqCst) > 100, "nothing happened");
}
