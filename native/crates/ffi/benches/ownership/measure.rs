//! One interleaved run: each round measures every peer, so that other load on the machine affects
//! all alike.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use recorder::levels;
use recorder::runtime::runtime;
use segment::layout::Level;

use crate::peers::{Call, Peer};
use uniffi::RustCallStatus;

const CALLS: u32 = 20_000;
/// Tries to have two threads really run side by side.
const TRIES: usize = 20;
const OBJECTS: usize = 1_000;
/// Passes over them until a new thread uses its own dead rows again.
const FILLING_PASSES: usize = 3;
/// Passes over them that count.
const PASSES: usize = 4;

/// The measured operations, in the order of the table's columns.
pub const COLUMNS: [&str; 7] = [
    "call",
    "call, 2 threads, same object",
    "call, 2 threads, own objects",
    "create",
    "create, 2 threads",
    "free",
    "free, 2 threads",
];

/// A peer at a level, with its nanoseconds an operation by column and round.
pub struct Row {
    /// The peer.
    pub peer: Peer,
    /// How much is recorded meanwhile.
    pub level: Level,
    samples: [Vec<f64>; COLUMNS.len()],
}

impl Row {
    /// Nothing measured yet.
    pub fn new(peer: Peer, level: Level) -> Self {
        Self { peer, level, samples: Default::default() }
    }

    /// Measures every column once.
    pub fn round(&mut self) {
        levels::set_level(runtime(), self.level as u8);
        let peer = black_box(self.peer);
        let shared = (peer.create)();
        self.samples[0].push(calls(peer, shared));
        self.samples[1].push(on_two_threads(|| [calls(peer, shared)])[0]);
        (peer.free)(shared);
        let own = || {
            let own = (peer.create)();
            let nanos = calls(peer, own);
            (peer.free)(own);
            [nanos]
        };
        self.samples[2].push(on_two_threads(own)[0]);
        let [create, free] = create_and_free(peer);
        let [create_two, free_two] = on_two_threads(|| create_and_free(peer));
        for (column, nanos) in (3..).zip([create, create_two, free, free_two]) {
            self.samples[column].push(nanos);
        }
        levels::set_level(runtime(), Level::Off as u8);
    }

    /// The lower quartile of the rounds: other load on the machine can only add time.
    pub fn nanos(&self, column: usize) -> f64 {
        let mut sorted: Vec<f64> =
            self.samples[column].iter().copied().filter(|nanos| !nanos.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 4).copied().unwrap_or(f64::NAN)
    }
}

fn calls(peer: Peer, handle: u64) -> f64 {
    match peer.call {
        Call::One(call) => timed_calls(|| call(black_box(handle))),
        Call::CloneThenUse(count_up, call) => {
            let mut status = RustCallStatus::default();
            timed_calls(|| call(black_box(count_up)(black_box(handle), &mut status), &mut status))
        }
    }
}

fn timed_calls(mut call: impl FnMut() -> u64) -> f64 {
    // a thread's first call finds it a place
    (0..CALLS / 100).for_each(|_| {
        black_box(call());
    });
    let began = Instant::now();
    for _ in 0..CALLS {
        black_box(call());
    }
    began.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

/// Several passes over the same number of objects; the first passes, in which caches and stocks
/// fill, do not count.
fn create_and_free(peer: Peer) -> [f64; 2] {
    let mut handles = Vec::with_capacity(OBJECTS);
    for _ in 0..FILLING_PASSES {
        pass(peer, &mut handles);
    }
    let passes: [[f64; 2]; PASSES] = std::array::from_fn(|_| pass(peer, &mut handles));
    std::array::from_fn(|what| passes.iter().map(|pass| pass[what]).sum::<f64>() / PASSES as f64)
}

fn pass(peer: Peer, handles: &mut Vec<u64>) -> [f64; 2] {
    let began = Instant::now();
    for _ in 0..OBJECTS {
        handles.push((peer.create)());
    }
    let created = began.elapsed();
    let began = Instant::now();
    for handle in handles.drain(..) {
        (peer.free)(handle);
    }
    [created, began.elapsed()].map(|time| time.as_nanos() as f64 / OBJECTS as f64)
}

/// The average time of two threads that really run side by side: a try counts when both had a
/// processor nearly all the time between the common start and their end. NaN when no try counted.
fn on_two_threads<const N: usize>(body: impl Fn() -> [f64; N] + Sync) -> [f64; N] {
    (0..TRIES).find_map(|_| side_by_side(&body)).unwrap_or([f64::NAN; N])
}

/// When a thread did its part.
struct Span {
    began: Instant,
    ended: Instant,
    used: Duration,
}

impl Span {
    /// Whether it had a processor all the time, and nearly all of that beside the other.
    fn is_beside(&self, other: &Self) -> bool {
        let took = (self.ended - self.began).as_secs_f64();
        let shared = self
            .ended
            .min(other.ended)
            .saturating_duration_since(self.began.max(other.began))
            .as_secs_f64();
        self.used.as_secs_f64() > 0.97 * took && shared > 0.9 * took
    }
}

fn side_by_side<const N: usize>(body: &(impl Fn() -> [f64; N] + Sync)) -> Option<[f64; N]> {
    let ready = AtomicUsize::new(0);
    let timed = || {
        ready.fetch_add(1, Ordering::SeqCst);
        while ready.load(Ordering::SeqCst) < 2 {
            std::hint::spin_loop();
        }
        let (began, used) = (Instant::now(), processor_time());
        let nanos = body();
        let span = Span { began, ended: Instant::now(), used: processor_time() - used };
        (nanos, span)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(timed);
        let (here, here_span) = timed();
        let (there, there_span) = other.join().expect("no peer panics");
        let is_good = here_span.is_beside(&there_span) && there_span.is_beside(&here_span);
        is_good.then(|| std::array::from_fn(|at| f64::midpoint(here[at], there[at])))
    })
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    Duration::from_nanos(platform::thread_cpu_nanos())
}
