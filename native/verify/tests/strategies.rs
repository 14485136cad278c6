//! Any sequence of uses of every strategy against a plain model: living objects, their counts, and
//! the answers to wrong handles.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use objects::lifecycle;
use objects::object::CloseSpec;
use objects::ownership;
use objects::ownership::{
    clone_handle, is_same, strong_and_weak, ArcMap, CloseAlone, CloseShared, ForeignMap, Held,
    MutexMap, Shared, Thin, ThinMap,
};
use proptest::collection::vec;
use proptest::prelude::*;
use recorder::runtime::runtime;
use segment::status::{Result, Status};

/// A number, and counters of its close and its end.
struct Thing {
    number: usize,
    closes: Arc<AtomicUsize>,
    ends: Arc<AtomicUsize>,
}

impl CloseAlone for Thing {
    fn close_with_defaults(&mut self) -> Result<()> {
        CloseShared::close_with_defaults(self)
    }
}

impl CloseShared for Thing {
    fn close_with_defaults(&self) -> Result<()> {
        self.closes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }
}

const CLOSING: CloseSpec = CloseSpec { signature: "close()", is_thread_affine: false };
static SERIAL: MutexMap<Thing> = MutexMap::closable("Serial", "verify", CLOSING);
static ARCS: ArcMap<Thing> = ArcMap::closable("Arcs", "verify", CLOSING);
static THIN: ThinMap<Thing> = ThinMap::closable("Thin", "verify", CLOSING);
static FOREIGN: ForeignMap = ForeignMap::new("Foreign", "verify");

const STRATEGIES: usize = 3;

/// A reference that native code holds.
enum Native {
    Serial(Held<Thing>),
    Arc(Shared<Thing>),
    Thin(Thin<Thing>),
}

fn create(strategy: usize, thing: Thing) -> Result<u64> {
    match strategy {
        0 => SERIAL.insert(thing),
        1 => ARCS.insert(thing),
        _ => THIN.insert(thing).map(Thin::lower),
    }
}

fn read(strategy: usize, handle: u64) -> Result<usize> {
    match strategy {
        0 => SERIAL.with(handle, |thing| thing.number),
        1 => ARCS.with(handle, |thing| thing.number),
        _ => THIN.with(handle, |thing| thing.number),
    }
}

/// With a method of its own, or with the type's.
fn close(strategy: usize, handle: u64, is_own: bool) -> Result<()> {
    match strategy {
        _ if !is_own => lifecycle::close_with_defaults(runtime(), handle),
        0 => SERIAL.close(handle, CloseAlone::close_with_defaults),
        1 => ARCS.close(handle, CloseShared::close_with_defaults),
        _ => THIN.close(handle, CloseShared::close_with_defaults),
    }
}

fn get(strategy: usize, handle: u64) -> Result<Native> {
    Ok(match strategy {
        0 => Native::Serial(SERIAL.get(handle)?),
        1 => Native::Arc(ARCS.get(handle)?),
        _ => Native::Thin(THIN.get(handle)?),
    })
}

fn lower(native: Native) -> Result<u64> {
    match native {
        Native::Serial(held) => SERIAL.lower(held),
        Native::Arc(shared) => ARCS.lower(shared),
        Native::Thin(thin) => Ok(thin.lower()),
    }
}

/// A step of the sequence; the numbers choose among the existing objects.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create(usize),
    Clone(usize),
    Read(usize),
    Close(usize, bool),
    /// A bug in a call.
    Panic(usize),
    ReadElsewhere(usize, usize),
    Release(usize),
    UseDead(usize),
    Hold(usize),
    LetGo(usize),
    Lower(usize),
    Number(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = any::<usize>();
    let step = prop_oneof![
        3 => (0..STRATEGIES).prop_map(Step::Create),
        2 => which.prop_map(Step::Clone),
        2 => which.prop_map(Step::Read),
        1 => (which, any::<bool>()).prop_map(|(at, is_own)| Step::Close(at, is_own)),
        1 => which.prop_map(Step::Panic),
        1 => (which, 0..STRATEGIES + 1).prop_map(|(at, strategy)| Step::ReadElsewhere(at, strategy)),
        3 => which.prop_map(Step::Release),
        1 => which.prop_map(Step::UseDead),
        2 => which.prop_map(Step::Hold),
        1 => which.prop_map(Step::LetGo),
        1 => which.prop_map(Step::Lower),
        1 => prop_oneof![any::<u64>().prop_map(|bits| bits | 1 << 63), Just(0)].prop_map(Step::Number),
    ];
    vec(step, 0..120)
}

