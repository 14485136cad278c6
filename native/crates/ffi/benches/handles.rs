//! The cost of the hooks: cloning and releasing a reference, `std::sync::Arc` against [`Traced`]
//! with recording off and with a history; and the cost of a checked call beside it. One interleaved
//! run: every round measures all cases, so that other load on the machine affects all alike. Prints
//! the median of the rounds, in nanoseconds per operation, and its ratio to `Arc`; then criterion
//! measures.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Instant;

use criterion::{criterion_group, criterion_main, Criterion};
use objects::lifecycle;
use objects::ownership;
use objects::ownership::{borrow, lower, Traced};
use recorder::levels;
use recorder::runtime::runtime;
use samples::{Cursor, Journal, TodoItem, TodoList};
use segment::clock;
use segment::layout::Level;

const ROUNDS: usize = 201;
const REPEATS: u32 = 10_000;

/// A case: its name, its level, the code to measure, and the number of operations in it.
struct Case<'a> {
    name: &'static str,
    level: Level,
    operations: f64,
    body: Box<dyn FnMut() + 'a>,
    nanos: Vec<f64>,
}

impl<'a> Case<'a> {
    fn new(name: &'static str, level: Level, operations: f64, body: impl FnMut() + 'a) -> Self {
        Self { name, level, operations, body: Box::new(body), nanos: Vec::new() }
    }

    fn round(&mut self) {
        levels::set_level(runtime(), self.level as u8);
        let began = Instant::now();
        (self.body)();
        self.nanos.push(began.elapsed().as_nanos() as f64 / f64::from(REPEATS) / self.operations);
    }

    fn median(&mut self) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        self.nanos[self.nanos.len() / 2]
    }
}

fn repeat(mut body: impl FnMut()) {
    for _ in 0..REPEATS {
        body();
    }
}

fn interleaved() {
    let arc = Arc::new(TodoItem::new("a"));
    let traced = Traced::new(TodoItem::new("b"));
    let list = lower(Arc::new(TodoList::new())).expect("a row");
    let affine = Affine::new();
    let mut cases = [
        Case::new("Arc, clone + drop", Level::Off, 2.0, || {
            repeat(|| drop(black_box(Arc::clone(black_box(&arc)))))
        }),
        Case::new("Traced off", Level::Off, 2.0, || {
            repeat(|| drop(black_box(black_box(&traced).clone())))
        }),
        Case::new("Traced, counts only", Level::Count, 2.0, || {
            repeat(|| drop(black_box(black_box(&traced).clone())))
        }),
        Case::new("Traced, history", Level::History, 2.0, || {
            repeat(|| drop(black_box(black_box(&traced).clone())))
        }),
        Case::new("the clock alone", Level::Off, 1.0, || {
            repeat(|| {
                black_box(clock::ticks());
            })
        }),
        Case::new("checked call, off", Level::Off, 1.0, || {
            repeat(|| drop(black_box(borrow::<TodoList>(list).map(|list| list.len()))))
        }),
        Case::new("checked call, a close waits elsewhere", Level::Off, 1.0, || {
            affine.while_one_waits(|| {
                repeat(|| drop(black_box(borrow::<TodoList>(list).map(|list| list.len()))))
            });
        }),
        Case::new("checked call, history", Level::History, 1.0, || {
            repeat(|| drop(black_box(borrow::<TodoList>(list).map(|list| list.len()))));
        }),
        Case::new("handle, create + release", Level::Off, 1.0, || repeat(create_and_release)),
        Case::new("handle, create + release, history", Level::History, 1.0, || {
            repeat(create_and_release)
        }),
    ];
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::round);
    }
    let bare = cases[0].median();
    for case in &mut cases {
        let median = case.median();
        println!(
            "{:36} {median:8.2} ns  ×{:.3}  {:+.2} ns",
            case.name,
            median / bare,
            median - bare
        );
    }
    drop(cases);
    affine.end();
    levels::set_level(runtime(), Level::Off as u8);
    ownership::release(runtime(), list).expect("it is live");
}

/// Objects that only another thread may close, and that thread reaches no safe point.
struct Affine {
    cursors: Vec<u64>,
    done: mpsc::Sender<()>,
    owner: thread::JoinHandle<()>,
}

impl Affine {
    const OBJECTS: usize = 100;

    fn new() -> Self {
        let (made, get) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let owner = thread::spawn(move || {
            let path =
                std::env::temp_dir().join(format!("arc-inspector-bench-{}", std::process::id()));
            let journal = Arc::new(Journal::open(&path).expect("a journal"));
            let cursor = || {
                lower(Arc::new(Cursor::open(Arc::clone(&journal)).expect("a cursor")))
                    .expect("a row")
            };
            made.send((0..Self::OBJECTS).map(|_| cursor()).collect()).expect("somebody waits");
            std::fs::remove_file(path).expect("it was made");
            // an error says the same
            let _ = is_done.recv();
        });
        Self { cursors: get.recv().expect("they are made"), done, owner }
    }

    fn while_one_waits(&self, body: impl FnOnce()) {
        lifecycle::close_with_defaults(runtime(), self.cursors[0])
            .expect_err("it waits for its owner");
        body();
        lifecycle::cancel(runtime(), self.cursors[0]).expect("it waits");
    }

    fn end(self) {
        drop(self.done);
        self.owner.join().expect("it ends well");
        self.cursors
            .into_iter()
            .for_each(|cursor| ownership::release(runtime(), cursor).expect("it is live"));
    }
}

fn create_and_release() {
    let handle = lower(Arc::new(TodoItem::new(""))).expect("a row");
    ownership::release(runtime(), handle).expect("it is live");
}

fn handles(criterion: &mut Criterion) {
    interleaved();
    let arc = Arc::new(TodoItem::new("a"));
    let traced = Traced::new(TodoItem::new("b"));
    let mut group = criterion.benchmark_group("clone + drop");
    group.bench_function("Arc", |bencher| bencher.iter(|| Arc::clone(black_box(&arc))));
    for (name, level) in [("Traced off", Level::Off), ("Traced history", Level::History)] {
        levels::set_level(runtime(), level as u8);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&traced).clone()));
    }
    levels::set_level(runtime(), Level::Off as u8);
    group.finish();
}

criterion_group!(benches, handles);
criterion_main!(benches);