/// An object of the model.
struct Object {
    strategy: usize,
    strong: u64,
    /// The answer to a call: `Ok`, `Closed` or `Poisoned`.
    answer: Status,
    closes: Arc<AtomicUsize>,
    ends: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Model {
    objects: Vec<Object>,
    /// Handle and object, one entry a reference.
    live: Vec<(u64, usize)>,
    dead: Vec<(u64, usize)>,
    native: Vec<(Native, usize)>,
}

impl Model {
    fn chosen(&self, at: usize) -> Option<(u64, usize)> {
        (!self.live.is_empty()).then(|| self.live[at % self.live.len()])
    }

    fn step(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Create(strategy) => {
                let (number, closes, ends) = (self.objects.len(), Arc::default(), Arc::default());
                let thing = Thing { number, closes: Arc::clone(&closes), ends: Arc::clone(&ends) };
                self.live.push((create(strategy, thing)?, number));
                self.objects.push(Object { strategy, strong: 1, answer: Status::Ok, closes, ends });
            }
            Step::Clone(at) => {
                let Some((handle, object)) = self.chosen(at) else { return Ok(()) };
                let clone = clone_handle(handle)?;
                assert!(is_same(handle, clone)?);
                self.count(object, 1);
                self.live.push((clone, object));
            }
            Step::Read(at) => {
                let Some((handle, object)) = self.chosen(at) else { return Ok(()) };
                let read = read(self.objects[object].strategy, handle);
                assert!(read.as_ref().is_err() || read == Ok(object));
                assert_eq!(status(read), self.objects[object].answer);
                assert_eq!(strong_and_weak(handle)?, (self.objects[object].strong, 0));
            }
            Step::Close(at, is_own) => self.close(at, is_own),
            Step::Panic(at) => self.panic(at),
            Step::ReadElsewhere(at, strategy) => self.read_elsewhere(at, strategy),
            Step::Release(at) if !self.live.is_empty() => {
                let (handle, object) = self.live.swap_remove(at % self.live.len());
                ownership::release(runtime(), handle)?;
                self.dead.push((handle, object));
                self.count(object, -1);
            }
            Step::UseDead(at) => self.use_dead(at),
            Step::Hold(at) => {
                let Some((handle, object)) = self.chosen(at) else { return Ok(()) };
                let held = get(self.objects[object].strategy, handle);
                let Ok(held) = held else {
                    assert_eq!(status(held), self.objects[object].answer);
                    return Ok(());
                };
                self.native.push((held, object));
                self.count(object, 1);
            }
            Step::LetGo(at) if !self.native.is_empty() => {
                let (native, object) = self.native.swap_remove(at % self.native.len());
                drop(native);
                self.count(object, -1);
            }
            Step::Lower(at) if !self.native.is_empty() => {
                let (native, object) = self.native.swap_remove(at % self.native.len());
                self.live.push((lower(native)?, object));
            }
            Step::Number(number) => {
                let expected = if number == 0 { Status::ZeroHandle } else { Status::UnknownHandle };
                (0..STRATEGIES).for_each(|strategy| {
                    assert_eq!(status(read(strategy, number)), expected, "{number:#x}")
                });
                assert_eq!(status(FOREIGN.value(number)), expected);
            }
            Step::Release(_) | Step::LetGo(_) | Step::Lower(_) => {}
        }
        Ok(())
    }

    /// Runs at most once; the second close reports the first.
    fn close(&mut self, at: usize, is_own: bool) {
        let Some((handle, object)) = self.chosen(at) else { return };
        let object = &mut self.objects[object];
        assert_eq!(status(lifecycle::preview(runtime(), handle)), object.answer);
        assert_eq!(status(close(object.strategy, handle, is_own)), object.answer);
        if object.answer == Status::Ok {
            object.answer = Status::Closed;
        }
        assert_eq!(
            object.closes.load(Ordering::SeqCst),
            usize::from(object.answer == Status::Closed)
        );
    }

    /// Poisons an object of the mutex map, and nothing else.
    fn panic(&mut self, at: usize) {
        let Some((handle, object)) = self.chosen(at) else { return };
        let object = &mut self.objects[object];
        let panicked = catch_unwind(AssertUnwindSafe(|| match object.strategy {
            0 => SERIAL.with(handle, |_| resume_unwind(Box::new("a bug"))),
            1 => ARCS.with(handle, |_| resume_unwind(Box::new("a bug"))),
            _ => THIN.with(handle, |_| resume_unwind(Box::new("a bug"))),
        }));
        assert_eq!(panicked.is_err(), object.answer == Status::Ok);
        if object.answer == Status::Ok && object.strategy == 0 {
            object.answer = Status::Poisoned;
        }
    }

    fn read_elsewhere(&self, at: usize, strategy: usize) {
        let Some((handle, object)) = self.chosen(at) else { return };
        if strategy == STRATEGIES {
            assert_eq!(status(FOREIGN.value(handle)), Status::WrongType);
        } else if strategy != self.objects[object].strategy {
            assert_eq!(status(read(strategy, handle)), Status::WrongType);
        }
    }

    /// A number that was released; a thin object's is its number as long as it lives.
    fn use_dead(&self, at: usize) {
        if self.dead.is_empty() {
            return;
        }
        let (handle, object) = self.dead[at % self.dead.len()];
        let Object { strategy, strong, .. } = self.objects[object];
        if strategy != 2 || strong == 0 {
            assert_eq!(status(read(strategy, handle)), Status::StaleHandle);
            assert_eq!(status(ownership::release(runtime(), handle)), Status::StaleHandle);
            assert_eq!(status(clone_handle(handle)), Status::StaleHandle);
        }
    }

    fn count(&mut self, object: usize, change: i64) {
        let object = &mut self.objects[object];
        object.strong = object.strong.wrapping_add_signed(change);
        assert_eq!(
            object.ends.load(Ordering::SeqCst),
            usize::from(object.strong == 0),
            "ended with its last reference"
        );
    }

    fn end(mut self) -> Result<()> {
        while !self.live.is_empty() {
            self.step(Step::Release(0))?;
        }
        while !self.native.is_empty() {
            self.step(Step::LetGo(0))?;
        }
        assert!(self.objects.iter().all(|object| object.ends.load(Ordering::SeqCst) == 1));
        Ok(())
    }
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_strategy_does_what_the_model_does(steps in steps()) {
        let mut model = Model::default();
        for step in steps {
            model.step(step).map_err(|error| TestCaseError::fail(format!("{step:?}: {error}")))?;
        }
        model.end().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }

    #[test]
    fn foreign_handles_do_what_a_map_does(steps in vec((any::<u64>(), 0..4_u8), 0..200)) {
        let mut model = std::collections::HashMap::new();
        let mut numbers = Vec::new();
        for (value, what) in steps {
            let number = if numbers.is_empty() { 0 } else { numbers[value as usize % numbers.len()] };
            match what {
                0 => {
                    let new = FOREIGN.insert(value).map_err(|error| TestCaseError::fail(error.to_string()))?;
                    prop_assert!(new != 0 && model.insert(new, value).is_none() && !numbers.contains(&new));
                    numbers.push(new);
                }
                1 | 2 if number != 0 => prop_assert_eq!(FOREIGN.value(number).ok(), model.get(&number).copied()),
                3 if number != 0 => prop_assert_eq!(FOREIGN.delete(number).ok(), model.remove(&number)),
                _ => prop_assert_eq!(status(FOREIGN.delete(0)), Status::ZeroHandle),
            }
        }
        for (number, value) in model {
            prop_assert_eq!(FOREIGN.delete(number), Ok(value));
        }
    }
}
